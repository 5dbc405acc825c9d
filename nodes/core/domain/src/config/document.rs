//! The form in which people write a tenant: `acme.yaml` and the JSON of the HTTP API. Reading checks keys, kinds of
//! values and their spelling; what only the whole can tell is `validate`'s.

mod conference;
mod duration;
mod mailbox;
mod people;
mod reach;
mod remove;
mod secret;
mod service;
mod sounds;
mod step;

use serde::{Deserialize, Serialize};

use super::Music;

pub use conference::Conference;
pub use duration::{Duration, InvalidDuration};
pub use mailbox::Mailbox;
pub use people::{Browser, Defaults, Device, Employee, EmployeeDefaults, Login, SipDevice};
pub use reach::{Number, Target, Trunk, TrunkLimits};
pub use secret::Secret;
pub use service::{Announce, Group, Member, NoAnswer, Overflow, Queue, Recording, Scheme, ServiceLevel};
pub use sounds::NamedSound;
pub use step::{GroupStep, HangUp, Step, VoicemailStep};

/// The only format there is yet.
pub const FORMAT: u32 = 1;

/// Something wrong in a document.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Problem {
    /// Where: `groups[0].members[1]`; empty for the document as a whole.
    pub path: String,
    /// What is wrong and what is allowed.
    pub message: String,
}

/// One tenant, whole: what is not mentioned does not exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    pub format: u32,
    /// The tenant's id.
    pub tenant: String,
    /// Written by `get`, ignored by `apply`: applying an old copy is a change like any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    pub name: String,
    pub domain: String,
    #[serde(default = "utc")]
    pub timezone: String,
    #[serde(default = "english")]
    pub language: String,
    /// Heard on hold and wherever a queue names none of its own; `default` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub music: Option<Music>,
    #[serde(default, skip_serializing_if = "is_default")]
    pub defaults: Defaults,
    #[serde(default)]
    pub trunks: Vec<Trunk>,
    #[serde(default)]
    pub numbers: Vec<Number>,
    #[serde(default)]
    pub employees: Vec<Employee>,
    #[serde(default)]
    pub groups: Vec<Group>,
    #[serde(default)]
    pub schemes: Vec<Scheme>,
    /// Boxes for messages.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub voicemail: Vec<Mailbox>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conferences: Vec<Conference>,
    #[serde(default)]
    pub recording: Recording,
    /// Whether employees see which supervisors listen to their talks; not when absent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agents_see_listeners: bool,
}

impl Document {
    /// Every password and PIN of the document with its path. The command line replaces `{env: NAME}` and `{file: PATH}` here.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = (String, &mut Secret)> {
        let conferences = self.conferences.iter_mut().enumerate().flat_map(|(at, conference)| {
            let pins =
                [("pin", &mut conference.pin), ("moderator_pin", &mut conference.moderator_pin)].into_iter();
            pins.filter_map(move |(key, pin)| Some((format!("conferences[{at}].{key}"), pin.as_mut()?)))
        });
        let employees = self.employees.iter_mut().enumerate().flat_map(|(at, employee)| {
            let login = employee.login.iter_mut().filter_map(|l| l.initial_password.as_mut());
            let login = login.map(move |secret| (format!("employees[{at}].login.initial_password"), secret));
            let devices =
                employee.devices.iter_mut().enumerate().filter_map(move |(device, value)| match value {
                    Device::Sip(sip) => Some((
                        format!("employees[{at}].devices[{device}].sip.password"),
                        sip.password.as_mut()?,
                    )),
                    Device::Browser(_) => None,
                });
            login.chain(devices)
        });
        employees.chain(conferences)
    }
}

/// Reads the JSON form. The problem says where it is.
pub fn read(json: &[u8]) -> Result<Document, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let document = serde_path_to_error::deserialize(&mut reader).map_err(|error| Problem {
        path: Some(error.path().to_string()).filter(|path| path != ".").unwrap_or_default(),
        message: plain(error.inner()),
    })?;
    reader.end().map_err(|error| Problem { path: String::new(), message: error.to_string() })?;
    Ok(document)
}

/// The place within the JSON text says little where the path is known.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    if error.is_data() { text.strip_suffix(&place).unwrap_or(&text).to_owned() } else { text }
}

fn utc() -> String {
    "UTC".to_owned()
}

fn english() -> String {
    "en".to_owned()
}

pub(crate) fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
