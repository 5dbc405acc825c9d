//! Beginning, checking and ending sessions.

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};

use super::house::{OPERATOR, PASSWORD, house, house_with};

#[tokio::test]
async fn a_login_gets_a_strict_cookie_and_a_token_that_know_who_it_is() {
    let house = house().await;
    let response = house.try_login("Anna@ACME.example ", PASSWORD).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        (&body["tenant"], &body["employee"], &body["roles"][0]),
        (&json!("acme"), &json!("anna"), &json!("agent"))
    );

    let pair = cookie.split(';').next().unwrap();
    let by_cookie =
        house.client.get(house.url("/api/v1/me")).header(header::COOKIE, pair).send().await.unwrap();
    let me: Value = by_cookie.json().await.unwrap();
    assert_eq!(me["employee"], "anna");
    assert_eq!(
        me["rights"],
        json!(["follow", "set-state", "hang-up", "record", "read-calls", "hear-messages"])
    );
}

#[tokio::test]
async fn unknown_logins_and_wrong_passwords_look_alike() {
    let house = house().await;
    let mut answers = Vec::new();
    for (email, password) in
        [("anna@acme.example", "wrong"), ("who@acme.example", PASSWORD), ("", ""), ("' OR 1=1", "x")]
    {
        let response = house.try_login(email, password).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        answers.push(response.text().await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
}

#[tokio::test]
async fn guessing_is_stopped_within_twenty_tries_and_others_still_get_in() {
    let house = house().await;
    let mut tries = 0;
    let refused = loop {
        tries += 1;
        let response = house.try_login("anna@acme.example", &format!("guess {tries}")).await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            break response;
        }
        assert!(tries < 20, "never stopped");
    };
    assert!(refused.headers().contains_key(header::RETRY_AFTER));
    let right = house.try_login("anna@acme.example", PASSWORD).await;
    assert_eq!(
        right.status(),
        StatusCode::TOO_MANY_REQUESTS,
        "the right password does not help while closed"
    );
    assert_eq!(house.try_login("boris@acme.example", PASSWORD).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn nonsense_tokens_open_nothing() {
    let house = house().await;
    let token = house.login("anna@acme").await;
    let (head, rest) = token.split_once('.').unwrap();
    let (claims, signature) = rest.split_once('.').unwrap();
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let cut = format!("{head}.{claims}.{}", &signature[1..]);
    for token in ["", "x", "a.b.c", "the-administrators-toke", &unsigned, &cut] {
        let response = house.get("/api/v1/me", token).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{token}");
        let body: Value = response.json().await.unwrap();
        assert!(body["error"] == "unauthenticated" && body["action"].is_string(), "{body}");
    }
}

#[tokio::test]
async fn a_logout_ends_this_session_only() {
    let house = house().await;
    let (here, there) = (house.login("anna@acme").await, house.login("anna@acme").await);
    let response = house.post("/api/v1/logout", &here, &json!({})).await;
    assert!(response.headers()[header::SET_COOKIE].to_str().unwrap().contains("Max-Age=0"));
    assert_eq!(house.get("/api/v1/me", &here).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(house.get("/api/v1/me", &there).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_logout_everywhere_ends_all() {
    let house = house().await;
    let (here, there) = (house.login("anna@acme").await, house.login("anna@acme").await);
    house.post("/api/v1/logout?everywhere=true", &here, &json!({})).await;
    assert_eq!(house.get("/api/v1/me", &there).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(house.try_login("anna@acme.example", PASSWORD).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_new_password_voids_older_tokens_and_begins_a_new_session() {
    let house = house().await;
    let old = house.login("anna@acme").await;
    let change = |old: &str, new: &str| json!({"old": old, "new": new});
    let put =
        |token: String, body| house.request(Method::PUT, "/api/v1/me/password", &token).json(&body).send();
    let wrong = put(old.clone(), change("wrong", "a-better-horse")).await.unwrap();
    assert_eq!(wrong.status(), StatusCode::UNAUTHORIZED);
    let short = put(old.clone(), change(PASSWORD, "short")).await.unwrap();
    assert_eq!(short.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let changed: Value =
        put(old.clone(), change(PASSWORD, "a-better-horse")).await.unwrap().json().await.unwrap();
    assert_eq!(house.get("/api/v1/me", &old).await.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(house.get("/api/v1/me", changed["token"].as_str().unwrap()).await.status(), StatusCode::OK);
    assert_eq!(house.try_login("anna@acme.example", PASSWORD).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_withdrawn_login_is_out_within_seconds() {
    let house = house().await;
    let token = house.login("anna@acme").await;
    house.control.logins.lock().remove("anna@acme.example");
    let out = async {
        while house.get("/api/v1/me", &token).await.status() != StatusCode::UNAUTHORIZED {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(5), out).await.expect("still in after 5 s");
}

#[tokio::test]
async fn pages_of_other_sites_may_not_write_with_our_cookie() {
    let house = house().await;
    let token = house.login("anna@acme").await;
    let state = "/api/v1/tenants/-/agents/me/state";
    let host = format!("http://{}", house.console.addr);
    for (origin, wanted) in [
        (Some(host.as_str()), StatusCode::NO_CONTENT),
        (Some("http://evil.example"), StatusCode::FORBIDDEN),
        (Some("null"), StatusCode::FORBIDDEN),
        (None, StatusCode::FORBIDDEN),
    ] {
        let request = house
            .request(Method::POST, state, "")
            .header(header::COOKIE, format!("mangrove_session={token}"));
        let request =
            origin.into_iter().fold(request, |request, origin| request.header(header::ORIGIN, origin));
        let response = request.json(&json!({"state": "available"})).send().await.unwrap();
        assert_eq!(response.status(), wanted, "{origin:?}");
    }
    let login =
        house.request(Method::POST, "/api/v1/login", "").header(header::ORIGIN, "http://evil.example");
    let response =
        login.json(&json!({"email": "anna@acme.example", "password": PASSWORD})).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::FORBIDDEN, "nor log our users in as somebody else");
}

#[tokio::test]
async fn behind_a_proxy_with_tls_the_cookie_is_secure_and_its_pages_may_write() {
    let house = house_with(|options| {
        options.secure_cookies = true;
        options.allowed_origins = vec!["https://desk.example".into()];
    })
    .await;
    let response = house.try_login("anna@acme.example", PASSWORD).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap().to_owned();
    assert!(cookie.starts_with("__Host-mangrove_session=") && cookie.ends_with("; Secure"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    for (origin, wanted) in [
        ("https://desk.example", StatusCode::NO_CONTENT),
        ("http://desk.example", StatusCode::FORBIDDEN),
        ("https://desk.example.evil.example", StatusCode::FORBIDDEN),
    ] {
        let request = house
            .request(Method::POST, "/api/v1/tenants/-/agents/me/state", "")
            .header(header::COOKIE, pair)
            .header(header::ORIGIN, origin);
        let response = request.json(&json!({"state": "available"})).send().await.unwrap();
        assert_eq!(response.status(), wanted, "{origin}");
    }
}

#[tokio::test]
async fn the_operator_is_no_login_but_sees_all_tenants() {
    let house = house().await;
    assert_eq!(house.read("/api/v1/tenants", OPERATOR).await.as_array().unwrap().len(), 2);
    assert_eq!(house.read("/api/v1/me", OPERATOR).await["rights"], json!(["operate"]));
    assert_eq!(house.get("/api/v1/tenants/acme/agents/me", OPERATOR).await.status(), StatusCode::BAD_REQUEST);
    assert_eq!(house.get("/api/v1/tenants/-/live", OPERATOR).await.status(), StatusCode::NOT_FOUND);
    let anna = house.login("anna@acme").await;
    let own = house.read("/api/v1/tenants", &anna).await;
    assert_eq!(own, json!([{"id": "acme", "name": "Acme", "version": 7}]));
}
