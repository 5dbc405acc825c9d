//! Moving a tenant through the API.

use reqwest::StatusCode;
use serde_json::{Value, json};

use super::house::{OPERATOR, house};

#[tokio::test]
async fn operators_move_tenants_and_are_told_why_one_stays() {
    let house = house().await;
    let path = "/api/v1/tenants/acme/move";
    let moved = house.post(path, OPERATOR, &json!({"group": 3})).await;
    assert_eq!(moved.status(), StatusCode::NO_CONTENT);
    assert_eq!(house.control.last(), "operator: acme to 3");
    let stays = house.post(path, OPERATOR, &json!({"group": 99})).await;
    assert_eq!(stays.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let answer: Value = stays.json().await.unwrap();
    assert_eq!(answer["message"], "there is no such shard group");
    let nonsense = house.post(path, OPERATOR, &json!({"group": "three"})).await;
    assert_eq!(nonsense.status(), StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn administrators_of_the_tenant_itself_may_not() {
    let house = house().await;
    let told = house.control.told.lock().len();
    let admin = house.login("admin@acme").await;
    let refused = house.post("/api/v1/tenants/-/move", &admin, &json!({"group": 3})).await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(house.control.told.lock().len(), told);
}
