//! Transfers by page: who may, what is asked of control, and whom one may choose.

use mangrove_proto::live::Call;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    fake::{call, live_call},
    house::{House, house},
};

async fn transfer(house: &House, who: &str, number: u128, body: Value) -> StatusCode {
    let token = house.login(who).await;
    let path = format!("/api/v1/tenants/-/calls/{}/transfer", call(number));
    house.post(&path, &token, &body).await.status()
}

#[tokio::test]
async fn who_talks_and_who_supervises_them_send_a_call_on() {
    let house = house().await;
    let to = |to: &str| json!({ "to": to });
    assert_eq!(transfer(&house, "boris@acme", 2, to(" 190 ")).await, StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), format!("boris@acme.example transfer {} for boris to 190", call(2)));
    let numbered = json!({"to": "+7 812 555-00-00", "asker": 7, "number": 2});
    assert_eq!(transfer(&house, "vera@acme", 1, numbered).await, StatusCode::NO_CONTENT);
    let told = format!("vera@acme.example, number 2 of 7, transfer {} for vera to +7 812 555-00-00", call(1));
    assert_eq!(house.control.last(), told);
    for (who, number, status) in [
        ("vera@acme", 2, StatusCode::NOT_FOUND),
        ("anna@acme", 2, StatusCode::NOT_FOUND),
        ("mark@acme", 2, StatusCode::FORBIDDEN),
    ] {
        assert_eq!(transfer(&house, who, number, to("190")).await, status, "{who}");
    }
    for nowhere in ["", "  ", &"1".repeat(65)] {
        assert_eq!(transfer(&house, "boris@acme", 2, to(nowhere)).await, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(house.control.last(), told, "nobody was told of what was refused");
}

#[tokio::test]
async fn who_is_only_rung_sends_nobody_on() {
    let house = house().await;
    let sent = Call { ringing: vec!["anna".into()], ..live_call(5, "300", Some("boris")) };
    house.control.calls.lock().push(sent);
    let body = json!({ "to": "190" });
    assert_eq!(transfer(&house, "anna@acme", 5, body).await, StatusCode::FORBIDDEN);
    assert_eq!(house.control.last(), "");
}

#[tokio::test]
async fn the_directory_says_who_is_free_and_no_more() {
    let house = house().await;
    let directory = house.read("/api/v1/tenants/-/directory", &house.login("desk@acme").await).await;
    let wanted = json!([
        {"id": "anna", "name": "ANNA", "extension": "101", "state": "available"},
        {"id": "boris", "name": "BORIS", "extension": "101", "state": "busy"},
    ]);
    assert_eq!(directory, wanted);
}
