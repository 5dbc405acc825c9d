//! The documented file, and each mistake with its place.

use std::path::Path;

use mangrove_domain::config::document::{Device, Problem, Secret};

use super::{check, read};

const ACME: &str = include_str!("../../../../examples/acme.yaml");

fn error(text: &str) -> String {
    check(text, Path::new("acme.yaml")).unwrap_err().to_string()
}

#[test]
fn the_documented_file_can_be_applied_and_is_warned_about() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/acme.yaml");
    let company = read(&file).unwrap();
    assert_eq!(company.document.employees.len(), 4);
    assert_eq!(company.warnings.len(), 1);
    assert!(company.warnings[0].starts_with("8 passwords stand in"), "{:?}", company.warnings);
    let json = serde_json::to_vec(&company.document).unwrap();
    assert_eq!(mangrove_domain::config::document::read(&json).unwrap(), company.document);
}

#[test]
fn a_mistake_is_named_with_line_column_path_and_what_is_allowed() {
    for (from, to, parts) in [
        (
            "strategy: longest-idle",
            "strategy: longest-idel",
            ["acme.yaml:63:15: groups[0].strategy", "longest-idel", "simultaneous"],
        ),
        ("    ring: 7s", "    rign: 7s", ["acme.yaml:65:11: groups[0].rign", "rign", "wrap_up"]),
        ("    ring: 7s", "    ring: 7", ["acme.yaml:65:11: groups[0].ring", "7", "7s, 15m"]),
        (
            "- group: \"200\"",
            "- group: \"300\"",
            ["acme.yaml:77:16: schemes[0].steps[1].group", "`300`", "allowed: 200"],
        ),
        ("- play: default", "- plya: default", ["acme.yaml:76:9: schemes[0].steps[0]", "plya", "hang_up"]),
        (
            "max_length: 50",
            "max_length: 0",
            ["acme.yaml:67:40: groups[0].queue.max_length", "out of bounds", "1 to"],
        ),
        (
            "waited: [{employee: \"190\"}]",
            "waited: [{employee: \"19\"}]",
            ["acme.yaml:69:27: groups[0].overflow.waited[0].employee", "`19`", "101, 102"],
        ),
        (
            "username: \"102\"",
            "username: \"101\"",
            ["acme.yaml:42:25: employees[1].devices[0].sip.username", "taken already", "employees[0]"],
        ),
        ("format: 1", "format: 2", ["acme.yaml:4:9: format", "2", "allowed: 1"]),
        ("name: Sales", "name: Sales\n    name: Sold", ["acme.yaml:63:5", "uplicate", "name"]),
        ("format: 1", "format: [1", ["acme.yaml:", "nothing was changed", ""]),
        ("tenant: acme", "", ["acme.yaml", "missing", "tenant"]),
    ] {
        assert!(ACME.contains(from), "{from}");
        let error = error(&ACME.replacen(from, to, 1));
        assert!(parts.iter().all(|part| error.contains(part)), "{to}:\n{error}");
        assert!(error.ends_with("nothing was changed"));
    }
}

#[test]
fn texts_that_are_no_company_are_refused() {
    for text in ["", "42", "- a\n- b", "\t", "{", "a: *b", "\u{0}", "format: 1\n---\nformat: 1\n"] {
        assert!(error(text).starts_with("acme.yaml"), "{text:?}: {}", error(text));
    }
}

#[test]
fn passwords_come_from_files_and_are_not_warned_about() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("anna.secret"), "from-the-file\n").unwrap();
    let text = ACME.replacen("password: \"anna-sip-password\"", "password: {file: anna.secret}", 1);
    let company = check(&text, &folder.path().join("acme.yaml")).unwrap();
    let Device::Sip(phone) = &company.document.employees[0].devices[1] else { panic!("no phone") };
    assert_eq!(phone.password, Some(Secret::Text("from-the-file".to_owned())));
    assert!(company.warnings[0].starts_with("7 passwords"));
}

#[test]
fn a_password_that_cannot_be_had_is_named() {
    for place in ["{env: MANGROVE_TEST_NOT_SET}", "{file: nowhere.secret}"] {
        let error = error(&ACME.replacen("\"anna-sip-password\"", place, 1));
        assert!(error.contains("acme.yaml:35:42: employees[0].devices[1].sip.password"), "{error}");
        assert_eq!(error.lines().count(), 2, "{error}");
    }
}

#[test]
fn the_servers_problems_get_their_lines() {
    let company = check(ACME, Path::new("acme.yaml")).unwrap();
    let problem = Problem { path: "employees[1].login.email".to_owned(), message: "taken".to_owned() };
    let error = company.mistakes(vec![problem]).to_string();
    assert!(error.starts_with("acme.yaml:40:20: employees[1].login.email: taken"), "{error}");
}
