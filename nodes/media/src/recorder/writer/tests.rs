use std::sync::Arc;

use super::*;
use crate::{
    recorder::tests::{reported, settings, ticket},
    testing::Store,
};

const SECOND: usize = 32_000;
const HOUR_MS: i64 = 3_600_000;
const BEGAN_MS: u64 = 1_800_000_000_000;

/// A node begins a recording, of which it writes seven seconds before it dies.
async fn left_behind(settings: &Settings) {
    let note = Note { writer: "dead/1".into(), ..Note::new(ticket("r"), BEGAN_MS) };
    note.write(settings.objects.as_ref()).await.unwrap();
    for number in 1..=7 {
        let part = vec![1; SECOND];
        settings.objects.put(&layout::part(&note.ticket, number), part.into()).await.unwrap();
    }
}

/// Ten seconds after it began a node takes it up whose clock differs from the dead one's.
#[tokio::test]
async fn a_recording_goes_on_after_the_gap_that_there_was_whatever_the_heirs_clock_shows() {
    for off_ms in [0, HOUR_MS, -HOUR_MS, 10 * 365 * 24 * HOUR_MS] {
        let (settings, facts) = settings(Arc::new(Store::default()));
        left_behind(&settings).await;
        let (sender, pieces) = mpsc::unbounded_channel();
        let began_ms = (BEGAN_MS + 10_000).saturating_add_signed(off_ms);
        let beginning = Beginning { ticket: ticket("r"), began_ms, ran_ms: 10_000, claim: None };
        let (rest, memory) = (Bytes::from(vec![2; SECOND]), Memory::new(1 << 20));
        assert!(memory.reserve(SECOND));
        sender.send(Piece::Finish { ended_ms: began_ms + 1_000, rest }).unwrap();
        run(settings, memory, Claims::default(), beginning, pieces).await;
        let finished = reported(&facts).await;
        assert_eq!((finished.missing_ms, finished.duration_ms), (3_000, 11_000), "off by {off_ms} ms");
    }
}

#[test]
fn walls_are_believed_as_far_as_control_bears_them_out() {
    for (now_ms, noted_ms, ran_ms, began_ms) in [
        (10_250, 250, 10_000, 250),
        (13_000, 250, 10_000, 250),
        (14_000, 250, 10_000, 4_000),
        (3_610_250, 250, 10_000, 3_600_250),
        (50_000, 3_600_000, 10_000, 40_000),
        (3_610_250, 250, 0, 250),
        (50_000, 3_600_000, 0, 50_000),
    ] {
        assert_eq!(began_by(now_ms, noted_ms, ran_ms), began_ms, "{now_ms} {noted_ms} {ran_ms}");
    }
}
