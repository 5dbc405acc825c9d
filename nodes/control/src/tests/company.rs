//! Small companies without passwords that take long to hash.

use mangrove_domain::config::{
    TenantConfig, document,
    resolve::{Tools, resolve},
};
use serde_json::{Value, json};

/// A company with one number, whose calls hear a prompt and then wait for a group of one agent.
pub(crate) fn company(tenant: &str, number: &str) -> Value {
    json!({
        "format": 1,
        "tenant": tenant,
        "name": tenant,
        "domain": format!("{tenant}.example"),
        "trunks": [{
            "name": "carrier",
            "from": ["127.0.0.1:5080"],
            "to": [{"uri": "sip:127.0.0.1:5080", "priority": 1}],
            "caller_ids": [number],
        }],
        "numbers": [{"number": number, "scheme": "main"}],
        "employees": [{
            "extension": "101", "id": "anna", "name": "Anna", "roles": ["agent"],
            "devices": [{"sip": {"username": "101", "password": "anna-sip-password"}}],
        }],
        "groups": [{"extension": "200", "name": "Sales", "strategy": "longest-idle", "members": ["101"]}],
        "schemes": [{"name": "main", "steps": [{"play": "default-greeting"}, {"group": "200"}]}],
    })
}

/// What the rules make of such a company.
pub(crate) fn configuration(company: &Value) -> TenantConfig {
    let document = document::read(&serde_json::to_vec(company).unwrap()).unwrap();
    let tools = Tools { hash: &|password| password.to_owned(), generate: &|| "generated".to_owned() };
    resolve(&document, None, tools).unwrap().config
}
