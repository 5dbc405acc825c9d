//! A session leaves a node that is about to go, while both nodes live, so that a listener hears no gap. The new node is
//! asked first and only relays; the former one goes on as the call wants it, music and recording included, until every
//! far end has answered where it is to send from now on, or had [`PATIENCE_MS`] for it.
//!
//! ```text
//! begin ─▶ both asked ── Ready ─▶ far ends told ── all have answered ─▶ part: former closed, all at the new one
//!              └─ the new one refuses, or is lost ─▶ back at the former
//! ```

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::Arc,
};

use mangrove_proto::{
    id::LegId,
    media::{self, SetSession},
};
use serde::{Deserialize, Serialize};

use super::{Association, Session, keys, webrtc};
use crate::{
    call::{Call, media_event, party::Party, retell},
    conference,
    effect::Effect,
    line,
    scene::Scene,
    stamp::Stamp,
};

/// How long far ends have for their answer, once the new node is ready. Glare is over by then (RFC 3261 section 14.1).
const PATIENCE_MS: u64 = 5_000;

/// A session at the node that it leaves; kept when that is done, for its end is owed until the call ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Former {
    node: String,
    /// What was asked for last, there.
    asked: Arc<SetSession>,
    /// Our addresses there.
    addresses: BTreeMap<LegId, SocketAddr>,
    /// What else ties browsers to it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    associations: BTreeMap<LegId, Arc<Association>>,
    /// Whose far ends know only those.
    untold: BTreeSet<LegId>,
    /// What the new node says of this version or an older one is of an earlier stay.
    since: u64,
    /// When it ends at the latest; none while the new node is not ready.
    until: Option<u64>,
}

impl Former {
    fn is_open(&self) -> bool {
        !self.asked.close
    }

    fn port(&self, endpoint: &str) -> u32 {
        let address = endpoint.parse().ok().and_then(|leg: LegId| self.addresses.get(&leg));
        address.map_or(0, |address| u32::from(address.port()))
    }
}

impl Session {
    /// The node that it is about to leave.
    pub(crate) fn leaves(&self) -> Option<&str> {
        self.open_former().map(|former| former.node.as_str())
    }

    /// All nodes that were told to have it and not to end it: one, or two for a moment.
    pub(crate) fn open_at(&self) -> impl Iterator<Item = &str> {
        let here = (!self.is_closed()).then_some(self.node.as_str());
        here.into_iter().chain(self.leaves())
    }

    /// Whether it left this node last, or is about to.
    pub(crate) fn was_at(&self, node: &str) -> bool {
        self.former.as_deref().is_some_and(|former| former.node == node)
    }

    /// Whether the node said this before the session came to it.
    pub(crate) fn is_stale(&self, version: u64) -> bool {
        self.former.as_deref().is_some_and(|former| version <= former.since)
    }

    /// Whether the new node has not said yet that it can have the session.
    pub(crate) fn is_tried(&self) -> bool {
        self.open_former().is_some_and(|former| former.until.is_none())
    }

    /// Whether a party's address is that of the node which the session leaves.
    pub(crate) fn is_untold(&self, leg: LegId) -> bool {
        self.open_former().is_some_and(|former| former.untold.contains(&leg))
    }

    /// A party has its new address.
    pub(crate) fn told(&mut self, leg: LegId) {
        if self.is_untold(leg)
            && let Some(former) = &mut self.former
        {
            Arc::make_mut(former).untold.remove(&leg);
        }
    }

    /// When the node that it leaves is closed at the latest.
    pub(crate) fn due(&self) -> Option<u64> {
        self.open_former()?.until
    }

    fn open_former(&self) -> Option<&Former> {
        self.former.as_deref().filter(|former| former.is_open())
    }

    /// The newest that any node was asked for.
    fn newest(&self) -> u64 {
        self.former.as_deref().map_or(self.version, |former| former.asked.version.max(self.version))
    }
}

/// Leaves the node if that is about to go, and another one is there that is not; or for that of its conference, if it came to
/// that while it was on its way to another.
pub(crate) fn begin(call: &mut Call, scene: &mut Scene<'_>) {
    let media = &call.media;
    let stays = call.is_over() || media.is_closed() || media.leaves().is_some();
    if stays || !(scene.state.is_draining(&media.node) || conference::is_astray(call, scene)) {
        return;
    }
    let other = super::place(call, scene);
    let is_better = |other: &String| *other != call.media.node && !scene.state.is_draining(other);
    if let Some(other) = other.filter(is_better) {
        leave_for(call, other, scene);
    }
}

/// Leaves the node for this other one, unless it is about to leave it already.
pub(super) fn leave_for(call: &mut Call, other: String, scene: &mut Scene<'_>) {
    let asked = call.media.asked.clone().filter(|_| call.media.leaves().is_none());
    let Some(asked) = asked else { return };
    scene.tell(call, "media moves", format!("from {} to {other}", call.media.node));
    scene.state.count_session(&other, true);
    go(call, other, asked);
    let known: Vec<LegId> = call.parties.keys().copied().collect();
    retell::line_up(call, &known, scene);
}

fn go(call: &mut Call, to: String, asked: Arc<SetSession>) {
    let alive = call.parties.values().filter(|party| party.is_alive());
    let addresses: BTreeMap<_, _> =
        alive.clone().filter_map(|party| Some((party.id, party.address?))).collect();
    let associations = alive.filter_map(|party| Some((party.id, party.association.clone()?))).collect();
    let untold = addresses.keys().copied().collect();
    let since = call.media.newest();
    let node = std::mem::replace(&mut call.media.node, to);
    (call.media.asked, call.media.version) = (None, since);
    let former = Former { node, asked, addresses, associations, untold, since, until: None };
    call.media.former = Some(Arc::new(former));
}

/// The new node stands: the far ends have their time from now on, or from their turn.
pub(crate) fn ready(call: &mut Call, now: u64) {
    let turns = call.parties.values().filter_map(|party| party.told_at);
    let until = turns.fold(now, u64::max) + PATIENCE_MS;
    if call.media.is_tried()
        && let Some(former) = &mut call.media.former
    {
        Arc::make_mut(former).until = Some(until);
    }
}

/// The node that the session leaves has opened ports, and made keys, for parties that came meanwhile.
pub(crate) fn note_addresses(call: &mut Call, ready: &media::Ready) {
    if call.media.leaves().is_none() {
        return;
    }
    keys::take(call, ready);
    let Some(former) = call.media.former.as_mut().map(Arc::make_mut) else { return };
    for address in &ready.addresses {
        if let (Ok(leg), Ok(ours)) = (address.endpoint.parse::<LegId>(), address.address.parse()) {
            former.addresses.insert(leg, ours);
            if let Some(association) = Association::of(address) {
                let known = former.associations.get(&leg);
                if known.is_none_or(|known| known.credentials != association.credentials) {
                    former.associations.insert(leg, association.into());
                }
            }
        }
    }
}

/// Closes the former node's session once all far ends have answered, or had their time. Its recording goes on at the
/// new node.
pub(super) fn part(call: &mut Call, scene: &mut Scene<'_>) {
    if call.is_over() || !is_done(call, scene.now()) {
        return;
    }
    let session = call.id.to_string();
    let closed = SetSession { session, close: true, goes_on: true, ..SetSession::default() };
    forget_addresses(call);
    ask(call, closed, scene);
    call.media.version = call.media.newest();
    begin(call, scene);
}

fn is_done(call: &Call, now: u64) -> bool {
    let Some(former) = call.media.open_former() else { return false };
    let knows = |party: &Arc<Party>| {
        let waits = former.untold.contains(&party.id) || retell::is_retold(party);
        !party.is_alive() || !waits
    };
    former.until.is_some_and(|until| until <= now || call.parties.values().all(knows))
}

/// Who was not told of the new node has no address until it gives one.
fn forget_addresses(call: &mut Call) {
    let untold = call.media.open_former().map(|former| former.untold.clone());
    for leg in untold.into_iter().flatten() {
        if let Some(party) = call.party_mut(leg).filter(|party| party.is_alive()) {
            party.forget_address();
        }
    }
}

/// Keeps the session at the node that it leaves as the call wants it. True: that one plays and records, and if the call
/// is over ends the recording; the new one does neither.
pub(super) fn sync(call: &mut Call, wanted: &SetSession, scene: &mut Scene<'_>) -> bool {
    let is_left = call.media.leaves().is_some();
    if is_left {
        ask(call, wanted.clone(), scene);
    }
    is_left
}

/// Asks the former node for something, if it is not what was asked for before.
fn ask(call: &mut Call, mut wanted: SetSession, scene: &mut Scene<'_>) {
    let Some(former) = call.media.former.as_mut() else { return };
    wanted.version = former.asked.version;
    if *former.asked == wanted {
        return;
    }
    wanted.version += 1;
    if wanted.close {
        scene.state.count_session(&former.node, false);
    }
    Arc::make_mut(former).asked = wanted.into();
    scene.effects.actions.extend(self::former(call, scene.tenant.epoch, scene.stamp));
}

/// What the former node was asked for, once more.
pub(crate) fn former(call: &Call, epoch: u64, stamp: Stamp) -> Option<Effect> {
    let former = call.media.former.as_deref()?;
    let mut set = SetSession::clone(&former.asked);
    for endpoint in &mut set.endpoints {
        endpoint.port = former.port(&endpoint.id);
        let leg = endpoint.id.parse::<LegId>().ok();
        webrtc::fill(endpoint, leg.and_then(|leg| former.associations.get(&leg)).map(Arc::as_ref));
    }
    Some(super::command(call, &former.node, set, (epoch, stamp)))
}

/// A node is gone. False: nobody carries the call's sound any more.
pub(crate) fn lose(call: &mut Call, name: &str, scene: &mut Scene<'_>) -> bool {
    // What it had not made whole yet is whoever's that has the session next.
    call.earlier.iter_mut().filter(|former| former.node == name).for_each(|former| former.node.clear());
    forget(call, name);
    if call.is_over() || call.media.node != name {
        return true;
    }
    if come_back(call, scene) {
        begin(call, scene);
        return true;
    }
    super::move_away(call, scene)
}

/// Nothing is to be asked of the former node any more, if it is this one.
pub(super) fn forget(call: &mut Call, name: &str) {
    if call.media.was_at(name) {
        forget_addresses(call);
        call.media.version = call.media.newest();
        call.media.former = None;
    }
}

/// The new node can't have the session: it ends there, and goes on where it was all the time.
pub(crate) fn turn_back(call: &mut Call, scene: &mut Scene<'_>) {
    let (node, asked) = (call.media.node.clone(), call.media.asked.clone());
    let (Some(asked), true) = (asked, come_back(call, scene)) else { return };
    let (addresses, associations, untold) = (BTreeMap::new(), BTreeMap::new(), BTreeSet::new());
    let tried = Former { node, asked, addresses, associations, untold, since: 0, until: None };
    call.media.former = Some(Arc::new(tried));
    let session = call.id.to_string();
    ask(call, SetSession { session, close: true, ..SetSession::default() }, scene);
    call.media.version = call.media.newest();
}

/// Goes on at the node that it was about to leave; whoever was told of the new one is told again. False: there is none.
fn come_back(call: &mut Call, scene: &mut Scene<'_>) -> bool {
    let Some(former) = call.media.open_former().cloned() else { return false };
    call.media.version = call.media.newest();
    (call.media.node, call.media.asked, call.media.former) = (former.node, Some(former.asked), None);
    let astray =
        |party: &&Arc<Party>| party.is_alive() && party.address.as_ref() != former.addresses.get(&party.id);
    let astray = call.parties.values().filter(astray).map(|party| party.id).collect::<Vec<LegId>>();
    for leg in &astray {
        if let Some(party) = call.party_mut(*leg) {
            party.address = former.addresses.get(leg).copied();
            party.association = former.associations.get(leg).cloned();
        }
        let rings = call.party(*leg).is_some_and(|party| party.answered.is_none());
        if rings && call.knows_address(*leg) {
            line::reoffer(call, *leg, scene);
        }
    }
    retell::line_up(call, &astray, scene);
    retell::fire(call, scene);
    media_event::go_on(call, scene);
    true
}
