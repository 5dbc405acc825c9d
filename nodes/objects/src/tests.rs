//! The whole of it: in memory, in a folder, and on an S3 server.

mod s3_server;

use futures::{TryStreamExt, stream::BoxStream};
use object_store::{
    CopyOptions, Error as StoreError, GetOptions, GetRange, GetResult, ListResult, MultipartUpload,
    ObjectMeta, ObjectStoreExt, PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult,
    WriteMultipart, memory::InMemory, path::Path,
};

use super::*;
use crate::masters::tests::file;

const CHUNK: usize = chunks::CHUNK;

fn masters(ids: &[(&str, u8)]) -> Option<Arc<Masters>> {
    Some(Arc::new(Masters::parse(&file(ids)).unwrap()))
}

fn store(inner: &Arc<InMemory>, masters: Option<Arc<Masters>>) -> Sealed {
    Sealed::new(inner.clone(), Vault::new(inner.clone(), masters))
}

fn sound(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 253) as u8 ^ (at / 253) as u8).collect()
}

fn wav() -> Path {
    "recordings/acme/2026-12-01/r.wav".into()
}

async fn names(store: &dyn ObjectStore) -> Vec<String> {
    let listed: Vec<_> = store.list(None).try_collect().await.unwrap();
    let mut names: Vec<_> = listed.into_iter().map(|meta| meta.location.to_string()).collect();
    names.sort();
    names
}

async fn read(store: &dyn ObjectStore, path: &Path) -> object_store::Result<Vec<u8>> {
    store.get(path).await?.bytes().await.map(Into::into)
}

#[tokio::test]
async fn a_recording_is_sealed_and_is_read_as_it_was() {
    let inner = Arc::new(InMemory::new());
    let sealed = store(&inner, masters(&[("a", 1)]));
    for length in [0, 1, CHUNK, 2 * CHUNK + 100] {
        sealed.put(&wav(), sound(length).into()).await.unwrap();
        assert_eq!(read(&sealed, &wav()).await.unwrap(), sound(length));
        assert_eq!(sealed.head(&wav()).await.unwrap().size, length as u64);
    }
    assert_eq!(names(&sealed).await, [wav().to_string()], "as plain names");
    assert_eq!(names(inner.as_ref()).await, [format!("{}.key", wav()), format!("{}.sealed", wav())]);
    let lies = read(inner.as_ref(), &format!("{}.sealed", wav()).into()).await.unwrap();
    let sound = sound(CHUNK);
    let piece = &sound[100..132];
    assert!(!lies.windows(32).any(|window| window == piece));
}

#[tokio::test]
async fn ranges_are_those_of_the_plain_bytes() {
    let inner = Arc::new(InMemory::new());
    let sealed = store(&inner, masters(&[("a", 1)]));
    let (all, chunk) = (sound(3 * CHUNK + 10), CHUNK as u64);
    sealed.put(&wav(), all.clone().into()).await.unwrap();
    let end = all.len() as u64;
    for range in [0..1, 0..end, chunk - 1..chunk + 1, chunk..2 * chunk, 2 * chunk + 5..end, end - 1..end] {
        let part = sealed.get_range(&wav(), range.clone()).await.unwrap();
        assert_eq!(part, all[range.start as usize..range.end as usize], "{range:?}");
    }
    for (range, wanted) in [(GetRange::Suffix(12), end - 12..end), (GetRange::Offset(chunk), chunk..end)] {
        let found = sealed.get_opts(&wav(), GetOptions::new().with_range(Some(range))).await.unwrap();
        assert_eq!((found.range.clone(), found.meta.size), (wanted.clone(), end));
        assert_eq!(found.bytes().await.unwrap(), all[wanted.start as usize..]);
    }
    assert!(sealed.get_range(&wav(), end..end + 1).await.is_err());
}

#[tokio::test]
async fn what_was_changed_or_cut_off_is_not_passed_on() {
    let inner = Arc::new(InMemory::new());
    let sealed = store(&inner, masters(&[("a", 1)]));
    sealed.put(&wav(), sound(2 * CHUNK).into()).await.unwrap();
    let lies: Path = format!("{}.sealed", wav()).into();
    let good = read(inner.as_ref(), &lies).await.unwrap();
    let mut flipped = good.clone();
    flipped[chunks::HEADER + 5] ^= 1;
    let cut = good[..chunks::HEADER + chunks::SEALED_CHUNK].to_vec();
    for bad in [flipped, cut, good[..20].to_vec()] {
        inner.put(&lies, bad.into()).await.unwrap();
        let said = read(&sealed, &wav()).await.unwrap_err().to_string();
        assert!(said.contains("is damaged"), "{said}");
    }
    inner.put(&lies, good.into()).await.unwrap();
    inner.delete(&format!("{}.key", wav()).into()).await.unwrap();
    let said = read(&store(&inner, masters(&[("a", 1)])), &wav()).await.unwrap_err().to_string();
    assert!(said.contains("is not in the object store"), "{said}");
}

#[tokio::test]
async fn plain_recordings_stay_readable_and_sealed_ones_are_refused_without_their_key() {
    let inner = Arc::new(InMemory::new());
    let (plain, sealed) = (store(&inner, None), store(&inner, masters(&[("a", 1)])));
    let old: Path = "recordings/acme/old.wav".into();
    plain.put(&old, sound(10).into()).await.unwrap();
    assert_eq!(names(inner.as_ref()).await, [old.to_string()], "no keys, nothing sealed");
    assert_eq!(read(&sealed, &old).await.unwrap(), sound(10));
    sealed.put(&wav(), sound(10).into()).await.unwrap();
    for keyless in [plain, store(&inner, masters(&[("b", 1)]))] {
        let error = read(&keyless, &wav()).await.unwrap_err();
        assert!(matches!(error, StoreError::PermissionDenied { .. }), "{error}");
        assert!(error.to_string().contains("master key `a`"), "{error}");
    }
}

#[tokio::test]
async fn of_two_writers_one_creates_and_both_have_one_key() {
    let inner = Arc::new(InMemory::new());
    let (one, other) = (store(&inner, masters(&[("a", 1)])), store(&inner, masters(&[("a", 1)])));
    let part: Path = format!("{}.part/000001.pcm", wav()).into();
    let create = |store: &Sealed, byte: u8| {
        let (store, part) = (store.clone(), part.clone());
        async move { store.put_opts(&part, vec![byte; 9].into(), PutMode::Create.into()).await }
    };
    let outcomes = futures::future::join(create(&one, 1), create(&other, 2)).await;
    assert!(outcomes.0.is_ok() != outcomes.1.is_ok(), "{outcomes:?}");
    let byte = if outcomes.0.is_ok() { 1 } else { 2 };
    for reader in [&one, &other] {
        assert_eq!(read(reader, &part).await.unwrap(), [byte; 9]);
    }
}

/// Keys are switched on with a restart of one node after the other.
#[tokio::test]
async fn what_is_created_is_there_once_where_one_of_two_writers_seals() {
    let part: Path = format!("{}.part/000001.pcm", wav()).into();
    for sealed_first in [true, false] {
        let inner = Arc::new(InMemory::new());
        let (plain, sealed) = (store(&inner, None), store(&inner, masters(&[("a", 1)])));
        let (first, second) = if sealed_first { (&sealed, &plain) } else { (&plain, &sealed) };
        let create = |byte: u8| (PutPayload::from(vec![byte; 9]), PutOptions::from(PutMode::Create));
        let (payload, options) = create(1);
        first.put_opts(&part, payload, options).await.unwrap();
        let (payload, options) = create(2);
        let refused = second.put_opts(&part, payload, options).await;
        assert!(matches!(refused, Err(StoreError::AlreadyExists { .. })), "{refused:?}");
        assert_eq!(names(&sealed).await, [part.to_string()], "sealed first: {sealed_first}");
        assert_eq!(read(&sealed, &part).await.unwrap(), [1; 9]);
    }
}

/// As a server that does not know `If-None-Match`.
#[derive(Debug)]
struct Careless(InMemory);

impl std::fmt::Display for Careless {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a careless store")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Careless {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        _: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.0.put(location, payload).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        self.0.put_multipart_opts(location, options).await
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        self.0.get_opts(location, options).await
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        self.0.delete_stream(locations)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.0.list(prefix)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.0.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.0.copy_opts(from, to, options).await
    }
}

#[tokio::test]
async fn a_store_that_overwrites_what_it_should_create_is_found_out() {
    let good = InMemory::new();
    for _ in 0..2 {
        assert!(creates_only_once(&good).await.unwrap());
        assert!(!creates_only_once(&Careless(InMemory::new())).await.unwrap());
    }
}

#[tokio::test]
async fn an_upload_is_sealed_piece_by_piece() {
    let inner = Arc::new(InMemory::new());
    let sealed = store(&inner, masters(&[("a", 1)]));
    for length in [0, CHUNK, 17 << 20] {
        let mut writer = WriteMultipart::new(sealed.put_multipart(&wav()).await.unwrap());
        sound(length).chunks(64_000).for_each(|piece| writer.write(piece));
        writer.finish().await.unwrap();
        assert!(read(&sealed, &wav()).await.unwrap() == sound(length), "{length} bytes");
    }
}

#[tokio::test]
async fn what_is_deleted_leaves_nothing() {
    let inner = Arc::new(InMemory::new());
    let sealed = store(&inner, masters(&[("a", 1)]));
    let part: Path = format!("{}.part/000001.pcm", wav()).into();
    for path in [&wav(), &part] {
        sealed.put(path, sound(10).into()).await.unwrap();
    }
    sealed.delete(&part).await.unwrap();
    assert_eq!(read(&sealed, &wav()).await.unwrap(), sound(10), "its key is still there");
    sealed.delete(&wav()).await.unwrap();
    assert!(names(inner.as_ref()).await.is_empty());
    sealed.delete(&wav()).await.unwrap();
}

#[tokio::test]
async fn keys_are_rewrapped_and_the_old_master_key_is_needed_no_more() {
    let inner = Arc::new(InMemory::new());
    let old = store(&inner, masters(&[("a", 1)]));
    old.put(&wav(), sound(10).into()).await.unwrap();
    let open: Path = "recordings/acme/open.wav.part/000001.pcm".into();
    old.put(&open, sound(10).into()).await.unwrap();
    let (bare, both) = (inner.clone() as Arc<dyn ObjectStore>, masters(&[("a", 1), ("b", 2)]).unwrap());
    let count = rewrap(&bare, &both).await.unwrap();
    assert_eq!(count, Rewrapped { rewrapped: 1, open: 1, ..Rewrapped::default() });
    let new = store(&inner, masters(&[("b", 2)]));
    assert_eq!(read(&new, &wav()).await.unwrap(), sound(10));
    assert_eq!(read(&old, &open).await.unwrap(), sound(10), "its writer goes on");
    let count = rewrap(&bare, &masters(&[("c", 3)]).unwrap()).await.unwrap();
    assert_eq!((count.rewrapped, count.open, count.failed.len()), (0, 1, 1));
    assert!(count.failed[0].contains("master key `b`"), "{count:?}");
}

#[tokio::test]
async fn a_folder_keeps_parts_and_files_in_one_place_and_no_empty_folders() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("file:{}", folder.path().display());
    let settings = Settings { url, ..Settings::default() };
    for masters in [None, masters(&[("a", 1)])] {
        let Opened { objects, parts } = connect(&settings, masters).unwrap();
        let part: Path = format!("{}.part/000001.pcm", wav()).into();
        parts.unwrap().put(&part, sound(4).into()).await.unwrap();
        assert_eq!(read(objects.as_ref(), &part).await.unwrap(), sound(4));
        objects.put(&wav(), sound(48).into()).await.unwrap();
        objects.delete(&part).await.unwrap();
        assert!(!folder.path().join(format!("{}.part", wav())).exists());
        assert_eq!(objects.get_range(&wav(), 8..20).await.unwrap(), sound(48)[8..20]);
        objects.delete(&wav()).await.unwrap();
        assert!(names(objects.as_ref()).await.is_empty());
    }
}
