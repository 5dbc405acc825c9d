//! Reading and changing the configuration.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::house::{OPERATOR, house};

const DOCUMENT: &str = "/api/v1/tenants/acme/configuration";

#[tokio::test]
async fn a_change_carries_its_author_and_condition() {
    let house = house().await;
    let admin = house.login("admin@acme").await;
    let read = house.get(DOCUMENT, &admin).await;
    let tag = read.headers()[header::ETAG].clone();
    assert_eq!(tag, "\"7\"");
    let change = house.request(Method::POST, &format!("{DOCUMENT}?dry_run=true"), &admin);
    let reply = change.header(header::IF_MATCH, tag).json(&json!({"tenant": "acme"})).send().await.unwrap();
    let reply: Value = reply.json().await.unwrap();
    assert_eq!((&reply["version"], &reply["changes"][0]["object"]), (&json!(8), &json!("employee/anna")));
    assert_eq!(house.control.last(), "admin@acme.example configures acme if 7 dry true");
}

#[tokio::test]
async fn refused_changes_say_why() {
    let house = house().await;
    for (if_match, body, status, error) in [
        ("\"99\"", "{}", StatusCode::CONFLICT, "conflict"),
        ("seven", "{}", StatusCode::BAD_REQUEST, "bad-request"),
        ("*", "{", StatusCode::BAD_REQUEST, "bad-request"),
        ("*", "[]", StatusCode::BAD_REQUEST, "bad-request"),
        ("*", r#"{"tenant": "other"}"#, StatusCode::UNPROCESSABLE_ENTITY, "refused"),
        ("*", r#"{"wrong": 1}"#, StatusCode::UNPROCESSABLE_ENTITY, "problems"),
    ] {
        let request =
            house.request(Method::POST, DOCUMENT, OPERATOR).header(header::IF_MATCH, if_match).body(body);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{body}");
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["error"], error, "{answer}");
        assert!(answer["message"].is_string() && answer["action"].is_string(), "{answer}");
        if error == "problems" {
            assert_eq!(answer["problems"][0]["path"], "wrong");
        }
    }
}

#[tokio::test]
async fn parts_of_the_document_are_read_and_deleted_by_name() {
    let house = house().await;
    let base = "/api/v1/tenants/acme";
    assert_eq!(house.read(&format!("{base}/employees"), OPERATOR).await[0]["id"], "anna");
    assert_eq!(house.read(&format!("{base}/employees/101"), OPERATOR).await["id"], "anna");
    assert_eq!(house.read(&format!("{base}/groups"), OPERATOR).await, json!([]));
    for missing in ["employees/nobody", "spoons", "spoons/1"] {
        let response = house.get(&format!("{base}/{missing}"), OPERATOR).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{missing}");
    }
    let delete = house.request(Method::DELETE, &format!("{base}/numbers/74951234567"), OPERATOR);
    assert_eq!(delete.send().await.unwrap().status(), StatusCode::OK);
    assert_eq!(house.control.last(), "operator deletes acme number/74951234567");
}

#[tokio::test]
async fn oversized_and_malformed_bodies_are_refused() {
    let house = house().await;
    let big = "x".repeat(20 << 20);
    let request = house.request(Method::POST, DOCUMENT, OPERATOR).body(big);
    // The server may close the connection before it has read everything.
    if let Ok(response) = request.send().await {
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }
    let deep = "[".repeat(100_000);
    for (body, kind) in [("{", "application/json"), ("{}", "text/plain"), (deep.as_str(), "application/json")]
    {
        let request = house.request(Method::POST, "/api/v1/login", "").header(header::CONTENT_TYPE, kind);
        let response = request.body(body.to_owned()).send().await.unwrap();
        assert!(response.status().is_client_error(), "{kind}");
        assert!(response.json::<Value>().await.unwrap()["action"].is_string(), "{kind}");
    }
}
