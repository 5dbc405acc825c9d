use super::*;
use crate::recorder::{open::Finished, tests::ticket};

/// By a writer that took the recording up so long after it began.
fn note(writer: &str, ran_ms: Option<u64>) -> Note {
    Note { writer: writer.into(), ran_ms, ..Note::new(ticket("r"), 0) }
}

#[test]
fn who_took_a_recording_up_last_writes_it() {
    use Standing::{GoesOn, IsOut, TakesUp};
    for (writer, ran_ms, base, noted, wanted) in [
        ("a/1", 0, Some(0), note("a/1", Some(0)), GoesOn { base: 0 }),
        ("a/1", 0, Some(7), note("a/1", None), GoesOn { base: 7 }),
        ("a/1", 0, None, note("a/1", Some(0)), TakesUp),
        // Its node's next run, on this machine's disk.
        ("a/2", 9_000, None, note("a/1", Some(0)), TakesUp),
        // The group's clock stood still, for its only node was down.
        ("a/10", 0, None, note("a/9", Some(0)), TakesUp),
        ("a/9", 0, None, note("a/10", Some(0)), IsOut),
        // Another node, whose run is lower.
        ("b/1", 9_000, None, note("a/2", Some(5_000)), TakesUp),
        // A later run of the same name, which has moved to another machine.
        ("a/1", 0, None, note("a/2", Some(9_000)), IsOut),
        ("a/2", 5_000, None, note("b/1", Some(9_000)), IsOut),
        // Run numbers say nothing of who was later.
        ("a/3", 5_000, None, note("a/2", Some(9_000)), IsOut),
        ("a/2", 5_000, None, note("b/1", Some(5_000)), IsOut),
        // It had begun, and is another's now.
        ("a/2", 9_000, Some(0), note("b/1", Some(5_000)), IsOut),
        // A build that does not say when.
        ("a/2", 9_000, None, note("a/1", None), IsOut),
    ] {
        let about = About::new(ticket("r"), writer.into(), 0, ran_ms);
        assert_eq!(standing(&about, base, &noted), wanted, "{writer} {ran_ms} {base:?} {noted:?}");
    }
}

#[test]
fn where_the_disk_does_not_say_that_it_has_begun_its_own_note_does() {
    for (writer, wanted) in [("a/1", Standing::GoesOn { base: 64 }), ("a/2", Standing::IsOut)] {
        let about = About::new(ticket("r"), "a/1".into(), 0, 0);
        let noted = Note { base: Some(64), ..note(writer, Some(0)) };
        assert_eq!(standing(&about, None, &noted), wanted, "{writer}");
    }
}

#[test]
fn who_was_told_before_its_heir_is_stale() {
    for (writer, ran_ms, noted, wanted) in [
        ("a/1", Some(0), note("b/1", Some(5_000)), true),
        ("a/1", Some(0), note("a/2", Some(5_000)), true),
        // Two leaders' clocks.
        ("b/1", Some(4_600), note("a/1", Some(5_000)), false),
        ("b/1", Some(9_000), note("a/1", Some(5_000)), false),
        // The group's clock did not go on where it stood.
        ("a/2", Some(0), note("a/1", Some(5_000)), false),
        // Builds that do not say.
        ("a/1", Some(0), note("b/1", None), false),
        ("a/1", None, note("b/1", Some(5_000)), false),
    ] {
        let fresh = note(writer, ran_ms);
        assert_eq!(is_stale(&fresh, &noted), wanted, "{fresh:?} {noted:?}");
    }
}

#[test]
fn a_recording_stays_with_who_was_told_last_whoever_wrote_over_its_note() {
    let own = note("b/1", Some(5_000));
    let finished = Some(Finished { bytes: 44, duration_ms: 0, sha256: String::new() });
    for (found, wanted) in [
        (Some(own.clone()), Whose::Ours),
        (Some(note("a/1", Some(0))), Whose::TakenByMistake),
        (Some(Note { finished, ..note("a/1", Some(0)) }), Whose::Anothers),
        (Some(note("b/2", Some(0))), Whose::Anothers),
        (Some(note("c/1", Some(9_000))), Whose::Anothers),
        (Some(note("a/1", None)), Whose::Anothers),
        (None, Whose::Anothers),
    ] {
        assert_eq!(whose(&own, found.as_ref()), wanted, "{found:?}");
    }
}

#[test]
fn what_was_in_memory_is_not_much() {
    for (ran_ms, sound_ms, wanted) in
        [(None, 0, false), (Some(10_000), 4_000, false), (Some(10_000), 3_999, true), (Some(1), 9, false)]
    {
        assert_eq!(lacks_much(ran_ms, sound_ms), wanted, "{ran_ms:?} {sound_ms}");
    }
}

#[test]
fn either_clock_tells_that_it_is_late() {
    for (own_ms, wall_ms, wanted) in
        [(0, 0, false), (3_000, 3_000, false), (3_001, 0, true), (0, 3_001, true)]
    {
        assert_eq!(is_late(own_ms, wall_ms), wanted, "{own_ms} {wall_ms}");
    }
}

#[test]
fn nothing_is_written_behind_a_whole_file() {
    for (writer, wanted) in [("a/1", Standing::Finishes), ("a/2", Standing::IsOut)] {
        let about = About::new(ticket("r"), writer.into(), 0, 9_000);
        let finished = Finished { bytes: 44, duration_ms: 0, sha256: String::new() };
        let whole = Note { finished: Some(finished), ..note("a/1", Some(0)) };
        for base in [None, Some(0)] {
            assert_eq!(standing(&about, base, &whole), wanted, "{writer} {base:?}");
        }
    }
}

#[test]
fn sound_goes_to_its_place() {
    for (written, place, length, gap, skip) in [
        (0, 0, 10, 0, 0),
        (40, 40, 10, 0, 0),
        (50, 40, 10, 0, 10),
        (44, 40, 10, 0, 4),
        (90, 40, 10, 0, 10),
        (40, 60, 10, 20, 0),
        (60, 40, 0, 0, 0),
    ] {
        assert_eq!(fit(written, place, length), Fit { gap, skip }, "{written} {place} {length}");
    }
}

#[test]
fn a_little_ahead_is_two_clocks() {
    for (written_ms, lasted_ms, ahead) in
        [(5_000, 5_000, 0), (8_000, 5_000, 0), (8_001, 5_000, 3_001), (0, 9_000, 0)]
    {
        assert_eq!(ahead_ms(written_ms, lasted_ms), ahead, "{written_ms} {lasted_ms}");
    }
}

#[test]
fn walls_are_believed_as_far_as_control_bears_them_out() {
    for (now_ms, noted_ms, ran_ms, of_others, own) in [
        (10_250, 250, 10_000, 250, 250),
        (13_000, 250, 10_000, 250, 250),
        (14_000, 250, 10_000, 4_000, 250),
        // The group stood still for ten minutes at most; an hour is a clock that was set.
        (610_250, 250, 10_000, 600_250, 250),
        (3_610_250, 250, 10_000, 3_600_250, 3_600_250),
        (50_000, 3_600_000, 10_000, 40_000, 40_000),
        (6_250, 250, 10_000, 0, 0),
        (3_610_250, 250, 0, 250, 250),
        (50_000, 3_600_000, 0, 50_000, 50_000),
    ] {
        for (is_own_clock, began_ms) in [(false, of_others), (true, own)] {
            let began = began_by(now_ms, noted_ms, ran_ms, is_own_clock);
            assert_eq!(began, began_ms, "{now_ms} {noted_ms} {ran_ms} {is_own_clock}");
        }
    }
}
