//! What lies in the object store, on its way to a listener.

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use futures::{
    Stream, StreamExt as _,
    stream::{self, BoxStream},
};
use object_store::{GetOptions, ObjectMeta, ObjectStore, Result};

/// Bytes that are asked of the store at once.
const PIECE: u64 = 4 << 20;

/// The bytes of a range. The first piece is there already, so that what the store refuses is told in the answer's status.
pub(super) async fn opened(
    objects: Arc<dyn ObjectStore>,
    about: &ObjectMeta,
    range: Range<u64>,
) -> Result<BoxStream<'static, Result<Bytes>>> {
    let mut pieces = pieces(objects, about.clone(), range).boxed();
    let first = pieces.next().await.transpose()?;
    Ok(stream::iter(first.map(Ok)).chain(pieces).boxed())
}

/// Each is read when the listener has taken the one before: the store's answer to one request has a deadline, and a listener
/// may take his time. An error where another object has taken the place of the one that was asked for.
fn pieces(
    objects: Arc<dyn ObjectStore>,
    about: ObjectMeta,
    range: Range<u64>,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    let Range { start, end } = range;
    stream::iter((start..end).step_by(PIECE as usize)).then(move |at| {
        let (objects, about) = (objects.clone(), about.clone());
        async move {
            let range = Some(at..end.min(at + PIECE));
            let options = GetOptions::new().with_range(range).with_if_match(about.e_tag);
            objects.get_opts(&about.location, options).await?.bytes().await
        }
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use futures::TryStreamExt as _;
    use object_store::{Error, ObjectStoreExt as _, memory::InMemory, path::Path};

    use super::*;

    async fn stored(objects: &Arc<InMemory>, bytes: Vec<u8>) -> ObjectMeta {
        let place = Path::from("music.wav");
        objects.put(&place, bytes.into()).await.unwrap();
        objects.head(&place).await.unwrap()
    }

    #[tokio::test]
    async fn pieces_are_the_range() {
        let objects = Arc::new(InMemory::new());
        let all: Vec<u8> = (0..2 * PIECE + 5).map(|at| (at % 251) as u8).collect();
        let about = stored(&objects, all.clone()).await;
        let end = all.len() as u64;
        for range in [0..end, 0..0, 3..4, PIECE - 1..PIECE + 1, PIECE..2 * PIECE, end - 1..end] {
            let pieces = opened(objects.clone(), &about, range.clone()).await.unwrap();
            let found: Vec<Bytes> = pieces.try_collect().await.unwrap();
            assert!(found.concat() == all[range.start as usize..range.end as usize], "{range:?}");
        }
    }

    #[tokio::test]
    async fn each_piece_is_asked_for_when_it_is_wanted_and_all_are_of_one_object() {
        let objects = Arc::new(InMemory::new());
        let about = stored(&objects, vec![1; 2 * PIECE as usize]).await;
        let mut pieces = opened(objects.clone(), &about, 0..2 * PIECE).await.unwrap();
        assert_eq!(pieces.next().await.unwrap().unwrap().len(), PIECE as usize);
        stored(&objects, vec![2; 2 * PIECE as usize]).await;
        let next = pieces.next().await.unwrap();
        assert!(matches!(next, Err(Error::Precondition { .. })), "{next:?}");
        let other = ObjectMeta { location: "other".into(), ..about };
        let Err(missing) = opened(objects, &other, 0..1).await else { panic!("there is no such object") };
        assert!(matches!(missing, Error::NotFound { .. }), "{missing}");
    }
}
