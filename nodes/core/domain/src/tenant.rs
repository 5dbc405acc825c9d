//! One tenant's whole state: its configuration, calls, people and queues. Every part is a persistent map, so a
//! clone costs nothing and `apply` works on one.

use std::sync::Arc;

use imbl::OrdMap;
use mangrove_proto::{
    id::{CallId, EmployeeId, GroupId, LegId},
    live::Today,
};
use serde::{Deserialize, Serialize};

use crate::{
    agent::Agent, call::Call, conference::Conference, config::TenantConfig, day::Daily, door::Door,
    mailbox::Messages, moving::Heard, queue::Queue,
};

/// A company's exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tenant {
    pub(crate) config: Arc<TenantConfig>,
    pub(crate) epoch: u64,
    pub(crate) calls: OrdMap<CallId, Arc<Call>>,
    pub(crate) agents: OrdMap<EmployeeId, Arc<Agent>>,
    pub(crate) queues: OrdMap<GroupId, Arc<Queue>>,
    /// Those in progress, by name.
    #[serde(default, skip_serializing_if = "OrdMap::is_empty")]
    pub(crate) conferences: OrdMap<Arc<str>, Arc<Conference>>,
    /// Where wrong PINs were typed of late, by conference.
    #[serde(default, skip_serializing_if = "OrdMap::is_empty")]
    pub(crate) doors: OrdMap<Arc<str>, Door>,
    /// Every leg of every call that is kept.
    pub(crate) legs: OrdMap<LegId, CallId>,
    /// INVITEs that made the calls that are kept: a second one is a duplicate.
    pub(crate) arrivals: OrdMap<Arc<str>, CallId>,
    /// Channels in use, by `number/…` and `trunk/…`.
    pub(crate) usage: OrdMap<String, Usage>,
    /// The last number given to a place in line or an offer.
    pub(crate) last_number: u64,
    pub(crate) today: Daily<Today>,
    /// What its clock shows more than its group's, milliseconds: it keeps its own wherever it goes.
    #[serde(default)]
    clock: i64,
    /// The last report that it was handed on from each group.
    #[serde(default)]
    pub(crate) heard: OrdMap<u32, Heard>,
    /// What callers have left, by box.
    #[serde(default, skip_serializing_if = "OrdMap::is_empty")]
    pub(crate) mailboxes: OrdMap<Arc<str>, Arc<Messages>>,
}

/// How much of a limit is used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Calls now.
    pub(crate) used: u32,
    /// The limit under which the last one was let in; it may have been lowered since.
    pub(crate) allowed: Option<u32>,
    /// The second that `begun` counts, in monotonic time.
    pub(crate) second: u64,
    /// Calls begun in that second.
    pub(crate) begun: u32,
    /// When a trunk takes the next change of a dialog that stands.
    #[serde(default, skip_serializing_if = "is_never")]
    pub(crate) next_change: u64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's way to ask")]
fn is_never(at: &u64) -> bool {
    *at == 0
}

impl Tenant {
    pub(crate) fn new(config: Arc<TenantConfig>, epoch: u64) -> Self {
        Self {
            config,
            epoch,
            calls: OrdMap::new(),
            agents: OrdMap::new(),
            queues: OrdMap::new(),
            conferences: OrdMap::new(),
            doors: OrdMap::new(),
            legs: OrdMap::new(),
            arrivals: OrdMap::new(),
            usage: OrdMap::new(),
            last_number: 0,
            today: Daily::default(),
            clock: 0,
            heard: OrdMap::new(),
            mailboxes: OrdMap::new(),
        }
    }

    /// How it is configured, changed passwords included.
    pub fn config(&self) -> &Arc<TenantConfig> {
        &self.config
    }

    /// Rises when the tenant moves between groups.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Its clock, when its group's shows `now`.
    pub fn now(&self, now: u64) -> u64 {
        now.saturating_add_signed(self.clock)
    }

    /// What its group's clock shows at an instant of its own.
    pub(crate) fn group_time(&self, at: u64) -> u64 {
        at.saturating_add_signed(self.clock.saturating_neg())
    }

    /// Sets its clock to `own` while its group's shows `now`.
    pub(crate) fn set_clock(&mut self, own: u64, now: u64) {
        self.clock = (i128::from(own) - i128::from(now)) as i64;
    }

    /// A call in progress, or one that ended moments ago.
    pub fn call(&self, call: CallId) -> Option<&Call> {
        self.calls.get(&call).map(Arc::as_ref)
    }

    /// Calls in progress and those that ended moments ago.
    pub fn calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.values().map(Arc::as_ref)
    }

    /// An employee's doings.
    pub fn agent(&self, employee: &EmployeeId) -> Option<&Agent> {
        self.agents.get(employee).map(Arc::as_ref)
    }

    /// All employees.
    pub fn agents(&self) -> impl Iterator<Item = &Agent> {
        self.agents.values().map(Arc::as_ref)
    }

    /// A group's line.
    pub fn queue(&self, group: &GroupId) -> Option<&Queue> {
        self.queues.get(group).map(Arc::as_ref)
    }

    /// All groups' lines.
    pub fn queues(&self) -> impl Iterator<Item = (&GroupId, &Queue)> {
        self.queues.iter().map(|(id, queue)| (id, queue.as_ref()))
    }

    /// A conference in progress.
    pub fn conference(&self, name: &str) -> Option<&Conference> {
        self.conferences.get(name).map(Arc::as_ref)
    }

    /// Calls that are not over.
    pub fn active_calls(&self) -> usize {
        self.calls().filter(|call| !call.is_over()).count()
    }

    /// Today's counts, all groups together.
    pub(crate) fn today(&self, wall: u64) -> Today {
        self.today.on(self.config.timezone.day(wall))
    }

    pub(crate) fn next_number(&mut self) -> u64 {
        self.last_number += 1;
        self.last_number
    }
}
