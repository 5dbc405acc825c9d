//! Live events for pages: what an applied entry touched, as its new picture. Kept per tenant in a ring, so that a page
//! that lost its connection goes on from its last event; made only for tenants that somebody watches.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use mangrove_domain::{ObjectRef, view};
use mangrove_proto::{control::LiveEvent, id::TenantId};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::{machine::Current, shard::Moment};

/// Events kept for those who come back.
const KEPT: usize = 4096;
/// How long a tenant's events are made after its last watcher left.
const WARM: Duration = Duration::from_secs(120);
/// Numbers that one entry may use.
const PER_ENTRY: u64 = 1 << 14;
/// Numbers that one command of an entry may use.
const PER_COMMAND: u64 = 1 << 5;

/// Shared by shards and consoles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hub {
    tenants: Arc<Mutex<BTreeMap<TenantId, Channel>>>,
}

#[derive(Debug)]
struct Channel {
    ring: VecDeque<LiveEvent>,
    /// Events up to this number may be missing in the ring.
    complete_after: u64,
    live: broadcast::Sender<LiveEvent>,
    watched: Instant,
}

/// Events from a point on: first those kept, then those to come.
#[derive(Debug)]
pub(crate) struct Subscription {
    pub kept: Vec<LiveEvent>,
    pub live: broadcast::Receiver<LiveEvent>,
}

/// The number of the last event that a state at this log index includes.
pub(crate) fn last_event(index: u64) -> u64 {
    index.saturating_add(1).saturating_mul(PER_ENTRY) - 1
}

impl Hub {
    /// Makes the tenant's channel so that all events after `index` are in it.
    pub(crate) fn warm(&self, tenant: &TenantId, index: u64) {
        let mut tenants = self.tenants.lock();
        let channel = tenants.entry(tenant.clone()).or_insert_with(|| Channel::new(last_event(index)));
        channel.watched = Instant::now();
    }

    /// None when events after `after` are no longer kept: read the live picture again.
    pub(crate) fn subscribe(&self, tenant: &TenantId, after: u64) -> Option<Subscription> {
        let mut tenants = self.tenants.lock();
        let channel = tenants.get_mut(tenant)?;
        if after < channel.complete_after {
            return None;
        }
        channel.watched = Instant::now();
        let kept = channel.ring.iter().filter(|event| event.id > after).cloned().collect();
        Some(Subscription { kept, live: channel.live.subscribe() })
    }

    /// The objects that one command touched, as they are after its entry.
    pub(crate) fn publish(&self, current: &Current, moment: Moment, ordinal: u64, touched: &[ObjectRef]) {
        if touched.is_empty() {
            return;
        }
        let mut tenants = self.tenants.lock();
        if tenants.is_empty() {
            return;
        }
        tenants.retain(|_, channel| channel.live.receiver_count() > 0 || channel.watched.elapsed() < WARM);
        let first = moment.index * PER_ENTRY + (ordinal * PER_COMMAND).min(PER_ENTRY - PER_COMMAND);
        for (number, object) in touched.iter().take(PER_COMMAND as usize).enumerate() {
            if let Some(channel) = tenants.get_mut(object.tenant())
                && let Some(event) = picture(current, moment, object, first + number as u64)
            {
                channel.push(event);
            }
        }
    }

    /// The state was replaced: whoever watches must read it again.
    pub(crate) fn forget(&self) {
        self.tenants.lock().clear();
    }
}

impl Channel {
    fn new(complete_after: u64) -> Self {
        let (live, _) = broadcast::channel(1024);
        Self { ring: VecDeque::new(), complete_after, live, watched: Instant::now() }
    }

    fn push(&mut self, event: LiveEvent) {
        if self.ring.len() >= KEPT
            && let Some(dropped) = self.ring.pop_front()
        {
            self.complete_after = dropped.id;
        }
        self.ring.push_back(event.clone());
        // Nobody listening is no fault.
        let _ = self.live.send(event);
    }
}

fn picture(current: &Current, moment: Moment, object: &ObjectRef, id: u64) -> Option<LiveEvent> {
    let (kind, json) = describe(current, moment, object)?;
    Some(LiveEvent {
        id,
        tenant: object.tenant().to_string(),
        kind: kind.to_owned(),
        json: json.to_string().into(),
    })
}

/// The event's kind and JSON; an object that is no more says so.
fn describe(current: &Current, moment: Moment, object: &ObjectRef) -> Option<(&'static str, Value)> {
    let tenant = current.state.tenant(object.tenant())?;
    let (kind, id) = match object {
        ObjectRef::Tenant(_) => return Some(("config", json!({ "version": tenant.config().version }))),
        ObjectRef::Call(_, id) => ("call", id.to_string()),
        ObjectRef::Agent(_, id) => ("agent", id.to_string()),
        ObjectRef::Queue(_, id) => ("queue", id.to_string()),
    };
    let json = match view::object(tenant, object, moment.now, moment.wall) {
        Some(view::Object::Call(call)) => serde_json::to_value(call),
        Some(view::Object::Agent(agent)) => serde_json::to_value(agent),
        Some(view::Object::Queue(queue)) => serde_json::to_value(queue),
        None => Ok(json!({ "id": id, "gone": true })),
    };
    Some((kind, json.ok()?))
}
