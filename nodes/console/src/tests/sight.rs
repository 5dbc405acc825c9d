//! How far live pictures and commands reach.

use mangrove_proto::live::Call;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::{
    fake::{call, live_call},
    house::{House, OPERATOR, house},
};

const LIVE: &str = "/api/v1/tenants/-/live";

fn ids(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_supervisor_sees_the_groups_supervised_and_their_sums() {
    let house = house().await;
    let vera = house.read(LIVE, &house.login("vera@acme").await).await;
    assert_eq!((ids(&vera["queues"]), ids(&vera["agents"])), (vec!["200"], vec!["anna"]));
    assert_eq!(ids(&vera["calls"]), [call(1)]);
    assert_eq!(vera["today"]["offered"], 2);
    let sveta = house.read(LIVE, &house.login("sveta@acme").await).await;
    assert_eq!(ids(&sveta["queues"]), ["200", "300"], "no list means all");
    assert_eq!(house.read("/api/v1/tenants/acme/live", OPERATOR).await["today"]["offered"], 4);
}

#[tokio::test]
async fn an_agents_own_picture_holds_nobody_else() {
    let house = house().await;
    let boris = house.login("boris@acme").await;
    let own = house.read("/api/v1/tenants/-/agents/me", &boris).await;
    assert_eq!((&own["agent"]["id"], ids(&own["calls"])), (&json!("boris"), vec![call(2).as_str()]));
    let desk = house.read("/api/v1/tenants/-/agents/me", &house.login("desk@acme").await).await;
    assert_eq!((&desk["agent"], &desk["calls"]), (&json!(null), &json!([])));
}

#[tokio::test]
async fn names_are_everybodys_and_say_no_more() {
    let house = house().await;
    let names = house.read("/api/v1/tenants/-/names", &house.login("mark@acme").await).await;
    let wanted = json!({
        "groups": [{"id": "200", "name": "200"}, {"id": "300", "name": "300"}],
        "employees": [
            {"id": "anna", "extension": "101", "name": "ANNA"},
            {"id": "boris", "extension": "101", "name": "BORIS"},
        ],
    });
    assert_eq!(names, wanted);
}

async fn set(house: &House, token: &str, agent: &str, state: &str) -> StatusCode {
    let body = json!({"state": state, "reason": "lunch"});
    house.post(&format!("/api/v1/tenants/-/agents/{agent}/state"), token, &body).await.status()
}

#[tokio::test]
async fn states_are_set_by_oneself_and_by_ones_supervisor() {
    let house = house().await;
    let (anna, vera) = (house.login("anna@acme").await, house.login("vera@acme").await);
    assert_eq!(set(&house, &anna, "me", "break").await, StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), "anna@acme.example sets acme/anna break lunch");
    let numbered = json!({"state": "break", "reason": "lunch", "asker": 7, "number": 2});
    let answer = house.post("/api/v1/tenants/-/agents/me/state", &anna, &numbered).await;
    assert_eq!(answer.status(), StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), "anna@acme.example, number 2 of 7, sets acme/anna break lunch");
    assert_eq!(set(&house, &anna, "anna", "available").await, StatusCode::NO_CONTENT);
    assert_eq!(set(&house, &anna, "boris", "break").await, StatusCode::NOT_FOUND);
    assert_eq!(set(&house, &vera, "anna", "offline").await, StatusCode::NO_CONTENT);
    assert_eq!(set(&house, &vera, "boris", "offline").await, StatusCode::NOT_FOUND, "not her group");
    assert_eq!(set(&house, &anna, "me", "busy").await, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn calls_are_hung_up_by_those_who_see_them() {
    let house = house().await;
    let hang_up = |who: &'static str, number| {
        let house = &house;
        async move {
            let token = house.login(who).await;
            let path = format!("/api/v1/tenants/-/calls/{}/hang-up", call(number));
            house.post(&path, &token, &json!({})).await.status()
        }
    };
    assert_eq!(hang_up("vera@acme", 1).await, StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), format!("vera@acme.example hang-up {}", call(1)));
    assert_eq!(hang_up("vera@acme", 2).await, StatusCode::NOT_FOUND);
    assert_eq!(hang_up("boris@acme", 2).await, StatusCode::NO_CONTENT);
    assert_eq!(hang_up("anna@acme", 2).await, StatusCode::NOT_FOUND);
    assert_eq!(hang_up("olga@acme", 3).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn recordings_are_paused_by_who_talks_and_by_who_supervises_them() {
    let house = house().await;
    let wish = |who: &'static str, number, body: serde_json::Value| {
        let house = &house;
        async move {
            let token = house.login(who).await;
            let path = format!("/api/v1/tenants/-/calls/{}/recording", call(number));
            house.post(&path, &token, &body).await.status()
        }
    };
    let pause = || json!({"action": "pause"});
    assert_eq!(wish("boris@acme", 2, pause()).await, StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), format!("boris@acme.example pause-recording {}", call(2)));
    let numbered = json!({"action": "resume", "asker": 7, "number": 2});
    assert_eq!(wish("vera@acme", 1, numbered).await, StatusCode::NO_CONTENT);
    let told = format!("vera@acme.example, number 2 of 7, resume-recording {}", call(1));
    assert_eq!(house.control.last(), told);
    assert_eq!(wish("vera@acme", 2, pause()).await, StatusCode::NOT_FOUND, "not her group");
    assert_eq!(wish("anna@acme", 2, pause()).await, StatusCode::NOT_FOUND, "not her call");
    let unknown = json!({"action": "erase"});
    assert_eq!(wish("boris@acme", 2, unknown).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(house.control.last(), told, "nobody was told of what was refused");
}

#[tokio::test]
async fn who_is_only_rung_neither_hangs_up_nor_pauses() {
    let house = house().await;
    // Anna is offered a call of the other group, and boris sends her another one.
    let offered =
        Call { employee: Some("anna".into()), ringing: vec!["anna".into()], ..live_call(4, "300", None) };
    let sent = Call { ringing: vec!["anna".into()], ..live_call(5, "300", Some("boris")) };
    house.control.calls.lock().extend([offered, sent]);
    let anna = house.login("anna@acme").await;
    let seen = house.read("/api/v1/tenants/-/agents/me", &anna).await;
    assert_eq!(ids(&seen["calls"]), [call(4), call(5)], "she sees what she is rung for");
    for number in [4, 5] {
        for (what, body) in [("hang-up", json!({})), ("recording", json!({"action": "pause"}))] {
            let path = format!("/api/v1/tenants/-/calls/{}/{what}", call(number));
            let status = house.post(&path, &anna, &body).await.status();
            assert_eq!(status, StatusCode::FORBIDDEN, "{number} {what}");
        }
    }
    assert_eq!(house.control.last(), "", "nothing was asked of control");
    let path = format!("/api/v1/tenants/-/calls/{}/hang-up", call(5));
    let boris = house.login("boris@acme").await;
    assert_eq!(house.post(&path, &boris, &json!({})).await.status(), StatusCode::NO_CONTENT);
    let vera = house.login("vera@acme").await;
    assert_eq!(
        house.post(&path, &vera, &json!({})).await.status(),
        StatusCode::NO_CONTENT,
        "she is over anna"
    );
}
