//! Supervisors beside live calls: who may, and who is shown them.

use std::time::Duration;

use futures::StreamExt as _;
use mangrove_proto::{
    id::{CallId, LegId},
    live::{Call, Cdr, CdrLeg, Monitor, MonitorMode},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{
    fake::{FORGOTTEN, call, live_call},
    house::{House, OPERATOR, cdr, house},
};

fn path(number: u128) -> String {
    format!("/api/v1/tenants/-/calls/{}/monitor", call(number))
}

async fn wish(house: &House, who: &str, number: u128, body: Value) -> StatusCode {
    let token = house.login(who).await;
    house.post(&path(number), &token, &body).await.status()
}

#[tokio::test]
async fn supervisors_come_to_calls_that_they_see_with_their_own_phone() {
    let house = house().await;
    for mode in ["listen", "whisper", "barge", "take-over"] {
        assert_eq!(wish(&house, "vera@acme", 1, json!({"mode": mode})).await, StatusCode::NO_CONTENT);
        assert_eq!(house.control.last(), format!("vera@acme.example {mode} {} for vera", call(1)));
    }
    assert_eq!(wish(&house, "vera@acme", 2, json!({"mode": "listen"})).await, StatusCode::NOT_FOUND);
    assert_eq!(wish(&house, "anna@acme", 1, json!({"mode": "listen"})).await, StatusCode::FORBIDDEN);
    let others = json!({"mode": "listen", "employee": "anna"});
    assert_eq!(wish(&house, "vera@acme", 1, others).await, StatusCode::FORBIDDEN, "nobody's phone but hers");
    assert_eq!(wish(&house, "vera@acme", 1, json!({"mode": "sing"})).await, StatusCode::UNPROCESSABLE_ENTITY);
    let numbered = json!({"mode": "listen", "asker": 7, "number": 2});
    assert_eq!(wish(&house, "vera@acme", 1, numbered).await, StatusCode::NO_CONTENT);
    let told = format!("vera@acme.example, number 2 of 7, listen {} for vera", call(1));
    assert_eq!(house.control.last(), told);
    let token = house.login("vera@acme").await;
    let numbered = path(1) + "?asker=7&number=3";
    house.request(Method::DELETE, &numbered, &token).send().await.unwrap();
    let told = format!("vera@acme.example, number 3 of 7, stop {} for vera", call(1));
    assert_eq!(house.control.last(), told);
    let left = house.request(Method::DELETE, &path(1), &token).send().await.unwrap();
    assert_eq!(left.status(), StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), format!("vera@acme.example stop {} for vera", call(1)));
}

#[tokio::test]
async fn the_operator_says_whose_phone_it_is() {
    let house = house().await;
    let path = path(2).replace("/-/", "/acme/");
    let nobody = house.post(&path, OPERATOR, &json!({"mode": "listen"})).await;
    assert_eq!(nobody.status(), StatusCode::BAD_REQUEST);
    let somebody = house.post(&path, OPERATOR, &json!({"mode": "listen", "employee": "vera"})).await;
    assert_eq!(somebody.status(), StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), format!("operator listen {} for vera", call(2)));
}

fn monitor(employee: &str, mode: MonitorMode, shown: bool) -> Monitor {
    Monitor { employee: employee.into(), mode, since: 1, answered: true, shown }
}

/// Anna's talk, to which Vera listens unseen and in which Olga whispers.
fn supervised() -> Call {
    let monitors =
        vec![monitor("vera", MonitorMode::Listen, false), monitor("olga", MonitorMode::Whisper, true)];
    Call { monitors, ..live_call(1, "200", Some("anna")) }
}

/// What somebody's stream tells of the call.
async fn told(house: &House, who: &str) -> String {
    let token = house.login(who).await;
    let events = house.request(Method::GET, "/api/v1/tenants/-/events", &token);
    let response = events.header("Last-Event-ID", FORGOTTEN).send().await.unwrap();
    let (mut text, mut parts) = (String::new(), response.bytes_stream());
    let read = async {
        while !text.contains("olga") {
            text.push_str(&String::from_utf8_lossy(&parts.next().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(Duration::from_secs(10), read).await.unwrap();
    text
}

#[tokio::test]
async fn an_agent_is_shown_none_who_listen_unseen() {
    let house = house().await;
    house.control.publish(105, "call", &json!(supervised()));
    assert!(!told(&house, "anna@acme").await.contains("vera"));
    for who in ["vera@acme", "olga@acme"] {
        assert!(told(&house, who).await.contains("vera"), "{who}");
    }
}

#[tokio::test]
async fn nor_is_a_supervisor_of_everything_who_talks() {
    let house = house().await;
    let talk = Call { employee: Some("sveta".into()), ..supervised() };
    house.control.publish(105, "call", &json!(talk));
    assert!(!told(&house, "sveta@acme").await.contains("vera"));
    assert!(told(&house, "admin@acme").await.contains("vera"), "who does not talk is told");
    house.control.calls.lock().push(Call { id: CallId(7), ..talk });
    for (who, count) in [("sveta@acme", 1), ("admin@acme", 2)] {
        let live = house.read("/api/v1/tenants/-/live", &house.login(who).await).await;
        assert_eq!(live["calls"][2]["monitors"].as_array().unwrap().len(), count, "{who}");
    }
}

fn leg(number: u128, role: &str, employee: &str) -> CdrLeg {
    CdrLeg {
        leg: LegId(number),
        role: role.into(),
        party: "101".into(),
        employee: Some(employee.into()),
        started: 1,
        answered: Some(2),
        ended: 3,
        cause: "hung-up".into(),
        packets_received: 0,
        packets_sent: 0,
        packets_lost: 0,
        jitter_us: 0,
    }
}

#[tokio::test]
async fn nor_afterwards_in_the_record() {
    let house = house().await;
    let legs = vec![leg(1, "offer", "anna"), leg(2, "monitor", "vera")];
    house.keep(vec![Cdr { legs, ..cdr(9) }]).await;
    for (who, count) in [("anna@acme", 1), ("vera@acme", 2), ("olga@acme", 2)] {
        let token = house.login(who).await;
        let record = house.read(&format!("/api/v1/tenants/-/cdrs/{}", call(9)), &token).await;
        assert_eq!(record["legs"].as_array().unwrap().len(), count, "{who}");
        let list = house.read("/api/v1/tenants/-/cdrs", &token).await;
        assert_eq!(list["items"][0]["legs"].as_array().unwrap().len(), count, "{who}");
    }
}

#[tokio::test]
async fn whoever_talked_is_told_of_no_listener_whatever_else_they_may_see() {
    let house = house().await;
    let rung = CdrLeg { answered: None, ..leg(2, "offer", "olga") };
    let legs = vec![leg(1, "offer", "sveta"), rung, leg(3, "monitor", "vera")];
    house.keep(vec![Cdr { legs, employee: Some("sveta".into()), ..cdr(9) }]).await;
    for (who, count) in [("sveta@acme", 2), ("olga@acme", 3), ("admin@acme", 3)] {
        let record =
            house.read(&format!("/api/v1/tenants/-/cdrs/{}", call(9)), &house.login(who).await).await;
        assert_eq!(record["legs"].as_array().unwrap().len(), count, "{who}");
    }
}
