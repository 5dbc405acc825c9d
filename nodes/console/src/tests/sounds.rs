//! Uploading, listing, hearing and deleting prompts and music.

use object_store::ObjectStoreExt as _;
use reqwest::{Method, Response, StatusCode, header};
use serde_json::{Value, json};

use super::house::{House, OPERATOR, house};

const MP3: &[u8] = include_bytes!("../../../core/sound/fixtures/tone.mp3");
const SOUNDS: &str = "/api/v1/tenants/acme/sounds";

async fn put(house: &House, path: &str, token: &str, file: impl Into<reqwest::Body>) -> Response {
    house.request(Method::PUT, path, token).body(file).send().await.unwrap()
}

async fn delete(house: &House, path: &str, token: &str) -> StatusCode {
    house.request(Method::DELETE, path, token).send().await.unwrap().status()
}

/// What the answer is refused for.
async fn refused(response: Response, status: StatusCode) -> String {
    assert_eq!(response.status(), status);
    let answer: Value = response.json().await.unwrap();
    assert!(answer["action"].as_str().is_some_and(|action| !action.is_empty()), "{answer}");
    answer["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_uploaded_file_is_kept_as_callers_hear_it() {
    let house = house().await;
    let admin = house.login("admin@acme").await;
    assert_eq!(house.read(SOUNDS, &admin).await, json!([]));
    let path = format!("{SOUNDS}/music/rain");
    let answer = put(&house, &path, &admin, MP3).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let sound: Value = answer.json().await.unwrap();
    assert_eq!((&sound["kind"], &sound["name"]), (&json!("music"), &json!("rain")));
    assert!((980..1080).contains(&sound["duration_ms"].as_u64().unwrap()), "{sound}");

    let kept = house.objects.get(&"prompts/acme/music/rain.wav".into()).await.unwrap().bytes().await.unwrap();
    assert_eq!((&kept[..4], &kept[24..28]), (&b"RIFF"[..], &8000u32.to_le_bytes()[..]));
    assert_eq!(sound["bytes"], kept.len());
    let heard = house.get(&path, &admin).await;
    assert_eq!(heard.headers()[header::CONTENT_TYPE], "audio/wav");
    assert_eq!(heard.bytes().await.unwrap(), kept);

    put(&house, &format!("{SOUNDS}/prompt/Welcome_2"), &admin, kept.to_vec()).await;
    let list = house.read(SOUNDS, &admin).await;
    let names: Vec<_> = list.as_array().unwrap().iter().map(|sound| sound["name"].clone()).collect();
    assert_eq!(names, ["rain", "Welcome_2"], "by kind, then by name");
    assert_eq!(delete(&house, &path, &admin).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(&house, &path, &admin).await, StatusCode::NOT_FOUND);
    assert_eq!(house.get(&path, &admin).await.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn who_changed_what_is_kept_in_the_audit_log() {
    let house = house().await;
    let admin = house.login("admin@acme").await;
    let path = format!("{SOUNDS}/prompt/welcome");
    put(&house, &path, &admin, MP3).await;
    put(&house, &path, OPERATOR, MP3).await;
    delete(&house, &path, &admin).await;
    let lines = house.read("/api/v1/tenants/acme/audit?object=sound/prompt/welcome", OPERATOR).await;
    let line = |line: &Value| {
        let text = |key: &str| line[key].as_str().unwrap_or_default().to_owned();
        let shown = ["before", "after"].map(|key| line[key]["duration_ms"].is_u64());
        (text("author"), text("action"), shown)
    };
    let mut lines: Vec<_> = lines["items"].as_array().unwrap().iter().map(line).collect();
    lines.sort();
    let admin = || "admin@acme.example".to_owned();
    assert_eq!(
        lines,
        [
            (admin(), "create".to_owned(), [false, true]),
            (admin(), "delete".to_owned(), [true, false]),
            ("operator".to_owned(), "update".to_owned(), [true, true]),
        ]
    );
}

#[tokio::test]
async fn what_is_no_sound_is_refused_with_its_reason() {
    let house = house().await;
    let path = format!("{SOUNDS}/prompt/welcome");
    let picture = put(&house, &path, OPERATOR, &b"GIF89a and so on"[..]).await;
    let why = refused(picture, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(why.contains("no sound file") && why.contains("WAV, MP3"), "{why}");
    let empty = mangrove_sound::wav(&[]);
    let why = refused(put(&house, &path, OPERATOR, empty).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(why.contains("holds no sound"), "{why}");
    let long = mangrove_sound::wav(&vec![0; 8000 * (20 * 60 + 1)]);
    let why = refused(put(&house, &path, OPERATOR, long).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(why.contains("longer than 1200 s"), "{why}");
    let large = put(&house, &path, OPERATOR, vec![0u8; (64 << 20) + 1]).await;
    assert!(refused(large, StatusCode::PAYLOAD_TOO_LARGE).await.contains("64 MiB"));
    assert_eq!(house.read(SOUNDS, OPERATOR).await, json!([]), "nothing was kept");
}

#[tokio::test]
async fn names_that_would_lead_elsewhere_are_refused() {
    let house = house().await;
    let long = "a".repeat(65);
    for name in ["a.b", "a%2Fb", "..%2Fa", "%D1%8F", "a%20b", long.as_str()] {
        let answer = put(&house, &format!("{SOUNDS}/prompt/{name}"), OPERATOR, MP3).await;
        assert!(refused(answer, StatusCode::BAD_REQUEST).await.contains("can't be the name"), "{name}");
        assert_eq!(
            house.get(&format!("{SOUNDS}/prompt/{name}"), OPERATOR).await.status(),
            StatusCode::NOT_FOUND
        );
    }
    let unknown = put(&house, &format!("{SOUNDS}/voice/a"), OPERATOR, MP3).await;
    assert!(refused(unknown, StatusCode::NOT_FOUND).await.contains("use prompt or music"));
}

#[tokio::test]
async fn tenants_have_their_own() {
    let house = house().await;
    let (admin, oscar) = (house.login("admin@acme").await, house.login("oscar@other").await);
    let path = format!("{SOUNDS}/prompt/welcome");
    put(&house, &path, &admin, MP3).await;
    for answer in [house.get(&path, &oscar).await, put(&house, &path, &oscar, MP3).await] {
        assert_eq!(answer.status(), StatusCode::NOT_FOUND);
    }
    assert_eq!(delete(&house, &path, &oscar).await, StatusCode::NOT_FOUND);
    assert_eq!(house.read("/api/v1/tenants/-/sounds", &oscar).await, json!([]));
    let nobody = put(&house, "/api/v1/tenants/nobody/sounds/prompt/a", OPERATOR, MP3).await;
    assert_eq!(nobody.status(), StatusCode::NOT_FOUND);

    let own = "/api/v1/tenants/-/sounds/prompt/welcome";
    put(&house, own, &oscar, MP3).await;
    assert_eq!(delete(&house, "/api/v1/tenants/acme", OPERATOR).await, StatusCode::OK);
    assert_eq!(house.read(SOUNDS, OPERATOR).await, json!([]), "gone with their tenant");
    assert_eq!(house.get(own, &oscar).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_document_that_names_what_is_not_there_gets_a_warning() {
    let house = house().await;
    let steps = json!([{"play": "default-greeting"}, {"play": "number-7"}, {"play": "welcome"}]);
    let document = json!({
        "format": 1, "tenant": "acme", "name": "Acme", "domain": "acme.example", "music": "default",
        "groups": [{"extension": "200", "name": "Sales", "queue": {"music": ["rain", "default"]}}],
        "schemes": [{"name": "main", "steps": steps}],
    });
    let warnings = async || {
        let reply = house.post("/api/v1/tenants/acme/configuration", OPERATOR, &document).await;
        let reply: Value = reply.json().await.unwrap();
        reply["warnings"].as_array().unwrap().clone()
    };
    let all = warnings().await;
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(
        all[0].as_str().unwrap().starts_with("groups[0].queue.music names the sound music/rain"),
        "{all:?}"
    );
    assert!(all[1].as_str().unwrap().contains("mangrove upload prompt/welcome FILE"), "{all:?}");
    put(&house, &format!("{SOUNDS}/music/rain"), OPERATOR, MP3).await;
    put(&house, &format!("{SOUNDS}/prompt/welcome"), OPERATOR, MP3).await;
    assert_eq!(warnings().await, Vec::<Value>::new());
}
