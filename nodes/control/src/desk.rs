//! Control as a console reaches it, on any node: in this process where this node has a replica of what is asked for, else at
//! a control node that has one. What concerns the cluster alone every member knows.

mod asker;
mod far;

use std::time::Duration;

use async_trait::async_trait;
use futures::future::try_join_all;
use mangrove_membership::Cluster;
use mangrove_proto::{
    control::{
        self, AgentCommand, CallCommand, ConfigureReply, ConfigureRequest, DeleteRequest, EventsRequest,
        Json, LoginRequest, MessageCommand, MoveRequest, NodeCommand, SetPasswordRequest, StoryRequest,
        TenantRequest, TenantsRequest,
    },
    live::Live,
    service::{BackupBytes, Console, Error, LiveEvents, Login, Ticket},
    story::Entry,
    voicemail::Mailbox,
};
use serde::de::DeserializeOwned;
use tokio_stream::StreamExt;

use crate::{console, control::Control, moving};
use asker::Asker;
use far::{Far, Whom};

/// One node may take this long to answer: a person waits. Configuring hashes passwords, which takes long on purpose.
const PATIENCE: Duration = Duration::from_secs(5);

/// Answers a console of this node; cheap to clone.
#[derive(Debug, Clone)]
pub struct Desk {
    cluster: Cluster,
    here: Option<Control>,
    far: Far,
    wishes: Asker,
    passwords: Asker,
}

impl Desk {
    /// `here`: this node's control role, where it has one.
    pub fn new(cluster: Cluster, here: Option<Control>) -> Self {
        Self::with_patience(cluster, here, PATIENCE)
    }

    /// `patience`: how long one other node may take to answer.
    pub(crate) fn with_patience(cluster: Cluster, here: Option<Control>, patience: Duration) -> Self {
        let (wishes, passwords) = (Asker::new(), Asker::new());
        Self { far: Far::new(cluster.clone(), patience), cluster, here, wishes, passwords }
    }

    /// Why this node should get no work now; empty: it is ready.
    pub fn trouble(&self) -> Vec<String> {
        console::trouble(&self.cluster, &self.groups())
    }

    fn groups(&self) -> Vec<std::sync::Arc<crate::group::Group>> {
        self.here.as_ref().map(Control::groups).unwrap_or_default()
    }

    /// Who can answer for a tenant. Of one that nobody knows this node says so itself, if it can.
    fn of(&self, tenant: &str) -> Result<Place<'_>, Error> {
        let home = self.cluster.directory().home(tenant);
        match (&self.here, home) {
            (Some(control), None) => Ok(Place::Here(control)),
            (Some(control), Some(home)) if control.group(home.group).is_some() => Ok(Place::Here(control)),
            (_, Some(home)) => Ok(Place::There(Whom::Replicas(home.group))),
            (None, None) => Err(console::no_tenant(tenant)),
        }
    }

    /// As `of`, for a tenant that may be new.
    fn of_new(&self, tenant: &str) -> Result<Place<'_>, Error> {
        match (&self.here, self.cluster.directory().home(tenant)) {
            (None, None) => Ok(Place::There(Whom::Control)),
            _ => self.of(tenant),
        }
    }

    async fn configure_there(&self, whom: Whom, request: ConfigureRequest) -> Result<ConfigureReply, Error> {
        self.far.ask(whom, request, |mut far, request| async move { far.configure(request).await }).await
    }

    /// The tenant of a login, by the directory.
    fn tenant_of(&self, email: &str) -> Option<String> {
        self.cluster.directory().tenant_of("email", &email.trim().to_lowercase()).map(str::to_owned)
    }

    async fn tenants_of(&self, group: u32) -> Result<Vec<serde_json::Value>, Error> {
        if let Some(group) = self.here.as_ref().and_then(|control| control.group(group)) {
            return Ok(console::summaries(&group));
        }
        let ask = |mut far: far::Client, request| async move { far.tenants(request).await };
        read(&self.far.ask(Whom::Replicas(group), TenantsRequest { group }, ask).await?)
    }
}

/// Where a question is answered.
enum Place<'c> {
    Here(&'c Control),
    There(Whom),
}

#[async_trait]
impl Console for Desk {
    /// A new tenant may get a home without a replica here: then it is created there.
    async fn configure(&self, request: ConfigureRequest) -> Result<ConfigureReply, Error> {
        let tenant = request.tenant.clone();
        let outcome = match self.of_new(&tenant)? {
            Place::Here(control) => control.configure(request.clone()).await,
            Place::There(whom) => return self.configure_there(whom, request).await,
        };
        match (outcome, self.of(&tenant)) {
            (Err(Error::NoLeader { .. }), Ok(Place::There(whom))) => {
                self.configure_there(whom, request).await
            }
            (outcome, _) => outcome,
        }
    }

    async fn delete(&self, request: DeleteRequest) -> Result<ConfigureReply, Error> {
        match self.of(&request.tenant)? {
            Place::Here(control) => control.delete(request).await,
            Place::There(whom) => {
                self.far.ask(whom, request, |mut far, request| async move { far.delete(request).await }).await
            }
        }
    }

    async fn tenants(&self) -> Result<Json, Error> {
        let groups = self.cluster.directory().founding.as_ref().map_or(0, |founding| founding.shard_groups);
        let lists = try_join_all((1..=groups).map(|group| self.tenants_of(group))).await?;
        console::json(&console::tenants(lists.into_iter().flatten()))
    }

    async fn configuration(&self, tenant: &str) -> Result<Json, Error> {
        let there = match self.of(tenant)? {
            Place::Here(control) => return control.configuration(tenant).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, request| async move { far.configuration(request).await };
        self.far.ask(there, named(tenant), ask).await
    }

    async fn live(&self, tenant: &str) -> Result<Live, Error> {
        let there = match self.of(tenant)? {
            Place::Here(control) => return control.live(tenant).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, request| async move { far.live(request).await };
        read(&self.far.ask(there, named(tenant), ask).await?)
    }

    async fn command_agent(&self, mut command: AgentCommand) -> Result<(), Error> {
        command.author = Some(self.wishes.number(command.author));
        let there = match self.of(&command.tenant)? {
            Place::Here(control) => return control.command_agent(command).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, command| async move { far.command_agent(command).await };
        self.far.ask(there, command, ask).await.map(drop)
    }

    async fn command_call(&self, mut command: CallCommand) -> Result<(), Error> {
        command.author = Some(self.wishes.number(command.author));
        let there = match self.of(&command.tenant)? {
            Place::Here(control) => return control.command_call(command).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, command| async move { far.command_call(command).await };
        self.far.ask(there, command, ask).await.map(drop)
    }

    async fn voicemail(&self, tenant: &str) -> Result<Vec<Mailbox>, Error> {
        let there = match self.of(tenant)? {
            Place::Here(control) => return control.voicemail(tenant).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, request| async move { far.voicemail(request).await };
        read(&self.far.ask(there, named(tenant), ask).await?)
    }

    async fn command_message(&self, command: MessageCommand) -> Result<(), Error> {
        let there = match self.of(&command.tenant)? {
            Place::Here(control) => return control.command_message(command).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, command| async move { far.command_message(command).await };
        self.far.ask(there, command, ask).await.map(drop)
    }

    async fn events(&self, request: EventsRequest) -> Result<LiveEvents, Error> {
        let there = match self.of(&request.tenant)? {
            Place::Here(control) => return control.events(request).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, request| async move { far.events(request).await };
        let events = self.far.ask(there, request, ask).await?;
        // A node that is lost ends the stream: its reader resumes from its last event elsewhere.
        Ok(Box::pin(events.map_while(|event| event.ok())))
    }

    async fn story(&self, request: StoryRequest) -> Result<Vec<Entry>, Error> {
        let there = match self.of(&request.tenant)? {
            Place::Here(control) => return control.story(request).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, request| async move { far.story(request).await };
        read(&self.far.ask(there, request, ask).await?)
    }

    async fn login(&self, email: &str) -> Result<Option<Login>, Error> {
        let Some(tenant) = self.tenant_of(email) else { return Ok(None) };
        let there = match self.of(&tenant)? {
            Place::Here(control) => return control.login(email).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, request| async move { far.find_login(request).await };
        let found = self.far.ask(there, LoginRequest { email: email.to_owned() }, ask).await?;
        Ok(found.login.map(Login::from))
    }

    async fn set_password(&self, email: &str, hash: String, author: control::Author) -> Result<(), Error> {
        let tenant = self.tenant_of(email).ok_or_else(|| Error::NotFound { what: "such login".into() })?;
        let author = self.passwords.number(Some(author));
        let there = match self.of(&tenant)? {
            Place::Here(control) => return control.set_password(email, hash, author).await,
            Place::There(whom) => whom,
        };
        let ask = |mut far: far::Client, request| async move { far.set_password(request).await };
        let request = SetPasswordRequest { author: Some(author), email: email.to_owned(), hash };
        self.far.ask(there, request, ask).await.map(drop)
    }

    fn token_key(&self) -> [u8; 32] {
        console::token_key(&self.cluster)
    }

    fn ticket(&self, person: &Login) -> Option<Ticket> {
        console::ticket(&self.cluster, person)
    }

    async fn status(&self) -> Result<Json, Error> {
        console::status(&self.cluster, &self.groups())
    }

    async fn nodes(&self) -> Result<Json, Error> {
        console::json(&self.cluster.nodes().await)
    }

    async fn command_node(&self, command: NodeCommand) -> Result<(), Error> {
        console::command_node(&self.cluster, command).await
    }

    async fn move_tenant(&self, request: MoveRequest) -> Result<(), Error> {
        moving::request(&self.cluster, request).await
    }

    async fn backup(&self) -> Result<BackupBytes, Error> {
        if let Some(control) = &self.here {
            return control.backup().await;
        }
        let ask = |mut far: far::Client, request| async move { far.backup(request).await };
        let parts = self.far.ask(Whom::Control, control::BackupRequest {}, ask).await?;
        let failed = |status: tonic::Status| Error::from_status(&status, "the node that writes the backup");
        Ok(Box::pin(parts.map(move |part| part.map(|part| part.part).map_err(failed))))
    }
}

fn named(tenant: &str) -> TenantRequest {
    TenantRequest { tenant: tenant.to_owned() }
}

/// What another node wrote as JSON.
fn read<T: DeserializeOwned>(json: &Json) -> Result<T, Error> {
    serde_json::from_slice(&json.json).map_err(|error| Error::Unavailable {
        what: "another node's answer".into(),
        why: format!("it can't be read: {error}"),
    })
}
