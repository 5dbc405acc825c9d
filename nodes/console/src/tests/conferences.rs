//! Conferences in progress: who is shown in them, and what is asked of control.

use mangrove_proto::live::{Call, Seat};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    fake::{call, live_call},
    house::{House, house},
};

fn seated(number: u128, group: &str, since: u64) -> Call {
    let name = "weekly".to_owned();
    let seat = Seat { name, since, muted: false, moderator: false, waits: false, locked: true };
    Call { conference: Some(seat), ..live_call(number, group, None) }
}

async fn with_conference() -> House {
    let house = house().await;
    house.control.show(vec![seated(1, "200", 7), seated(2, "300", 5), live_call(3, "200", None)]);
    house
}

#[tokio::test]
async fn who_is_in_sight_is_listed_by_when_they_came() {
    let house = with_conference().await;
    for (who, people) in [("sveta@acme", vec![call(2), call(1)]), ("vera@acme", vec![call(1)])] {
        let token = house.login(who).await;
        let listed = house.request(Method::GET, "/api/v1/tenants/-/live/conferences", &token);
        let listed: Value = listed.send().await.unwrap().json().await.unwrap();
        assert_eq!((&listed[0]["name"], &listed[0]["locked"]), (&json!("weekly"), &json!(true)), "{listed}");
        let shown = listed[0]["people"].as_array().unwrap().iter();
        let shown: Vec<&str> = shown.map(|person| person["call"].as_str().unwrap()).collect();
        assert_eq!(shown, people, "{who}");
    }
}

#[tokio::test]
async fn wishes_become_commands_on_a_call_that_is_in_it() {
    let house = with_conference().await;
    let token = house.login("vera@acme").await;
    let whole = "/api/v1/tenants/-/live/conferences/weekly".to_owned();
    let one = |number| format!("/api/v1/tenants/-/calls/{}/conference", call(number));
    for (path, action, command) in [
        (whole.clone(), "lock", "lock-conference"),
        (whole.clone(), "unlock", "unlock-conference"),
        (whole, "end", "end-conference"),
        (one(1), "mute", "mute"),
        (one(1), "unmute", "unmute"),
        (one(1), "remove", "hang-up"),
    ] {
        let answer = house.post(&path, &token, &json!({ "action": action })).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{action}");
        assert_eq!(house.control.last(), format!("vera@acme.example {command} {}", call(1)));
    }
    for (path, action, status) in [
        (one(1), "sing", StatusCode::UNPROCESSABLE_ENTITY),
        (one(2), "mute", StatusCode::NOT_FOUND),
        (one(3), "mute", StatusCode::NOT_FOUND),
        ("/api/v1/tenants/-/live/conferences/none".to_owned(), "lock", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(house.post(&path, &token, &json!({ "action": action })).await.status(), status, "{path}");
    }
}
