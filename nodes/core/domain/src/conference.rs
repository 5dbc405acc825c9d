//! Conferences in progress: which calls are of one, whose media node it is, and whether it is locked. What one call does in
//! it, and on its way there, is that call's ([`crate::call::confer`]). A conference is there from the first call that may
//! come to it until the last one has left; the next one of that name is a new one, and open.

use std::{collections::BTreeSet, sync::Arc};

use mangrove_proto::{id::CallId, live::EndedBy};
use serde::{Deserialize, Serialize};

use crate::{
    call::{Call, confer, end, plan::Plan},
    cause::Cause,
    config::Step,
    effect::ObjectRef,
    rules,
    scene::Scene,
};

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Conference {
    /// Where the sessions of all its calls are, or are on their way to.
    pub(crate) node: String,
    /// Nobody comes in any more but moderators.
    pub locked: bool,
    /// Somebody has ended it: nobody stays when the command is through.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) ended: bool,
    /// Whose sessions name it: they are in it, or on their way in.
    pub calls: BTreeSet<CallId>,
}

/// The conference that a call's steps lead to before anything else that needs another's voice: its session is opened where
/// that is.
pub(crate) fn ahead(call: &Call, scene: &Scene<'_>) -> Option<Arc<str>> {
    let Plan::Steps { steps, next, .. } = &call.plan else { return None };
    let is_told = |step: &&Step| matches!(step, Step::Play { .. } | Step::Say { .. });
    match steps.iter().skip(*next).find(|step| !is_told(step))? {
        Step::Conference { name } if rules::confers(scene.state.rules()) => {
            scene.tenant.config.conferences.get(name).map(|conference| conference.name.clone())
        }
        _ => None,
    }
}

/// The media node for the conference's next session. None: there is no media node at all.
pub(crate) fn place(name: &str, scene: &mut Scene<'_>) -> Option<String> {
    let other = scene.state.least_loaded_media()?;
    let present = scene.tenant.conferences.get(name).map(|conference| conference.node.clone());
    if let Some(present) = present.filter(|node| stays(node, &other, scene)) {
        return Some(present);
    }
    let name: Arc<str> = name.into();
    let conference = scene.tenant.conferences.entry(name.clone()).or_default();
    Arc::make_mut(conference).node.clone_from(&other);
    scene.convened.insert(name);
    Some(other)
}

/// Whether sessions are opened at this node although there is `other`.
fn stays(node: &str, other: &str, scene: &Scene<'_>) -> bool {
    let is_there = scene.state.nodes.get(node).is_some_and(|node| node.info.media);
    is_there && (!scene.state.is_draining(node) || scene.state.is_draining(other))
}

/// Whether the call's session is elsewhere than the others of its conference.
pub(crate) fn is_astray(call: &Call, scene: &Scene<'_>) -> bool {
    let present = scene.tenant.conferences.get(call.media.conference.as_str());
    present.is_some_and(|conference| conference.node != call.media.node)
}

/// Keeps the list of a conference's calls: what a call's session names is what holds.
pub(crate) fn follow(call: &Call, scene: &mut Scene<'_>) {
    let named = Some(call.media.conference.as_str()).filter(|name| !name.is_empty() && !call.is_over());
    let lists = |(_, known): &(&Arc<str>, &Arc<Conference>)| known.calls.contains(&call.id);
    let known = scene.tenant.conferences.iter().find(lists).map(|(name, _)| name.clone());
    if known.as_deref() == named {
        return;
    }
    if let Some(known) = known {
        if let Some(conference) = scene.tenant.conferences.get_mut(&known) {
            Arc::make_mut(conference).calls.remove(&call.id);
        }
        scene.convened.insert(known);
    }
    if let Some(named) = named {
        let name: Arc<str> = named.into();
        let conference = scene.tenant.conferences.entry(name.clone()).or_default();
        Arc::make_mut(conference).calls.insert(call.id);
        scene.convened.insert(name);
    }
}

/// What follows, after a command, for all others of the conferences that it touched.
pub(crate) fn settle(scene: &mut Scene<'_>) {
    while let Some(name) = scene.convened.pop_first() {
        let Some(conference) = scene.tenant.conferences.get(&name).cloned() else { continue };
        if conference.calls.is_empty() {
            scene.tenant.conferences.remove(&name);
        } else if conference.ended {
            for call in &conference.calls {
                scene.with_call(*call, |call, scene| {
                    end::end(call, Cause::EndedByOperator, EndedBy::System, scene);
                });
            }
        } else {
            confer::let_in(&name, &conference.calls, scene);
        }
    }
}

/// Locks it, or opens it again; all its calls show that.
pub(crate) fn lock(name: &str, locked: bool, scene: &mut Scene<'_>) {
    let Some(conference) = scene.tenant.conferences.get_mut(name) else { return };
    let conference = Arc::make_mut(conference);
    conference.locked = locked;
    let tenant = scene.tenant.config.id.clone();
    let calls = conference.calls.clone();
    calls.into_iter().for_each(|call| scene.effects.touch(ObjectRef::Call(tenant.clone(), call)));
}

/// Ends it when the command is through.
pub(crate) fn close(name: &str, scene: &mut Scene<'_>) {
    if let Some(conference) = scene.tenant.conferences.get_mut(name) {
        Arc::make_mut(conference).ended = true;
        scene.convened.insert(name.into());
    }
}
