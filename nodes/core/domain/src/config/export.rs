//! From State's form back to a document, without secrets. Applying an exported document changes nothing: what it
//! leaves out is kept.

use std::{collections::BTreeMap, sync::Arc};

use mangrove_proto::id::{EmployeeId, GroupId};
use serde_json::{Value, json};

use super::{
    Device, Employee, Group, HangUp, Mailbox, Owner, Step, TenantConfig, Trunk,
    document::{self, Document, Duration},
};

/// The whole tenant in the format of `mangrove apply`.
pub fn export(config: &TenantConfig) -> Document {
    let defaults = document::EmployeeDefaults {
        ring: Duration(config.defaults.ring_ms),
        caller_id: text(&config.defaults.caller_id),
    };
    Document {
        format: document::FORMAT,
        tenant: config.id.to_string(),
        version: Some(config.version),
        name: config.name.to_string(),
        domain: config.domain.to_string(),
        timezone: config.timezone.name.to_string(),
        language: config.language.to_string(),
        music: (!config.music.is_default()).then(|| config.music.clone()),
        defaults: document::Defaults { employee: defaults },
        trunks: config.trunks.iter().map(trunk).collect(),
        numbers: config.numbers.values().map(number).collect(),
        employees: config.employees.values().map(|e| employee(config, e)).collect(),
        groups: config.groups.values().map(|g| group(config, g)).collect(),
        schemes: config.schemes.values().map(|s| scheme(config, s)).collect(),
        voicemail: config.voicemail.values().map(|m| mailbox(config, m)).collect(),
        recording: document::Recording {
            calls: config.recording.calls,
            on_demand: config.recording.on_demand,
            channels: config.recording.channels,
            format: config.recording.format,
            resume_after: config.recording.resume_after_ms.map(Duration),
            keys: config.recording.keys.clone(),
            retention: config.recording.retention_ms.map(Duration),
        },
        conferences: config.conferences.values().map(conference).collect(),
        agents_see_listeners: config.agents_see_listeners,
    }
}

/// Every object by its name ("employee/anna"; the tenant's own settings as "tenant") as JSON, without secrets.
pub fn objects(config: &TenantConfig) -> BTreeMap<String, Value> {
    let document = export(config);
    let mut settings = json!({
        "name": document.name, "domain": document.domain, "timezone": document.timezone,
        "language": document.language, "defaults": document.defaults, "recording": document.recording,
    });
    if let Some(music) = &document.music {
        settings["music"] = json!(music);
    }
    if document.agents_see_listeners {
        settings["agents_see_listeners"] = json!(true);
    }
    let mut objects = BTreeMap::from([("tenant".to_owned(), settings)]);
    objects.extend(document.trunks.iter().map(|o| (format!("trunk/{}", o.name), json!(o))));
    objects.extend(document.numbers.iter().map(|o| (format!("number/{}", o.number), json!(o))));
    objects.extend(document.employees.iter().map(|o| (format!("employee/{}", o.id()), json!(o))));
    objects.extend(document.groups.iter().map(|o| (format!("group/{}", o.id()), json!(o))));
    objects.extend(document.schemes.iter().map(|o| (format!("scheme/{}", o.name), json!(o))));
    objects.extend(document.conferences.iter().map(|o| (format!("conference/{}", o.name), json!(o))));
    objects.extend(document.voicemail.iter().map(|o| (format!("voicemail/{}", o.name), json!(o))));
    objects
}

fn text(value: &Option<Arc<str>>) -> Option<String> {
    value.as_deref().map(str::to_owned)
}

/// The id where it is not just the extension.
fn own_id(id: &str, extension: &str) -> Option<String> {
    (id != extension).then(|| id.to_owned())
}

fn trunk(trunk: &Trunk) -> document::Trunk {
    let target = |t: &super::Target| document::Target { uri: t.uri.to_string(), priority: t.priority };
    document::Trunk {
        name: trunk.name.to_string(),
        from: trunk.from.clone(),
        to: trunk.to.iter().map(target).collect(),
        caller_ids: trunk.caller_ids.iter().map(|number| number.to_string()).collect(),
        limits: document::TrunkLimits { channels: trunk.channels, calls_per_second: trunk.calls_per_second },
        srtp: trunk.srtp,
    }
}

fn number(number: &super::Number) -> document::Number {
    document::Number {
        number: number.number.to_string(),
        scheme: number.scheme.to_string(),
        channels: number.channels,
        source: text(&number.source),
        priority: number.priority,
        recording: number.recording,
        recorded_as: number.recorded_as,
    }
}

fn employee(config: &TenantConfig, employee: &Employee) -> document::Employee {
    document::Employee {
        extension: employee.extension.to_string(),
        id: own_id(employee.id.as_str(), &employee.extension),
        name: employee.name.to_string(),
        roles: employee.roles.iter().copied().collect(),
        supervises: employee.supervises.iter().map(|id| group_extension(config, id)).collect(),
        login: employee
            .login
            .as_ref()
            .map(|l| document::Login { email: l.email.to_string(), initial_password: None }),
        devices: employee.devices.iter().map(device).collect(),
        ring: employee.ring_ms.map(Duration),
        caller_id: text(&employee.caller_id),
        recording: employee.recording,
        recorded_as: employee.recorded_as,
    }
}

fn device(device: &Device) -> document::Device {
    match device {
        Device::Browser => document::Device::Browser(document::Browser {}),
        Device::Sip(sip) => {
            let username = sip.username.to_string();
            document::Device::Sip(document::SipDevice { username, password: None, srtp: sip.srtp })
        }
    }
}

fn group(config: &TenantConfig, group: &Group) -> document::Group {
    let member = |m: &super::Member| document::Member {
        extension: employee_extension(config, &m.employee),
        priority: m.priority,
    };
    document::Group {
        extension: group.extension.to_string(),
        id: own_id(group.id.as_str(), &group.extension),
        name: group.name.to_string(),
        strategy: group.strategy,
        members: group.members.iter().map(member).collect(),
        ring: Duration(group.ring_ms),
        wrap_up: Duration(group.wrap_up_ms),
        queue: queue(&group.queue),
        overflow: document::Overflow {
            waited: steps(config, &group.overflow.waited),
            full: steps(config, &group.overflow.full),
            nobody: steps(config, &group.overflow.nobody),
        },
        no_answer: document::NoAnswer {
            misses: group.no_answer.misses,
            pause: Duration(group.no_answer.pause_ms),
        },
        recording: group.recording,
        recorded_as: group.recorded_as,
    }
}

fn queue(queue: &super::QueueRules) -> document::Queue {
    let level = queue.service_level;
    document::Queue {
        max_wait: queue.max_wait_ms.map(Duration),
        max_length: queue.max_length,
        music: queue.music.clone(),
        at_max_wait: queue.at_max_wait,
        service_level: document::ServiceLevel { seconds: level.seconds, percent: level.percent },
        announce: queue.announce.map(|announce| document::Announce {
            every: Duration(announce.every_ms),
            position: announce.position,
            expected_wait: announce.expected_wait,
        }),
    }
}

fn scheme(config: &TenantConfig, scheme: &super::Scheme) -> document::Scheme {
    document::Scheme { name: scheme.name.to_string(), steps: steps(config, &scheme.steps) }
}

fn mailbox(config: &TenantConfig, mailbox: &Mailbox) -> document::Mailbox {
    let (employee, group) = match &mailbox.owner {
        Owner::Employee(id) => (Some(employee_extension(config, id)), None),
        Owner::Group(id) => (None, Some(group_extension(config, id))),
    };
    document::Mailbox {
        name: mailbox.name.to_string(),
        employee,
        group,
        greeting: text(&mailbox.greeting),
        longest: Duration(mailbox.longest_ms),
        email: text(&mailbox.email),
    }
}

fn conference(conference: &super::Conference) -> document::Conference {
    document::Conference {
        name: conference.name.to_string(),
        extension: text(&conference.extension),
        pin: None,
        moderator_pin: None,
        wait_for_moderator: conference.waits_for_moderator,
        entry_tone: conference.chimes,
        max_people: conference.most,
    }
}

fn steps(config: &TenantConfig, steps: &[Step]) -> Vec<document::Step> {
    steps.iter().map(|step| self::step(config, step)).collect()
}

fn step(config: &TenantConfig, step: &Step) -> document::Step {
    match step {
        Step::Play { prompt } => document::Step::Play(prompt.to_string()),
        Step::Group { id, priority } => {
            let extension = group_extension(config, id);
            document::Step::Group(document::GroupStep { extension, priority: *priority })
        }
        Step::Employee { id } => document::Step::Employee(employee_extension(config, id)),
        Step::Say { what } => document::Step::Say(*what),
        Step::Conference { name } => document::Step::Conference(name.to_string()),
        Step::Voicemail { mailbox, greeting } => document::Step::Voicemail(document::VoicemailStep {
            mailbox: mailbox.to_string(),
            greeting: text(greeting),
        }),
        Step::HangUp { how: HangUp::Busy } => document::Step::Busy(true),
        Step::HangUp { how: HangUp::Normal } => document::Step::HangUp(document::HangUp { status: None }),
        Step::HangUp { how: HangUp::Status(status) } => {
            document::Step::HangUp(document::HangUp { status: Some(*status) })
        }
    }
}

fn employee_extension(config: &TenantConfig, id: &EmployeeId) -> String {
    config.employees.get(id).map_or_else(|| id.to_string(), |employee| employee.extension.to_string())
}

fn group_extension(config: &TenantConfig, id: &GroupId) -> String {
    config.groups.get(id).map_or_else(|| id.to_string(), |group| group.extension.to_string())
}
