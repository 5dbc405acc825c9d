//! The company that the tests of this module configure.

use serde_json::{Value, json};

use super::{
    TenantConfig,
    document::{Document, read},
    resolve::{Resolved, Tools, resolve},
};

/// As `acme.yaml`, shorter.
pub(crate) fn acme() -> Value {
    json!({
        "format": 1, "tenant": "acme", "name": "Acme", "domain": "Acme.example", "timezone": "Europe/Moscow",
        "language": "ru",
        "defaults": {"employee": {"ring": "20s", "caller_id": "74951234567"}},
        "trunks": [{
            "name": "carrier", "from": ["127.0.0.1:5080"], "to": [{"uri": "sip:127.0.0.1:5080", "priority": 1}],
            "caller_ids": ["74951234567"], "limits": {"channels": 120, "calls_per_second": 50},
        }],
        "numbers": [{"number": "+74951234567", "scheme": "main", "source": "website"}],
        "employees": [
            {
                "extension": "101", "id": "anna", "name": "Anna Petrova", "roles": ["agent"],
                "login": {"email": "Anna@acme.example", "initial_password": "anna-web-password"},
                "devices": [{"browser": {}}, {"sip": {"username": "101", "password": "anna-sip-password"}}],
            },
            {"extension": "102", "name": "Boris", "devices": [{"sip": {"username": "102"}}]},
            {"extension": "190", "id": "desk", "name": "Secretary", "login": {"email": "desk@acme.example"}, "ring": "1m30s"},
        ],
        "groups": [{
            "extension": "200", "name": "Sales", "members": ["101", {"extension": "102", "priority": 1}],
            "ring": "7s", "wrap_up": "5s", "queue": {"max_wait": "15s", "max_length": 50},
            "overflow": {"waited": [{"employee": "190"}], "full": [{"busy": true}], "nobody": [{"hang_up": {"status": 603}}]},
        }],
        "schemes": [{"name": "main", "steps": [{"play": "default-greeting"}, {"group": "200"}, {"hang_up": {}}]}],
        "recording": {"calls": "external", "channels": "dual", "retention": "90d"},
    })
}

pub(crate) fn document(json: &Value) -> Document {
    match read(json.to_string().as_bytes()) {
        Ok(document) => document,
        Err(problem) => panic!("{problem:?}"),
    }
}

/// Resolves with tools whose work can be told from what it was done to.
pub(crate) fn applied(json: &Value, present: Option<&TenantConfig>) -> Resolved {
    let tools =
        Tools { hash: &|password| format!("hash of {password}"), generate: &|| "made-for-you".to_owned() };
    match resolve(&document(json), present, tools) {
        Ok(resolved) => resolved,
        Err(problems) => panic!("{problems:?}"),
    }
}

/// The value at a JSON pointer.
pub(crate) fn at<'a>(json: &'a mut Value, pointer: &str) -> &'a mut Value {
    match json.pointer_mut(pointer) {
        Some(value) => value,
        None => panic!("nothing at {pointer}"),
    }
}

/// Sets the value at a JSON pointer, a new key too.
pub(crate) fn put(json: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap_or_default();
    match at(json, parent) {
        Value::Object(object) => drop(object.insert(key.to_owned(), value)),
        _ => *at(json, pointer) = value,
    }
}
