//! Boxes and the messages in them, as pages and the HTTP API show them.

use serde::{Deserialize, Serialize};

use crate::id::{CallId, EmployeeId, GroupId};

/// A box, its newest message first. Owned by an employee or a group; by nobody where it is not configured any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mailbox {
    pub name: String,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub employee: Option<EmployeeId>,
    #[cfg_attr(feature = "openapi", schema(value_type = Option<String>))]
    pub group: Option<GroupId>,
    pub messages: Vec<Message>,
}

/// What one caller has left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(as = VoicemailMessage))]
pub struct Message {
    /// Names it within its box; rises with each.
    pub id: u64,
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub call: CallId,
    pub caller: String,
    /// When it was begun.
    pub at: u64,
    pub duration_ms: u64,
    /// Whether somebody has heard it.
    pub heard: bool,
    /// Whether its sound can be heard: before that it is on its way.
    pub stored: bool,
    /// Its recording's name.
    pub recording: String,
    /// Key in the object store.
    pub object: String,
    pub sha256: String,
}
