//! The event stream and its resumption.

use std::time::Duration;

use futures::StreamExt as _;
use reqwest::{Method, Response, StatusCode};
use serde_json::json;

use super::{
    fake::{FORGOTTEN, agent, call, live_call},
    house::{House, house},
};
use mangrove_proto::{
    id::CallId,
    live::{Agent, AgentState},
};

const EVENTS: &str = "/api/v1/tenants/-/events";

async fn follow(house: &House, token: &str, after: u64) -> Response {
    let request = house.request(Method::GET, EVENTS, token).header("Last-Event-ID", after);
    request.send().await.unwrap()
}

/// Reads until the text appears; returns all that was read.
async fn until(response: Response, wanted: &str) -> String {
    let mut text = String::new();
    let mut parts = response.bytes_stream();
    let read = async {
        while !text.contains(wanted) {
            let part = parts.next().await.expect("stream ended").unwrap();
            text.push_str(&String::from_utf8_lossy(&part));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .unwrap_or_else(|_| panic!("no {wanted} in: {text}"));
    text
}

fn call_event(number: u128, group: &str) -> serde_json::Value {
    json!(live_call(number, group, None))
}

#[tokio::test]
async fn a_stream_goes_on_from_the_last_event_seen() {
    let house = house().await;
    let token = house.login("olga@acme").await;
    house.control.publish(101, "call", &call_event(1, "200"));
    house.control.publish(102, "queue", &json!({"id": "200"}));
    let first = until(follow(&house, &token, FORGOTTEN).await, "id: 102").await;
    assert!(first.contains("event: call\n") && first.contains("id: 101\n"), "{first}");
    house.control.publish(103, "call", &json!({"id": call(1), "gone": true}));
    let second = until(follow(&house, &token, 101).await, "id: 103").await;
    assert!(
        !second.contains("id: 101\n") && second.contains("id: 102\n") && second.contains("gone"),
        "{second}"
    );
}

#[tokio::test]
async fn live_events_arrive_on_an_open_stream() {
    let house = house().await;
    let token = house.login("olga@acme").await;
    let response = follow(&house, &token, FORGOTTEN).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    house.control.publish(104, "call", &call_event(4, "200"));
    until(response, "id: 104\n").await;
}

#[tokio::test]
async fn one_who_was_away_too_long_reads_the_picture_again() {
    let house = house().await;
    let token = house.login("olga@acme").await;
    let response = follow(&house, &token, FORGOTTEN - 1).await;
    assert_eq!(response.status(), StatusCode::GONE);
    assert!(response.text().await.unwrap().contains("live picture"));
}

#[tokio::test]
async fn a_supervisor_follows_own_groups_and_an_agent_only_themselves() {
    let house = house().await;
    let (vera, anna) = (house.login("vera@acme").await, house.login("anna@acme").await);
    house.control.publish(105, "call", &call_event(5, "300"));
    house.control.publish(106, "call", &json!(live_call(6, "200", Some("anna"))));
    house.control.publish(107, "agent", &json!(agent("boris", "300", AgentState::Available)));
    house.control.publish(108, "queue", &json!({"id": "300"}));
    house.control.publish(109, "queue", &json!({"id": "200"}));
    // The call leaves the supervised group: it is gone for her.
    house.control.publish(110, "call", &json!(live_call(6, "300", Some("boris"))));
    house.control.publish(111, "agent", &json!(agent("anna", "200", AgentState::Busy)));
    let seen = until(follow(&house, &vera, FORGOTTEN).await, "id: 111\n").await;
    let ids: Vec<_> = seen.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(ids, ["106", "109", "110", "111"], "{seen}");
    assert!(seen.contains(&format!(r#"{{"gone":true,"id":"{}"}}"#, call(6))), "{seen}");
    let seen = until(follow(&house, &anna, FORGOTTEN).await, "id: 111\n").await;
    let ids: Vec<_> = seen.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(ids, ["106", "110", "111"], "{seen}");
}

#[tokio::test]
async fn who_calls_a_colleague_follows_that_call() {
    let house = house().await;
    let anna = house.login("anna@acme").await;
    let to_boris = |number| json!(live_call(number, "300", Some("boris")));
    house.control.publish(105, "call", &to_boris(8));
    let calling = Agent { call: Some(CallId(7)), ..agent("anna", "200", AgentState::Busy) };
    house.control.publish(106, "agent", &json!(calling));
    house.control.publish(107, "call", &to_boris(7));
    let seen = until(follow(&house, &anna, FORGOTTEN).await, "id: 107\n").await;
    let ids: Vec<_> = seen.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(ids, ["106", "107"], "{seen}");
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let house = house().await;
    let token = house.login("vera@acme").await;
    let response = follow(&house, &token, FORGOTTEN).await;
    house.post("/api/v1/logout", &token, &json!({})).await;
    let ended = response.bytes_stream().for_each(|_| async {});
    tokio::time::timeout(Duration::from_secs(5), ended).await.expect("still open 5 s after the logout");
}

#[tokio::test]
async fn streams_end_when_the_role_stops() {
    let house = house().await;
    let token = house.login("vera@acme").await;
    let response = follow(&house, &token, FORGOTTEN).await;
    let ended = response.bytes_stream().for_each(|_| async {});
    let (_, ()) =
        tokio::time::timeout(Duration::from_secs(4), futures::future::join(house.console.shutdown(), ended))
            .await
            .expect("still open");
}
