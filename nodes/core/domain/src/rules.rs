//! Versions of the rules. Two builds that apply the same log entry must reach the same state, so whatever a build decides
//! otherwise than those before it, it decides only under the version that its group has committed
//! ([`State::rules`](crate::State::rules)). That rises at the same log index on every replica, once all nodes know it.
//!
//! | version | known since protocol | what may be decided under it |
//! |---|---|---|
//! | 0 | 1 | all that no line below speaks of |
//! | 1 | 6 | legs agree on codecs beyond G.711, and on SRTP; browsers are browsers; calls are kept: see [`keeps_calls`]; music is the same for all who hear it; callers in line are told their place; T.38 is passed from one leg to the other, and who comes down to G.711 takes the other along; recording by number, group and employee, by hand, with pauses and marks, as Opus or in one channel; supervisors listen; conferences; recordings of forgotten calls come into their records; phones in pages come with tickets; employees may hear themselves; calls are transferred by wish |
//!
//! A version says what may be decided anew, never what may be read: what was decided under a later one is carried on under
//! any. What a number means is settled once a build that knows it was given out; what comes after that gets the next number
//! and the next protocol.

use crate::{command::Command, effect::Reply};

/// The newest version that this build knows.
pub const NEWEST: u32 = 1;

/// Whether legs may agree on codecs beyond G.711.
pub fn speaks_beyond_g711(rules: u32) -> bool {
    rules >= 1
}

/// Whether an INVITE with Replaces takes a dialog's place, an attended transfer joins two calls, a person may call somebody
/// while they talk, and who is lost with their WebSocket is waited for.
pub fn keeps_calls(rules: u32) -> bool {
    rules >= 1
}

/// Whether legs may be SRTP.
pub fn speaks_srtp(rules: u32) -> bool {
    rules >= 1
}

/// Whether phones that register as browsers are offered what RFC 8827 makes of sound. That they may offer it follows from
/// [`speaks_srtp`].
pub fn speaks_webrtc(rules: u32) -> bool {
    rules >= 1
}

/// Whether music goes on by the clock, the same for all who hear it, instead of beginning with each wait.
pub fn plays_by_clock(rules: u32) -> bool {
    rules >= 1
}

/// Whether callers in line are told their place and what wait to expect.
pub fn announces(rules: u32) -> bool {
    rules >= 1
}

/// Whether T.38 may take the place of sound between two who talk.
pub fn relays_fax(rules: u32) -> bool {
    rules >= 1
}

/// Whether numbers, groups and employees have rules of recording, recordings are begun, ended and paused by hand, say what
/// happened in them, and become other files than WAV of two channels.
pub fn records_by_rule(rules: u32) -> bool {
    rules >= 1
}

/// Whether the phone in a person's page may register and call as theirs.
pub fn rings_pages(rules: u32) -> bool {
    rules >= 1
}

/// Whether who calls `echo` hears themselves.
pub fn echoes(rules: u32) -> bool {
    rules >= 1
}

/// Whether supervisors may listen to a talk, and be heard in it.
pub fn monitors(rules: u32) -> bool {
    rules >= 1
}

/// Whether a recording whose call is forgotten goes to the history by itself.
pub fn keeps_late_recordings(rules: u32) -> bool {
    rules >= 1
}

/// Whether there are conferences.
pub fn confers(rules: u32) -> bool {
    rules >= 1
}

/// Whether calls are transferred by who wishes it beside the phone.
pub fn transfers_by_wish(rules: u32) -> bool {
    rules >= 1
}

/// The version that a command brings, if this build does not know it. Nothing of the command is carried out; and whoever
/// keeps a replica must stop before it, for the others go on under rules that are not known here.
pub fn unknown(command: &Command) -> Option<u32> {
    let brought = match command {
        Command::RaiseRules { to } => *to,
        Command::TakeInTenant { arrival } => arrival.rules,
        _ => return None,
    };
    (brought > NEWEST).then_some(brought)
}

pub(crate) fn refusal(unknown: u32) -> Reply {
    Reply::Refused {
        why: format!("rules {unknown} are not known to this build, which knows {NEWEST} at most"),
    }
}

/// What is not written: states that were written before there were versions say the same.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's way to ask")]
pub(crate) fn are_first(rules: &u32) -> bool {
    *rules == 0
}
