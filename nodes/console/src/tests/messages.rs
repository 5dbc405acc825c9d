//! Messages in boxes: who sees which, how they are heard, and how they go.

use object_store::ObjectStoreExt as _;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::house::{House, OPERATOR, house};

const ALL: &str = "/api/v1/tenants/-/messages";

async fn status(house: &House, method: Method, path: &str, token: &str) -> StatusCode {
    house.request(method, &format!("{ALL}{path}"), token).send().await.unwrap().status()
}

#[tokio::test]
async fn each_sees_the_boxes_that_are_theirs() {
    let house = house().await;
    let table: [(&str, &[&str]); 6] = [
        ("anna@acme", &["anna"]),
        ("boris@acme", &["boris"]),
        ("vera@acme", &["sales"]),
        ("sveta@acme", &["sales"]),
        ("desk@acme", &[]),
        ("olga@acme", &["anna", "boris", "sales"]),
    ];
    for (who, expected) in table {
        let token = house.login(who).await;
        let boxes = house.read(ALL, &token).await;
        let names: Vec<_> = boxes.as_array().unwrap().iter().map(|mailbox| mailbox["name"].clone()).collect();
        assert_eq!(names, expected.iter().map(|name| json!(name)).collect::<Vec<_>>(), "{who}");
    }
}

#[tokio::test]
async fn a_message_is_heard_with_a_trace_and_marked() {
    let house = house().await;
    house.objects.put(&"acme/message-7.wav".into(), "0123456789".into()).await.unwrap();
    let anna = house.login("anna@acme").await;
    let sound = house.get(&format!("{ALL}/anna/7"), &anna).await;
    assert_eq!(sound.status(), StatusCode::OK);
    assert_eq!(sound.text().await.unwrap(), "0123456789");
    let lines = house.read("/api/v1/tenants/acme/audit?action=listen", OPERATOR).await;
    assert_eq!(lines["items"][0]["object"], "message/anna/7", "{lines}");
    assert_eq!(status(&house, Method::PUT, "/anna/7/heard", &anna).await, StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), "anna@acme.example hear anna/7");
}

#[tokio::test]
async fn what_is_not_theirs_or_not_there_is_missing() {
    let house = house().await;
    let (anna, vera) = (house.login("anna@acme").await, house.login("vera@acme").await);
    for (token, path) in
        [(&anna, "/sales/8"), (&anna, "/anna/8"), (&anna, "/anna/x"), (&vera, "/anna/7"), (&vera, "/sales/8")]
    {
        assert_eq!(status(&house, Method::GET, path, token).await, StatusCode::NOT_FOUND, "{path}");
    }
    for method in [Method::DELETE, Method::GET] {
        assert_eq!(status(&house, method, "/boris/7", &anna).await, StatusCode::NOT_FOUND);
    }
    assert_eq!(status(&house, Method::PUT, "/anna/7/heard", &vera).await, StatusCode::NOT_FOUND);
    assert_eq!(house.control.last(), "", "nothing was asked for");
}

#[tokio::test]
async fn a_deleted_message_takes_its_sound_along() {
    let house = house().await;
    house.objects.put(&"acme/message-7.wav".into(), "0123456789".into()).await.unwrap();
    let anna = house.login("anna@acme").await;
    assert_eq!(status(&house, Method::DELETE, "/anna/7", &anna).await, StatusCode::NO_CONTENT);
    assert!(house.objects.head(&"acme/message-7.wav".into()).await.is_err());
    let told = house.control.told.lock().clone();
    assert_eq!(told, ["anna@acme.example delete anna/7", "anna@acme.example gone anna/7"]);
    assert_eq!(status(&house, Method::DELETE, "/anna/7", &anna).await, StatusCode::NOT_FOUND);
    let vera = house.login("vera@acme").await;
    assert_eq!(status(&house, Method::DELETE, "/sales/8", &vera).await, StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), "vera@acme.example delete sales/8", "its sound is not there yet");
}
