//! What the phone in a page is told.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::house::{OPERATOR, house, house_with};
use crate::Turn;

const PATH: &str = "/api/v1/me/phone";

#[tokio::test]
async fn a_person_with_a_phone_in_the_page_gets_all_it_needs() {
    let house = house_with(|options| {
        let servers = vec!["turn:turn.example:3478?transport=udp".into(), "stun:turn.example".into()];
        options.turn = Turn { servers, secret: "north".into(), lifetime: 600 };
    })
    .await;
    let token = house.login("anna@acme").await;
    let response = house.post(PATH, &token, &json!({})).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let phone: Value = response.json().await.unwrap();
    for (key, value) in [
        ("ticket", json!("of-acme-anna-1")),
        ("expires_in", json!(60)),
        ("uri", json!("sip:101@acme.example")),
        ("login", json!("101")),
        ("realm", json!("acme.example")),
        ("display", json!("ANNA")),
        ("ws", json!("/sip")),
        ("echo", json!("sip:echo@acme.example")),
    ] {
        assert_eq!(phone[key], value, "{key}");
    }
    let servers = phone["ice_servers"].as_array().unwrap();
    assert_eq!(servers[0], json!({"urls": ["stun:turn.example"]}));
    assert_eq!(servers[1]["urls"], json!(["turn:turn.example:3478?transport=udp"]));
    assert!(servers[1]["username"].as_str().unwrap().ends_with(":acme.anna"), "{phone}");
    assert!(servers[1]["credential"].is_string() && servers.len() == 2, "{phone}");
}

#[tokio::test]
async fn without_servers_none_are_named() {
    let house = house().await;
    let token = house.login("anna@acme").await;
    let phone: Value = house.post(PATH, &token, &json!({})).await.json().await.unwrap();
    assert_eq!(phone["ice_servers"], json!([]));
}

#[tokio::test]
async fn who_has_no_phone_in_the_page_is_told_so_and_others_get_nothing() {
    let house = house().await;
    let token = house.login("desk@acme").await;
    let refused = house.post(PATH, &token, &json!({})).await;
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    let body: Value = refused.json().await.unwrap();
    assert!(body["error"] == "no-phone" && body["action"].as_str().unwrap().contains("browser"), "{body}");
    assert_eq!(house.post(PATH, OPERATOR, &json!({})).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(house.post(PATH, "", &json!({})).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn no_page_of_another_site_gets_a_ticket_with_our_cookie() {
    let house = house().await;
    let token = house.login("anna@acme").await;
    let cookie = format!("mangrove_session={token}");
    let asks = house.request(Method::POST, PATH, "").header(header::COOKIE, cookie);
    let asks = asks.header(header::ORIGIN, "http://evil.example");
    assert_eq!(asks.send().await.unwrap().status(), StatusCode::FORBIDDEN);
}
