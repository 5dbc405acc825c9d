//! A console on a free port, with a fake control, a history in a folder of its own, and sound in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
};

use mangrove_history::{Batch, History};
use mangrove_proto::{
    id::CallId,
    live::{Cdr, CdrRecording, Direction, EndedBy, Outcome, RecordingChannels, RecordingFormat},
    service::{Login, PagePhone},
};
use object_store::{ObjectStore, ObjectStoreExt as _, memory::InMemory};
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fake::Fake;
use crate::{Console, Options, hash_password};

pub(crate) const OPERATOR: &str = "the-administrators-token";
pub(crate) const PASSWORD: &str = "correct-horse";
/// Hashing takes its time on purpose: once is enough.
static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD).unwrap());

pub(crate) struct House {
    pub console: Console,
    pub control: Arc<Fake>,
    pub history: History,
    pub objects: Arc<InMemory>,
    pub client: Client,
    _folder: TempDir,
}

fn login(tenant: &str, employee: &str, role: &str, supervises: &[&str]) -> (String, Login) {
    let email = format!("{employee}@{tenant}.example");
    let login = Login {
        email: email.clone(),
        tenant: tenant.into(),
        employee: employee.into(),
        name: employee.to_uppercase(),
        roles: vec![role.into()],
        supervises: supervises.iter().map(|group| (*group).into()).collect(),
        password_hash: HASH.clone(),
        epoch: 1,
        page_phone: (role == "agent")
            .then(|| PagePhone { extension: "101".into(), domain: format!("{tenant}.example") }),
    };
    (email, login)
}

fn logins() -> BTreeMap<String, Login> {
    BTreeMap::from([
        login("acme", "anna", "agent", &[]),
        login("acme", "boris", "agent", &[]),
        login("acme", "vera", "supervisor", &["200"]),
        login("acme", "sveta", "supervisor", &[]),
        login("acme", "gleb", "group-head", &["200"]),
        login("acme", "desk", "employee", &[]),
        login("acme", "mark", "marketer", &[]),
        login("acme", "ada", "accountant", &[]),
        login("acme", "admin", "administrator", &[]),
        login("acme", "olga", "owner", &[]),
        login("acme", "nobody", "wizard", &[]),
        login("other", "oscar", "owner", &[]),
    ])
}

pub(crate) async fn house() -> House {
    house_with(|_| ()).await
}

/// A console with other options than the usual ones.
pub(crate) async fn house_with(set: impl FnOnce(&mut Options)) -> House {
    let folder = tempfile::tempdir().unwrap();
    let history = History::open(&format!("sqlite:{}/h.db", folder.path().display())).await.unwrap();
    let objects = Arc::new(InMemory::new());
    let control = Arc::new(Fake::new(logins()));
    let mut options = Options::new("127.0.0.1:0".parse().unwrap(), OPERATOR.into());
    set(&mut options);
    let store: Arc<dyn ObjectStore> = objects.clone();
    let console = Console::open(options, "it starts").await.unwrap();
    console.serve_pages(control.clone(), history.clone(), store).unwrap();
    House { console, control, history, objects, client: Client::new(), _folder: folder }
}

/// A call through group 200, answered by anna.
pub(crate) fn cdr(number: u128) -> Cdr {
    Cdr {
        call: CallId(number),
        tenant: "acme".into(),
        direction: Direction::Inbound,
        caller: "+79161234567".into(),
        called: "74951234567".into(),
        number: Some("74951234567".into()),
        source: Some("=1+1".into()),
        trunk: None,
        started: 1_000 * number as u64,
        answered: None,
        ended: 1_000 * number as u64 + 900,
        wait_ms: 500,
        talk_ms: 400,
        hold_ms: 0,
        group: Some("200".into()),
        employee: Some("anna".into()),
        outcome: Outcome::Answered,
        ended_by: EndedBy::Caller,
        cause: "caller-hung-up".into(),
        sip_status: 200,
        q850: 16,
        legs: Vec::new(),
        recordings: Vec::new(),
    }
}

impl House {
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.console.addr)
    }

    pub(crate) fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        let request = self.client.request(method, self.url(path));
        if token.is_empty() { request } else { request.bearer_auth(token) }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Response {
        self.request(Method::GET, path, token).send().await.unwrap()
    }

    /// The body of a successful GET.
    pub(crate) async fn read(&self, path: &str, token: &str) -> Value {
        let response = self.get(path, token).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.json().await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Response {
        self.request(Method::POST, path, token).json(body).send().await.unwrap()
    }

    pub(crate) async fn try_login(&self, email: &str, password: &str) -> Response {
        self.post("/api/v1/login", "", &json!({"email": email, "password": password})).await
    }

    /// A token of `anna@acme`.
    pub(crate) async fn login(&self, who: &str) -> String {
        let response = self.try_login(&format!("{who}.example"), PASSWORD).await;
        assert_eq!(response.status(), StatusCode::OK, "login of {who}");
        let body: Value = response.json().await.unwrap();
        body["token"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn keep(&self, cdrs: Vec<Cdr>) {
        self.history.write(&Batch { cdrs, ..Batch::default() }).await.unwrap();
    }

    /// A past call whose recording `1` has these bytes.
    pub(crate) async fn record(&self, number: u128, sound: &'static [u8]) {
        self.record_as(number, sound, RecordingFormat::default()).await;
    }

    /// The same in another kind of file.
    pub(crate) async fn record_as(&self, number: u128, sound: &'static [u8], format: RecordingFormat) {
        let object = format!("acme/{number}.wav");
        self.objects.put(&object.as_str().into(), sound.into()).await.unwrap();
        let recording = CdrRecording {
            id: "1".into(),
            object,
            duration_ms: 1,
            bytes: sound.len() as u64,
            missing_ms: 0,
            sha256: "abc123".into(),
            marks: Vec::new(),
            format,
            channels: RecordingChannels::default(),
        };
        self.keep(vec![Cdr { recordings: vec![recording], ..cdr(number) }]).await;
    }
}
