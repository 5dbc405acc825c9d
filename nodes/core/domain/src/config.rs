//! A tenant's configuration as State holds it: references resolved to ids, durations in milliseconds, secrets as
//! digests. The form that people write is `document`; `resolve` leads from there to here and `export` back.
//! Nothing here decides about calls.

pub(crate) mod conference;
pub mod diff;
pub mod document;
pub mod export;
#[cfg(test)]
mod fixture;
mod mailbox;
mod memberships;
mod music;
mod people;
mod reach;
pub mod resolve;
mod service;
mod srtp;
mod timezone;
pub mod validate;

use std::{collections::BTreeMap, sync::Arc};

use mangrove_proto::id::{EmployeeId, GroupId, TenantId};
use serde::{Deserialize, Serialize};

pub use conference::Conference;
pub use mailbox::{Mailbox, Owner};
pub use mangrove_sip::{
    matcher::{InvalidMatcher, SourceMatcher},
    sdp::Security,
};
pub use music::Music;
pub use people::{Device, Employee, Login, PAGE, Role, SipDevice};
pub use reach::{Number, Target, Trunk};
pub use service::{
    Announce, AtMaxWait, Group, HangUp, Member, NoAnswer, Overflow, QueueRules, Recorded, RecordedAs,
    RecordedCalls, Recording, RecordingKeys, Said, Scheme, Step, Strategy,
};
pub use timezone::{Timezone, UnknownTimezone};

/// One company's exchange. Every id and name that it mentions exists in it: `resolve` makes no other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TenantConfig {
    pub id: TenantId,
    /// Rises by one with every change; the first is 1.
    pub version: u64,
    pub name: Arc<str>,
    /// SIP domain and digest realm of its phones, in lower case.
    pub domain: Arc<str>,
    pub timezone: Timezone,
    /// Language tag of prompts: `en`, `ru`, or one that the tenant has prompts for.
    pub language: Arc<str>,
    /// Heard on hold, while a phone rings, and in queues that name none of their own.
    #[serde(default, skip_serializing_if = "Music::is_default")]
    pub music: Music,
    pub defaults: Defaults,
    /// In the file's order: the first that may carry a call is taken.
    pub trunks: Vec<Trunk>,
    pub numbers: BTreeMap<Arc<str>, Number>,
    pub employees: BTreeMap<EmployeeId, Employee>,
    pub groups: BTreeMap<GroupId, Group>,
    pub schemes: BTreeMap<Arc<str>, Scheme>,
    /// Boxes for messages, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub voicemail: BTreeMap<Arc<str>, Mailbox>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub conferences: BTreeMap<Arc<str>, Conference>,
    pub recording: Recording,
    /// Whether employees see who listens to their talks; who speaks in them they see in any case.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub agents_see_listeners: bool,
    #[serde(skip)]
    pub(crate) memberships: memberships::Memberships,
}

/// What holds for employees who say nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Defaults {
    /// How long an employee's devices ring, milliseconds.
    pub ring_ms: u64,
    /// Number shown to outside parties, one of a trunk's `caller_ids`.
    pub caller_id: Option<Arc<str>>,
}

/// Who answers an extension.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extension<'a> {
    Employee(&'a Employee),
    Group(&'a Group),
    Conference(&'a Conference),
}

impl TenantConfig {
    /// How long this employee's devices ring when called directly, milliseconds.
    pub fn ring_ms(&self, employee: &Employee) -> u64 {
        employee.ring_ms.unwrap_or(self.defaults.ring_ms)
    }

    /// The number that outside parties see when this employee calls.
    pub fn caller_id(&self, employee: &Employee) -> Option<Arc<str>> {
        employee.caller_id.clone().or_else(|| self.defaults.caller_id.clone())
    }

    /// What callers of this group hear while they wait.
    pub fn music_of(&self, group: &GroupId) -> &Music {
        let own = self.groups.get(group).map(|group| &group.queue.music);
        own.filter(|music| !music.is_default()).unwrap_or(&self.music)
    }

    /// Whether builds before protocol 6 can't read it, or read less: music of the company's own or of several pieces,
    /// announcements in line, steps that speak, conferences, listeners that are seen, trunks and phones for which something
    /// is said of SRTP, recording by more than the company's one rule, or as other files, boxes for messages.
    pub fn is_of_protocol_6(&self) -> bool {
        let speaks = |steps: &[Step]| {
            steps.iter().any(|step| matches!(step, Step::Say { .. } | Step::Voicemail { .. }))
        };
        let is_new = |group: &Group| {
            let Overflow { waited, full, nobody } = &group.overflow;
            let queue = &group.queue;
            queue.announce.is_some()
                || queue.music.pieces().len() > 1
                || [waited, full, nobody].into_iter().any(|steps| speaks(steps))
        };
        !self.music.is_default()
            || self.agents_see_listeners
            || !self.conferences.is_empty()
            || !self.voicemail.is_empty()
            || self.groups.values().any(is_new)
            || self.schemes.values().any(|scheme| speaks(&scheme.steps))
            || self.securities().any(|security| !srtp::is_usual(&security))
            || self.rules_recording()
    }

    fn rules_recording(&self) -> bool {
        let numbers = self.numbers.values().map(|number| number.recording);
        let groups = self.groups.values().map(|group| group.recording);
        let employees = self.employees.values().map(|employee| employee.recording);
        let company = &self.recording;
        numbers.chain(groups).chain(employees).any(|rule| rule.is_some())
            || !company.on_demand.is_none()
            || company.resume_after_ms.is_some()
            || !company.keys.is_none()
            || self.records_otherwise()
    }

    /// Whether anything is recorded as other files than WAV of two channels.
    fn records_otherwise(&self) -> bool {
        let numbers = self.numbers.values().map(|number| number.recorded_as);
        let groups = self.groups.values().map(|group| group.recorded_as);
        let employees = self.employees.values().map(|employee| employee.recorded_as);
        let company = &self.recording;
        !(company.format.is_wav() && company.channels.is_dual())
            || numbers.chain(groups).chain(employees).any(|said| !said.is_silent())
    }

    fn securities(&self) -> impl Iterator<Item = Security> {
        let phones = self.employees.values().flat_map(|employee| employee.sip_devices());
        self.trunks.iter().map(|trunk| trunk.srtp).chain(phones.map(|phone| phone.srtp))
    }

    /// The employee, group or conference with this extension. Extensions are unique over all of them.
    pub fn extension(&self, extension: &str) -> Option<Extension<'_>> {
        let employee = self.employees.values().find(|e| &*e.extension == extension).map(Extension::Employee);
        let group = || self.groups.values().find(|g| &*g.extension == extension).map(Extension::Group);
        let is_dialled = |c: &&Conference| c.extension.as_deref() == Some(extension);
        let conference = || self.conferences.values().find(is_dialled).map(Extension::Conference);
        employee.or_else(group).or_else(conference)
    }

    /// The employee whose SIP device has this user name.
    pub fn device(&self, username: &str) -> Option<(&Employee, &SipDevice)> {
        self.employees.values().find_map(|employee| employee.sip(username).map(|device| (employee, device)))
    }

    /// The boxes of this employee, in the order of their names.
    pub fn boxes_of<'a>(&'a self, employee: &'a EmployeeId) -> impl Iterator<Item = &'a Mailbox> {
        self.voicemail.values().filter(move |mailbox| mailbox.owner.is_employee(employee))
    }

    /// The trunk with this name.
    pub fn trunk(&self, name: &str) -> Option<&Trunk> {
        self.trunks.iter().find(|trunk| &*trunk.name == name)
    }

    /// The groups that this employee serves, by id.
    pub fn groups_of(&self, employee: &EmployeeId) -> impl Iterator<Item = &Group> {
        self.memberships(employee).iter().map(|(group, _)| &self.groups[group])
    }

    /// The same with the employee's place among each group's members.
    pub fn memberships(&self, employee: &EmployeeId) -> &[(GroupId, usize)] {
        self.memberships.of(employee, &self.groups)
    }

    /// Sets the password hash (argon2 PHC string) of an employee's login and voids its older tokens. False when
    /// there is no such login.
    pub fn set_password(&mut self, employee: &EmployeeId, hash: &str) -> bool {
        let Some(login) = self.employees.get_mut(employee).and_then(|e| e.login.as_mut()) else {
            return false;
        };
        login.password_hash = hash.into();
        login.epoch += 1;
        true
    }

    /// Takes over the passwords of logins that exist already: a configuration resolved before a password changed
    /// must not bring the old one back. `apply` calls it with the configuration it is about to replace.
    pub fn keep_passwords(&mut self, present: &Self) {
        for (id, employee) in &mut self.employees {
            let kept = present.employees.get(id).and_then(|e| e.login.as_ref());
            if let (Some(login), Some(kept)) = (employee.login.as_mut(), kept) {
                login.password_hash = kept.password_hash.clone();
                login.epoch = kept.epoch;
            }
        }
    }
}
