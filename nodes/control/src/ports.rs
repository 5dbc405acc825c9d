//! Before this node's groups go on after a start: the sessions of all their calls are opened again, so that their ports
//! are taken before a new call of any group can be given one of them.

use std::{collections::BTreeMap, time::Duration};

use mangrove_domain::{Action, ObjectRef};
use mangrove_membership::Fence;
use tokio::time::{Instant, sleep};

use crate::{machine::Current, owed, peers::Peers};

/// How long media nodes may take: a session that they refuse never comes.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two questions whether they have them.
const LOOK: Duration = Duration::from_millis(5);

/// A group led here, as it stands.
#[derive(Debug)]
pub(crate) struct Led {
    pub group: u32,
    pub current: Current,
    pub fence: Fence,
}

/// Where a session is wanted, of which call, in which version.
type Wanted = BTreeMap<(String, String), u64>;

/// Sends the owed sessions of all groups, and returns once the media nodes hold them.
pub(crate) async fn take(led: &[Led], peers: &Peers) {
    let deadline = Instant::now() + PATIENCE;
    let mut all = Vec::new();
    for led in led {
        all.push((led.group, send(led, peers).await));
    }
    for (group, mut wanted) in all {
        while missing(group, &mut wanted, peers).await > 0 {
            if Instant::now() >= deadline {
                tracing::error!(
                    group,
                    sessions = wanted.len(),
                    "calls whose ports could not be taken again in time"
                );
                break;
            }
            sleep(LOOK).await;
        }
    }
}

async fn send(led: &Led, peers: &Peers) -> Wanted {
    let mut wanted = Wanted::new();
    for object in led.current.state.objects().filter(|object| matches!(object, ObjectRef::Call(..))) {
        for action in owed::of(&led.current, &object, led.fence, led.current.now) {
            let Action::Media { node, command } = &action else { continue };
            if let Some(set) = command.set.as_ref().filter(|set| !set.close) {
                wanted.insert((node.clone(), set.session.clone()), set.version);
            }
            if let Err(error) = peers.execute(led.group, action).await {
                tracing::warn!(?object, %error, "session not opened again, it stays owed");
            }
        }
    }
    wanted
}

/// How many sessions are not there yet; those that are leave `wanted`.
async fn missing(group: u32, wanted: &mut Wanted, peers: &Peers) -> usize {
    if wanted.is_empty() {
        return 0;
    }
    for (node, holding) in peers.holdings(group).await {
        let key = (node, holding.session);
        if wanted.get(&key).is_some_and(|version| *version <= holding.version) {
            wanted.remove(&key);
        }
    }
    wanted.len()
}
