//! The one table of what each role may do, and how far its sight reaches.

use std::fmt;

/// What a request needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    /// Follow live events.
    Follow,
    /// See the live picture of others.
    Watch,
    /// Change an agent's state.
    SetState,
    /// End a live call, or transfer it.
    HangUp,
    /// Begin, pause and end a live call's recording, as its rules allow.
    Record,
    /// Listen to live calls, and be heard in them.
    Monitor,
    /// Mute and remove people in conferences, lock and end those.
    Conduct,
    /// Read records of past calls.
    ReadCalls,
    /// Hear recordings.
    Listen,
    /// Hear messages in boxes, and delete them.
    HearMessages,
    /// Hold recordings, release and delete them.
    KeepRecordings,
    /// Read a call's story.
    Explain,
    /// Read and change the tenant's configuration.
    Configure,
    /// Read who changed what.
    ReadAudit,
    /// See a demo's nodes, kill them and start them again.
    Demonstrate,
    /// Run the machines: all tenants, the node's status. The administrator's token only.
    Operate,
}

/// A role, as the tenant's file names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    Employee,
    Agent,
    GroupHead,
    Supervisor,
    Marketer,
    Accountant,
    Administrator,
    Owner,
}

/// How far a right reaches; the later, the further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// What is one's own.
    Own,
    /// The groups that one supervises.
    Groups,
    /// The whole tenant.
    Tenant,
}

use Reach::{Groups, Own, Tenant};
use Role::{Accountant, Administrator, Agent, Employee, GroupHead, Marketer, Owner, Supervisor};

const TABLE: &[(Right, &[(Role, Reach)])] = &[
    (
        Right::Follow,
        &[
            (Employee, Own),
            (Agent, Own),
            (GroupHead, Groups),
            (Supervisor, Groups),
            (Administrator, Tenant),
            (Owner, Tenant),
        ],
    ),
    (Right::Watch, &[(GroupHead, Groups), (Supervisor, Groups), (Administrator, Tenant), (Owner, Tenant)]),
    (
        Right::SetState,
        &[
            (Employee, Own),
            (Agent, Own),
            (GroupHead, Groups),
            (Supervisor, Groups),
            (Administrator, Tenant),
            (Owner, Tenant),
        ],
    ),
    (
        Right::HangUp,
        &[
            (Employee, Own),
            (Agent, Own),
            (GroupHead, Groups),
            (Supervisor, Groups),
            (Administrator, Tenant),
            (Owner, Tenant),
        ],
    ),
    (
        Right::Record,
        &[
            (Employee, Own),
            (Agent, Own),
            (GroupHead, Groups),
            (Supervisor, Groups),
            (Administrator, Tenant),
            (Owner, Tenant),
        ],
    ),
    (Right::Monitor, &[(GroupHead, Groups), (Supervisor, Groups), (Administrator, Tenant), (Owner, Tenant)]),
    (Right::Conduct, &[(GroupHead, Groups), (Supervisor, Groups), (Administrator, Tenant), (Owner, Tenant)]),
    (
        Right::ReadCalls,
        &[
            (Employee, Own),
            (Agent, Own),
            (GroupHead, Groups),
            (Supervisor, Groups),
            (Marketer, Tenant),
            (Accountant, Tenant),
            (Administrator, Tenant),
            (Owner, Tenant),
        ],
    ),
    (Right::Listen, &[(GroupHead, Groups), (Supervisor, Groups), (Administrator, Tenant), (Owner, Tenant)]),
    (
        Right::HearMessages,
        &[
            (Employee, Own),
            (Agent, Own),
            (GroupHead, Groups),
            (Supervisor, Groups),
            (Administrator, Tenant),
            (Owner, Tenant),
        ],
    ),
    (Right::KeepRecordings, &[(Administrator, Tenant), (Owner, Tenant)]),
    (Right::Explain, &[(GroupHead, Groups), (Supervisor, Groups), (Administrator, Tenant), (Owner, Tenant)]),
    (Right::Configure, &[(Administrator, Tenant), (Owner, Tenant)]),
    (Right::ReadAudit, &[(Administrator, Tenant), (Owner, Tenant)]),
    (Right::Demonstrate, &[(Supervisor, Groups), (Administrator, Tenant), (Owner, Tenant)]),
    (Right::Operate, &[]),
];

impl Role {
    pub(crate) const ALL: [Self; 8] =
        [Employee, Agent, GroupHead, Supervisor, Marketer, Accountant, Administrator, Owner];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Employee => "employee",
            Agent => "agent",
            GroupHead => "group-head",
            Supervisor => "supervisor",
            Marketer => "marketer",
            Accountant => "accountant",
            Administrator => "administrator",
            Owner => "owner",
        }
    }

    /// Unknown names give nothing.
    pub(crate) fn read(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Follow => "follow",
            Self::Watch => "watch",
            Self::SetState => "set-state",
            Self::HangUp => "hang-up",
            Self::Record => "record",
            Self::Monitor => "monitor",
            Self::Conduct => "conduct",
            Self::ReadCalls => "read-calls",
            Self::Listen => "listen",
            Self::HearMessages => "hear-messages",
            Self::KeepRecordings => "keep-recordings",
            Self::Explain => "explain",
            Self::Configure => "configure",
            Self::ReadAudit => "read-audit",
            Self::Demonstrate => "demonstrate",
            Self::Operate => "operate",
        })
    }
}

/// The furthest reach that any of the roles gives, with the role that gives it.
pub(crate) fn reach(roles: &[String], right: Right) -> Option<(Reach, Role)> {
    let (_, grants) = TABLE.iter().find(|(listed, _)| *listed == right)?;
    let held = roles.iter().filter_map(|name| Role::read(name));
    let reaches = held.filter_map(|role| grants.iter().find(|(granted, _)| *granted == role));
    reaches.map(|(role, reach)| (*reach, *role)).max()
}

/// All rights of these roles, for pages that show only what works: what a demo adds works in a demo only.
pub(crate) fn rights_of(roles: &[String], is_demo: bool) -> Vec<String> {
    TABLE
        .iter()
        .filter(|(right, _)| is_demo || *right != Right::Demonstrate)
        .filter(|(right, _)| reach(roles, *right).is_some())
        .map(|(right, _)| right.to_string())
        .collect()
}
