use std::{sync::atomic::Ordering, time::Duration};

use mangrove_rtp::g711::Law;
use object_store::{ObjectStoreExt, path::Path};
use tokio::time::Instant;

use super::{read::LARGEST, *};
use crate::testing::Store;

fn file(samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    [&wav::header(1, 8000, data.len() as u64)[..], &data].concat()
}

struct Places {
    prompts: Arc<Prompts>,
    objects: Arc<Store>,
    folder: tempfile::TempDir,
}

fn places() -> Places {
    let folder = tempfile::tempdir().unwrap();
    let objects = Arc::new(Store::default());
    let prompts = Prompts::new(Some(folder.path().to_owned()), objects.clone());
    Places { prompts, objects, folder }
}

impl Places {
    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }

    async fn frames(&self, tenant: &str, key: &str) -> usize {
        self.prompts.reload(tenant, key).await.unwrap().frames()
    }
}

#[tokio::test]
async fn the_nearest_place_wins() {
    let places = places();
    let builtin = places.frames("acme", "music/default").await;
    assert!(builtin > 250, "at least five seconds of music");
    places.write("music/default.wav", &file(&[0; 160]));
    assert_eq!(places.frames("acme", "music/default").await, 1);
    places.write("acme/music/default.wav", &file(&[0; 320]));
    assert_eq!(places.frames("acme", "music/default").await, 2);
    let path = Path::from("prompts/acme/music/default.wav");
    places.objects.put(&path, file(&[0; 480]).into()).await.unwrap();
    assert_eq!(places.frames("acme", "music/default").await, 3);
    assert_eq!(places.frames("other", "music/default").await, 1, "tenants have their own");
    assert!(places.prompts.kept("other", "music/default").is_some());
}

#[tokio::test]
async fn built_in_sounds_are_heard() {
    let places = places();
    for key in ["prompt/default-greeting", "prompt/ru/default-greeting", "music/default"] {
        let prompt = places.prompts.load("acme", key).await.unwrap();
        let silence = [Law::A.silence(); 160];
        let loud = (0..prompt.frames()).filter(|i| prompt.frame(Law::A, *i) != Some(&silence)).count();
        assert!(loud * 2 > prompt.frames(), "{key}");
    }
}

#[tokio::test]
async fn each_fault_is_named() {
    let places = places();
    places.write("prompt/bad.wav", b"GIF89a");
    let error = async |key: &str| places.prompts.load("acme", key).await.unwrap_err();
    assert_eq!(
        error("prompt/bad").await,
        Error::Malformed { key: "prompt/bad".into(), error: wav::Error::NotWav }
    );
    assert_eq!(error("prompt/none").await, Error::Unknown { key: "prompt/none".into() });
    for key in [
        "prompt/../../etc/passwd",
        "prompt/..",
        "etc/passwd",
        "prompt/",
        "prompt",
        "prompt/a/b/c",
        "music/ru/a",
        "prompt/../a",
        "",
    ] {
        assert_eq!(error(key).await, Error::Key { key: key.into() });
    }
    let large = std::fs::File::create(places.folder.path().join("prompt/large.wav")).unwrap();
    large.set_len(LARGEST + 1).unwrap();
    assert!(matches!(error("prompt/large").await, Error::TooLarge { .. }));
}

#[tokio::test]
async fn a_language_has_its_own_and_what_it_lacks_is_english() {
    let places = places();
    let load = async |key: &str| places.prompts.load("acme", key).await.unwrap();
    let english = load("prompt/en/default-greeting").await;
    assert!(load("prompt/ru/default-greeting").await != english);
    assert!(load("prompt/de/default-greeting").await == english);
    assert!(load("prompt/default-greeting").await == english);
    places.write("prompt/default-greeting.wav", &file(&[0; 160]));
    assert_eq!(places.frames("acme", "prompt/ru/default-greeting").await, 1, "the node's own for all");
    places.write("prompt/ru/default-greeting.wav", &file(&[0; 320]));
    assert_eq!(places.frames("acme", "prompt/ru/default-greeting").await, 2, "the node's own in Russian");
    assert_eq!(places.frames("acme", "prompt/en/default-greeting").await, 1);
    places.write("acme/prompt/default-greeting.wav", &file(&[0; 480]));
    assert_eq!(places.frames("acme", "prompt/ru/default-greeting").await, 3, "the tenant's own");
}

async fn is_heard(places: &Places, key: &str) {
    let prompt = places.prompts.load("acme", key).await.unwrap_or_else(|error| panic!("{error}"));
    let silence = [Law::A.silence(); 160];
    let loud = (0..prompt.frames()).filter(|i| prompt.frame(Law::A, *i) != Some(&silence)).count();
    assert!(loud >= 5, "{key}: {loud} frames");
}

#[tokio::test]
async fn whatever_is_promised_to_be_shipped_is_built_in() {
    let places = places();
    for key in mangrove_domain::shipped::keys() {
        // Some fragments are of one language alone.
        let name = key.strip_prefix("prompt/").filter(|name| {
            let russian = mangrove_domain::speech::fragments("ru");
            russian.iter().any(|fragment| fragment == name)
        });
        is_heard(&places, &name.map_or_else(|| key.clone(), |name| format!("prompt/ru/{name}"))).await;
    }
    for fragment in mangrove_domain::speech::fragments("en") {
        is_heard(&places, &format!("prompt/en/{fragment}")).await;
    }
    let english = places.prompts.load("acme", "prompt/en/number-2").await.unwrap();
    assert!(places.prompts.load("acme", "prompt/ru/number-2").await.unwrap() != english);
    assert!(places.prompts.load("acme", "prompt/de/number-2").await.unwrap() == english);
}

#[tokio::test]
async fn a_deleted_sound_is_forgotten_and_a_store_that_is_away_changes_nothing() {
    let places = places();
    let path = Path::from("prompts/acme/music/default.wav");
    places.objects.put(&path, file(&[500; 160]).into()).await.unwrap();
    assert_eq!(places.frames("acme", "music/default").await, 1);
    places.objects.is_away.store(true, Ordering::Relaxed);
    assert_eq!(places.frames("acme", "music/default").await, 1, "not the built-in one");
    assert!(places.frames("other", "music/default").await > 250, "who never heard another hears that");
    places.objects.is_away.store(false, Ordering::Relaxed);
    places.objects.delete(&path).await.unwrap();
    assert!(places.frames("acme", "music/default").await > 250);
    let own = Path::from("prompts/acme/prompt/own.wav");
    places.objects.put(&own, file(&[500; 160]).into()).await.unwrap();
    assert_eq!(places.frames("acme", "prompt/own").await, 1);
    places.objects.delete(&own).await.unwrap();
    assert!(matches!(places.prompts.reload("acme", "prompt/own").await, Err(Error::Unknown { .. })));
    assert!(places.prompts.kept("acme", "prompt/own").is_none());
}

/// A session of a number that is told in ten fragments.
#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_waited_for_once_and_asked_again_later() {
    let places = places();
    places.objects.hangs.store(true, Ordering::Relaxed);
    let began = Instant::now();
    for number in 0..10 {
        places.frames("acme", &format!("prompt/en/number-{number}")).await;
    }
    let took = began.elapsed();
    assert!(took < Duration::from_secs(4), "{took:?}");
    assert_eq!(places.objects.gets.load(Ordering::Relaxed), 1);
    tokio::time::sleep(Duration::from_secs(10)).await;
    places.objects.hangs.store(false, Ordering::Relaxed);
    let path = Path::from("prompts/acme/prompt/number-1.wav");
    places.objects.put(&path, file(&[500; 160]).into()).await.unwrap();
    assert_eq!(places.frames("acme", "prompt/en/number-1").await, 1, "its own again");
}

#[tokio::test]
async fn two_hundred_who_ask_at_once_share_one_reading_and_one_copy() {
    let places = places();
    let path = Path::from("prompts/acme/prompt/hello.wav");
    places.objects.put(&path, file(&[500; 8000]).into()).await.unwrap();
    let asks = (0..200).map(|_| places.prompts.load("acme", "prompt/hello"));
    let all = futures::future::join_all(asks).await;
    let first = all[0].clone().unwrap();
    assert!(all.iter().all(|one| Arc::ptr_eq(one.as_ref().unwrap(), &first)));
    assert_eq!(places.objects.gets.load(Ordering::Relaxed), 1);
    let again = places.prompts.reload("acme", "prompt/hello").await.unwrap();
    assert!(Arc::ptr_eq(&again, &first), "unchanged: the same copy");
    places.objects.put(&path, file(&[900; 8000]).into()).await.unwrap();
    assert!(places.prompts.reload("acme", "prompt/hello").await.unwrap() != first);
}
