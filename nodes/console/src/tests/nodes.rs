//! The cluster's nodes through the API.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::house::{OPERATOR, house};

const NODES: &str = "/api/v1/cluster/nodes";

#[tokio::test]
async fn nodes_are_listed_with_what_they_told() {
    let house = house().await;
    let nodes = house.read(NODES, OPERATOR).await;
    assert_eq!((&nodes[0]["name"], &nodes[0]["report"]["figures"]["calls"]), (&json!("a"), &json!(2)));
}

#[tokio::test]
async fn each_route_is_a_command_of_its_own_with_its_author() {
    let house = house().await;
    for (method, path, action) in [
        (Method::POST, "b/drain", "drain"),
        (Method::DELETE, "b/drain", "undrain"),
        (Method::DELETE, "b", "leave"),
        (Method::POST, "b/replace", "replace"),
    ] {
        let response = house.request(method, &format!("{NODES}/{path}"), OPERATOR).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::NO_CONTENT, "{path}");
        assert_eq!(house.control.last(), format!("operator: {action} b"));
    }
    let refused = house.request(Method::DELETE, &format!("{NODES}/a"), OPERATOR).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let answer: Value = refused.json().await.unwrap();
    assert_eq!(answer["message"], "node a is the last one");
}

#[tokio::test]
async fn a_backup_is_the_operators_alone() {
    let house = house().await;
    let backup = house.request(Method::GET, "/api/v1/cluster/backup", OPERATOR).send().await.unwrap();
    assert_eq!(backup.headers()["cache-control"], "no-store");
    assert_eq!(backup.text().await.unwrap(), "MGBK and more");
    let owner = house.login("olga@acme").await;
    let refused = house.request(Method::GET, "/api/v1/cluster/backup", &owner).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
}
