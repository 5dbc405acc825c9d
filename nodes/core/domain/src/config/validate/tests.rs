//! Each wrong document gets its path and what is allowed.

use serde_json::{Value, json};

use super::validate;
use crate::config::{
    document::read,
    fixture::{acme, at, document, put},
};

/// (where to put it, what to put, path of the problem, part of its message)
type Wrong = (&'static str, Value, &'static str, &'static str);

#[test]
fn a_good_document_has_no_problems() {
    assert_eq!(validate(&document(&acme())), []);
}

#[test]
fn what_can_be_read_but_not_meant_is_named() {
    let phone = || json!({"extension": "103", "name": "B", "devices": [{"sip": {"username": "101"}}]});
    let table: Vec<Wrong> = vec![
        ("/format", json!(2), "format", "allowed: 1"),
        ("/tenant", json!("Acme.1"), "tenant", "a-z"),
        ("/name", json!(" "), "name", "empty"),
        ("/domain", json!("acme example"), "domain", "host name"),
        ("/timezone", json!("Moscow"), "timezone", "Europe/Moscow"),
        ("/defaults/employee/ring", json!("0s"), "defaults.employee.ring", "allowed: 1s to 10m"),
        ("/defaults/employee/caller_id", json!("74950000000"), "defaults.employee.caller_id", "74951234567"),
        ("/trunks/0/to/0/uri", json!("carrier"), "trunks[0].to[0].uri", "sip:host"),
        ("/trunks/0/limits/channels", json!(0), "trunks[0].limits.channels", "1 to 100000"),
        (
            "/trunks/0/limits/calls_per_second",
            json!(4_000_000),
            "trunks[0].limits.calls_per_second",
            "1 to 10000",
        ),
        (
            "/schemes/0/steps",
            json!([{"say": {"number": 1_000_000}}]),
            "schemes[0].steps[0].say.number",
            "0 to 999999",
        ),
        (
            "/schemes/0/steps",
            json!([{"voicemail": "sales"}]),
            "schemes[0].steps[0].voicemail",
            "no box at all",
        ),
        ("/voicemail", json!([{"name": "A b", "group": "200"}]), "voicemail[0].name", "a-z"),
        ("/voicemail", json!([{"name": "sales"}]), "voicemail[0]", "no owner"),
        (
            "/voicemail",
            json!([{"name": "sales", "group": "200", "employee": "101"}]),
            "voicemail[0]",
            "two owners",
        ),
        ("/voicemail", json!([{"name": "a", "employee": "109"}]), "voicemail[0].employee", "allowed: 101"),
        ("/voicemail", json!([{"name": "a", "group": "201"}]), "voicemail[0].group", "allowed: 200"),
        (
            "/voicemail",
            json!([{"name": "a", "group": "200"}, {"name": "a", "group": "200"}]),
            "voicemail[1].name",
            "taken already by voicemail[0].name",
        ),
        (
            "/voicemail",
            json!([{"name": "a", "group": "200", "greeting": "../x"}]),
            "voicemail[0].greeting",
            "letters, digits",
        ),
        (
            "/voicemail",
            json!([{"name": "a", "group": "200", "longest": "1s"}]),
            "voicemail[0].longest",
            "allowed: 5s to 1h",
        ),
        (
            "/voicemail",
            json!([{"name": "a", "group": "200", "email": "a@b>\r\nRCPT"}]),
            "voicemail[0].email",
            "e-mail",
        ),
        (
            "/voicemail",
            json!([{"name": "a", "group": "200", "email": "a;b@c"}]),
            "voicemail[0].email",
            "ASCII letters",
        ),
        ("/music", json!("../rain"), "music", "letters, digits"),
        ("/groups/0/queue/music", json!(["rain", "a b"]), "groups[0].queue.music[1]", "letters, digits"),
        (
            "/groups/0/queue/announce",
            json!({"every": "5s"}),
            "groups[0].queue.announce.every",
            "allowed: 10s to 1h",
        ),
        (
            "/groups/0/queue/announce",
            json!({"every": "30s", "position": false, "expected_wait": false}),
            "groups[0].queue.announce",
            "says nothing",
        ),
        ("/conferences", json!([{"name": "Weekly Call"}]), "conferences[0].name", "a-z"),
        ("/conferences", json!([{"name": "weekly", "pin": "12"}]), "conferences[0].pin", "3 to 12 digits"),
        (
            "/conferences",
            json!([{"name": "weekly", "pin": "1234", "moderator_pin": "1234"}]),
            "conferences[0].moderator_pin",
            "another one",
        ),
        (
            "/conferences",
            json!([{"name": "weekly", "extension": "101"}]),
            "conferences[0].extension",
            "taken already by employees[0].extension",
        ),
        ("/conferences", json!([{"name": "weekly", "max_people": 1}]), "conferences[0].max_people", "2 to"),
        (
            "/schemes/0/steps",
            json!([{"conference": "weekly"}]),
            "schemes[0].steps[0].conference",
            "no conference at all",
        ),
        ("/numbers/0/number", json!("12"), "numbers[0].number", "3 to 15 digits"),
        ("/numbers/0/scheme", json!("mian"), "numbers[0].scheme", "allowed: main"),
        ("/numbers/0/channels", json!(0), "numbers[0].channels", "1 to"),
        ("/numbers/0/priority", json!(101), "numbers[0].priority", "-100 to 100"),
        ("/employees/0/extension", json!("1o1"), "employees[0].extension", "1 to 8 digits"),
        (
            "/employees/1/extension",
            json!("101"),
            "employees[1].extension",
            "taken already by employees[0].extension",
        ),
        ("/employees/2/id", json!("anna"), "employees[2].id", "taken already by employees[0].id"),
        ("/employees/2/login/email", json!("anna@acme.example"), "employees[2].login.email", "taken already"),
        ("/employees/2/login/email", json!("desk"), "employees[2].login.email", "name@host"),
        (
            "/employees/0/login/initial_password",
            json!("short"),
            "employees[0].login.initial_password",
            "8 to 128",
        ),
        (
            "/employees/0/login/initial_password",
            json!({"env": "X"}),
            "employees[0].login.initial_password",
            "a text",
        ),
        ("/employees/1", phone(), "employees[1].devices[0].sip.username", "taken already"),
        ("/employees/0/devices/1/sip/username", json!("a:b"), "employees[0].devices[1].sip.username", "a-z"),
        ("/employees/0/devices/1", json!({"browser": {}}), "employees[0].devices", "twice"),
        (
            "/groups/0/extension",
            json!("190"),
            "groups[0].extension",
            "taken already by employees[2].extension",
        ),
        ("/groups/0/members/1", json!("105"), "groups[0].members[1]", "allowed: 101, 102, 190"),
        ("/groups/0/members/1", json!("anna"), "groups[0].members[1]", "taken already"),
        ("/groups/0/ring", json!("11m"), "groups[0].ring", "1s to 10m"),
        ("/groups/0/queue/max_wait", json!("0s"), "groups[0].queue.max_wait", "1s to 1d"),
        ("/groups/0/queue/max_length", json!(0), "groups[0].queue.max_length", "1 to"),
        (
            "/groups/0/overflow/full/0",
            json!({"busy": false}),
            "groups[0].overflow.full[0].busy",
            "allowed: true",
        ),
        ("/groups/0/overflow/full/0", json!({"group": "200"}), "groups[0].overflow.full[0].group", "circle"),
        ("/schemes/0/steps", json!([]), "schemes[0].steps", "no steps"),
        ("/schemes/0/steps/0/play", json!("../etc"), "schemes[0].steps[0].play", "letters"),
        ("/schemes/0/steps/1/group", json!("300"), "schemes[0].steps[1].group", "allowed: 200"),
        (
            "/schemes/0/steps/1/group",
            json!({"extension": "300", "priority": 1}),
            "schemes[0].steps[1].group",
            "allowed: 200",
        ),
        (
            "/schemes/0/steps/1/group",
            json!({"extension": "200", "priority": -101}),
            "schemes[0].steps[1].group.priority",
            "-100 to 100",
        ),
        (
            "/schemes/0/steps/2",
            json!({"hang_up": {"status": 200}}),
            "schemes[0].steps[2].hang_up.status",
            "400 to 699",
        ),
        ("/recording/retention", json!("1h"), "recording.retention", "1d to"),
        ("/recording/resume_after", json!("2h"), "recording.resume_after", "5s to"),
        ("/recording/keys", json!({"pause": "12"}), "recording.keys.pause", "`*`"),
        ("/recording/keys", json!({"pause": "*"}), "recording.keys.pause", "2 to 6"),
        (
            "/recording/keys",
            json!({"record": "*1", "pause": "*12"}),
            "recording.keys.pause",
            "tell them apart",
        ),
    ];
    for (pointer, value, path, message) in table {
        let mut json = acme();
        put(&mut json, pointer, value);
        let problems = validate(&document(&json));
        assert!(
            problems.iter().any(|p| p.path == path && p.message.contains(message)),
            "{pointer}: {problems:?}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_named() {
    let table: Vec<Wrong> = vec![
        ("/groups/0/strategy", json!("longest-idel"), "groups[0].strategy", "longest-idle"),
        ("/groups/0/ring", json!(7), "groups[0].ring", "7s"),
        ("/groups/0/queue", json!({"maxwait": "7s"}), "groups[0].queue.maxwait", "max_wait"),
        ("/groups/0/members/0", json!(101), "groups[0].members[0]", "in quotes"),
        ("/schemes/0/steps/0", json!({"plya": "x"}), "schemes[0].steps[0]", "`play`"),
        ("/schemes/0/steps/1/group", json!(200), "schemes[0].steps[1]", "in quotes"),
        (
            "/schemes/0/steps/1/group",
            json!({"extension": "200", "prio": 1}),
            "schemes[0].steps[1]",
            "priority",
        ),
        ("/employees/0/roles/0", json!("boss"), "employees[0].roles[0]", "supervisor"),
        ("/trunks/0/from/0", json!("carrier.example"), "trunks[0].from[0]", "203.0.113.0/24"),
        (
            "/employees/0/login/initial_password",
            json!({"vault": "x"}),
            "employees[0].login.initial_password",
            "env",
        ),
        ("/numbers/0/channels", json!(-1), "numbers[0].channels", "-1"),
        ("/groups/0/recording", json!("sometimes"), "groups[0].recording", "on-demand"),
    ];
    for (pointer, value, path, message) in table {
        let mut json = acme();
        put(&mut json, pointer, value);
        let problem = read(json.to_string().as_bytes()).unwrap_err();
        assert!(
            problem.path.starts_with(path) && problem.message.contains(message),
            "{pointer}: {problem:?}"
        );
    }
}

#[test]
fn two_trunks_may_not_share_a_source() {
    let mut json = acme();
    let second = json!({"name": "second", "from": ["127.0.0.0/8"]});
    at(&mut json, "/trunks").as_array_mut().unwrap().push(second);
    let problems = validate(&document(&json));
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].path, "trunks[1].from[0]");
    assert!(problems[0].message.contains("`carrier`"));
}

#[test]
fn a_long_circle_is_found_and_a_long_row_is_fine() {
    let mut json = acme();
    let group = |n: usize, to: usize| {
        let overflow = json!({"nobody": [{"group": (1000 + to).to_string()}]});
        json!({"extension": (1000 + n).to_string(), "name": "G", "overflow": overflow})
    };
    let row =
        |last: usize| (0..3000).map(|n| group(n, if n < 2999 { n + 1 } else { last })).collect::<Vec<_>>();
    let mut groups = row(3000);
    groups.push(json!({"extension": "4000", "name": "Last"}));
    groups.push(at(&mut json, "/groups/0").clone());
    *at(&mut json, "/groups") = groups.into();
    assert_eq!(validate(&document(&json)), []);
    let mut groups = row(5);
    groups.push(at(&mut json, "/groups/3001").clone());
    *at(&mut json, "/groups") = groups.into();
    let problems = validate(&document(&json));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert_eq!(problems[0].path, "groups[2999].overflow.nobody[0].group");
}
