//! Employees as people write them.

use serde::{Deserialize, Serialize};

use super::{Duration, Secret, is_default};
use crate::config::{Recorded, RecordedAs, Role, Security, srtp};

/// What holds where an object says nothing else.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    #[serde(default, skip_serializing_if = "is_default")]
    pub employee: EmployeeDefaults,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EmployeeDefaults {
    pub ring: Duration,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
}

impl Default for EmployeeDefaults {
    fn default() -> Self {
        Self { ring: Duration::seconds(20), caller_id: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Employee {
    pub extension: String,
    /// The extension when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    pub name: String,
    #[serde(default = "plain_employee")]
    pub roles: Vec<Role>,
    /// Extensions or ids of groups.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub supervises: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<Login>,
    #[serde(default)]
    pub devices: Vec<Device>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ring: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    /// `always`, `never` or `on-demand`; the rule of the group or number when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recorded>,
    /// `{format: opus, channels: mixed}`, each of them or both; what is said less in particular when absent.
    #[serde(default, skip_serializing_if = "RecordedAs::is_silent")]
    pub recorded_as: RecordedAs,
}

impl Employee {
    /// What this employee is known by.
    pub fn id(&self) -> &str {
        self.id.as_deref().unwrap_or(&self.extension)
    }
}

fn plain_employee() -> Vec<Role> {
    vec![Role::Employee]
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    pub email: String,
    /// Of a new login; made and shown once when absent. Never changes a login that exists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initial_password: Option<Secret>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Device {
    Browser(Browser),
    Sip(SipDevice),
}

/// Nothing to say about it yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Browser {}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SipDevice {
    pub username: String,
    /// When absent the present one is kept; of a new device it is made and shown once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Secret>,
    /// `off`, `accept`, `prefer` or `require`.
    #[serde(default = "srtp::usual", skip_serializing_if = "srtp::is_usual")]
    pub srtp: Security,
}
