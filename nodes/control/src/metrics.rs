//! Names and meanings of this role's metrics.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

const COMMANDS: &str = "mangrove_commands_total";
const ENTRIES: &str = "mangrove_log_entries_total";
const COMMIT: &str = "mangrove_commit_seconds";
const POISONED: &str = "mangrove_commands_poisoned_total";
const VIOLATIONS: &str = "mangrove_invariant_violations_total";
const UNDELIVERED: &str = "mangrove_effects_undelivered_total";
const REFUSED: &str = "mangrove_effects_refused_total";
const GIVEN_UP: &str = "mangrove_faces_given_up_total";
const LED: &str = "mangrove_groups_led";
const CALLS: &str = "mangrove_calls";
const OUTBOX: &str = "mangrove_outbox_records";

/// Units and sentences for the exporter.
pub fn describe() {
    describe_counter!(COMMANDS, "commands proposed");
    describe_counter!(ENTRIES, "log entries proposed; several commands share one");
    describe_histogram!(
        COMMIT,
        metrics::Unit::Seconds,
        "from a command's arrival until it is committed and applied"
    );
    describe_counter!(POISONED, "commands dropped because applying them panicked");
    describe_counter!(VIOLATIONS, "invariants found broken, by name");
    describe_counter!(UNDELIVERED, "effects that no edge or media node took; they are owed until one does");
    describe_counter!(REFUSED, "effects that an edge or media node refused as late, by role");
    describe_counter!(GIVEN_UP, "objects whose face fell again and again and was not made again");
    describe_gauge!(LED, "shard groups led by this node");
    describe_gauge!(CALLS, "calls in progress in the groups led here, by group");
    describe_gauge!(OUTBOX, "records waiting for the database, by group");
}

pub(crate) fn proposed(commands: usize) {
    counter!(COMMANDS).increment(commands as u64);
    counter!(ENTRIES).increment(1);
}

pub(crate) fn committed(seconds: f64) {
    histogram!(COMMIT).record(seconds);
}

pub(crate) fn poisoned() {
    counter!(POISONED).increment(1);
}

pub(crate) fn violated(invariant: &'static str) {
    counter!(VIOLATIONS, "invariant" => invariant).increment(1);
}

pub(crate) fn undelivered() {
    counter!(UNDELIVERED).increment(1);
}

pub(crate) fn refused(role: &'static str, effects: usize) {
    if effects > 0 {
        counter!(REFUSED, "role" => role).increment(effects as u64);
    }
}

pub(crate) fn given_up() {
    counter!(GIVEN_UP).increment(1);
}

pub(crate) fn leads(change: f64) {
    gauge!(LED).increment(change);
}

pub(crate) fn calls(group: u32, count: usize) {
    gauge!(CALLS, "group" => group.to_string()).set(count as f64);
}

pub(crate) fn outbox(group: u32, count: usize) {
    gauge!(OUTBOX, "group" => group.to_string()).set(count as f64);
}
