//! Boxes in which callers leave messages.

use std::sync::Arc;

use mangrove_proto::id::{EmployeeId, GroupId};
use serde::{Deserialize, Serialize};

/// A box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mailbox {
    pub name: Arc<str>,
    pub owner: Owner,
    /// `prompt/<greeting>` before the tone; absent: the tone alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greeting: Option<Arc<str>>,
    /// How long a message may be, milliseconds.
    pub longest_ms: u64,
    /// Where each message is sent, with its sound; absent: nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Arc<str>>,
}

/// Whose a box is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// They hear it, their phones show that there is something new, and what is not answered at their extension goes there.
    Employee(EmployeeId),
    /// Whoever supervises it hears it.
    Group(GroupId),
}

impl Owner {
    /// Whether it is this employee.
    pub fn is_employee(&self, employee: &EmployeeId) -> bool {
        matches!(self, Self::Employee(own) if own == employee)
    }
}
