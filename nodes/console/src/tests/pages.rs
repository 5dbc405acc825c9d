//! Pages, probes and the headers that all answers carry.

use reqwest::StatusCode;

use super::house::{OPERATOR, house};

#[tokio::test]
async fn every_answer_forbids_foreign_scripts_and_frames() {
    let house = house().await;
    for path in ["/", "/api/v1/me", "/nothing", "/api/v1/openapi.json", "/api/v1/nothing", "/healthz"] {
        let response = house.get(path, "").await;
        let policy = response.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self';") && !policy.contains("unsafe"), "{path}: {policy}");
        assert!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(response.headers()["x-content-type-options"], "nosniff", "{path}");
    }
    let data = house.get("/api/v1/tenants/acme/employees", OPERATOR).await;
    assert_eq!(data.headers()["content-type"], "application/json", "markup in a name stays data");
    assert_eq!(data.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn a_page_may_be_a_phone() {
    let house = house().await;
    let response = house.get("/", "").await;
    let said = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert!(said("content-security-policy").contains("connect-src 'self';"), "its WebSocket");
    assert!(said("permissions-policy").contains("microphone=(self)"), "its microphone");
}

#[tokio::test]
async fn the_front_page_is_there_or_says_how_to_build_it() {
    let house = house().await;
    let response = house.get("/", "").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    assert!(response.text().await.unwrap().contains("Mangrove"));
    for path in ["/../Cargo.toml", "/assets/%2e%2e/%2e%2e/Cargo.toml", "/nothing"] {
        assert_eq!(house.get(path, "").await.status(), StatusCode::NOT_FOUND, "{path}");
    }
}

#[tokio::test]
async fn probes_answer_and_figures_are_not_for_everybody() {
    let house = house().await;
    assert_eq!(house.get("/healthz", "").await.status(), StatusCode::OK);
    assert_eq!(house.get("/readyz", "").await.status(), StatusCode::OK);
    assert_eq!(house.get("/metrics", "").await.status(), StatusCode::OK, "from the same machine");
    let far = house.request(reqwest::Method::GET, "/metrics", "").header("X-Forwarded-For", "203.0.113.9");
    assert_eq!(far.send().await.unwrap().status(), StatusCode::UNAUTHORIZED);
}
