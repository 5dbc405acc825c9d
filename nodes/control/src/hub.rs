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

use crate::machine::Current;

/// Events kept for those who come back, and their bytes.
const KEPT: usize = 4096;
const BYTES: usize = 8 << 20;
/// How long a tenant's events are made after its last watcher left.
const WARM: Duration = Duration::from_secs(120);
/// Numbers that the pictures of one state may use.
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
    last: Option<u64>,
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

    /// Whether anybody may ask for events at all.
    pub(crate) fn is_watched(&self) -> bool {
        !self.tenants.lock().is_empty()
    }

    /// Objects that changed, each once, as they are now.
    pub(crate) fn publish(&self, current: &Current, touched: &BTreeSet<ObjectRef>) {
        let watched = self.watched();
        let seen = touched.iter().filter(|object| watched.contains(object.tenant()));
        let events: Vec<_> = people_first(seen).filter_map(|object| picture(current, object)).collect();
        let mut tenants = self.tenants.lock();
        for (tenant, event) in events {
            if let Some(channel) = tenants.get_mut(&tenant) {
                channel.push(current.index, event);
            }
        }
    }

    /// Tenants whose events somebody may ask for. Pictures are drawn without the lock.
    fn watched(&self) -> BTreeSet<TenantId> {
        let mut tenants = self.tenants.lock();
        tenants.retain(|_, channel| channel.live.receiver_count() > 0 || channel.watched.elapsed() < WARM);
        tenants.keys().cloned().collect()
    }

    /// The tenant is read from another group now, whose events have other numbers: whoever watches must read it again.
    pub(crate) fn forget_tenant(&self, tenant: &TenantId) {
        self.tenants.lock().remove(tenant);
    }

    /// The state was replaced: whoever watches must read it again.
    pub(crate) fn forget(&self) {
        self.tenants.lock().clear();
    }
}

impl Channel {
    fn new(complete_after: u64) -> Self {
        let (live, _) = broadcast::channel(1024);
        Self { ring: VecDeque::new(), bytes: 0, complete_after, last: None, live, watched: Instant::now() }
    }

    /// Numbers rise with the state's index; pictures drawn of one state get one after the other.
    fn push(&mut self, index: u64, mut event: LiveEvent) {
        event.id = self.last.map_or(0, |last| last + 1).max(index.saturating_mul(PER_ENTRY));
        self.last = Some(event.id);
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

/// Calls come last: who may see a call may follow from who is in it.
fn people_first<'a>(objects: impl Iterator<Item = &'a ObjectRef>) -> impl Iterator<Item = &'a ObjectRef> {
    let (calls, others): (Vec<_>, Vec<_>) = objects.partition(|object| matches!(object, ObjectRef::Call(..)));
    others.into_iter().chain(calls)
}

/// Not numbered yet.
fn picture(current: &Current, object: &ObjectRef) -> Option<(TenantId, LiveEvent)> {
    let (kind, json) = describe(current, object)?;
    let tenant = object.tenant();
    let event =
        LiveEvent { id: 0, tenant: tenant.to_string(), kind: kind.to_owned(), json: json.to_string().into() };
    Some((tenant.clone(), event))
}

/// The event's kind and JSON; an object that is no more says so.
fn describe(current: &Current, object: &ObjectRef) -> Option<(&'static str, Value)> {
    let tenant = current.state.tenant(object.tenant())?;
    let (kind, id) = match object {
        ObjectRef::Tenant(_) => return Some(("config", json!({ "version": tenant.config().version }))),
        ObjectRef::Call(_, id) => ("call", id.to_string()),
        ObjectRef::Agent(_, id) => ("agent", id.to_string()),
        ObjectRef::Queue(_, id) => ("queue", id.to_string()),
    };
    let json = match view::object(tenant, object, current.now, current.wall) {
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

    fn event(bytes: usize) -> LiveEvent {
        LiveEvent { id: 0, tenant: "acme".into(), kind: "queue".into(), json: vec![0; bytes].into() }
    }

    #[test]
    fn numbers_rise_whatever_the_state_they_were_drawn_of() {
        let mut channel = Channel::new(last_event(6));
        for index in [7, 7, 9, 9] {
            channel.push(index, event(1));
        }
        let numbers: Vec<_> = channel.ring.iter().map(|event| event.id).collect();
        let first = |index: u64| index * PER_ENTRY;
        assert_eq!(numbers, [first(7), first(7) + 1, first(9), first(9) + 1]);
        assert!(first(7) > last_event(6) && first(9) + 1 < last_event(9));
    }

    #[test]
    fn a_call_is_told_after_those_who_are_in_it() {
        let acme = TenantId::from("acme");
        let call = ObjectRef::Call(acme.clone(), mangrove_proto::id::CallId(1));
        let agent = ObjectRef::Agent(acme, "anna".into());
        assert_eq!(people_first([&call, &agent].into_iter()).collect::<Vec<_>>(), [&agent, &call]);
    }

    #[test]
    fn a_ring_is_bounded_by_bytes_and_says_what_it_lost() {
        let hub = Hub::default();
        let acme = TenantId::from("acme");
        hub.warm(&acme, || 0);
        for _ in 1..=20 {
            hub.tenants.lock().get_mut(&acme).expect("warm").push(1, event(1 << 20));
        }
        assert!(hub.subscribe(&acme, PER_ENTRY + 10).is_none(), "event 11 is gone");
        let kept = hub.subscribe(&acme, PER_ENTRY + 11).expect("all after 11 are there").kept;
        assert_eq!(
            kept.iter().map(|event| event.id - PER_ENTRY).collect::<Vec<_>>(),
            (12..20).collect::<Vec<_>>()
        );
    }
}
