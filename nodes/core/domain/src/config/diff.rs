//! What a new configuration changes, object by object, for people and the audit log. Secrets are never shown: a
//! changed one is named only.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Conference, Employee, TenantConfig, export::objects};

/// What happens to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    Create,
    Update,
    Delete,
}

impl Action {
    /// As the API writes it: `create`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One object's change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// "employee/anna"; "tenant" for the tenant's own settings.
    pub object: String,
    pub action: Action,
    /// The object in the document's format; absent for a new one.
    pub before: Option<Value>,
    /// Absent for a deleted one. Its key `changed_secrets` lists passwords that differ.
    pub after: Option<Value>,
}

/// The changes from `old` to `new`, by object. Absent stands for no tenant.
pub fn diff(old: Option<&TenantConfig>, new: Option<&TenantConfig>) -> Vec<Change> {
    let mut before = old.map(objects).unwrap_or_default();
    let mut after = new.map(objects).unwrap_or_default();
    if let (Some(old), Some(new)) = (old, new) {
        name_secrets(old, new, &mut after);
    }
    let names: BTreeMap<String, ()> =
        before.keys().chain(after.keys()).map(|name| (name.clone(), ())).collect();
    names.into_keys().filter_map(|name| change(before.remove(&name), after.remove(&name), name)).collect()
}

fn change(before: Option<Value>, after: Option<Value>, object: String) -> Option<Change> {
    let action = match (&before, &after) {
        (None, Some(_)) => Action::Create,
        (Some(_), None) => Action::Delete,
        (Some(before), Some(after)) if before != after => Action::Update,
        _ => return None,
    };
    Some(Change { object, action, before, after })
}

fn name_secrets(old: &TenantConfig, new: &TenantConfig, after: &mut BTreeMap<String, Value>) {
    for (id, employee) in &new.employees {
        let Some(present) = old.employees.get(id) else { continue };
        let changed = changed_secrets(present, employee);
        if let (false, Some(Value::Object(object))) =
            (changed.is_empty(), after.get_mut(&format!("employee/{id}")))
        {
            object.insert("changed_secrets".to_owned(), changed.into());
        }
    }
    for (name, conference) in &new.conferences {
        let Some(present) = old.conferences.get(name) else { continue };
        let changed = changed_pins(present, conference);
        if let (false, Some(Value::Object(object))) =
            (changed.is_empty(), after.get_mut(&format!("conference/{name}")))
        {
            object.insert("changed_secrets".to_owned(), changed.into());
        }
    }
}

fn changed_pins(old: &Conference, new: &Conference) -> Vec<String> {
    let pins =
        [("pin", &old.pin, &new.pin), ("moderator_pin", &old.moderator_pin, &new.moderator_pin)].into_iter();
    pins.filter(|(_, old, new)| old != new).map(|(key, ..)| key.to_owned()).collect()
}

fn changed_secrets(old: &Employee, new: &Employee) -> Vec<String> {
    let digests = |device: &super::SipDevice| (device.md5.clone(), device.sha256.clone());
    let phone = |device: &&super::SipDevice| {
        old.sip(&device.username).is_some_and(|present| digests(present) != digests(device))
    };
    let mut changed: Vec<String> =
        new.sip_devices().filter(phone).map(|d| format!("sip {}", d.username)).collect();
    if let (Some(old), Some(new)) = (&old.login, &new.login)
        && old.password_hash != new.password_hash
    {
        changed.push("login".to_owned());
    }
    changed
}
