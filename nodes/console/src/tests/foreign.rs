//! Another tenant's things look like things that don't exist, route by route.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    fake::call,
    house::{House, house},
};
use crate::access::RULES;

/// Status and body of a request, with the tenant's name taken out.
async fn answer(house: &House, method: &str, path: &str, token: &str, tenant: &str) -> (StatusCode, String) {
    let method: Method = method.parse().unwrap();
    let request = house.request(method.clone(), &path.replace("{tenant}", tenant), token);
    let request = if method == Method::POST { request.json(&json!({"tenant": tenant})) } else { request };
    let response = request.send().await.unwrap();
    (response.status(), response.text().await.unwrap().replace(tenant, "TENANT"))
}

#[tokio::test]
async fn every_route_below_another_tenant_answers_as_if_there_were_none() {
    let house = house().await;
    house.record(9, b"RIFFsound").await;
    let tokens = [house.login("oscar@other").await, house.login("anna@acme").await];
    for (token, foreign) in tokens.iter().zip(["acme", "other"]) {
        for (method, path, _) in RULES.iter().filter(|(_, path, _)| path.contains("{tenant}")) {
            let path = path.replace("{kind}", "employees").replace("{call}", &call(9)).replace("{id}", "1");
            let real = answer(&house, method, &path, token, foreign).await;
            let missing = answer(&house, method, &path, token, "nosuch").await;
            assert_eq!(real, missing, "{method} {path}");
            assert_eq!(real.0, StatusCode::NOT_FOUND, "{method} {path}");
        }
    }
    assert_eq!(house.control.told.lock().len(), 0, "nothing reached control");
}

#[tokio::test]
async fn another_tenants_ids_under_ones_own_tenant_are_missing() {
    let house = house().await;
    house.record(9, b"RIFFsound").await;
    let oscar = house.login("oscar@other").await;
    let id = call(9);
    for path in [format!("cdrs/{id}"), format!("recordings/{id}/1"), format!("calls/{id}/story")] {
        let mine = format!("/api/v1/tenants/-/{path}");
        let real = answer(&house, "GET", &mine, &oscar, "-").await;
        let missing = answer(&house, "GET", &mine.replace(&id, &call(77)), &oscar, "-").await;
        assert_eq!(real, missing, "{path}");
        assert_eq!(real.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(house.read("/api/v1/tenants/-/cdrs", &oscar).await["items"], json!([]));
}

#[tokio::test]
async fn the_tenant_is_never_taken_from_body_or_query() {
    let house = house().await;
    let oscar = house.login("oscar@other").await;
    let foreign = house.post("/api/v1/tenants/-/configuration", &oscar, &json!({"tenant": "acme"})).await;
    assert_eq!(foreign.status(), StatusCode::UNPROCESSABLE_ENTITY);
    house.post("/api/v1/tenants/-/configuration?tenant=acme", &oscar, &json!({"name": "x"})).await;
    assert_eq!(house.control.last(), "oscar@other.example configures other if 0 dry false");
}

#[tokio::test]
async fn roles_in_a_body_change_nothing() {
    let house = house().await;
    let body = json!({"email": "anna@acme.example", "password": "correct-horse", "roles": ["owner"], "tenant": "other"});
    let answer: Value = house.post("/api/v1/login", "", &body).await.json().await.unwrap();
    assert_eq!((&answer["roles"], &answer["tenant"]), (&json!(["agent"]), &json!("acme")));
}
