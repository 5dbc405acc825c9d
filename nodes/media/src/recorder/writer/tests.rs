use std::sync::Arc;

use object_store::ObjectStore;

use super::*;
use crate::{
    recorder::tests::{reported, settings, ticket},
    testing::Store,
};

const SECOND: usize = 32_000;
const HOUR_MS: i64 = 3_600_000;

/// What time it is by the store's clock.
async fn store_ms(objects: &dyn ObjectStore) -> u64 {
    objects.put(&layout::clock(), Bytes::new().into()).await.unwrap();
    clocks::date_ms(objects, &layout::clock()).await.unwrap()
}

/// Ten seconds ago a node began a recording, of which it wrote seven before it died.
async fn left_behind(objects: &dyn ObjectStore, store_ms: u64) {
    let dated_ms = Some(store_ms - 10_000);
    let note = Note { writer: "dead/1".into(), dated_ms, ..Note::new(ticket("r"), store_ms - 10_000) };
    note.write(objects).await.unwrap();
    for number in 1..=7 {
        let part = vec![1; SECOND];
        objects.put(&layout::part(&note.ticket, number), part.into()).await.unwrap();
    }
}

/// A node takes a recording up whose clock differs from the dead one's, and from the store's.
#[tokio::test]
async fn a_recording_goes_on_after_the_gap_that_there_was_whatever_the_heirs_clock_shows() {
    for off_ms in [0, HOUR_MS, -HOUR_MS, 10 * 365 * 24 * HOUR_MS] {
        let (settings, facts) = settings(Arc::new(Store::default()));
        let store_ms = store_ms(settings.objects.as_ref()).await;
        left_behind(settings.objects.as_ref(), store_ms).await;
        let (sender, pieces) = mpsc::unbounded_channel();
        let began_ms = store_ms.saturating_add_signed(off_ms);
        let beginning = Beginning { ticket: ticket("r"), began_ms, began_us: now_us(), claim: None };
        let (rest, memory) = (Bytes::from(vec![2; SECOND]), Memory::new(1 << 20));
        assert!(memory.reserve(SECOND));
        sender.send(Piece::Finish { ended_ms: began_ms + 1_000, rest }).unwrap();
        run(settings, memory, Claims::default(), beginning, pieces).await;
        let finished = reported(&facts).await;
        let (missing, whole) = (2_900..=3_200, 10_900..=11_200);
        assert!(missing.contains(&finished.missing_ms), "off by {off_ms} ms: {finished:?}");
        assert!(whole.contains(&finished.duration_ms), "off by {off_ms} ms: {finished:?}");
    }
}

/// What its first writer writes again later does not make the recording younger.
#[tokio::test]
async fn a_note_keeps_the_date_of_when_it_was_begun() {
    let (settings, _facts) = settings(Arc::new(Store::default()));
    let objects = settings.objects.clone();
    let mut writer = Writer::open(settings, ticket("r"), 1_000, now_us()).await;
    let begun = Note::read(objects.as_ref(), &ticket("r")).await.unwrap().unwrap().dated_ms.unwrap();
    while store_ms(objects.as_ref()).await == begun {
        tokio::task::yield_now().await;
    }
    writer.miss(1).await;
    let note = Note::read(objects.as_ref(), &ticket("r")).await.unwrap().unwrap();
    assert_eq!((note.missing_ms, note.dated_ms), (1, Some(begun)));
}
