//! Who calls, and phones that register.

use super::far_end::{self, FarEnd, Life};
use super::phones::{REPEAT, REPEATS, hang_up, send_new};
use super::{Outside, edge};
use crate::EDGES;
use crate::company::{AGENTS, NUMBER};

/// A REGISTER that was not confirmed is sent again.
const REGISTERS_AGAIN: u64 = 1_500;

impl Outside {
    /// The agents' phones register.
    pub(crate) fn register(&mut self) {
        for extension in AGENTS {
            register(self, extension, 1);
        }
    }

    /// Lets `calls` calls come within so many milliseconds.
    pub(crate) fn calls(&mut self, calls: u64, within: u64) {
        for _ in 0..calls {
            let at = self.between(0, within);
            self.after(at, call);
        }
    }
}

/// The number that a caller calls from; no other has it.
pub(crate) fn number(serial: usize) -> String {
    format!("7916{serial:07}")
}

fn register(outside: &mut Outside, extension: &'static str, attempt: u32) {
    if outside.phones.registered.contains(extension) {
        return;
    }
    let edge = attempt as usize % EDGES;
    let bytes = far_end::register(extension, attempt);
    let address = far_end::phone(extension);
    edge::receive(outside, edge, "", bytes, &address, Some(far_end::device(extension)));
    outside.after(REGISTERS_AGAIN, move |outside| register(outside, extension, attempt + 1));
}

fn call(outside: &mut Outside) {
    let serial = outside.phones.ends.len();
    let edge = serial % EDGES;
    let Some(caller) = FarEnd::caller(&number(serial), NUMBER, edge, serial) else {
        return outside.chronicle.broken("a caller's INVITE can't be read".into());
    };
    let index = outside.phones.add(caller);
    let invite = outside.phones.ends[index].invite();
    outside.chronicle.say(|| format!("{} calls", number(serial)));
    send_new(outside, index, invite);
    repeat_invite(outside, index, REPEATS);
    let patience = outside.between(1_500, 20_000);
    outside.after(patience, move |outside| hang_up(outside, index));
}

/// Until anybody answers; then, or when nobody does, the caller gives up.
fn repeat_invite(outside: &mut Outside, index: usize, left: u32) {
    outside.after(REPEAT, move |outside| {
        let end = &mut outside.phones.ends[index];
        if end.heard_of || end.life != Life::Early {
            return;
        }
        if left == 0 {
            end.life = Life::Over;
            return;
        }
        let invite = end.invite();
        send_new(outside, index, invite);
        repeat_invite(outside, index, left - 1);
    });
}
