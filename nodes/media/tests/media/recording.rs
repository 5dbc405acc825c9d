//! Recordings: who is on which side, and what happens when the object store fails.

use std::{
    fmt,
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures::{StreamExt, TryStreamExt, stream::BoxStream};
use mangrove_proto::media::{RecordingFinished, media_event::Fact};
use mangrove_rtp::{g711::Law, tone};
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, memory::InMemory, path::Path,
};
use sha2::{Digest, Sha256};

use crate::{phone::Phone, support::*};

pub(crate) async fn finished(node: &Node, id: &str) -> RecordingFinished {
    node.fact("the recording is finished", |fact| match fact {
        Fact::RecordingFinished(finished) if finished.recording == id => Some(finished.clone()),
        _ => None,
    })
    .await
}

/// Left and right of a recording, as another program's reader of WAV files sees them.
pub(crate) async fn sides(node: &Node, finished: &RecordingFinished) -> [Vec<i16>; 2] {
    let file = node.objects.get(&Path::from(finished.object.as_str())).await.unwrap().bytes().await.unwrap();
    assert_eq!(file.len() as u64, finished.bytes);
    assert_eq!(hex::encode(Sha256::digest(&file)), finished.sha256);
    let mut reader = hound::WavReader::new(&file[..]).unwrap();
    let format = reader.spec();
    assert_eq!((format.channels, format.sample_rate, format.bits_per_sample), (2, 8000, 16));
    assert_eq!(u64::from(reader.duration()) / 8, finished.duration_ms);
    let all: Vec<i16> = reader.samples().map(|sample| sample.unwrap()).collect();
    [0, 1].map(|side| all.iter().skip(side).step_by(2).copied().collect())
}

pub(crate) async fn objects(node: &Node) -> Vec<String> {
    let all: Vec<ObjectMeta> = node.objects.list(None).try_collect().await.unwrap();
    all.into_iter().map(|meta| meta.location.to_string()).collect()
}

/// Waits until so many parts of the recording are in the store.
pub(crate) async fn has_parts(node: &Node, count: usize) {
    let parts = async || objects(node).await.iter().filter(|o| o.starts_with("acme/r.wav.part/")).count();
    for _ in 0..500 {
        if parts().await >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not {count} parts: {:?}", objects(node).await);
}

/// Waits until the finished file is all that is left of a recording.
pub(crate) async fn only_file_is_left(node: &Node) {
    for _ in 0..500 {
        if objects(node).await == ["acme/r.wav"] {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("more is left than the file: {:?}", objects(node).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_caller_is_left_and_the_agent_right_also_after_a_transfer() {
    let node = Node::start();
    let mut phones = Vec::new();
    for (hertz, law) in [(440.0, Law::A), (1000.0, Law::Mu), (2000.0, Law::A)] {
        phones.push((Phone::new("127.0.0.1", law).await, hertz));
    }
    let [caller, agent, other] = [("caller", 0, Law::A), ("agent", 1, Law::Mu), ("other", 2, Law::A)]
        .map(|(id, index, law): (_, usize, _)| endpoint(id, law, phones[index].0.address()));
    let set = recording(bridged(1, caller.clone(), agent), "r", "caller", "agent");
    let mut ours = node.ready(set).await;
    phones[0].0.talk(ours[0], 440.0);
    phones[1].0.talk(ours[1], 1000.0);
    until("they hear each other", || phones[0].0.hears(1000.0, 440.0)).await;
    let sent = phones[0].0.sent();
    until("a second of talk has passed", || phones[0].0.sent() > sent + 50).await;
    ours = node.ready(recording(bridged(2, caller, other), "r", "caller", "other")).await;
    phones[2].0.talk(ours[1], 2000.0);
    until("the other is heard", || phones[0].0.hears(2000.0, 1000.0)).await;
    let sent = phones[0].0.sent();
    until("another second has passed", || phones[0].0.sent() > sent + 50).await;
    node.ready(close(3)).await;

    let finished = finished(&node, "r").await;
    assert_eq!(finished.missing_ms, 0);
    let [left, right] = sides(&node, &finished).await;
    assert!(left.len() > 20_000, "{}", left.len());
    let (early, late) = (5000..11_000, left.len() - 7000..left.len() - 1000);
    for (side, part, hertz) in [
        (&left, early.clone(), 440.0),
        (&left, late.clone(), 440.0),
        (&right, early, 1000.0),
        (&right, late, 2000.0),
    ] {
        let levels = [440.0, 1000.0, 2000.0].map(|tone| tone::level(&side[part.clone()], tone));
        for (level, tone) in levels.into_iter().zip([440.0, 1000.0, 2000.0]) {
            assert_eq!(tone == hertz, level > 2500.0, "{hertz}: {levels:?}");
            assert!(tone == hertz || level < 300.0, "{hertz}: {levels:?}");
        }
    }
    only_file_is_left(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_becomes_the_file_that_is_asked_for() {
    let node = Node::start();
    let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let ends = bridged(1, endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
    let mut set = recording(ends, "r", "a", "b");
    if let Some(wanted) = &mut set.recording {
        (wanted.opus, wanted.mixed, wanted.object) = (true, true, "acme/r.opus".into());
    }
    let ours = node.ready(set).await;
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("they hear each other", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
    let sent = a.sent();
    until("a second of talk has passed", || a.sent() > sent + 50).await;
    node.ready(close(2)).await;
    let finished = finished(&node, "r").await;
    let file = node.objects.get(&Path::from("acme/r.opus")).await.unwrap().bytes().await.unwrap();
    assert_eq!((file.len() as u64, finished.missing_ms), (finished.bytes, 0));
    assert!(finished.opus && finished.mixed, "its call may be forgotten: {finished:?}");
    let heard = mangrove_sound::read(&file, 60).unwrap();
    // A packet is whole.
    assert!((heard.len() as u64 / 8).abs_diff(finished.duration_ms) <= 40, "{finished:?}");
    let levels = [440.0, 1000.0, 2000.0].map(|hertz| tone::level(&heard[4000..8000], hertz));
    assert!(levels[0] > 2000.0 && levels[1] > 2000.0 && levels[2] < 500.0, "{levels:?}");
}

/// A store that can be broken.
#[derive(Debug)]
struct Fragile {
    inner: InMemory,
    broken: AtomicBool,
    failures: AtomicUsize,
}

impl fmt::Display for Fragile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a store that can be broken")
    }
}

impl Fragile {
    fn broken() -> Arc<Self> {
        let broken = AtomicBool::new(true);
        Arc::new(Self { inner: InMemory::new(), broken, failures: AtomicUsize::new(0) })
    }

    fn check(&self) -> Result<()> {
        if !self.broken.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.failures.fetch_add(1, Ordering::Relaxed);
        Err(object_store::Error::Generic { store: "fragile", source: "no space left on device".into() })
    }
}

#[async_trait::async_trait]
impl ObjectStore for Fragile {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.check()?;
        self.inner.put_opts(location, payload, options).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        self.check()?;
        self.inner.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.check()?;
        self.inner.get_opts(location, options).await
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        self.check()?;
        self.inner.get_ranges(location, ranges).await
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        match self.check() {
            Ok(()) => self.inner.delete_stream(locations),
            Err(error) => futures::stream::once(async { Err(error) }).boxed(),
        }
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_store_touches_no_call_and_loses_nothing() {
    let store = Fragile::broken();
    let node = Node::start_with(store.clone(), |_| {});
    let (mut a, mut b) = (Phone::new("127.0.0.1", Law::A).await, Phone::new("127.0.0.1", Law::A).await);
    let (ea, eb) = (endpoint("a", Law::A, a.address()), endpoint("b", Law::A, b.address()));
    let ours = node.ready(recording(bridged(1, ea, eb), "r", "a", "b")).await;
    a.talk(ours[0], 440.0);
    b.talk(ours[1], 1000.0);
    until("they hear each other", || a.hears(1000.0, 440.0) && b.hears(440.0, 1000.0)).await;
    until("the store failed again and again", || store.failures.load(Ordering::Relaxed) > 2).await;
    node.ready(close(2)).await;
    store.broken.store(false, Ordering::Relaxed);
    let finished = finished(&node, "r").await;
    let [left, right] = sides(&node, &finished).await;
    assert_eq!(finished.missing_ms, 0);
    assert!(tone::level(&left[2000..4000], 440.0) > 2500.0);
    assert!(tone::level(&right[2000..4000], 1000.0) > 2500.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finds_no_room_to_wait_is_silence_and_is_named() {
    let store = Fragile::broken();
    let node = Node::start_with(store.clone(), |options| options.recording_memory = 10_000);
    let mut a = Phone::new("127.0.0.1", Law::A).await;
    let set = session(1, vec![endpoint("a", Law::A, a.address())]);
    let ours = node.ready(recording(set, "r", "a", "")).await;
    a.talk(ours[0], 440.0);
    until("a second was sent", || a.sent() > 60).await;
    node.ready(close(2)).await;
    store.broken.store(false, Ordering::Relaxed);
    let finished = finished(&node, "r").await;
    assert!(finished.missing_ms >= 600 && finished.missing_ms < finished.duration_ms, "{finished:?}");
    let [left, _] = sides(&node, &finished).await;
    assert!(tone::level(&left[500..1500], 440.0) > 1500.0 && tone::level(&left[2000..4000], 440.0) < 10.0);
}
