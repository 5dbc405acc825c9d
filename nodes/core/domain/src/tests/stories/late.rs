//! What takes its time: recordings, midnight.

use mangrove_proto::{live::RecordingFormat, media::media_event::Fact};

use crate::{
    Record,
    tests::{
        acme,
        world::{Pending, World},
    },
};

#[test]
fn a_recording_that_is_stored_an_hour_later_still_comes_into_the_record() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    let late = world.pending.iter().position(|pending| matches!(pending, Pending::Media(.., fact) if format!("{fact:?}").starts_with("RecordingFinished")));
    let late = world.pending.remove(late.expect("a recording"));
    world.run();
    world.pass(3_600_000);
    assert_eq!(world.record().recordings.len(), 0, "after ten seconds the record goes out without it");
    world.deliver(late);
    let records = world.records();
    assert_eq!((records.len(), records[1].recordings.len()), (2, 1));
    assert_eq!(records[0].call, records[1].call);
    assert!(world.try_call(caller).is_none(), "then the call is forgotten");
}

/// Its media node was away with what it had on its disk.
#[test]
fn a_recording_of_a_forgotten_call_goes_to_the_history_by_itself() {
    for (mut world, wanted) in [(World::acme(), 0), (World::raised(), 1)] {
        let mut config = acme::config();
        config.version += 1;
        config.recording.format = RecordingFormat::Opus;
        world.configure(config);
        let (caller, _) = world.talking("101");
        let bye = world.ends[caller].request("BYE", "", "");
        world.sip(caller, bye);
        let finished = world
            .pending
            .extract_if(.., |pending| matches!(pending, Pending::Media(.., Fact::RecordingFinished(_))));
        let finished: Vec<Pending> = finished.collect();
        world.run();
        world.pass(25 * 3_600_000);
        assert!(world.try_call(caller).is_none(), "the call is forgotten");
        let call = world.record().call;
        for finished in finished {
            world.deliver(finished);
        }
        let late = world.state.outbox().filter_map(|(_, record)| match record {
            Record::LateRecording(late) => {
                Some((late.call, late.recording.duration_ms, late.recording.format))
            }
            Record::Cdr(_) | Record::Audit(_) => None,
        });
        assert_eq!(late.collect::<Vec<_>>(), vec![(call, 1, RecordingFormat::Opus); wanted]);
    }
}

#[test]
fn a_recording_that_never_comes_is_waited_for_no_longer_than_a_day() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    let bye = world.ends[caller].request("BYE", "", "");
    world.sip(caller, bye);
    world.pending.retain(|pending| matches!(pending, Pending::Sip(..)));
    world.run();
    world.pass(24 * 3_600_000);
    assert!(world.try_call(caller).is_none());
    assert_eq!(world.records().len(), 1);
}

#[test]
fn counts_start_anew_at_midnight() {
    let mut world = World::acme();
    let (caller, _) = world.talking("101");
    world.hang_up(caller);
    let today = |world: &World| world.tenant().today(world.stamp().wall);
    assert_eq!((today(&world).offered, today(&world).answered), (1, 1));
    world.pass(86_400_000);
    assert_eq!((today(&world).offered, today(&world).answered), (0, 0));
    let live = crate::view::live(world.tenant(), 0, world.now, world.stamp().wall);
    assert_eq!((live.queues[0].today.offered, live.agents[0].answered_today), (0, 0));
}
