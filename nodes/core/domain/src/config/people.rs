//! Employees: their logins and devices.

use std::{collections::BTreeSet, fmt, sync::Arc};

use mangrove_proto::id::{EmployeeId, GroupId};
use serde::{Deserialize, Serialize};

use super::{Recorded, RecordedAs, Security, srtp};

/// What the phone in a person's page is called among their devices. No user name of a SIP phone is spelled so.
pub const PAGE: &str = "(page)";

/// A person with an extension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Employee {
    pub id: EmployeeId,
    pub extension: Arc<str>,
    pub name: Arc<str>,
    pub roles: BTreeSet<Role>,
    /// Groups that a supervisor or group head watches; empty for a supervisor means all.
    pub supervises: BTreeSet<GroupId>,
    pub login: Option<Login>,
    /// Rung in this order: the first at once, each further one beside it after an equal share of the ringing time or when
    /// none rings any more. One that is not registered is left out. A device rings wherever it is registered.
    pub devices: Vec<Device>,
    /// Milliseconds; the tenant's default when absent.
    pub ring_ms: Option<u64>,
    /// The tenant's default when absent.
    pub caller_id: Option<Arc<str>>,
    /// Of their talks; absent: what group, number and company say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<Recorded>,
    /// Of the file that it becomes.
    #[serde(default, skip_serializing_if = "RecordedAs::is_silent")]
    pub recorded_as: RecordedAs,
}

impl Employee {
    /// The SIP device with this user name.
    pub fn sip(&self, username: &str) -> Option<&SipDevice> {
        self.sip_devices().find(|device| &*device.username == username)
    }

    /// The SIP devices in ringing order.
    pub fn sip_devices(&self) -> impl Iterator<Item = &SipDevice> {
        self.devices.iter().filter_map(|device| match device {
            Device::Sip(device) => Some(device),
            Device::Browser => None,
        })
    }

    /// Whether they have the device of this name.
    pub fn has_device(&self, name: &str) -> bool {
        self.devices.iter().any(|device| device.name() == name)
    }
}

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    Employee,
    Agent,
    GroupHead,
    Supervisor,
    Marketer,
    Accountant,
    Administrator,
    Owner,
}

impl Role {
    pub const ALL: [Self; 8] = [
        Self::Employee,
        Self::Agent,
        Self::GroupHead,
        Self::Supervisor,
        Self::Marketer,
        Self::Accountant,
        Self::Administrator,
        Self::Owner,
    ];

    /// As files and the API write it: `group-head`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Employee => "employee",
            Self::Agent => "agent",
            Self::GroupHead => "group-head",
            Self::Supervisor => "supervisor",
            Self::Marketer => "marketer",
            Self::Accountant => "accountant",
            Self::Administrator => "administrator",
            Self::Owner => "owner",
        }
    }
}

/// Where an employee can be reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Device {
    /// The phone in the agent's page.
    Browser,
    Sip(SipDevice),
}

impl Device {
    /// What it is called among its person's devices: the user name of a SIP phone.
    pub fn name(&self) -> &str {
        match self {
            Self::Browser => PAGE,
            Self::Sip(device) => &device.username,
        }
    }
}

/// A SIP phone that registers. Holds digests of `username:domain:password`, never the password.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SipDevice {
    pub username: Arc<str>,
    /// Lower-case hex, RFC 7616 section 3.4.2.
    pub md5: Arc<str>,
    /// Lower-case hex.
    pub sha256: Arc<str>,
    /// Whether its sound is SRTP.
    #[serde(default = "srtp::usual", skip_serializing_if = "srtp::is_usual")]
    pub srtp: Security,
}

impl fmt::Debug for SipDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipDevice").field("username", &self.username).finish_non_exhaustive()
    }
}

/// A person's way into the pages.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// In lower case.
    pub email: Arc<str>,
    /// argon2 PHC string; empty while no password was ever set: then nobody can log in.
    pub password_hash: Arc<str>,
    /// Rises when the password changes or the login is made anew: tokens of an older epoch are void.
    pub epoch: u64,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("email", &self.email)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
