//! The control role as consoles and the command line see it: one file per kind of question.
//!
//! Who may ask what was checked by the console; here a thing of another tenant and a missing one look alike.

mod agent;
mod call;
mod configure;
mod events;
mod login;
mod message;
mod nodes;
mod status;
mod story;

use std::sync::Arc;

use async_trait::async_trait;
use mangrove_domain::{Ask, Author, Reply, view};
use mangrove_membership as membership;
use mangrove_proto::{
    control::{
        AgentCommand, CallCommand, ConfigureReply, ConfigureRequest, DeleteRequest, EventsRequest, Json,
        MessageCommand, MoveRequest, NodeCommand, StoryRequest,
    },
    id::TenantId,
    live::Live,
    service::{BackupBytes, Console, Error, LiveEvents, Login, Ticket},
    story::Entry,
    voicemail::Mailbox,
};

use crate::{backup, clock, control::Control, group::Group, hub, moving};

pub(crate) use configure::{direct, summaries};
pub(crate) use login::ticket;
pub use message::Mail;
pub(crate) use nodes::command as command_node;
pub(crate) use status::{read as status, trouble};

#[async_trait]
impl Console for Control {
    async fn configure(&self, request: ConfigureRequest) -> Result<ConfigureReply, Error> {
        configure::configure(self, request).await
    }

    async fn delete(&self, request: DeleteRequest) -> Result<ConfigureReply, Error> {
        configure::delete(self, request).await
    }

    async fn tenants(&self) -> Result<Json, Error> {
        json(&tenants(self.groups().iter().flat_map(|group| configure::summaries(group))))
    }

    async fn configuration(&self, tenant: &str) -> Result<Json, Error> {
        configure::configuration(self, tenant)
    }

    async fn live(&self, tenant: &str) -> Result<Live, Error> {
        let (group, id) = self.home(tenant)?;
        self.hub().warm(&id, || group.shared.index());
        let current = group.shared.get();
        let found = current.state.tenant(&id).ok_or_else(|| self.absent(tenant))?;
        Ok(view::live(found, hub::last_event(current.index), group.now(), clock::wall()))
    }

    async fn command_agent(&self, command: AgentCommand) -> Result<(), Error> {
        agent::command(self, command).await
    }

    async fn command_call(&self, command: CallCommand) -> Result<(), Error> {
        call::command(self, command).await
    }

    async fn voicemail(&self, tenant: &str) -> Result<Vec<Mailbox>, Error> {
        let (group, id) = self.home(tenant)?;
        let state = group.shared.get().state;
        let found = state.tenant(&id).ok_or_else(|| self.absent(tenant))?;
        Ok(found.voicemail())
    }

    async fn command_message(&self, command: MessageCommand) -> Result<(), Error> {
        message::command(self, command).await
    }

    async fn events(&self, request: EventsRequest) -> Result<LiveEvents, Error> {
        events::subscribe(self, &request)
    }

    async fn story(&self, request: StoryRequest) -> Result<Vec<Entry>, Error> {
        story::read(self, &request).await
    }

    async fn login(&self, email: &str) -> Result<Option<Login>, Error> {
        Ok(login::find(self, email))
    }

    async fn set_password(
        &self,
        email: &str,
        hash: String,
        author: mangrove_proto::control::Author,
    ) -> Result<(), Error> {
        login::set_password(self, email, hash, author).await
    }

    fn token_key(&self) -> [u8; 32] {
        token_key(self.cluster())
    }

    fn ticket(&self, person: &Login) -> Option<Ticket> {
        ticket(self.cluster(), person)
    }

    async fn status(&self) -> Result<Json, Error> {
        status::read(self.cluster(), &self.groups())
    }

    async fn nodes(&self) -> Result<Json, Error> {
        json(&self.cluster().nodes().await)
    }

    async fn command_node(&self, command: NodeCommand) -> Result<(), Error> {
        nodes::command(self.cluster(), command).await
    }

    async fn move_tenant(&self, request: MoveRequest) -> Result<(), Error> {
        moving::request(self.cluster(), request).await
    }

    async fn backup(&self) -> Result<BackupBytes, Error> {
        backup::backup(self).await
    }
}

/// The key that signs session tokens.
pub(crate) fn token_key(cluster: &membership::Cluster) -> [u8; 32] {
    cluster.directory().founding.as_ref().map_or([0; 32], |founding| founding.token_key)
}

impl Control {
    /// The group that holds the tenant, on this node.
    fn home(&self, tenant: &str) -> Result<(Arc<Group>, TenantId), Error> {
        let home = self.cluster().directory().home(tenant).ok_or_else(|| no_tenant(tenant))?;
        let group = self.group(home.group).ok_or(Error::NoLeader { group: home.group.into() })?;
        Ok((group, TenantId::from(tenant)))
    }

    /// Why a tenant is not in the state of its home.
    fn absent(&self, tenant: &str) -> Error {
        if self.is_moving(tenant) { moving::under_way(tenant) } else { no_tenant(tenant) }
    }

    fn is_moving(&self, tenant: &str) -> bool {
        self.cluster().directory().move_of(tenant).is_some_and(membership::Move::is_under_way)
    }
}

pub(crate) fn no_tenant(tenant: &str) -> Error {
    Error::NotFound { what: format!("tenant `{tenant}`") }
}

/// Since this protocol all nodes know what numbers are for.
const NUMBERS_SINCE: u32 = 4;

/// Which of its asker's wishes it is; none: it is not numbered.
fn ask(control: &Control, author: Option<&mangrove_proto::control::Author>) -> Option<Ask> {
    let author = author.filter(|author| author.asker != 0)?;
    let is_known = control.cluster().directory().all_speak(NUMBERS_SINCE);
    is_known.then_some(Ask { asker: author.asker, number: author.number })
}

pub(crate) fn author(author: Option<mangrove_proto::control::Author>) -> Author {
    let author = author.unwrap_or_default();
    Author { name: author.name, address: author.address }
}

/// What `apply` said, as the asker should see it.
pub(crate) fn settle(reply: Reply) -> Result<(), Error> {
    match reply {
        Reply::Done | Reply::Seen => Ok(()),
        Reply::NotFound { what } => Err(Error::NotFound { what }),
        Reply::Conflict { what } => Err(Error::Conflict { what }),
        Reply::Moving { tenant } => Err(moving::under_way(&tenant)),
        Reply::Gap { last } => Err(Error::Refused { why: format!("events after {last} are missing") }),
        Reply::Refused { why } | Reply::Dropped { why } => Err(Error::Refused { why }),
    }
}

/// A list of them, each once: one that moves is in two groups for a moment.
pub(crate) fn tenants(summaries: impl Iterator<Item = serde_json::Value>) -> Vec<serde_json::Value> {
    let mut list: Vec<_> = summaries.collect();
    list.sort_by_key(|tenant| tenant["id"].as_str().map(str::to_owned));
    list.dedup_by(|one, other| one["id"] == other["id"]);
    list
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<Json, Error> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Error::Refused { why: format!("answer can't be written: {error}") })?;
    Ok(Json { json: bytes.into() })
}
