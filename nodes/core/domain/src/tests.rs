//! The rules from outside: commands in, effects out. `world` plays everything around the state (carrier, phones, media
//! node), `acme` is the demo company; the stories are one file per situation, `random` is all of them shaken.

pub(crate) mod acme;
mod far_end;
mod formats;
mod random;
mod stored;
mod stories;
pub(crate) mod world;

use std::cell::Cell;

thread_local! {
    /// Breaks the rule that a reserved agent is offered no other call: the invariants must notice.
    pub(crate) static RESERVATIONS_IGNORED: Cell<bool> = const { Cell::new(false) };
    /// Makes every message inside a dialog panic the rules.
    pub(crate) static POISON: Cell<bool> = const { Cell::new(false) };
    /// Makes taking out the call of a poisonous message panic too.
    pub(crate) static QUARANTINE_POISON: Cell<bool> = const { Cell::new(false) };
}
