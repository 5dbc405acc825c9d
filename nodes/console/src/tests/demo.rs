//! What only a demo's console offers.

use std::sync::Arc;

use async_trait::async_trait;
use parking_lot::Mutex;
use reqwest::StatusCode;
use serde_json::{Value, json};

use super::house::{OPERATOR, house, house_with};
use crate::{Act, Demo};

const NODES: &str = "/api/v1/demo/nodes";

/// Runs nodes `a` and `b`, and remembers what it was asked.
#[derive(Default)]
struct Stage {
    asked: Mutex<Vec<String>>,
}

#[async_trait]
impl Demo for Stage {
    async fn act(&self, node: &str, act: Act) -> Result<(), String> {
        self.asked.lock().push(format!("{act} {node}"));
        ["a", "b"].contains(&node).then_some(()).ok_or_else(|| format!("there is no node {node}"))
    }
}

#[tokio::test]
async fn a_supervisor_kills_and_revives_nodes() {
    let stage = Arc::new(Stage::default());
    let house = house_with(|options| options.demo = Some(stage.clone())).await;
    let vera = house.login("vera@acme").await;
    assert_eq!(house.read(NODES, &vera).await[0]["name"], "a");
    for act in ["kill", "revive"] {
        let answer = house.post(&format!("{NODES}/b/{act}"), &vera, &json!({})).await;
        assert_eq!(answer.status(), StatusCode::NO_CONTENT, "{act}");
    }
    let refused = house.post(&format!("{NODES}/x/kill"), &vera, &json!({})).await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.json::<Value>().await.unwrap()["message"], "there is no node x");
    assert_eq!(*stage.asked.lock(), ["kill b", "revive b", "kill x"]);
}

#[tokio::test]
async fn nobody_else_does() {
    let house = house_with(|options| options.demo = Some(Arc::new(Stage::default()))).await;
    let anna = house.login("anna@acme").await;
    for (token, expected) in [(anna.as_str(), StatusCode::FORBIDDEN), ("", StatusCode::UNAUTHORIZED)] {
        assert_eq!(house.get(NODES, token).await.status(), expected);
        let answer = house.post(&format!("{NODES}/b/kill"), token, &json!({})).await;
        assert_eq!(answer.status(), expected);
    }
}

#[tokio::test]
async fn where_there_is_no_demo_there_is_nothing_of_it() {
    let house = house().await;
    let vera = house.login("vera@acme").await;
    assert_eq!(house.get(NODES, OPERATOR).await.status(), StatusCode::NOT_FOUND);
    let answer = house.post(&format!("{NODES}/b/kill"), OPERATOR, &json!({})).await;
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED, "as an address that no route has");
    let rights = house.read("/api/v1/me", &vera).await["rights"].clone();
    assert!(!rights.as_array().unwrap().contains(&json!("demonstrate")), "{rights}");
}
