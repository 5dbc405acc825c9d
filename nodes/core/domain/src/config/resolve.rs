//! From a document to State's form. Passwords turn into digests here; what the document leaves out is taken from
//! the present configuration, so that applying the same file twice changes nothing.

mod conference;
mod people;
mod service;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;

use std::{collections::BTreeMap, fmt, sync::Arc};

use mangrove_proto::id::{EmployeeId, GroupId, TenantId};

use super::{
    Defaults, Number, Recording, Target, TenantConfig, Timezone, Trunk,
    document::{self, Document, Problem},
    validate::{Names, validate},
};

/// What resolving needs from outside, because it is neither pure nor cheap.
#[derive(Clone, Copy)]
pub struct Tools<'a> {
    /// Makes an argon2 PHC string of a login's password.
    pub hash: &'a dyn Fn(&str) -> String,
    /// Draws a new password.
    pub generate: &'a dyn Fn() -> String,
}

impl fmt::Debug for Tools<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tools")
    }
}

/// A password that was made because the document names none. Shown once, to whoever applied it.
#[derive(Clone, PartialEq, Eq)]
pub struct Generated {
    /// "employee/anna login" or "employee/anna sip 101".
    pub object: String,
    pub secret: String,
}

impl fmt::Debug for Generated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generated").field("object", &self.object).finish_non_exhaustive()
    }
}

/// The outcome of resolving.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolved {
    /// Equal to the present configuration (`version` too) when nothing changes.
    pub config: TenantConfig,
    /// To be dropped by a dry run: they were not kept.
    pub secrets: Vec<Generated>,
    pub warnings: Vec<String>,
}

/// Checks and resolves a document for a tenant that has the configuration `present`, if any.
pub fn resolve(
    document: &Document,
    present: Option<&TenantConfig>,
    tools: Tools<'_>,
) -> Result<Resolved, Vec<Problem>> {
    let problems = validate(document);
    if !problems.is_empty() {
        return Err(problems);
    }
    let names = Names::of(document);
    let mut made = Made {
        version: present.map_or(1, |p| p.version + 1),
        present,
        tools,
        secrets: Vec::new(),
        warnings: Vec::new(),
    };
    let mut config = whole(document, &names, &mut made).map_err(|problem| vec![problem])?;
    made.warnings.extend(silent_browsers(document));
    if let Some(present) = present {
        config.version = present.version;
        if config != *present {
            config.version = made.version;
        }
    }
    Ok(Resolved { config, secrets: made.secrets, warnings: made.warnings })
}

/// The phone in a page is its person's, by their login: without one there is no such page.
fn silent_browsers(document: &Document) -> Option<String> {
    let is_browser = |device: &document::Device| matches!(device, document::Device::Browser(_));
    let is_silent =
        |employee: &&document::Employee| employee.login.is_none() && employee.devices.iter().any(is_browser);
    let silent = document.employees.iter().filter(is_silent);
    let employees: Vec<&str> = silent.map(|employee| employee.extension.as_str()).collect();
    let (first, others) = employees.split_first()?;
    let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
    Some(format!(
        "the device `browser` of {first}{more} never rings: the phone in a page needs its person's `login`"
    ))
}

/// What comes up on the way.
struct Made<'a> {
    /// Of the configuration that is being made.
    version: u64,
    present: Option<&'a TenantConfig>,
    tools: Tools<'a>,
    secrets: Vec<Generated>,
    warnings: Vec<String>,
}

impl Made<'_> {
    fn generate(&mut self, object: String) -> String {
        let secret = (self.tools.generate)();
        self.secrets.push(Generated { object, secret: secret.clone() });
        secret
    }
}

fn whole(document: &Document, names: &Names<'_>, made: &mut Made<'_>) -> Result<TenantConfig, Problem> {
    let at = |path: &'static str| move |message: String| Problem { path: path.to_owned(), message };
    Ok(TenantConfig {
        id: TenantId::from(document.tenant.as_str()),
        version: made.version,
        name: document.name.trim().into(),
        domain: document.domain.to_lowercase().into(),
        timezone: Timezone::named(&document.timezone).map_err(|error| at("timezone")(error.to_string()))?,
        language: document.language.to_lowercase().into(),
        music: document.music.clone().unwrap_or_default(),
        defaults: Defaults {
            ring_ms: document.defaults.employee.ring.0,
            caller_id: document.defaults.employee.caller_id.as_deref().map(digits),
        },
        trunks: document.trunks.iter().map(trunk).collect(),
        numbers: document.numbers.iter().map(number).map(|n| (n.number.clone(), n)).collect(),
        employees: employees(document, names, made).map_err(at("employees"))?,
        groups: groups(document, names).map_err(at("groups"))?,
        schemes: service::schemes(document, names).map_err(at("schemes"))?,
        voicemail: service::mailboxes(document, names).map_err(at("voicemail"))?,
        recording: Recording {
            calls: document.recording.calls,
            on_demand: document.recording.on_demand,
            resume_after_ms: document.recording.resume_after.map(|after| after.0),
            keys: document.recording.keys.clone(),
            retention_ms: document.recording.retention.map(|retention| retention.0),
            format: document.recording.format,
            channels: document.recording.channels,
        },
        conferences: conference::conferences(document, made)?,
        agents_see_listeners: document.agents_see_listeners,
        memberships: Default::default(),
    })
}

fn employees(
    document: &Document,
    names: &Names<'_>,
    made: &mut Made<'_>,
) -> Result<BTreeMap<EmployeeId, super::Employee>, String> {
    let resolved =
        document.employees.iter().map(|employee| people::employee(document, employee, names, made));
    resolved.map(|employee| employee.map(|e| (e.id.clone(), e))).collect()
}

fn groups(document: &Document, names: &Names<'_>) -> Result<BTreeMap<GroupId, super::Group>, String> {
    let resolved = document.groups.iter().map(|group| service::group(group, names));
    resolved.map(|group| group.map(|g| (g.id.clone(), g))).collect()
}

/// Numbers are kept without their `+`.
fn digits(number: &str) -> Arc<str> {
    number.trim_start_matches('+').into()
}

fn trunk(trunk: &document::Trunk) -> Trunk {
    let mut to: Vec<Target> = trunk
        .to
        .iter()
        .map(|target| Target { uri: target.uri.as_str().into(), priority: target.priority })
        .collect();
    to.sort_by_key(|target| target.priority);
    Trunk {
        name: trunk.name.as_str().into(),
        from: trunk.from.clone(),
        to,
        caller_ids: trunk.caller_ids.iter().map(|number| digits(number)).collect(),
        channels: trunk.limits.channels,
        calls_per_second: trunk.limits.calls_per_second,
        srtp: trunk.srtp,
    }
}

fn number(number: &document::Number) -> Number {
    Number {
        number: digits(&number.number),
        scheme: number.scheme.as_str().into(),
        channels: number.channels,
        source: number.source.as_deref().map(Into::into),
        priority: number.priority,
        recording: number.recording,
        recorded_as: number.recorded_as,
    }
}
