//! A company made for a run: as many agents as asked for, one group, one number, a trunk at the run's own address.

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::registration::Account;

/// Id of the tenant.
pub const TENANT: &str = "loadtest";
/// Its SIP domain.
pub const DOMAIN: &str = "loadtest.example";
/// Its number.
pub const NUMBER: &str = "70000000001";

/// The document for `mangrove apply`, and the agents' accounts.
pub fn document(agents: usize, carrier: SocketAddr, wrap_up_s: u64) -> (Value, Vec<Account>) {
    let accounts: Vec<Account> = (0..agents).map(account).collect();
    let employees: Vec<Value> = accounts.iter().map(employee).collect();
    let members: Vec<&str> = accounts.iter().map(|account| account.username.as_str()).collect();
    let document = json!({
        "format": 1, "tenant": TENANT, "name": "Load test", "domain": DOMAIN,
        "trunks": [{ "name": "carrier", "from": [carrier.to_string()], "to": [{ "uri": format!("sip:{carrier}"), "priority": 1 }] }],
        "numbers": [{ "number": NUMBER, "scheme": "main", "channels": 10_000 }],
        "employees": employees,
        "groups": [{
            "extension": "9000", "name": "All", "strategy": "longest-idle", "members": members,
            "ring": "20s", "wrap_up": format!("{wrap_up_s}s"),
            "queue": { "max_wait": "600s", "max_length": 10_000 },
        }],
        "schemes": [{ "name": "main", "steps": [{ "group": "9000" }] }],
        "recording": { "calls": "external", "channels": "dual", "retention": "1d" },
    });
    (document, accounts)
}

fn account(position: usize) -> Account {
    let username = (1_000 + position).to_string();
    Account { agent: username.clone(), password: format!("phone-{username}-of-the-load-test"), username }
}

fn employee(account: &Account) -> Value {
    json!({
        "extension": account.username, "id": account.agent, "name": format!("Agent {}", account.username), "roles": ["agent"],
        "devices": [{ "sip": { "username": account.username, "password": account.password } }],
    })
}
