//! What a command brings about besides the new state: messages for edges and media nodes, lines for calls'
//! stories, and which objects changed. Nothing here is kept: what is still owed is read from the state.

use mangrove_proto::{
    edge,
    id::{CallId, EmployeeId, GroupId, TenantId},
    media, story,
};
use serde::{Deserialize, Serialize};

/// An object with an actor of its own.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ObjectRef {
    /// A tenant's configuration and day.
    Tenant(TenantId),
    /// A call, until it is forgotten.
    Call(TenantId, CallId),
    /// An employee with devices, serving groups or not.
    Agent(TenantId, EmployeeId),
    /// A group's queue.
    Queue(TenantId, GroupId),
}

impl ObjectRef {
    /// The tenant it belongs to.
    pub fn tenant(&self) -> &TenantId {
        match self {
            Self::Tenant(tenant)
            | Self::Call(tenant, _)
            | Self::Agent(tenant, _)
            | Self::Queue(tenant, _) => tenant,
        }
    }
}

/// One thing to do outside, by the actor of `object`.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// On whose behalf.
    pub object: ObjectRef,
    /// What to do.
    pub action: Action,
}

/// Where an effect goes. Repeating one is harmless.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// A whole SIP message for an edge.
    Edge { node: String, command: edge::EdgeCommand },
    /// The whole wanted state of a session for a media node.
    Media { node: String, command: media::MediaCommand },
}

/// A line for the story of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct StoryLine {
    /// Whose call.
    pub tenant: TenantId,
    /// Which call.
    pub call: CallId,
    /// The line.
    pub entry: story::Entry,
}

/// What the proposer of a command is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Reply {
    /// It was carried out.
    #[default]
    Done,
    /// An event that was committed before.
    Seen,
    /// An event whose forerunners are missing: nothing was changed, send from `last + 1` on.
    Gap { last: u64 },
    /// The same thing was changed meanwhile by somebody else: nothing was changed.
    Conflict { what: String },
    /// There is no such thing, or it belongs to another tenant.
    NotFound { what: String },
    /// Nothing was changed.
    Refused { why: String },
    /// The tenant is on its way to another group: nothing was changed, its home will take it in a moment.
    Moving { tenant: String },
    /// The rules failed on this command; nothing of it was kept.
    Dropped { why: String },
}

/// All that one command brought about, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects {
    /// To be carried out by the leader, in this order.
    pub actions: Vec<Effect>,
    /// Sorted, each once: their live picture or timers may have changed.
    pub touched: Vec<ObjectRef>,
    /// For the calls' stories, in order.
    pub story: Vec<StoryLine>,
    /// For the proposer.
    pub reply: Reply,
    /// Whether records were added for SQL.
    pub outbox: bool,
    /// Whether there is something to hand on to tenants' homes.
    pub kept: bool,
}

impl Effects {
    pub(crate) fn touch(&mut self, object: ObjectRef) {
        if let Err(place) = self.touched.binary_search(&object) {
            self.touched.insert(place, object);
        }
    }
}
