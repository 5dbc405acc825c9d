//! All phones and callers: what they do when something is sent to them, and on their own.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use mangrove_sip::Message;

use super::far_end::{self, FarEnd, Life};
use super::{Outside, edge};

/// Between repetitions of what was not answered, and how long they go on.
pub(super) const REPEAT: u64 = 1_000;
pub(super) const REPEATS: u32 = 16;

/// Every dialog there was.
#[derive(Debug, Default)]
pub(crate) struct Phones {
    pub(crate) ends: Vec<FarEnd>,
    by_call: BTreeMap<String, usize>,
    /// Calls that were cancelled before they came.
    gone: BTreeSet<String>,
    /// Extensions whose registration was confirmed.
    pub(crate) registered: BTreeSet<String>,
}

impl Phones {
    /// Whether nobody calls, rings or talks.
    pub(crate) fn are_quiet(&self) -> bool {
        self.ends.iter().all(|end| end.life == Life::Over)
    }

    pub(super) fn add(&mut self, end: FarEnd) -> usize {
        self.by_call.insert(end.call_id().to_owned(), self.ends.len());
        self.ends.push(end);
        self.ends.len() - 1
    }
}

/// A message in a word.
pub(crate) fn word(message: &Message) -> String {
    let of = message.call_id().unwrap_or_default();
    match message.status() {
        Some(status) => format!("{status} {} ({of})", message.method()),
        None => format!("{} ({of})", message.method()),
    }
}

/// Something was sent to a phone or a caller.
pub(crate) fn hear(outside: &mut Outside, edge: usize, leg: &str, message: &Message) {
    let call_id = message.call_id().unwrap_or_default();
    let Some(index) = outside.phones.by_call.get(call_id).copied() else {
        return hear_new(outside, edge, leg, message);
    };
    let end = &mut outside.phones.ends[index];
    end.edge = edge;
    if end.leg.is_empty() {
        end.leg = leg.into();
    }
    end.hear(message);
    match message.status() {
        Some(status) => hear_response(outside, index, message, status),
        None => hear_request(outside, index, message),
    }
}

fn hear_new(outside: &mut Outside, edge: usize, leg: &str, message: &Message) {
    let method = message.method();
    match (message.status(), method.as_str()) {
        (None, "INVITE") => ring(outside, edge, leg, message.clone()),
        (None, "ACK") => {}
        (None, other) => {
            if other == "CANCEL" {
                outside.phones.gone.insert(message.call_id().unwrap_or_default().into());
            }
            edge::receive(outside, edge, leg, far_end::unknown(message), "10.0.3.1:5060", None);
        }
        (Some(200), "REGISTER") => {
            let who = message.call_id().and_then(|id| id.strip_prefix("register-"));
            outside.phones.registered.extend(who.map(str::to_owned));
        }
        (Some(_), _) => {}
    }
}

fn ring(outside: &mut Outside, edge: usize, leg: &str, invite: Message) {
    let gone = invite.call_id().is_some_and(|id| outside.phones.gone.contains(id));
    let serial = outside.phones.ends.len();
    let index = outside.phones.add(FarEnd::called(invite, edge, leg, serial));
    if gone {
        return refuse(outside, index, 487);
    }
    respond(outside, index, 180);
    match outside.between(0, 99) {
        0..84 => {
            let rings = outside.between(300, 3_000);
            outside.after(rings, move |outside| pick_up(outside, index));
        }
        84..92 => {
            let rings = outside.between(200, 1_000);
            outside.after(rings, move |outside| refuse(outside, index, 486));
        }
        // Nobody is there.
        _ => {}
    }
}

fn pick_up(outside: &mut Outside, index: usize) {
    if outside.phones.ends[index].life != Life::Early {
        return;
    }
    outside.phones.ends[index].life = Life::Up;
    respond(outside, index, 200);
    repeat_answer(outside, index, REPEATS);
    if outside.percent(50) {
        let talks = outside.between(500, 6_000);
        outside.after(talks, move |outside| hang_up(outside, index));
    }
}

/// Until it is acknowledged.
fn repeat_answer(outside: &mut Outside, index: usize, left: u32) {
    outside.after(REPEAT, move |outside| {
        let end = &mut outside.phones.ends[index];
        if end.life != Life::Up || end.heard_of {
            return;
        }
        if left == 0 {
            // RFC 3261 13.3.1.4: a phone that gets no ACK hangs up.
            return hang_up(outside, index);
        }
        let bytes = end.said.clone();
        send(outside, index, bytes);
        repeat_answer(outside, index, left - 1);
    });
}

fn refuse(outside: &mut Outside, index: usize, status: u16) {
    if outside.phones.ends[index].life == Life::Early {
        outside.phones.ends[index].life = Life::Over;
        respond(outside, index, status);
    }
}

fn respond(outside: &mut Outside, index: usize, status: u16) {
    let bytes = outside.phones.ends[index].answer(status);
    send(outside, index, bytes);
}

/// Inside the dialog.
fn send(outside: &mut Outside, index: usize, bytes: Vec<u8>) {
    let end = &outside.phones.ends[index];
    let (edge, leg, address) = (end.edge, end.leg.clone(), end.address.clone());
    edge::receive(outside, edge, &leg, bytes, &address, None);
}

/// Outside of any dialog.
pub(super) fn send_new(outside: &mut Outside, index: usize, bytes: Vec<u8>) {
    let end = &outside.phones.ends[index];
    let (edge, address) = (end.edge, end.address.clone());
    edge::receive(outside, edge, "", bytes, &address, Some(far_end::carrier()));
}

/// Ends the dialog, however far it is.
pub(super) fn hang_up(outside: &mut Outside, index: usize) {
    let end = &mut outside.phones.ends[index];
    match end.life {
        Life::Early if end.calls => {
            end.life = Life::Leaving;
            let cancel = end.cancel();
            send_new(outside, index, cancel.clone());
            repeat_leaving(outside, index, (cancel, true), REPEATS);
        }
        Life::Up => leave(outside, index),
        Life::Early | Life::Leaving | Life::Over => {}
    }
}

fn leave(outside: &mut Outside, index: usize) {
    let end = &mut outside.phones.ends[index];
    end.life = Life::Leaving;
    let bye = end.request("BYE");
    send(outside, index, bye.clone());
    repeat_leaving(outside, index, (bye, false), REPEATS);
}

/// Until it is answered; then, or when nobody answers at all, the phone is done.
fn repeat_leaving(outside: &mut Outside, index: usize, (bytes, new): (Vec<u8>, bool), left: u32) {
    outside.after(2 * REPEAT, move |outside| {
        let end = &mut outside.phones.ends[index];
        if end.life != Life::Leaving {
            return;
        }
        if left == 0 {
            end.life = Life::Over;
            return;
        }
        if new {
            send_new(outside, index, bytes.clone());
        } else {
            send(outside, index, bytes.clone());
        }
        repeat_leaving(outside, index, (bytes, new), left - 1);
    });
}

fn hear_request(outside: &mut Outside, index: usize, message: &Message) {
    let end = &mut outside.phones.ends[index];
    match message.method().as_str() {
        "ACK" => end.heard_of = true,
        "INVITE" if end.repeats_invite(message) => {
            let said = end.said.clone();
            send(outside, index, said);
        }
        "CANCEL" => {
            let done = end.reply_to(message, 200);
            send(outside, index, done);
            refuse(outside, index, 487);
        }
        method => {
            let over = method == "BYE";
            let done = end.reply_to(message, 200);
            if over {
                end.life = Life::Over;
            }
            send(outside, index, done);
        }
    }
}

fn hear_response(outside: &mut Outside, index: usize, message: &Message, status: u16) {
    let end = &mut outside.phones.ends[index];
    end.heard_of |= message.method().as_str() == "INVITE";
    match (message.method().as_str(), status) {
        ("INVITE", 200) if end.calls => hear_answer(outside, index),
        ("INVITE", 300..) if end.calls => end.life = Life::Over,
        ("BYE", 200..) | ("CANCEL", 481) => end.life = Life::Over,
        _ => {}
    }
}

/// Every 200 gets its ACK. A caller who has given up meanwhile, long ago even, wants no dialog of it and ends it at once
/// (RFC 3261 13.2.2.4): else an INVITE that lay in an edge for longer than its caller had patience would be a talk that
/// nobody ends.
fn hear_answer(outside: &mut Outside, index: usize) {
    let end = &mut outside.phones.ends[index];
    let first = !std::mem::replace(&mut end.answered, true);
    let wanted = matches!(end.life, Life::Early | Life::Up);
    if wanted {
        end.life = Life::Up;
    }
    let ack = end.request("ACK");
    send(outside, index, ack);
    if first && !wanted {
        leave(outside, index);
    }
}
