//! Playing recordings in ranges, and the trace that listening leaves.

use mangrove_proto::live::RecordingFormat;
use object_store::ObjectStoreExt as _;
use reqwest::{Method, StatusCode, header};
use serde_json::json;

use super::{
    fake::call,
    house::{OPERATOR, house},
};

fn path() -> String {
    format!("/api/v1/tenants/acme/recordings/{}/1", call(1))
}

#[tokio::test]
async fn ranges_are_sent_as_asked() {
    let house = house().await;
    house.record(1, b"0123456789").await;
    for (range, status, content_range, body) in [
        (None, StatusCode::OK, None, "0123456789"),
        (Some("bytes=0-3"), StatusCode::PARTIAL_CONTENT, Some("bytes 0-3/10"), "0123"),
        (Some("bytes=7-"), StatusCode::PARTIAL_CONTENT, Some("bytes 7-9/10"), "789"),
        (Some("bytes=-2"), StatusCode::PARTIAL_CONTENT, Some("bytes 8-9/10"), "89"),
        (Some("bytes=10-"), StatusCode::RANGE_NOT_SATISFIABLE, Some("bytes */10"), ""),
        (Some("bytes=1-2,5-6"), StatusCode::OK, None, "0123456789"),
    ] {
        let request = house.request(Method::GET, &path(), OPERATOR);
        let request = range.into_iter().fold(request, |request, range| request.header(header::RANGE, range));
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{range:?}");
        let header =
            response.headers().get(header::CONTENT_RANGE).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header.as_deref(), content_range, "{range:?}");
        assert_eq!(response.text().await.unwrap(), body, "{range:?}");
    }
    let stale = house.request(Method::GET, &path(), OPERATOR).header(header::RANGE, "bytes=0-1");
    let response = stale.header(header::IF_RANGE, "\"another\"").send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let head = house.request(Method::HEAD, &path(), OPERATOR).send().await.unwrap();
    assert_eq!(
        (head.status(), &head.headers()[header::CONTENT_LENGTH]),
        (StatusCode::OK, &"10".parse().unwrap())
    );
}

#[tokio::test]
async fn a_recording_says_what_kind_of_file_it_is() {
    let house = house().await;
    for (number, format, kind) in
        [(1, RecordingFormat::Wav, "audio/wav"), (2, RecordingFormat::Opus, "audio/ogg; codecs=opus")]
    {
        house.record_as(number, b"0123456789", format).await;
        let path = format!("/api/v1/tenants/acme/recordings/{}/1", call(number));
        let response = house.get(&path, OPERATOR).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], kind);
        let shown = house.read(&format!("/api/v1/tenants/acme/cdrs/{}", call(number)), OPERATOR).await;
        let is_said = shown["recordings"][0].get("format") == Some(&json!("opus"));
        assert_eq!(is_said, format == RecordingFormat::Opus, "{shown}");
    }
}

#[tokio::test]
async fn listening_is_kept_in_the_audit_log_once_a_sitting() {
    let house = house().await;
    house.record(1, b"0123456789").await;
    let vera = house.login("vera@acme").await;
    for range in ["bytes=0-1", "bytes=2-3", "bytes=4-"] {
        house.request(Method::GET, &path(), &vera).header(header::RANGE, range).send().await.unwrap();
    }
    let lines = house.read("/api/v1/tenants/acme/audit?action=listen", OPERATOR).await;
    assert_eq!(lines["items"].as_array().unwrap().len(), 1, "{lines}");
    assert_eq!(lines["items"][0]["author"], "vera@acme.example");
    assert_eq!(lines["items"][0]["object"], format!("recording/{}/1", call(1)));
}

#[tokio::test]
async fn missing_sound_is_missing() {
    let house = house().await;
    house.record(1, b"0123456789").await;
    for other in [path().replace("/1", "/2"), path() + "%2F..%2F..", path().replace(&call(1), "call_1")] {
        assert_eq!(house.get(&other, OPERATOR).await.status(), StatusCode::NOT_FOUND, "{other}");
    }
    house.objects.delete(&"acme/1.wav".into()).await.unwrap();
    assert_eq!(house.get(&path(), OPERATOR).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_held_recording_is_deleted_by_nobody_until_it_is_released() {
    let house = house().await;
    house.record(1, b"0123456789").await;
    let olga = house.login("olga@acme").await;
    let call = format!("/api/v1/tenants/acme/recordings/{}", call(1));
    let hold = json!({"reason": "claim 4711"});
    let at_hold = format!("{call}/hold");
    let status = async |method: Method, path: &str| {
        let request = house.request(method, path, &olga);
        request.json(&hold).send().await.unwrap().status()
    };
    assert_eq!(status(Method::GET, &at_hold).await, StatusCode::NOT_FOUND);
    assert_eq!(status(Method::PUT, &at_hold).await, StatusCode::NO_CONTENT);
    let held = house.read(&at_hold, &olga).await;
    assert_eq!((&held["author"], &held["reason"]), (&json!("olga@acme.example"), &json!("claim 4711")));
    assert_eq!(status(Method::DELETE, &call).await, StatusCode::CONFLICT);
    assert_eq!(house.get(&path(), OPERATOR).await.status(), StatusCode::OK, "it is still there");
    assert_eq!(status(Method::DELETE, &at_hold).await, StatusCode::NO_CONTENT);
    assert_eq!(status(Method::DELETE, &call).await, StatusCode::NO_CONTENT);
    assert_eq!(house.get(&path(), OPERATOR).await.status(), StatusCode::NOT_FOUND);
    assert!(house.objects.head(&"acme/1.wav".into()).await.is_err(), "the sound is gone");
    assert_eq!(status(Method::DELETE, &call).await, StatusCode::NOT_FOUND, "there is none any more");
    for action in ["hold", "release", "delete"] {
        let lines = house.read(&format!("/api/v1/tenants/acme/audit?action={action}"), OPERATOR).await;
        assert_eq!(lines["items"].as_array().unwrap().len(), 1, "{action}: {lines}");
        let after = if action == "hold" { hold.clone() } else { json!(null) };
        assert_eq!(lines["items"][0]["after"], after, "{action}");
    }
}

/// Retention was faster, or somebody else.
#[tokio::test]
async fn who_holds_what_is_gone_already_is_told() {
    let house = house().await;
    house.record(1, b"0123456789").await;
    house.objects.delete(&"acme/1.wav".into()).await.unwrap();
    let olga = house.login("olga@acme").await;
    let at_hold = format!("/api/v1/tenants/acme/recordings/{}/hold", call(1));
    let request = house.request(Method::PUT, &at_hold, &olga).json(&json!({"reason": "claim 4711"}));
    assert_eq!(request.send().await.unwrap().status(), StatusCode::CONFLICT);
}

/// A batch of records comes twice, or another recording of the call is reported.
#[tokio::test]
async fn a_deleted_recording_is_not_listed_again() {
    let house = house().await;
    house.record(1, b"0123456789").await;
    let olga = house.login("olga@acme").await;
    let deleted = format!("/api/v1/tenants/acme/recordings/{}", call(1));
    let response = house.request(Method::DELETE, &deleted, &olga).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    house.record(1, b"0123456789").await;
    assert_eq!(house.get(&path(), OPERATOR).await.status(), StatusCode::NOT_FOUND);
}
