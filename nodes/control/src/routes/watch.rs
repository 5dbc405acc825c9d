//! One edge's stream. It is pulled: what happens while the edge does not read is joined, and nothing is queued but the
//! parts of the step that is being read.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use futures::{Stream, stream};
use mangrove_membership::Founding;
use mangrove_proto::{
    routes::{self, Load, RoutesUpdate, WatchRequest, routes_update::Content},
    service::Error,
};
use tokio::{
    sync::watch,
    time::{self, Instant, Interval, MissedTickBehavior},
};

use super::{load, step::Base};
use crate::control::Control;

/// How often the load is looked at.
const LOOK: Duration = Duration::from_millis(200);
/// How often it is told in any case.
const SIGN_OF_LIFE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Watcher {
    control: Control,
    changed: watch::Receiver<()>,
    look: Interval,
    bases: BTreeMap<u32, Base>,
    /// The load told last, and when.
    told: Option<(Load, Instant)>,
    ready: VecDeque<Content>,
}

impl Watcher {
    pub(super) fn new(control: Control, request: &WatchRequest) -> Result<Self, Error> {
        let directory = control.cluster().directory();
        let founding = directory.founding.as_ref().ok_or_else(|| Error::Unavailable {
            what: "the directory".into(),
            why: "this node knows of no cluster yet, try again in a moment".into(),
        })?;
        let mut look = time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            changed: control.table().watch(),
            look,
            bases: bases(founding.incarnation, request),
            told: None,
            ready: VecDeque::from([Content::Founding(founded(founding))]),
            control,
        })
    }

    /// Ends when control stops.
    pub(super) fn updates(self) -> impl Stream<Item = Result<RoutesUpdate, Error>> + Send {
        stream::unfold(self, async |mut watcher| {
            let content = watcher.next().await?;
            Some((Ok(RoutesUpdate { content: Some(content) }), watcher))
        })
    }

    async fn next(&mut self) -> Option<Content> {
        while !self.control.is_stopping() {
            self.prepare();
            if let Some(content) = self.ready.pop_front() {
                return Some(content);
            }
            tokio::select! {
                changed = self.changed.changed() => changed.ok()?,
                _ = self.look.tick() => {}
            }
        }
        None
    }

    /// Makes ready what there is to tell, one group at a time; the load when all editions are told.
    fn prepare(&mut self) {
        if !self.ready.is_empty() {
            return;
        }
        for (group, edition) in self.control.table().editions() {
            let base = self.bases.remove(&group).unwrap_or_default();
            let (steps, base) = base.step(group, &edition);
            self.bases.insert(group, base);
            if !steps.is_empty() {
                return self.ready.extend(steps.into_iter().map(Content::Step));
            }
        }
        let load = self.load().map(Content::Load);
        self.ready.extend(load);
    }

    fn load(&mut self) -> Option<Load> {
        let (now, load) = (Instant::now(), load::of(&self.control));
        let quiet = |(told, at): &(Load, Instant)| {
            !load::differs(told, &load) && now.duration_since(*at) < SIGN_OF_LIFE
        };
        if self.told.as_ref().is_some_and(quiet) {
            return None;
        }
        self.told = Some((load.clone(), now));
        Some(load)
    }
}

/// What the edge has of another incarnation says nothing of this one.
fn bases(incarnation: u64, request: &WatchRequest) -> BTreeMap<u32, Base> {
    let held = request.have.iter().filter(|_| request.incarnation == incarnation);
    held.map(|held| (held.group, Base::Index(held.index))).collect()
}

fn founded(founding: &Founding) -> routes::Founding {
    routes::Founding {
        incarnation: founding.incarnation,
        shard_groups: founding.shard_groups,
        nonce_key: founding.nonce_key.to_vec().into(),
    }
}
