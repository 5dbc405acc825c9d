//! Applying, applying again, exporting and deleting.

use mangrove_proto::{
    id::{EmployeeId, GroupId},
    live::{RecordingChannels, RecordingFormat},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::config::{
    Announce, Device, Extension, HangUp, Recorded, Said, Security, Step, TenantConfig,
    diff::{Action, diff},
    document::read,
    export::{export, objects},
    fixture::{acme, applied, at, document, put},
    resolve::{Tools, resolve},
    validate::validate,
};

fn exported(config: &TenantConfig) -> Value {
    serde_json::to_value(export(config)).unwrap()
}

#[test]
fn texts_become_what_the_rules_need() {
    let config = applied(&acme(), None).config;
    assert_eq!((config.version, &*config.domain), (1, "acme.example"));
    let Some(Extension::Employee(anna)) = config.extension("101") else { panic!("no 101") };
    assert_eq!((anna.id.as_str(), config.ring_ms(anna)), ("anna", 20_000));
    assert_eq!(config.caller_id(anna).as_deref(), Some("74951234567"));
    let login = anna.login.as_ref().unwrap();
    assert_eq!((&*login.email, &*login.password_hash), ("anna@acme.example", "hash of anna-web-password"));
    let Device::Sip(phone) = &anna.devices[1] else { panic!("no phone") };
    // printf 101:acme.example:anna-sip-password | md5sum
    assert_eq!(&*phone.md5, "3919bec4f92a3c9411357d9c75993242");
    let Some(Extension::Group(sales)) = config.extension("200") else { panic!("no 200") };
    assert_eq!(
        sales.members.iter().map(|m| (m.employee.as_str(), m.priority)).collect::<Vec<_>>(),
        [("anna", 0), ("102", 1)]
    );
    assert_eq!((sales.ring_ms, sales.queue.max_wait_ms), (7000, Some(15_000)));
    assert_eq!(sales.overflow.full, [Step::HangUp { how: HangUp::Busy }]);
    assert!(config.numbers.contains_key("74951234567"));
    assert_eq!(config.numbers["74951234567"].channels, 100);
}

#[test]
fn who_is_srtp_is_said_by_trunk_and_device_and_is_no_secret() {
    let plain = applied(&acme(), None).config;
    let (trunk, phone) = (&plain.trunks[0], plain.device("101").unwrap().1);
    assert_eq!((trunk.srtp, phone.srtp), (Security::Accept, Security::Accept));
    let mut json = acme();
    put(&mut json, "/trunks/0/srtp", json!("require"));
    put(&mut json, "/employees/0/devices/1/sip/srtp", json!("off"));
    let config = applied(&json, Some(&plain)).config;
    assert_eq!(
        (config.trunks[0].srtp, config.device("101").unwrap().1.srtp),
        (Security::Require, Security::Off)
    );
    assert_eq!(exported(&config)["trunks"][0]["srtp"], "require");
    assert_eq!(exported(&plain)["trunks"][0].get("srtp"), None, "what is usual is not said");
    for change in diff(Some(&plain), Some(&config)) {
        assert_eq!(change.after.unwrap().get("changed_secrets"), None, "{}", change.object);
    }
    let kept = serde_json::to_string(&plain).unwrap();
    assert!(!kept.contains("srtp"), "states of earlier builds say the same: {kept}");
    assert!(!plain.is_of_protocol_6() && config.is_of_protocol_6(), "earlier builds would leave it out");
}

#[test]
fn who_is_recorded_is_said_by_number_group_and_employee() {
    let plain = applied(&acme(), None).config;
    let mut json = acme();
    put(&mut json, "/numbers/0/recording", json!("never"));
    put(&mut json, "/groups/0/recording", json!("on_demand"));
    put(&mut json, "/employees/0/recording", json!("always"));
    put(&mut json, "/recording/on_demand", json!("internal"));
    put(&mut json, "/recording/resume_after", json!("1m"));
    let config = applied(&json, Some(&plain)).config;
    let said = [
        config.numbers["74951234567"].recording,
        config.groups[&GroupId::from("200")].recording,
        config.employees[&EmployeeId::from("anna")].recording,
        config.employees[&EmployeeId::from("desk")].recording,
    ];
    assert_eq!(said, [Some(Recorded::Never), Some(Recorded::OnDemand), Some(Recorded::Always), None]);
    assert_eq!(config.recording.resume_after_ms, Some(60_000));
    let shown = exported(&config);
    assert_eq!(shown["groups"][0]["recording"], "on-demand");
    assert_eq!(shown["recording"]["on_demand"], "internal");
    assert_eq!(applied(&shown, Some(&config)).config, config, "what is shown changes nothing");
    let usual = exported(&plain);
    assert!(usual["numbers"][0].get("recording").is_none() && usual["recording"].get("on_demand").is_none());
    assert!(!plain.is_of_protocol_6() && config.is_of_protocol_6(), "earlier builds would leave it out");
}

#[test]
fn the_file_of_a_recording_is_said_by_all_who_say_whether_there_is_one() {
    let plain = applied(&acme(), None).config;
    assert!(!serde_json::to_string(&plain).unwrap().contains("recorded_as"));
    let usual = exported(&plain);
    assert_eq!((&usual["recording"]["channels"], usual["recording"].get("format")), (&json!("dual"), None));
    let mut table = acme();
    put(&mut table, "/recording/channels", json!("mixed"));
    put(&mut table, "/recording/format", json!("opus"));
    put(&mut table, "/numbers/0/recorded_as", json!({"format": "wav"}));
    put(&mut table, "/groups/0/recorded_as", json!({"channels": "dual"}));
    put(&mut table, "/employees/0/recorded_as", json!({"format": "opus", "channels": "mixed"}));
    let config = applied(&table, Some(&plain)).config;
    assert!(!config.recording.format.is_wav() && !config.recording.channels.is_dual());
    let said = config.employees[&EmployeeId::from("anna")].recorded_as;
    assert_eq!((said.format, said.channels), (Some(RecordingFormat::Opus), Some(RecordingChannels::Mixed)));
    assert_eq!(config.numbers["74951234567"].recorded_as.channels, None);
    assert_eq!(applied(&exported(&config), Some(&config)).config, config, "what is shown changes nothing");
    for (place, value) in
        [("/recording/format", json!("opus")), ("/groups/0/recorded_as", json!({"format": "wav"}))]
    {
        let mut one = acme();
        put(&mut one, place, value);
        assert!(applied(&one, None).config.is_of_protocol_6(), "earlier builds would leave it out: {place}");
    }
    for (place, value, why) in [
        ("/recording/format", json!("mp3"), "`opus` or `wav`"),
        ("/recording/channels", json!("mono"), "`mixed` or `dual`"),
        ("/numbers/0/recorded_as", json!({"kind": "opus"}), "`format` or `channels`"),
    ] {
        let mut wrong = acme();
        put(&mut wrong, place, value);
        let problem = read(wrong.to_string().as_bytes()).unwrap_err();
        assert!(problem.message.contains(why), "{problem:?}");
    }
}

#[test]
fn whether_agents_see_listeners_is_the_companys_choice_and_not_said_where_they_do_not() {
    let plain = applied(&acme(), None).config;
    assert!(!plain.agents_see_listeners && exported(&plain).get("agents_see_listeners").is_none());
    assert!(!serde_json::to_string(&plain).unwrap().contains("agents_see_listeners"));
    let mut json = acme();
    put(&mut json, "/agents_see_listeners", json!(true));
    let config = applied(&json, Some(&plain)).config;
    assert!(config.agents_see_listeners && config.is_of_protocol_6());
    assert_eq!(exported(&config)["agents_see_listeners"], true);
    let changes = diff(Some(&plain), Some(&config));
    assert_eq!(changes.iter().map(|change| change.object.as_str()).collect::<Vec<_>>(), ["tenant"]);
}

#[test]
fn left_out_passwords_are_made_once() {
    let first = applied(&acme(), None);
    let made: Vec<&str> = first.secrets.iter().map(|secret| secret.object.as_str()).collect();
    assert_eq!(made, ["employee/102 sip 102", "employee/desk login"]);
    let second = applied(&acme(), Some(&first.config));
    assert_eq!((second.secrets.len(), second.config == first.config), (0, true));
}

#[test]
fn an_initial_password_never_resets_a_changed_one() {
    let mut config = applied(&acme(), None).config;
    let stale = applied(&acme(), Some(&config)).config;
    assert!(config.set_password(&"anna".into(), "her own"));
    let again = applied(&acme(), Some(&config)).config;
    assert_eq!(again, config);
    let mut late = stale;
    late.keep_passwords(&config);
    assert_eq!(late, config, "a change of password between resolving and committing stays");
}

#[test]
fn a_login_made_anew_voids_older_tokens() {
    let first = applied(&acme(), None).config;
    let mut without = acme();
    at(&mut without, "/employees/0").as_object_mut().unwrap().remove("login");
    let second = applied(&without, Some(&first)).config;
    let third = applied(&acme(), Some(&second)).config;
    let epoch =
        |config: &TenantConfig| config.employees[&"anna".into()].login.as_ref().map(|login| login.epoch);
    assert!(epoch(&third) > epoch(&first));
    assert_eq!(epoch(&second), None);
}

#[test]
fn a_new_domain_gives_phones_without_password_new_ones() {
    let first = applied(&acme(), None).config;
    let mut moved = acme();
    *at(&mut moved, "/domain") = json!("acme.test");
    let second = applied(&moved, Some(&first));
    assert_eq!(second.secrets.len(), 1);
    assert!(second.warnings[0].contains("phone 102"));
}

#[test]
fn export_applied_changes_nothing_and_shows_no_secret() {
    let config = applied(&acme(), None).config;
    let json = exported(&config);
    for secret in ["password", "hash of", &config.device("101").unwrap().1.md5] {
        assert!(!json.to_string().contains(secret), "{secret}");
    }
    let again = applied(&json, Some(&config));
    assert_eq!((again.config, again.secrets), (config, vec![]));
}

#[test]
fn music_and_announcements_survive_export_and_storage() {
    let mut json = acme();
    put(&mut json, "/music", json!("rain"));
    put(&mut json, "/groups/0/queue/music", json!(["rain", "piano"]));
    put(&mut json, "/groups/0/queue/announce", json!({"every": "30s", "position": false}));
    let config = applied(&json, None).config;
    let queue = &config.groups[&"200".into()].queue;
    let announce = Announce { every_ms: 30_000, position: false, expected_wait: true };
    assert_eq!((queue.announce, queue.music.pieces().len()), (Some(announce), 2));
    assert_eq!(applied(&exported(&config), Some(&config)).config, config);
    let stored = rmp_serde::to_vec_named(&config).unwrap();
    assert_eq!(rmp_serde::from_slice::<TenantConfig>(&stored).unwrap(), config);
    let plain = applied(&acme(), None).config;
    let names: Vec<_> = diff(Some(&plain), Some(&config)).into_iter().map(|change| change.object).collect();
    assert_eq!(names, ["group/200", "tenant"]);
}

#[test]
fn what_is_said_survives_export() {
    let mut json = acme();
    let steps = json!([{"say": "time"}, {"say": {"number": 42}}, {"group": "200"}]);
    put(&mut json, "/schemes/0/steps", steps.clone());
    let config = applied(&json, None).config;
    assert_eq!(config.schemes["main"].steps[1], Step::Say { what: Said::Number(42) });
    assert_eq!(exported(&config)["schemes"][0]["steps"], steps);
}

#[test]
fn boxes_and_steps_that_lead_to_them_survive_export() {
    let mut json = acme();
    let plain = applied(&json, None).config;
    put(
        &mut json,
        "/voicemail",
        json!([
            {"name": "sales", "group": "200", "greeting": "closed", "longest": "2m", "email": "sales@acme.example"},
            {"name": "anna", "employee": "101"},
        ]),
    );
    let steps = json!([{"voicemail": {"box": "sales", "greeting": "late"}}, {"voicemail": "anna"}]);
    *at(&mut json, "/groups/0/overflow/waited") = steps.clone();
    let config = applied(&json, Some(&plain)).config;
    assert!(config.is_of_protocol_6() && !plain.is_of_protocol_6());
    let anna = &config.voicemail["anna"];
    assert!(anna.owner.is_employee(&"anna".into()) && !anna.owner.is_employee(&"desk".into()));
    assert_eq!((anna.longest_ms, config.voicemail["sales"].longest_ms), (180_000, 120_000));
    assert_eq!(config.boxes_of(&"anna".into()).count(), 1);
    let document = exported(&config);
    assert_eq!(document["voicemail"][0], json!({"name": "anna", "employee": "101"}));
    assert_eq!(document["groups"][0]["overflow"]["waited"], steps);
    assert_eq!(applied(&document, Some(&config)).config, config);
    let mut without = export(&config);
    assert!(without.remove("voicemail/anna"));
    assert_eq!(validate(&without)[0].path, "groups[0].overflow.waited[1].voicemail");
}

#[test]
fn pins_stay_until_others_are_said_and_are_never_shown() {
    let mut json = acme();
    let weekly = json!({"name": "weekly", "extension": "300", "pin": "8642", "entry_tone": false});
    put(&mut json, "/conferences", json!([weekly]));
    put(&mut json, "/schemes/0/steps", json!([{"conference": "weekly"}]));
    let config = applied(&json, None).config;
    let weekly = &config.conferences["weekly"];
    assert!(weekly.pin.is_some() && !weekly.chimes && config.is_of_protocol_6());
    assert_eq!(config.extension("300"), Some(Extension::Conference(weekly)));
    assert!(!exported(&config).to_string().contains("8642"));
    assert_eq!(applied(&exported(&config), Some(&config)).config, config);
    put(&mut json, "/conferences/0/pin", json!("9753"));
    let other = applied(&json, Some(&config)).config;
    let changes = diff(Some(&config), Some(&other));
    assert_eq!((changes.len(), changes[0].object.as_str()), (1, "conference/weekly"));
    put(&mut json, "/conferences/0/pin", json!(""));
    assert_eq!(applied(&json, Some(&other)).config.conferences["weekly"].pin, None);
}

#[test]
fn what_is_wrong_with_a_pin_beside_one_that_stays_is_named() {
    let mut json = acme();
    put(&mut json, "/conferences", json!([{"name": "weekly", "pin": "8642", "moderator_pin": "1357"}]));
    let config = applied(&json, None).config;
    let tools = Tools { hash: &|_| String::new(), generate: &String::new };
    for (weekly, why) in [
        (json!({"name": "weekly", "moderator_pin": "8642"}), "another one than `pin`"),
        (json!({"name": "weekly", "pin": "1357"}), "another one than `pin`"),
        (json!({"name": "weekly", "moderator_pin": "", "wait_for_moderator": true}), "nobody could be"),
    ] {
        put(&mut json, "/conferences/0", weekly);
        let problems = resolve(&document(&json), Some(&config), tools).unwrap_err();
        let [problem] = &problems[..] else { panic!("{problems:?}") };
        assert_eq!(problem.path, "conferences[0].moderator_pin");
        assert!(problem.message.contains(why), "{problem:?}");
    }
    put(&mut json, "/conferences/0", json!({"name": "weekly", "wait_for_moderator": true}));
    assert!(applied(&json, Some(&config)).config.conferences["weekly"].waits_for_moderator);
}

#[test]
fn a_conference_that_is_new_without_a_pin_is_pointed_out() {
    let mut json = acme();
    put(&mut json, "/conferences", json!([{"name": "weekly", "pin": "8642"}]));
    let config = applied(&json, None).config;
    let exported = exported(&config);
    assert!(applied(&exported, Some(&config)).warnings.is_empty());
    assert!(applied(&exported, None).warnings.iter().any(|warning| warning.contains("weekly is new")));
    put(&mut json, "/conferences", json!([{"name": "weekly", "pin": ""}]));
    assert!(applied(&json, None).warnings.is_empty());
}

#[test]
fn a_configuration_survives_its_storage() {
    let config = applied(&acme(), None).config;
    let stored = rmp_serde::to_vec_named(&config).unwrap();
    assert_eq!(rmp_serde::from_slice::<TenantConfig>(&stored).unwrap(), config);
}

#[test]
fn changes_are_named_by_object_without_secrets() {
    let first = applied(&acme(), None).config;
    let created = diff(None, Some(&first));
    assert!(created.iter().all(|change| change.action == Action::Create && change.before.is_none()));
    assert_eq!(created.len(), objects(&first).len());
    let mut json = acme();
    *at(&mut json, "/employees/0/devices/1/sip/password") = json!("another-password");
    *at(&mut json, "/groups/0/ring") = json!("9s");
    at(&mut json, "/employees").as_array_mut().unwrap().push(json!({"extension": "111", "name": "New"}));
    *at(&mut json, "/recording/calls") = json!("all");
    let second = applied(&json, Some(&first)).config;
    assert_eq!(second.version, 2);
    let changes = diff(Some(&first), Some(&second));
    let names: Vec<_> =
        changes.iter().map(|change| (change.object.as_str(), change.action.as_str())).collect();
    assert_eq!(
        names,
        [
            ("employee/111", "create"),
            ("employee/anna", "update"),
            ("group/200", "update"),
            ("tenant", "update")
        ]
    );
    assert_eq!(changes[1].after.as_ref().unwrap()["changed_secrets"], json!(["sip 101"]));
    assert!(!serde_json::to_string(&changes).unwrap().contains("another-password"));
    assert_eq!(diff(Some(&second), Some(&second)), []);
    assert!(diff(Some(&second), None).iter().all(|change| change.action == Action::Delete));
}

#[test]
fn deleting_what_is_needed_is_refused() {
    let config = applied(&acme(), None).config;
    for (object, path) in [
        ("group/200", "schemes[0].steps[1].group"),
        ("scheme/main", "numbers[0].scheme"),
        ("employee/desk", "groups[0].overflow.waited[0].employee"),
        ("trunk/carrier", "defaults.employee.caller_id"),
    ] {
        let mut document = export(&config);
        assert!(document.remove(object), "{object}");
        assert_eq!(validate(&document)[0].path, path, "{object}");
    }
}

#[test]
fn deleting_takes_one_object_only() {
    let config = applied(&acme(), None).config;
    let mut document = export(&config);
    for unknown in ["employee/nobody", "queue/200", "anna", "number/"] {
        assert!(!document.remove(unknown), "{unknown}");
    }
    assert!(document.remove("number/+74951234567"));
    let without = applied(&serde_json::to_value(&document).unwrap(), Some(&config)).config;
    let changes = diff(Some(&config), Some(&without));
    assert_eq!(changes.len(), 1);
    assert_eq!((changes[0].object.as_str(), without.version), ("number/74951234567", 2));
    assert_eq!(read(&serde_json::to_vec(&document).unwrap()).unwrap(), document);
}

/// Companies of any size: employees, groups with some of them as members, schemes that lead to the groups.
fn company() -> impl Strategy<Value = Value> {
    let group = (proptest::collection::btree_map(0usize..12, 0u32..3, 0..6), 1u64..600_000, any::<bool>());
    (1usize..12, proptest::collection::vec(group, 1..6), any::<bool>()).prop_map(|(people, groups, ids)| {
        let id = |n: usize| if ids { json!(format!("p{n}")) } else { Value::Null };
        let phone = |n: usize| json!([{"browser": {}}, {"sip": {"username": format!("u{n}")}}]);
        let employees = (0..people).map(|n| {
            json!({"extension": (100 + n).to_string(), "id": id(n), "name": "N", "devices": phone(n),
                   "login": {"email": format!("{n}@x.example")}})
        });
        let groups = groups.iter().enumerate().map(|(n, (members, wrap_up, full))| {
            let known = members.iter().filter(|(member, _)| **member < people);
            let members =
                known.map(|(m, priority)| json!({"extension": (100 + m).to_string(), "priority": priority}));
            let full = if *full { json!([{"busy": true}]) } else { json!([{"employee": "100"}]) };
            json!({"extension": (500 + n).to_string(), "name": "G", "wrap_up": format!("{wrap_up}ms"),
                   "members": members.collect::<Vec<_>>(), "overflow": {"full": full}})
        });
        json!({"format": 1, "tenant": "t", "name": "T", "domain": "t.example",
               "employees": employees.collect::<Vec<_>>(), "groups": groups.collect::<Vec<_>>(),
               "schemes": [{"name": "s", "steps": [{"group": "500"}]}]})
    })
}

proptest! {
    #[test]
    fn applied_twice_changes_nothing(json in company()) {
        let first = applied(&json, None).config;
        prop_assert_eq!(&applied(&json, Some(&first)).config, &first);
        let export = export(&first);
        prop_assert_eq!(validate(&export), []);
        let json = serde_json::to_value(&export).unwrap();
        prop_assert_eq!(&applied(&json, Some(&first)).config, &first);
        prop_assert_eq!(diff(Some(&first), Some(&first)), []);
    }
}

#[test]
fn callers_priorities_come_and_go_unchanged() {
    let mut json = acme();
    let plain = applied(&json, None).config;
    put(&mut json, "/numbers/0/priority", json!(7));
    *at(&mut json, "/schemes/0/steps/1/group") = json!({"extension": "200", "priority": -3});
    let config = applied(&json, Some(&plain)).config;
    assert_eq!((config.numbers["74951234567"].priority, config.version), (7, 2));
    assert_eq!(config.schemes["main"].steps[1], Step::Group { id: "200".into(), priority: Some(-3) });
    let document = exported(&config);
    assert_eq!(document["numbers"][0]["priority"], 7);
    assert_eq!(document["schemes"][0]["steps"][1]["group"], json!({"extension": "200", "priority": -3}));
    assert_eq!(exported(&plain)["schemes"][0]["steps"][1]["group"], "200");
    assert_eq!(applied(&document, Some(&config)).config, config);
}

#[test]
fn a_phone_in_the_page_of_somebody_without_a_login_is_pointed_out() {
    let mut json = acme();
    let browser =
        |json: &Value| applied(json, None).warnings.into_iter().find(|text| text.contains("browser"));
    assert_eq!(browser(&json), None, "it rings");
    put(&mut json, "/employees/1/devices", json!([{"browser": {}}]));
    assert!(browser(&json).is_some_and(|warning| warning.contains("of 102 never rings")));
    at(&mut json, "/employees/0").as_object_mut().unwrap().remove("login");
    assert!(browser(&json).is_some_and(|warning| warning.contains("of 101 and 1 more")));
}
