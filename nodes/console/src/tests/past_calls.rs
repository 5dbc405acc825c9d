//! Records of past calls, their export and their stories.

use mangrove_history::{Audit, Batch, Story};
use mangrove_proto::{
    id::CallId,
    live::Cdr,
    story::{Entry, Kind},
};
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    fake::call,
    house::{House, OPERATOR, cdr, house},
};

const CDRS: &str = "/api/v1/tenants/-/cdrs";

async fn found(house: &House, query: &str, token: &str) -> Vec<String> {
    let listed = house.read(&format!("{CDRS}{query}"), token).await;
    listed["items"].as_array().unwrap().iter().map(|cdr| cdr["call"].as_str().unwrap().to_owned()).collect()
}

async fn three() -> House {
    let house = house().await;
    let direct = Cdr { group: None, employee: Some("boris".into()), ..cdr(2) };
    let far = Cdr { group: Some("300".into()), employee: Some("boris".into()), ..cdr(3) };
    house.keep(vec![cdr(1), direct, far]).await;
    house
}

#[tokio::test]
async fn filters_and_pages_work_over_http() {
    let house = three().await;
    let olga = house.login("olga@acme").await;
    for (query, wanted) in [
        ("", vec![3, 2, 1]),
        ("?group=200", vec![1]),
        ("?employee=boris", vec![3, 2]),
        ("?from=2000&to=3000", vec![2]),
        ("?from=1970-01-01T00:00:03Z", vec![3]),
        ("?outcome=abandoned", vec![]),
        ("?direction=inbound&recorded=false&party=9161", vec![3, 2, 1]),
    ] {
        let wanted: Vec<_> = wanted.into_iter().map(call).collect();
        assert_eq!(found(&house, query, &olga).await, wanted, "{query}");
    }
    let first = house.read(&format!("{CDRS}?limit=2"), &olga).await;
    let next = first["next"].as_str().unwrap();
    assert_eq!(found(&house, &format!("?limit=2&after={next}"), &olga).await, [call(1)]);
    for bad in ["?from=yesterday", "?outcome=fine", "?limit=many", "?after=x"] {
        assert_eq!(
            house.get(&format!("{CDRS}{bad}"), &olga).await.status(),
            StatusCode::BAD_REQUEST,
            "{bad}"
        );
    }
}

#[tokio::test]
async fn each_sees_the_calls_in_their_scope() {
    let house = three().await;
    let (vera, boris) = (house.login("vera@acme").await, house.login("boris@acme").await);
    assert_eq!(found(&house, "", &vera).await, [call(1)]);
    assert_eq!(found(&house, "?group=300", &vera).await, [""; 0]);
    assert_eq!(found(&house, "", &boris).await, [call(3), call(2)]);
    assert_eq!(found(&house, "?employee=anna", &boris).await, [""; 0]);
    assert_eq!(found(&house, "?employee=me&group=300", &boris).await, [call(3)]);
    for (token, number, status) in [
        (&vera, 1, StatusCode::OK),
        (&vera, 3, StatusCode::NOT_FOUND),
        (&boris, 3, StatusCode::OK),
        (&boris, 1, StatusCode::NOT_FOUND),
    ] {
        assert_eq!(house.get(&format!("{CDRS}/{}", call(number)), token).await.status(), status, "{number}");
    }
    assert_eq!(house.get(&format!("{CDRS}/../../x"), &vera).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_export_has_every_call_and_no_formula() {
    let house = house().await;
    house.keep((1..=700).map(cdr).collect()).await;
    let response = house.get("/api/v1/tenants/acme/cdrs.csv", OPERATOR).await;
    assert_eq!(response.headers()["content-type"], "text/csv; charset=utf-8");
    let text = response.text().await.unwrap();
    let lines: Vec<_> = text.split("\r\n").filter(|line| !line.is_empty()).collect();
    assert_eq!(lines.len(), 701);
    assert!(lines[1].contains(r#""'+79161234567""#) && lines[1].contains(r#""'=1+1""#), "{}", lines[1]);
}

#[tokio::test]
async fn stories_come_from_control_first_and_from_history_later() {
    let house = house().await;
    house.keep(vec![cdr(5)]).await;
    let entry = Entry {
        at: 1,
        after_ms: 2,
        kind: Kind::Decision,
        party: String::new(),
        title: "offered".into(),
        detail: String::new(),
    };
    let story = Story { tenant: "acme".into(), call: CallId(5), at: 1, entries: vec![entry] };
    house.history.write(&Batch { stories: vec![story], ..Batch::default() }).await.unwrap();
    let path = |number| format!("/api/v1/tenants/acme/calls/{}/story", call(number));
    assert_eq!(house.read(&path(1), OPERATOR).await[0]["title"], "INVITE", "a live call");
    assert_eq!(house.read(&path(5), OPERATOR).await[0]["title"], "offered", "a past call");
    assert_eq!(house.get(&path(6), OPERATOR).await.status(), StatusCode::NOT_FOUND);
    let vera = house.login("vera@acme").await;
    assert_eq!(
        house.get(&path(2).replace("acme", "-"), &vera).await.status(),
        StatusCode::NOT_FOUND,
        "not her group"
    );
}

#[tokio::test]
async fn the_audit_log_names_who_what_before_and_after() {
    let house = house().await;
    let line = Audit {
        key: "1".into(),
        tenant: "acme".into(),
        at: 5,
        author: "olga".into(),
        address: "::1".into(),
        object: "employee/anna".into(),
        action: "update".into(),
        before: Some(json!({"ring": 20})),
        after: Some(json!({"ring": 25})),
    };
    house.history.write(&Batch { audits: vec![line], ..Batch::default() }).await.unwrap();
    let page: Value = house.read("/api/v1/tenants/acme/audit?author=olg&from=1", OPERATOR).await;
    let wanted = json!([{"at": 5, "author": "olga", "address": "::1", "object": "employee/anna", "action": "update",
        "before": {"ring": 20}, "after": {"ring": 25}}]);
    assert_eq!((&page["items"], &page["next"]), (&wanted, &json!(null)));
}

#[tokio::test]
async fn without_its_database_only_history_is_away() {
    let house = house().await;
    house.history.close().await;
    assert_eq!(
        house.get("/api/v1/tenants/acme/cdrs", OPERATOR).await.status(),
        StatusCode::SERVICE_UNAVAILABLE
    );
    assert_eq!(house.get("/api/v1/tenants/acme/live", OPERATOR).await.status(), StatusCode::OK);
    let ready = house.get("/readyz", "").await;
    assert_eq!(ready.status(), StatusCode::OK);
    assert_ne!(ready.json::<Value>().await.unwrap()["history"], "ok");
}
