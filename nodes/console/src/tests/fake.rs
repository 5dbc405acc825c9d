//! A control role that holds two tenants in memory and remembers what it was told.

use std::collections::BTreeMap;

use async_trait::async_trait;
use futures::StreamExt as _;
use mangrove_proto::{
    control::{
        AgentCommand, Author, CallCommand, Change, ConfigureReply, ConfigureRequest, DeleteRequest,
        EventsRequest, Json, LiveEvent, MessageCommand, MoveRequest, NodeCommand, Problem, StoryRequest,
    },
    id::CallId,
    live::{Agent, AgentState, Call, CallState, Direction, Live, Queue, ServiceLevel, Today, Waiting},
    service::{BackupBytes, Console, Error, LiveEvents, Login, Ticket},
    story::{Entry, Kind},
    voicemail::{Mailbox, Message},
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::broadcast;

/// Events up to this one are no longer kept.
pub(crate) const FORGOTTEN: u64 = 100;

#[derive(Debug)]
pub(crate) struct Fake {
    pub logins: Mutex<BTreeMap<String, Login>>,
    pub told: Mutex<Vec<String>>,
    /// Calls besides those of the picture.
    pub calls: Mutex<Vec<Call>>,
    kept: Mutex<Vec<LiveEvent>>,
    /// The calls in progress, if they are others than usual.
    shown: Mutex<Option<Vec<Call>>>,
    sender: broadcast::Sender<LiveEvent>,
}

pub(crate) fn call(number: u128) -> String {
    CallId(number).to_string()
}

impl Fake {
    pub(crate) fn new(logins: BTreeMap<String, Login>) -> Self {
        let (sender, _) = broadcast::channel(64);
        let (told, calls, kept, shown) =
            (Mutex::default(), Mutex::default(), Mutex::default(), Mutex::default());
        Self { logins: Mutex::new(logins), told, calls, kept, shown, sender }
    }

    pub(crate) fn publish(&self, id: u64, kind: &str, json: &Value) {
        let json = json.to_string().into_bytes().into();
        let event = LiveEvent { id, tenant: "acme".into(), kind: kind.into(), json };
        self.kept.lock().push(event.clone());
        let _ = self.sender.send(event);
    }

    /// These calls are in progress.
    pub(crate) fn show(&self, calls: Vec<Call>) {
        *self.shown.lock() = Some(calls);
    }

    fn tell(&self, what: String) {
        self.told.lock().push(what);
    }

    pub(crate) fn last(&self) -> String {
        self.told.lock().last().cloned().unwrap_or_default()
    }
}

fn known(tenant: &str) -> Result<(), Error> {
    match tenant {
        "acme" | "other" => Ok(()),
        other => Err(Error::NotFound { what: format!("tenant {other}") }),
    }
}

fn name(author: Option<&Author>) -> String {
    let Some(author) = author else { return String::new() };
    match author.asker {
        0 => author.name.clone(),
        asker => format!("{}, number {} of {asker},", author.name, author.number),
    }
}

pub(crate) fn agent(id: &str, group: &str, state: AgentState) -> Agent {
    Agent {
        id: id.into(),
        name: id.to_uppercase(),
        extension: "101".into(),
        state,
        reason: None,
        since: 1,
        until: None,
        call: None,
        groups: vec![group.into()],
        reachable: true,
        answered_today: 0,
    }
}

pub(crate) fn live_call(number: u128, group: &str, employee: Option<&str>) -> Call {
    Call {
        id: CallId(number),
        direction: Direction::Inbound,
        caller: "79161234567".into(),
        called: "74951234567".into(),
        state: CallState::Waiting,
        started: 1,
        since: 1,
        group: Some(group.into()),
        employee: employee.map(Into::into),
        ringing: Vec::new(),
        recording: false,
        pause: None,
        on_demand: false,
        monitors: Vec::new(),
        conference: None,
    }
}

fn queue(id: &str, number: u128) -> Queue {
    let since = 1;
    let caller = "79161234567".into();
    let waiting = Waiting { call: CallId(number), caller, priority: 0, since, offered_to: Vec::new() };
    let service_level = ServiceLevel { seconds: 20, percent: 80 };
    let today = Today { offered: 2, answered: 1, ..Today::default() };
    Queue { id: id.into(), name: id.into(), waiting: vec![waiting], service_level, today }
}

/// Group 200 with anna and call 1, group 300 with boris and call 2.
pub(crate) fn picture(tenant: &str) -> Live {
    Live {
        tenant: tenant.into(),
        name: tenant.into(),
        event: FORGOTTEN,
        as_of: std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as u64,
        queues: vec![queue("200", 1), queue("300", 2)],
        agents: vec![agent("anna", "200", AgentState::Available), agent("boris", "300", AgentState::Busy)],
        calls: vec![live_call(1, "200", None), live_call(2, "300", Some("boris"))],
        today: Today { offered: 4, answered: 2, ..Today::default() },
    }
}

fn message(id: u64, stored: bool) -> Message {
    Message {
        id,
        call: CallId(1),
        caller: "79161234567".into(),
        at: 1,
        duration_ms: 4_000,
        heard: false,
        stored,
        recording: format!("rec_{id}"),
        object: format!("acme/message-{id}.wav"),
        sha256: "abc123".into(),
    }
}

/// Anna's box with a message, the box of group 200 with one whose sound is on its way, and boris's empty one.
fn boxes() -> Vec<Mailbox> {
    let of = |name: &str, employee: Option<&str>, group: Option<&str>, messages| Mailbox {
        name: name.into(),
        employee: employee.map(Into::into),
        group: group.map(Into::into),
        messages,
    };
    vec![
        of("anna", Some("anna"), None, vec![message(7, true)]),
        of("boris", Some("boris"), None, Vec::new()),
        of("sales", None, Some("200"), vec![message(8, false)]),
    ]
}

#[async_trait]
impl Console for Fake {
    async fn configure(&self, request: ConfigureRequest) -> Result<ConfigureReply, Error> {
        self.tell(format!(
            "{} configures {} if {} dry {}",
            name(request.author.as_ref()),
            request.tenant,
            request.if_version,
            request.dry_run
        ));
        if request.if_version > 7 {
            return Err(Error::Conflict { what: format!("tenant {}", request.tenant) });
        }
        let document: Value = serde_json::from_slice(&request.document).unwrap();
        if document.get("wrong").is_some() {
            let problem = Problem { path: "wrong".into(), message: "unknown key".into() };
            return Ok(ConfigureReply { version: 7, problems: vec![problem], ..ConfigureReply::default() });
        }
        let change = Change { object: "employee/anna".into(), action: "update".into(), ..Change::default() };
        Ok(ConfigureReply { version: 8, changes: vec![change], ..ConfigureReply::default() })
    }

    async fn delete(&self, request: DeleteRequest) -> Result<ConfigureReply, Error> {
        known(&request.tenant)?;
        self.tell(format!("{} deletes {} {}", name(request.author.as_ref()), request.tenant, request.object));
        Ok(ConfigureReply { version: 9, ..ConfigureReply::default() })
    }

    async fn tenants(&self) -> Result<Json, Error> {
        let all = json!([{"id": "acme", "name": "Acme", "version": 7}, {"id": "other", "name": "Other", "version": 1}]);
        Ok(Json { json: all.to_string().into_bytes().into() })
    }

    async fn configuration(&self, tenant: &str) -> Result<Json, Error> {
        known(tenant)?;
        let document = json!({
            "version": 7,
            "tenant": tenant,
            "employees": [{"id": "anna", "extension": "101", "name": "<img src=x onerror=alert(1)>"}],
            "numbers": [{"number": "74951234567"}],
        });
        Ok(Json { json: document.to_string().into_bytes().into() })
    }

    async fn live(&self, tenant: &str) -> Result<Live, Error> {
        known(tenant)?;
        let picture = picture(tenant);
        let mut calls = self.shown.lock().clone().unwrap_or_else(|| picture.calls.clone());
        calls.extend(self.calls.lock().iter().cloned());
        Ok(Live { calls, ..picture })
    }

    async fn command_agent(&self, command: AgentCommand) -> Result<(), Error> {
        let who = name(command.author.as_ref());
        self.tell(format!(
            "{who} sets {}/{} {} {}",
            command.tenant, command.employee, command.state, command.reason
        ));
        Ok(())
    }

    async fn command_call(&self, command: CallCommand) -> Result<(), Error> {
        let supervisor = Some(command.employee).filter(|employee| !employee.is_empty());
        let supervisor = supervisor.map_or_else(String::new, |employee| format!(" for {employee}"));
        let to =
            Some(command.to).filter(|to| !to.is_empty()).map_or_else(String::new, |to| format!(" to {to}"));
        let who = name(command.author.as_ref());
        self.tell(format!("{who} {} {}{supervisor}{to}", command.action, command.call));
        Ok(())
    }

    async fn voicemail(&self, tenant: &str) -> Result<Vec<Mailbox>, Error> {
        known(tenant)?;
        let mut boxes = boxes();
        boxes[0].messages.retain(|_| !self.told.lock().iter().any(|told| told.ends_with("delete anna/7")));
        Ok(boxes)
    }

    async fn command_message(&self, command: MessageCommand) -> Result<(), Error> {
        let who = name(command.author.as_ref());
        self.tell(format!("{who} {} {}/{}", command.action, command.mailbox, command.message));
        Ok(())
    }

    async fn events(&self, request: EventsRequest) -> Result<LiveEvents, Error> {
        known(&request.tenant)?;
        if request.after != 0 && request.after < FORGOTTEN {
            return Err(Error::NotFound { what: "event".into() });
        }
        let live = self.sender.subscribe();
        let old =
            self.kept.lock().iter().filter(|event| event.id > request.after).cloned().collect::<Vec<_>>();
        let live =
            tokio_stream::wrappers::BroadcastStream::new(live).filter_map(|event| async { event.ok() });
        Ok(Box::pin(futures::stream::iter(old).chain(live)))
    }

    async fn story(&self, request: StoryRequest) -> Result<Vec<Entry>, Error> {
        if request.tenant != "acme" || request.call != call(1) {
            return Err(Error::NotFound { what: "story".into() });
        }
        let (party, title, detail) = ("caller".into(), "INVITE".into(), String::new());
        Ok(vec![Entry { at: 1, after_ms: 0, kind: Kind::Received, party, title, detail }])
    }

    async fn login(&self, email: &str) -> Result<Option<Login>, Error> {
        Ok(self.logins.lock().get(email).cloned())
    }

    async fn set_password(&self, email: &str, hash: String, author: Author) -> Result<(), Error> {
        self.tell(format!("{} sets the password of {email}", author.name));
        let mut logins = self.logins.lock();
        let login = logins.get_mut(email).unwrap();
        (login.password_hash, login.epoch) = (hash, login.epoch + 1);
        Ok(())
    }

    fn token_key(&self) -> [u8; 32] {
        [7; 32]
    }

    fn ticket(&self, login: &Login) -> Option<Ticket> {
        let text = format!("of-{}-{}-{}", login.tenant, login.employee, login.epoch);
        Some(Ticket { text, seconds: 60 })
    }

    async fn status(&self) -> Result<Json, Error> {
        Ok(Json { json: b"{\"calls\":2}".to_vec().into() })
    }

    async fn nodes(&self) -> Result<Json, Error> {
        let told = json!({
            "boot": 3, "uptime_ms": 9_000, "leads": 2, "replicas": 5, "trouble": [], "figures": {"calls": 2}
        });
        let node = json!({
            "name": "a", "id": 1, "roles": ["control"], "zone": "", "address": "127.0.0.1:7400", "version": "0.1.0",
            "protocol": 1, "alive": true, "draining": false, "replaced": false, "planned": 5, "planned_leads": 2,
            "report": told
        });
        Ok(Json { json: json!([node]).to_string().into_bytes().into() })
    }

    async fn command_node(&self, command: NodeCommand) -> Result<(), Error> {
        let who = name(command.author.as_ref());
        self.tell(format!("{who}: {} {}", command.action, command.node));
        match command.node.as_str() {
            "a" => Err(Error::Refused { why: "node a is the last one".into() }),
            _ => Ok(()),
        }
    }

    async fn backup(&self) -> Result<BackupBytes, Error> {
        let parts = ["MGBK", " and more"].map(|part| Ok(part.into()));
        Ok(Box::pin(futures::stream::iter(parts)))
    }

    async fn move_tenant(&self, request: MoveRequest) -> Result<(), Error> {
        known(&request.tenant)?;
        self.tell(format!("{}: {} to {}", name(request.author.as_ref()), request.tenant, request.group));
        match request.group {
            3 => Ok(()),
            _ => Err(Error::Refused { why: "there is no such shard group".into() }),
        }
    }
}
