//! The demo company in State form.

use std::{collections::BTreeSet, sync::Arc};

use mangrove_proto::live::{RecordingChannels, RecordingFormat, ServiceLevel};

use crate::config::{
    AtMaxWait, Defaults, Device, Employee, Group, Member, Music, NoAnswer, Number, Overflow, QueueRules,
    RecordedAs, RecordedCalls, Recording, RecordingKeys, Role, Scheme, Security, SipDevice, Step, Strategy,
    Target, TenantConfig, Timezone, Trunk,
};

pub(crate) const NUMBER: &str = "74951234567";

pub(crate) fn config() -> TenantConfig {
    let people = [("101", "anna"), ("102", "boris"), ("110", "vera"), ("190", "desk")];
    TenantConfig {
        id: "acme".into(),
        version: 1,
        name: "Acme Air Conditioners".into(),
        domain: "acme.example".into(),
        timezone: Timezone::utc(),
        language: "ru".into(),
        music: Music::default(),
        defaults: Defaults { ring_ms: 20_000, caller_id: Some(NUMBER.into()) },
        trunks: vec![trunk()],
        numbers: [(Arc::from(NUMBER), number())].into(),
        employees: people.map(|(extension, id)| (id.into(), employee(extension, id))).into(),
        groups: [("200".into(), sales())].into(),
        schemes: [(Arc::from("main"), scheme())].into(),
        voicemail: Default::default(),
        recording: Recording {
            calls: RecordedCalls::External,
            on_demand: RecordedCalls::None,
            resume_after_ms: None,
            keys: RecordingKeys::default(),
            retention_ms: None,
            format: RecordingFormat::default(),
            channels: RecordingChannels::default(),
        },
        conferences: [].into(),
        agents_see_listeners: false,
        memberships: Default::default(),
    }
}

fn trunk() -> Trunk {
    Trunk {
        name: "carrier".into(),
        from: vec!["127.0.0.1:5080".parse().expect("an address")],
        to: vec![Target { uri: "sip:127.0.0.1:5080".into(), priority: 1 }],
        caller_ids: vec![NUMBER.into()],
        channels: Some(120),
        calls_per_second: None,
        srtp: Security::Accept,
    }
}

fn number() -> Number {
    Number {
        number: NUMBER.into(),
        scheme: "main".into(),
        channels: 100,
        source: Some("website".into()),
        priority: 0,
        recording: None,
        recorded_as: RecordedAs::default(),
    }
}

fn scheme() -> Scheme {
    let steps = vec![
        Step::Play { prompt: "default-greeting".into() },
        Step::Group { id: "200".into(), priority: None },
    ];
    Scheme { name: "main".into(), steps }
}

fn employee(extension: &str, id: &str) -> Employee {
    let sip =
        SipDevice { username: extension.into(), md5: "".into(), sha256: "".into(), srtp: Security::Accept };
    Employee {
        id: id.into(),
        extension: extension.into(),
        name: id.into(),
        roles: [Role::Agent].into(),
        supervises: BTreeSet::new(),
        login: None,
        devices: vec![Device::Browser, Device::Sip(sip)],
        ring_ms: None,
        caller_id: None,
        recording: None,
        recorded_as: RecordedAs::default(),
    }
}

fn sales() -> Group {
    let member = |id: &str, priority| Member { employee: id.into(), priority };
    let desk = || vec![Step::Employee { id: "desk".into() }];
    Group {
        id: "200".into(),
        extension: "200".into(),
        name: "Sales".into(),
        strategy: Strategy::LongestIdle,
        members: vec![member("anna", 0), member("boris", 1)],
        ring_ms: 7_000,
        wrap_up_ms: 5_000,
        queue: QueueRules {
            max_wait_ms: Some(15_000),
            max_length: Some(50),
            music: "default".into(),
            at_max_wait: AtMaxWait::FinishRinging,
            service_level: ServiceLevel { seconds: 20, percent: 80 },
            announce: None,
        },
        overflow: Overflow {
            waited: desk(),
            full: vec![Step::HangUp { how: crate::config::HangUp::Busy }],
            nobody: desk(),
        },
        no_answer: NoAnswer { misses: 3, pause_ms: 5_000 },
        recording: None,
        recorded_as: RecordedAs::default(),
    }
}
