//! Bugs put in on purpose, each a thing of the simulation only: what the invariants are tested with.

use clap::ValueEnum;
use mangrove_membership::StateMachine;
use rmpv::Value;

/// One of the four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Plant {
    /// Edges and media nodes carry out whatever comes, from whoever leads or led.
    NoFence,
    /// Disks acknowledge before they have synced.
    AckBeforeFsync,
    /// A reservation is forgotten while the phone rings, so that a second call can reserve the same agent.
    DoubleReservation,
    /// The database keeps a record as often as it comes.
    OutboxWithoutKey,
}

/// What a shard's snapshot begins with: index, clock, wall clock, then the state's version.
const HEAD: usize = 25;

/// Forgets who is reserved when a new call comes.
pub(crate) fn double_reservation(machine: &mut dyn StateMachine, payload: &[u8]) {
    if !payload.windows(11).any(|text| text == b"INVITE sip:") {
        return;
    }
    let Ok(bytes) = machine.snapshot()() else { return };
    let Some((head, body)) = bytes.split_at_checked(HEAD) else { return };
    let Ok(mut state) = rmpv::decode::read_value(&mut &body[..]) else { return };
    if !forget_ringing(&mut state) {
        return;
    }
    let mut edited = head.to_vec();
    if rmpv::encode::write_value(&mut edited, &state).is_ok()
        && let Err(error) = machine.restore(&edited)
    {
        tracing::error!(%error, "the planted state can't be read");
    }
}

/// Clears every `engaged` that rings; whether there was one.
fn forget_ringing(value: &mut Value) -> bool {
    let mut found = false;
    match value {
        Value::Map(pairs) => {
            for (key, value) in pairs {
                if key.as_str() == Some("engaged") && rings(value) {
                    *value = Value::Nil;
                    found = true;
                } else {
                    found |= forget_ringing(value);
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| found |= forget_ringing(value)),
        _ => {}
    }
    found
}

fn rings(engaged: &Value) -> bool {
    let pairs = engaged.as_map().into_iter().flatten();
    pairs.into_iter().any(|(key, value)| key.as_str() == Some("ringing") && value.as_bool() == Some(true))
}
