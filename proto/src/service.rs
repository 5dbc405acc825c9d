//! The traits by which roles meet. A caller never knows whether the other role lives in the same process.

use std::{fmt::Debug, net::SocketAddr, pin::Pin, sync::Arc};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::{common, control, edge, media, routes};

#[cfg(feature = "grpc")]
mod carried;
mod login;
#[cfg(feature = "grpc")]
mod status;

#[cfg(feature = "grpc")]
pub use carried::{Carried, address, addressed};

/// Why a request to another role failed, with its verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Error {
    /// Nobody leads the group now; the same request may succeed in a moment.
    #[error("group {group} has no leader right now, try again in a moment")]
    NoLeader { group: u64 },
    /// There is no such thing, or it belongs to another tenant: the two look alike.
    #[error("there is no {what}")]
    NotFound { what: String },
    /// The request can't be carried out as it stands; nothing was changed.
    #[error("{why}")]
    Refused { why: String },
    /// Somebody else changed the thing first; read it again.
    #[error("{what} was changed meanwhile, read it again")]
    Conflict { what: String },
    /// The role is overloaded, stopping or cut off.
    #[error("{what} is not available: {why}")]
    Unavailable { what: String, why: String },
}

impl Error {
    /// Whether the same request may succeed later, unchanged.
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::NoLeader { .. } | Self::Unavailable { .. })
    }
}

/// A stream of live events; it ends when the reader is too slow or the node stops, and is then resumed by its last id.
pub type LiveEvents = Pin<Box<dyn futures_core::Stream<Item = control::LiveEvent> + Send>>;

/// The edge role, as control sees it.
#[async_trait]
pub trait Edge: Send + Sync + Debug {
    /// Sends what was committed. Returns the effects refused as late.
    async fn execute(&self, commands: edge::EdgeCommands) -> Result<edge::EdgeExecuted, Error>;
}

/// The media role, as control sees it.
#[async_trait]
pub trait Media: Send + Sync + Debug {
    /// Takes the wanted sessions. The outcome comes as events.
    async fn execute(&self, commands: media::MediaCommands) -> Result<media::MediaExecuted, Error>;
    /// What the node holds for a group, for a new leader to reconcile with.
    async fn hold(&self, request: media::HoldingsRequest) -> Result<media::Holdings, Error>;
}

/// The control role, as edges and media nodes see it.
#[async_trait]
pub trait Control: Send + Sync + Debug {
    /// Commits events of one sender. The order within a batch is kept; what was committed before is skipped.
    async fn deliver_edge(&self, events: edge::EdgeEvents) -> Result<common::Ack, Error>;
    /// As `deliver_edge`.
    async fn deliver_media(&self, events: media::MediaEvents) -> Result<common::Ack, Error>;
}

/// Where a request belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    pub tenant: Arc<str>,
    pub group: u64,
    /// SIP domain of the tenant, its digest realm.
    pub domain: Arc<str>,
}

/// What it takes to check a device's password: digests of user:realm:password, never the password.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceSecret {
    pub route: Route,
    pub md5: String,
    pub sha256: String,
}

impl Debug for DeviceSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeviceSecret").field("route", &self.route).finish_non_exhaustive()
    }
}

/// The edge's copy of the directory: never waits, may be a moment old.
pub trait Routes: Send + Sync + Debug {
    /// The tenant with this id (from a Contact or branch of ours).
    fn tenant(&self, tenant: &str) -> Option<Route>;
    /// The tenant with this SIP domain.
    fn domain(&self, domain: &str) -> Option<Route>;
    /// The secret of a tenant's SIP device.
    fn device(&self, domain: &str, username: &str) -> Option<DeviceSecret>;
    /// The tenant and trunk of a call from `source` to `called`, without a password. Port 0 stands for any: a call
    /// over a connection comes from an ephemeral port.
    fn trunk(&self, source: SocketAddr, called: &str) -> Option<(Route, String)>;
    /// Whether any tenant's trunk may call from this address; port 0 as above.
    fn is_trunk(&self, source: SocketAddr) -> bool;
    /// Milliseconds that the slowest leader's mailbox is behind: the measure of overload.
    fn lag_ms(&self) -> u64;
    /// The key of the digest nonces, the same on all nodes.
    fn nonce_key(&self) -> [u8; 32];
    /// Whether every group was heard of: until then a tenant that is not found may exist all the same.
    fn is_ready(&self) -> bool;
}

/// Updates of a copy of the directory, in order, without end: a stream that ends has failed and is opened again.
pub type RouteUpdates = Pin<Box<dyn futures_core::Stream<Item = Result<routes::RoutesUpdate, Error>> + Send>>;

/// A control node, as edges' copies of the directory see it.
#[async_trait]
pub trait RouteFeed: Send + Sync + Debug {
    /// From what the copy holds on. A slow reader gets the newest, joined.
    async fn watch(&self, request: routes::WatchRequest) -> Result<RouteUpdates, Error>;
}

/// A backup's bytes in order; an error ends them, and what came before is no backup.
pub type BackupBytes = Pin<Box<dyn futures_core::Stream<Item = Result<bytes::Bytes, Error>> + Send>>;

/// The control role, as the console and the command line see it. Who may do what was checked by the caller.
#[async_trait]
pub trait Console: Send + Sync + Debug {
    /// Creates or changes a tenant, whole. `problems` in the reply means that nothing was changed.
    async fn configure(&self, request: control::ConfigureRequest) -> Result<control::ConfigureReply, Error>;
    async fn delete(&self, request: control::DeleteRequest) -> Result<control::ConfigureReply, Error>;
    /// JSON list of `{id, name, version}`.
    async fn tenants(&self) -> Result<control::Json, Error>;
    /// JSON of the tenant's configuration without secrets, in the format of `mangrove apply`, with its `version`.
    async fn configuration(&self, tenant: &str) -> Result<control::Json, Error>;
    /// The picture now.
    async fn live(&self, tenant: &str) -> Result<crate::live::Live, Error>;
    async fn command_agent(&self, command: control::AgentCommand) -> Result<(), Error>;
    async fn command_call(&self, command: control::CallCommand) -> Result<(), Error>;
    /// All boxes and the messages in them.
    async fn voicemail(&self, tenant: &str) -> Result<Vec<crate::voicemail::Mailbox>, Error>;
    async fn command_message(&self, command: control::MessageCommand) -> Result<(), Error>;
    /// From the event after `after`; NotFound when that one is no longer kept (read `live` again).
    async fn events(&self, request: control::EventsRequest) -> Result<LiveEvents, Error>;
    /// The story of a live or past call.
    async fn story(&self, request: control::StoryRequest) -> Result<Vec<crate::story::Entry>, Error>;
    /// The login with this e-mail, whatever its tenant.
    async fn login(&self, email: &str) -> Result<Option<Login>, Error>;
    /// Sets the password hash of a login (argon2 PHC string).
    async fn set_password(&self, email: &str, hash: String, author: control::Author) -> Result<(), Error>;
    /// The key that signs session tokens, the same on all nodes.
    fn token_key(&self) -> [u8; 32];
    /// What the phone in this person's page shows an edge instead of a password, from now on. None: this node knows of no
    /// cluster yet.
    fn ticket(&self, login: &Login) -> Option<Ticket>;
    /// The whole node's state for operators: groups led, last log index, effects pending, calls.
    async fn status(&self) -> Result<control::Json, Error>;
    /// JSON list of the cluster's nodes with what each told of itself; takes a second at most.
    async fn nodes(&self) -> Result<control::Json, Error>;
    /// Drains a node, lets it leave, or gives a dead one up. The draining has only begun when this returns.
    async fn command_node(&self, command: control::NodeCommand) -> Result<(), Error>;
    /// Moves a tenant to another shard group; returns when it is there. Refused with the reason when it stays.
    async fn move_tenant(&self, request: control::MoveRequest) -> Result<(), Error>;
    /// A consistent copy of the whole cluster, keys included, in the format of `mangrove_control::backup`.
    async fn backup(&self) -> Result<BackupBytes, Error>;
}

/// A person's login.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// In lower case: one e-mail in the world.
    pub email: String,
    pub tenant: crate::id::TenantId,
    pub employee: crate::id::EmployeeId,
    pub name: String,
    pub roles: Vec<String>,
    /// Groups a supervisor may watch; empty for a supervisor means all.
    pub supervises: Vec<crate::id::GroupId>,
    /// argon2 PHC string.
    pub password_hash: String,
    /// Rises when the password changes or the login is withdrawn: older tokens are void.
    pub epoch: u64,
    /// The phone in their page, where they have one.
    pub page_phone: Option<PagePhone>,
}

/// Where the phone in a person's page is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PagePhone {
    pub extension: String,
    /// SIP domain of the tenant.
    pub domain: String,
}

/// What stands for a person's password when the phone in their page connects.
#[derive(Clone, PartialEq, Eq)]
pub struct Ticket {
    /// Letters, digits, `-` and `_`.
    pub text: String,
    /// Seconds for which it may be shown.
    pub seconds: u64,
}

impl Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticket").field("seconds", &self.seconds).finish_non_exhaustive()
    }
}

impl Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("tenant", &self.tenant)
            .field("employee", &self.employee)
            .finish_non_exhaustive()
    }
}
