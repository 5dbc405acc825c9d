//! Sessions that media nodes hold though no call of ours has them there: a new leader ends them, and whoever leads when
//! a node is back that was lost, for the call may have moved on meanwhile.

use std::collections::BTreeMap;

use mangrove_domain::{Action, State, Tenant, call::Call};
use mangrove_membership::Fence;
use mangrove_proto::{
    common,
    id::{CallId, TenantId},
    media::{Holding, MediaCommand, SetSession},
    service::Error,
};
use tokio::{task::AbortHandle, time::sleep};

use super::Context;
use crate::machine::Current;

/// Who asks media nodes under one leadership: one task for each node, which ends with the leadership.
#[derive(Debug, Default)]
pub(super) struct Orphans {
    asking: BTreeMap<String, AbortHandle>,
}

impl Orphans {
    /// Ends what the node holds though nobody wants it there. Whoever asks it already stops: it may have begun again since.
    pub(super) fn end(&mut self, context: &Context, node: String, fence: Fence) {
        self.ask(node.clone(), end(context.clone(), node, fence));
    }

    fn ask(&mut self, node: String, task: impl Future<Output = ()> + Send + 'static) {
        let task = tokio::spawn(task).abort_handle();
        if let Some(before) = self.asking.insert(node, task) {
            before.abort();
        }
    }
}

impl Drop for Orphans {
    fn drop(&mut self) {
        self.asking.values().for_each(AbortHandle::abort);
    }
}

/// Asks a media node what it holds of the group, until it says so, and ends what nobody wants there. For as long as the
/// node is there.
async fn end(context: Context, node: String, fence: Fence) {
    while context.peers.is_media_node(&node) {
        match end_once(&context, &node, fence).await {
            Ok(true) => return,
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(group = context.group, node, %error, "orphaned sessions stay for now")
            }
        }
        sleep(context.retry).await;
    }
}

/// Judged by the state after the answer: a session of a call that came meanwhile is wanted. False: some have to stay for a
/// while, for far ends still send to them and are heard.
async fn end_once(
    Context { group, shared, peers, .. }: &Context,
    node: &str,
    fence: Fence,
) -> Result<bool, Error> {
    let mut is_done = true;
    for holding in peers.held(node, *group).await? {
        let Current { state, index, .. } = shared.get();
        if is_wanted(&state, node, &holding) {
            continue;
        }
        if call(&state, &holding).is_some_and(Call::is_retelling) {
            is_done = false;
            continue;
        }
        let fence = Fence { index: index.max(fence.index), ..fence };
        let action = Action::Media { node: node.to_owned(), command: close(&state, holding, fence) };
        peers.execute(*group, action).await?;
    }
    Ok(is_done)
}

/// Of a call that goes on at another node, the recording does, too.
fn close(state: &State, holding: Holding, fence: Fence) -> MediaCommand {
    let tenant = state.tenant(&TenantId::from(holding.tenant.as_str()));
    let goes_on = call(state, &holding).is_some();
    let set = SetSession {
        session: holding.session,
        version: holding.version + 1,
        close: true,
        goes_on,
        ..SetSession::default()
    };
    let fence = common::Fence {
        incarnation: fence.incarnation,
        tenant_epoch: tenant.map_or(0, Tenant::epoch),
        term: fence.term,
        index: fence.index,
    };
    MediaCommand { effect: 0, tenant: holding.tenant, fence: Some(fence), set: Some(set) }
}

/// Whether the call is told to be there, or was and tells the node itself that it is not.
fn is_wanted(state: &State, node: &str, holding: &Holding) -> bool {
    call(state, holding).is_some_and(|call| call.media.is_known_to(node))
}

fn call<'s>(state: &'s State, holding: &Holding) -> Option<&'s Call> {
    let tenant = state.tenant(&TenantId::from(holding.tenant.as_str()))?;
    tenant.call(holding.session.parse::<CallId>().ok()?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::tests::house::until;

    #[tokio::test]
    async fn a_node_that_does_not_answer_is_asked_by_one_task_and_by_none_after_the_leadership() {
        let (mut orphans, counted) = (Orphans::default(), Arc::new(()));
        for node in ["a", "b", "a", "a"] {
            let asks = counted.clone();
            orphans.ask(node.into(), async move {
                std::future::pending::<()>().await;
                drop(asks);
            });
        }
        let asking = || Arc::strong_count(&counted) - 1;
        until("one asks each node", || asking() == 2).await;
        drop(orphans);
        until("nobody asks", || asking() == 0).await;
    }
}
