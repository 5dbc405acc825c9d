//! Live events for pages: what an applied entry touched, as its new picture. Kept per tenant in a ring, so that a page
//! that lost its connection goes on from its last event; made only for tenants that somebody watches.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use mangrove_domain::{ObjectRef, view};
use mangrove_proto::{control::LiveEvent, id::TenantId};
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::broadcast;

use crate::{machine::Current, shard::Moment};

/// Events kept for those who come back, and their bytes.
const KEPT: usize = 4096;
const BYTES: usize = 8 << 20;
/// How long a tenant's events are made after its last watcher left.
const WARM: Duration = Duration::from_secs(120);
/// Numbers that one entry may use.
const PER_ENTRY: u64 = 1 << 14;

/// Shared by shards and consoles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hub {
    tenants: Arc<Mutex<BTreeMap<TenantId, Channel>>>,
}

#[derive(Debug)]
struct Channel {
    ring: VecDeque<LiveEvent>,
    bytes: usize,
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
    /// Makes the tenant's channel so that all events after `index` are in it. The index is asked for when nothing can
    /// be published meanwhile.
    pub(crate) fn warm(&self, tenant: &TenantId, index: impl FnOnce() -> u64) {
        let mut tenants = self.tenants.lock();
        let channel = tenants.entry(tenant.clone()).or_insert_with(|| Channel::new(last_event(index())));
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

    /// The objects that one entry touched, each once, as they are after it.
    pub(crate) fn publish(&self, current: &Current, moment: Moment, touched: &BTreeSet<ObjectRef>) {
        let watched = self.watched();
        if watched.is_empty() {
            return;
        }
        let numbered = (moment.index * PER_ENTRY..(moment.index + 1) * PER_ENTRY).zip(touched);
        let seen = numbered.filter(|(_, object)| watched.contains(object.tenant()));
        let events: Vec<_> = seen
            .filter_map(|(number, object)| Some((object.tenant(), picture(current, moment, object, number)?)))
            .collect();
        let mut tenants = self.tenants.lock();
        for (tenant, event) in events {
            if let Some(channel) = tenants.get_mut(tenant) {
                channel.push(event);
            }
        }
    }

    /// Tenants whose events somebody may ask for. Pictures are drawn without the lock.
    fn watched(&self) -> BTreeSet<TenantId> {
        let mut tenants = self.tenants.lock();
        tenants.retain(|_, channel| channel.live.receiver_count() > 0 || channel.watched.elapsed() < WARM);
        tenants.keys().cloned().collect()
    }

    /// The state was replaced: whoever watches must read it again.
    pub(crate) fn forget(&self) {
        self.tenants.lock().clear();
    }
}

impl Channel {
    fn new(complete_after: u64) -> Self {
        let (live, _) = broadcast::channel(1024);
        Self { ring: VecDeque::new(), bytes: 0, complete_after, live, watched: Instant::now() }
    }

    fn push(&mut self, event: LiveEvent) {
        self.bytes += event.json.len();
        self.ring.push_back(event.clone());
        while self.ring.len() > KEPT || self.bytes > BYTES {
            let Some(dropped) = self.ring.pop_front() else { break };
            self.bytes -= dropped.json.len();
            self.complete_after = dropped.id;
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_bounded_by_bytes_and_says_what_it_lost() {
        let hub = Hub::default();
        let acme = TenantId::from("acme");
        hub.warm(&acme, || 0);
        let event = |id| LiveEvent { id, json: vec![0; 1 << 20].into(), ..LiveEvent::default() };
        for id in 1..=20 {
            let mut tenants = hub.tenants.lock();
            tenants.get_mut(&acme).expect("warm").push(event(PER_ENTRY + id));
        }
        assert!(hub.subscribe(&acme, PER_ENTRY + 11).is_none(), "event 12 is gone");
        let kept = hub.subscribe(&acme, PER_ENTRY + 12).expect("all after 12 are there").kept;
        assert_eq!(
            kept.iter().map(|event| event.id - PER_ENTRY).collect::<Vec<_>>(),
            (13..=20).collect::<Vec<_>>()
        );
    }
}
