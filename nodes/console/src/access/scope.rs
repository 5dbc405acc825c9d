//! How much of a tenant one request may see, and the narrowing of live pictures to it.

use std::collections::{BTreeMap, BTreeSet};

use mangrove_proto::{
    id::{CallId, EmployeeId, GroupId},
    live::{Agent, Call, Live, Today},
    voicemail::Mailbox,
};

use super::{
    Person, Right,
    rights::{self, Reach, Role},
};

/// The agents in sight, each with the call that they are in.
pub(crate) type Agents = BTreeMap<EmployeeId, Option<CallId>>;

/// What is in sight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    /// All of the tenant; `own` is who looks, none where a machine does.
    Tenant { own: Option<EmployeeId> },
    /// All of the tenant, by supervising it: people's own boxes stay theirs.
    Everybody { own: EmployeeId },
    /// What concerns these groups and their agents, and oneself.
    Groups { groups: BTreeSet<GroupId>, own: EmployeeId },
    /// Oneself.
    Own(EmployeeId),
}

impl Scope {
    /// None: the person's roles don't include the right.
    pub(crate) fn of(person: &Person, right: Right) -> Option<Self> {
        let (reach, role) = rights::reach(&person.login.roles, right)?;
        let own = person.login.employee.clone();
        Some(match reach {
            Reach::Tenant => Self::Tenant { own: Some(own) },
            // A supervisor without a list supervises everything; a group's head only ever what is listed.
            Reach::Groups if role == Role::Supervisor && person.login.supervises.is_empty() => {
                Self::Everybody { own }
            }
            Reach::Groups => Self::Groups { groups: person.login.supervises.iter().cloned().collect(), own },
            Reach::Own => Self::Own(own),
        })
    }

    /// Whether no call, group or person of the tenant is out of sight.
    pub(crate) fn is_whole(&self) -> bool {
        matches!(self, Self::Tenant { .. } | Self::Everybody { .. })
    }

    /// Who looks; none where a machine does.
    pub(crate) fn own(&self) -> Option<&EmployeeId> {
        match self {
            Self::Tenant { own } => own.as_ref(),
            Self::Everybody { own } | Self::Groups { own, .. } | Self::Own(own) => Some(own),
        }
    }

    pub(crate) fn is_own(&self, employee: &EmployeeId) -> bool {
        self.own() == Some(employee)
    }

    pub(crate) fn sees_group(&self, group: &GroupId) -> bool {
        match self {
            Self::Tenant { .. } | Self::Everybody { .. } => true,
            Self::Groups { groups, .. } => groups.contains(group),
            Self::Own(_) => false,
        }
    }

    pub(crate) fn sees_agent(&self, agent: &Agent) -> bool {
        self.is_whole() || self.is_own(&agent.id) || agent.groups.iter().any(|group| self.sees_group(group))
    }

    /// A box is its owner's: what is left for an employee is heard by nobody who merely supervises them, and neither is what
    /// lies in a box that is nobody's any more.
    pub(crate) fn sees_box(&self, mailbox: &Mailbox) -> bool {
        matches!(self, Self::Tenant { .. })
            || mailbox.employee.as_ref().is_some_and(|employee| self.is_own(employee))
            || mailbox.group.as_ref().is_some_and(|group| self.sees_group(group))
    }

    /// `agents` are those in sight. A call names who is called; who calls is known by being in it.
    pub(crate) fn sees_call(&self, call: &Call, agents: &Agents) -> bool {
        self.reaches(call, agents, |_| true)
    }

    /// Whether who looks may hang up, and pause: who is only rung for a call sees it and has no say in it.
    pub(crate) fn commands_call(&self, call: &Call, agents: &Agents) -> bool {
        self.reaches(call, agents, |employee| !(self.is_own(employee) && call.ringing.contains(employee)))
    }

    /// By its group, or by somebody in sight who is in it and counts.
    fn reaches(&self, call: &Call, agents: &Agents, counts: impl Fn(&EmployeeId) -> bool) -> bool {
        let named =
            call.employee.iter().chain(&call.ringing).filter(|employee| agents.contains_key(*employee));
        let engaged = agents.iter().filter(|(_, engaged)| **engaged == Some(call.id));
        self.is_whole()
            || call.group.as_ref().is_some_and(|group| self.sees_group(group))
            || named.chain(engaged.map(|(employee, _)| employee)).any(counts)
    }

    /// Takes supervisors out of a call whom its employee is not shown, where this is that employee, or nobody who
    /// supervises others.
    pub(crate) fn hide_monitors(&self, call: &mut Call, agents: &Agents) {
        let Some(own) = self.own() else { return };
        let supervises = call.monitors.iter().any(|monitor| monitor.employee == *own);
        let talks = call.employee.as_ref() == Some(own) || agents.get(own) == Some(&Some(call.id));
        if !supervises && (talks || matches!(self, Self::Own(_))) {
            call.monitors.retain(|monitor| monitor.shown);
        }
    }

    /// Takes out of the picture what is not in sight. Returns the agents that are.
    pub(crate) fn narrow(&self, live: &mut Live) -> Agents {
        live.agents.retain(|agent| self.sees_agent(agent));
        let agents: Agents = live.agents.iter().map(|agent| (agent.id.clone(), agent.call)).collect();
        live.calls.retain(|call| self.sees_call(call, &agents));
        live.calls.iter_mut().for_each(|call| self.hide_monitors(call, &agents));
        if !self.is_whole() {
            live.queues.retain(|queue| self.sees_group(&queue.id));
            live.today = live.queues.iter().fold(Today::default(), |sum, queue| add(sum, queue.today));
        }
        agents
    }
}

fn add(sum: Today, more: Today) -> Today {
    Today {
        offered: sum.offered + more.offered,
        answered: sum.answered + more.answered,
        answered_in_time: sum.answered_in_time + more.answered_in_time,
        abandoned: sum.abandoned + more.abandoned,
        overflowed: sum.overflowed + more.overflowed,
        wait_ms: sum.wait_ms + more.wait_ms,
        talk_ms: sum.talk_ms + more.talk_ms,
    }
}
