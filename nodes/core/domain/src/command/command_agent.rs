//! An agent, or a supervisor for them, changes what they do. It never takes them out of a call: the choice counts
//! when the call is over. A phone that rings for a group stops ringing when its agent takes a break or leaves.

use mangrove_proto::id::{CallId, EmployeeId, TenantId};

use super::AgentWish;
use crate::{
    agent::{Agent, Chosen},
    call::{enqueue, offer, stage::Stage},
    cause::Cause,
    effect::{Effects, Reply},
    record::{Audit, AuditChange, Author, Record},
    scene::{self, Scene},
    stamp::Stamp,
    state::State,
};

pub(super) fn apply(
    state: &mut State,
    tenant: &TenantId,
    employee: &EmployeeId,
    wish: AgentWish,
    author: Author,
    stamp: Stamp,
    effects: &mut Effects,
) -> Reply {
    let change = AuditChange {
        object: format!("employee/{employee}"),
        action: "state".into(),
        before: String::new(),
        after: word(&wish),
    };
    let found = scene::play(state, tenant, stamp, effects, |scene| {
        let now = scene.now();
        let away = matches!(wish, AgentWish::Offline | AgentWish::Break(_));
        let ringing = scene.with_agent(employee, |agent| {
            choose(agent, wish, now);
            agent.engaged.filter(|engaged| away && engaged.ringing).map(|engaged| engaged.call)
        })?;
        if let Some(call) = ringing {
            take_back(call, employee, scene);
        }
        Some(())
    });
    if found.flatten().is_none() {
        return Reply::NotFound { what: format!("employee {employee}") };
    }
    state.outbox.add(Record::Audit(Audit {
        tenant: tenant.clone(),
        at: stamp.wall,
        author,
        version: 0,
        change,
    }));
    effects.outbox = true;
    Reply::Done
}

fn word(wish: &AgentWish) -> String {
    match wish {
        AgentWish::Available => "available".into(),
        AgentWish::Break(None) => "break".into(),
        AgentWish::Break(Some(reason)) => format!("break: {reason}"),
        AgentWish::Offline => "offline".into(),
        AgentWish::EndWrapUp => "wrap-up-end".into(),
    }
}

fn choose(agent: &mut Agent, wish: AgentWish, now: u64) {
    agent.wrap_up = None;
    agent.chosen = match wish {
        AgentWish::EndWrapUp => return,
        AgentWish::Available => {
            agent.pause = None;
            agent.misses = 0;
            if agent.chosen != Chosen::Available {
                agent.idle_since = now;
            }
            Chosen::Available
        }
        AgentWish::Break(reason) => Chosen::Break(reason),
        AgentWish::Offline => Chosen::Offline,
    };
}

/// The offer goes to somebody else; the caller keeps the place.
fn take_back(call: CallId, employee: &EmployeeId, scene: &mut Scene<'_>) {
    scene.with_call(call, |call, scene| {
        let theirs = call.offers.iter().position(|offer| offer.employee.as_ref() == Some(employee));
        if let (Stage::Waiting(_), Some(index)) = (&call.stage, theirs) {
            let taken = call.offers.remove(index);
            offer::withdraw(call, &taken, Cause::Withdrawn, scene);
            enqueue::offer_failed(call, scene);
        }
    });
}
