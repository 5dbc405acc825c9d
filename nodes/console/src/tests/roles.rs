//! The table of roles, spelled out once more by hand: what each role gets from each route.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::{
    fake::call,
    house::{House, OPERATOR, house},
};
use crate::access::{Need, RULES, Role};

const WHO: [(&str, &str); 9] = [
    ("employee", "desk@acme"),
    ("agent", "anna@acme"),
    ("group-head", "gleb@acme"),
    ("supervisor", "vera@acme"),
    ("marketer", "mark@acme"),
    ("accountant", "ada@acme"),
    ("administrator", "admin@acme"),
    ("owner", "olga@acme"),
    ("wizard", "nobody@acme"),
];

/// Route and the roles that are let in; all others get 403.
const TABLE: &[(&str, &str, &[&str])] = &[
    ("GET", "/status", &[]),
    ("GET", "/cluster/backup", &[]),
    ("GET", "/cluster/nodes", &[]),
    ("DELETE", "/cluster/nodes/{node}", &[]),
    ("POST", "/cluster/nodes/{node}/drain", &[]),
    ("DELETE", "/cluster/nodes/{node}/drain", &[]),
    ("POST", "/cluster/nodes/{node}/replace", &[]),
    ("DELETE", "", &[]),
    ("POST", "/move", &[]),
    ("GET", "/configuration", &["administrator", "owner"]),
    ("POST", "/configuration", &["administrator", "owner"]),
    ("GET", "/{kind}", &["administrator", "owner"]),
    ("GET", "/{kind}/{id}", &["administrator", "owner"]),
    ("DELETE", "/{kind}/{id}", &["administrator", "owner"]),
    ("GET", "/sounds", &["administrator", "owner"]),
    ("GET", "/sounds/{kind}/{name}", &["administrator", "owner"]),
    ("PUT", "/sounds/{kind}/{name}", &["administrator", "owner"]),
    ("DELETE", "/sounds/{kind}/{name}", &["administrator", "owner"]),
    (
        "GET",
        "/names",
        &[
            "employee",
            "agent",
            "group-head",
            "supervisor",
            "marketer",
            "accountant",
            "administrator",
            "owner",
        ],
    ),
    ("GET", "/directory", &["employee", "agent", "group-head", "supervisor", "administrator", "owner"]),
    ("GET", "/live", &["group-head", "supervisor", "administrator", "owner"]),
    ("GET", "/live/conferences", &["group-head", "supervisor", "administrator", "owner"]),
    ("POST", "/live/conferences/{name}", &["group-head", "supervisor", "administrator", "owner"]),
    ("GET", "/events", &["employee", "agent", "group-head", "supervisor", "administrator", "owner"]),
    ("GET", "/agents", &["group-head", "supervisor", "administrator", "owner"]),
    ("GET", "/agents/me", &["employee", "agent", "group-head", "supervisor", "administrator", "owner"]),
    ("GET", "/agents/{id}", &["group-head", "supervisor", "administrator", "owner"]),
    (
        "POST",
        "/agents/{id}/state",
        &["employee", "agent", "group-head", "supervisor", "administrator", "owner"],
    ),
    ("GET", "/calls", &["group-head", "supervisor", "administrator", "owner"]),
    (
        "POST",
        "/calls/{id}/hang-up",
        &["employee", "agent", "group-head", "supervisor", "administrator", "owner"],
    ),
    (
        "POST",
        "/calls/{id}/recording",
        &["employee", "agent", "group-head", "supervisor", "administrator", "owner"],
    ),
    (
        "POST",
        "/calls/{id}/transfer",
        &["employee", "agent", "group-head", "supervisor", "administrator", "owner"],
    ),
    ("POST", "/calls/{id}/monitor", &["group-head", "supervisor", "administrator", "owner"]),
    ("DELETE", "/calls/{id}/monitor", &["group-head", "supervisor", "administrator", "owner"]),
    ("POST", "/calls/{id}/conference", &["group-head", "supervisor", "administrator", "owner"]),
    ("GET", "/calls/{id}/story", &["group-head", "supervisor", "administrator", "owner"]),
    (
        "GET",
        "/cdrs",
        &[
            "employee",
            "agent",
            "group-head",
            "supervisor",
            "marketer",
            "accountant",
            "administrator",
            "owner",
        ],
    ),
    (
        "GET",
        "/cdrs.csv",
        &[
            "employee",
            "agent",
            "group-head",
            "supervisor",
            "marketer",
            "accountant",
            "administrator",
            "owner",
        ],
    ),
    (
        "GET",
        "/cdrs/{call}",
        &[
            "employee",
            "agent",
            "group-head",
            "supervisor",
            "marketer",
            "accountant",
            "administrator",
            "owner",
        ],
    ),
    ("GET", "/recordings/{call}/{id}", &["group-head", "supervisor", "administrator", "owner"]),
    ("DELETE", "/recordings/{call}", &["administrator", "owner"]),
    ("GET", "/recordings/{call}/hold", &["administrator", "owner"]),
    ("PUT", "/recordings/{call}/hold", &["administrator", "owner"]),
    ("DELETE", "/recordings/{call}/hold", &["administrator", "owner"]),
    ("GET", "/messages", HEARS_MESSAGES),
    ("GET", "/messages/{name}/{id}", HEARS_MESSAGES),
    ("DELETE", "/messages/{name}/{id}", HEARS_MESSAGES),
    ("PUT", "/messages/{name}/{id}/heard", HEARS_MESSAGES),
    ("GET", "/audit", &["administrator", "owner"]),
];

const HEARS_MESSAGES: &[&str] = &["employee", "agent", "group-head", "supervisor", "administrator", "owner"];

fn path(short: &str) -> String {
    match short {
        "/status" => "/api/v1/status".into(),
        short if short.starts_with("/cluster") => format!("/api/v1{short}"),
        short => format!("/api/v1/tenants/{{tenant}}{short}"),
    }
}

fn filled(path: &str) -> String {
    path.replace("{tenant}", "-")
        .replace("{kind}", "employees")
        .replace("{call}", &call(9))
        .replace("{id}", "anna")
        .replace("{name}", "welcome")
        .replace("{node}", "b")
}

async fn status(house: &House, method: &str, path: &str, token: &str) -> StatusCode {
    let method: Method = method.parse().unwrap();
    let request = house.request(method.clone(), path, token);
    let request = if method == Method::POST { request.body("{}") } else { request };
    request.send().await.unwrap().status()
}

#[tokio::test]
async fn each_role_gets_what_the_table_says() {
    let house = house().await;
    for (role, login) in WHO {
        let token = house.login(login).await;
        for (method, short, allowed) in TABLE {
            let path = filled(&path(short));
            let got = status(&house, method, &path, &token).await;
            let refused = got == StatusCode::FORBIDDEN;
            assert_ne!(got, StatusCode::UNAUTHORIZED, "{role} {method} {path}");
            assert_eq!(refused, !allowed.contains(&role), "{role} {method} {path}: {got}");
        }
    }
}

#[tokio::test]
async fn without_a_session_every_route_but_login_is_closed() {
    let house = house().await;
    for (method, path, need) in RULES {
        let got = status(&house, method, &filled(path), "").await;
        assert_eq!(got == StatusCode::UNAUTHORIZED, *need != Need::Nobody, "{method} {path}: {got}");
    }
}

#[tokio::test]
async fn no_route_of_the_operator_is_refused_for_rights() {
    let house = house().await;
    for (method, path, _) in RULES {
        let got = status(&house, method, &filled(path).replace("/-", "/acme"), OPERATOR).await;
        assert_ne!(got, StatusCode::FORBIDDEN, "{method} {path}");
    }
}

/// A route that nobody wrote a rule or a line of the table above for makes this fail.
#[test]
fn rules_table_and_document_name_the_same_routes() {
    let document: Value = serde_json::from_str(&crate::openapi()).unwrap();
    let mut documented = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    let ruled = RULES.iter().filter(|(_, path, _)| *path != "/api/v1/openapi.json");
    let ruled: BTreeSet<_> = ruled.map(|(m, p, _)| (m.to_string(), p.to_string())).collect();
    assert_eq!(documented, ruled);
    let table: BTreeSet<_> = TABLE.iter().map(|(m, short, _)| (m.to_string(), path(short))).collect();
    let rights = RULES.iter().filter(|(_, _, need)| matches!(need, Need::Right(_)));
    assert_eq!(table, rights.map(|(m, p, _)| (m.to_string(), p.to_string())).collect());
    let roles: BTreeSet<_> = Role::ALL.iter().map(|role| role.name()).collect();
    assert_eq!(roles, WHO.iter().map(|(role, _)| *role).filter(|role| *role != "wizard").collect());
}
