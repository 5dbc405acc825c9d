//! How much is taken: of one company altogether, and of uploads at once.

use axum::body::Bytes;
use futures::{poll, stream};

use super::*;

fn sound(name: &str, bytes: u64) -> Sound {
    Sound::of(&Place::new("prompt", name).unwrap(), bytes, 0)
}

fn refused(present: &[Sound], name: &str, bytes: u64) -> Option<String> {
    let place = Place::new("prompt", name).unwrap();
    has_room(present, &place, bytes).err().map(|refusal| {
        assert_eq!(refusal.status, StatusCode::UNPROCESSABLE_ENTITY);
        refusal.message
    })
}

#[test]
fn a_company_has_128_mib_of_sound_and_what_is_replaced_does_not_count() {
    let mib = 1 << 20;
    let present = [sound("hello", 100 * mib), sound("bye", 20 * mib)];
    assert_eq!(refused(&present, "menu", 8 * mib), None);
    let why = refused(&present, "menu", 8 * mib + 1).expect("a byte too many");
    assert!(why.contains("more than 128 MiB"), "{why}");
    assert_eq!(refused(&present, "hello", 108 * mib), None);
    assert!(refused(&present, "hello", 108 * mib + 1).is_some());
}

#[test]
fn a_company_has_500_sounds_and_any_of_them_may_be_replaced() {
    let present: Vec<Sound> = (0..500).map(|number| sound(&format!("p{number}"), 1)).collect();
    let why = refused(&present, "one-more", 1).expect("one too many");
    assert!(why.contains("500 sounds"), "{why}");
    assert_eq!(refused(&present, "p7", 2), None);
    assert_eq!(refused(&present[1..], "one-more", 1), None);
}

/// A file that never comes to its end.
fn endless() -> Body {
    Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>())
}

#[tokio::test]
async fn four_uploads_are_taken_at_once_and_the_fifth_is_told_to_come_again() {
    let mut coming: Vec<_> = (0..4).map(|_| Box::pin(taken(endless()))).collect();
    for upload in &mut coming {
        assert!(poll!(upload.as_mut()).is_pending());
    }
    let fifth = taken(Body::from("a file")).await.expect_err("no room in memory");
    assert_eq!(fifth.status, StatusCode::SERVICE_UNAVAILABLE);
    coming.pop();
    let next = taken(Body::from("a file")).await.expect_err("it is no sound");
    assert_eq!(next.error, "unusable-sound", "but it was looked at");
}
