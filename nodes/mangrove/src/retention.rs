//! Deletes recordings whose time is over: the sound first, then what points at it, so that nothing is left behind that
//! nobody knows of. What is held stays until it is released. A deletion that failed is tried again in the next round. Under a
//! clock that can't be believed nothing is deleted.

mod messages;
mod wall;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Result, bail};
use mangrove_control::Control;
use mangrove_history::{Expired, History};
use mangrove_objects::deletion;
use mangrove_proto::id::TenantId;
use object_store::ObjectStore;
use wall::{Verdict, Wall};

/// Between two rounds. Retention is counted in days.
const PERIOD: Duration = Duration::from_secs(3_600);
/// Calls in one bite.
const BITE: u32 = 100;
/// Failures after which a round ends: then it is the store, not an object.
const FAILURES: usize = 100;

/// Rounds for as long as the node runs.
pub(crate) async fn keep(control: Control, history: History, objects: Arc<dyn ObjectStore>) {
    let mut clocks = Wall::new(Instant::now(), wall(), control.wall_before_start());
    loop {
        match clocks.judge(Instant::now(), wall()) {
            Verdict::Go => round(&control, &history, objects.as_ref()).await,
            Verdict::Jumped => tracing::error!("the wall clock jumped: no recordings are deleted for a day"),
            Verdict::Wait => tracing::warn!("the wall clock is in doubt: no recordings are deleted for now"),
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn round(control: &Control, history: &History, objects: &dyn ObjectStore) {
    for (tenant, retention_ms) in control.retentions() {
        let before = wall().saturating_sub(retention_ms);
        if let Err(error) = delete_before(&tenant, before, history, objects).await {
            tracing::warn!(%tenant, %error, "expired recordings stay until the next round");
        }
        if let Err(error) = messages::expire(&tenant, before, control, objects).await {
            tracing::warn!(%tenant, %error, "expired messages stay until the next round");
        }
    }
    if let Err(error) = messages::sweep(control, objects).await {
        tracing::warn!(%error, "the sound of deleted messages stays until the next round");
    }
}

/// Goes on past what can't be deleted, and says so at the end.
async fn delete_before(
    tenant: &TenantId,
    before: u64,
    history: &History,
    objects: &dyn ObjectStore,
) -> Result<()> {
    let (mut last, mut failures): (Option<Expired>, Vec<String>) = (None, Vec::new());
    while failures.len() < FAILURES {
        let expired = history.expired_recordings(tenant, before, last.as_ref(), BITE).await?;
        for call in &expired {
            if let Err(error) = delete(tenant, call, history, objects).await? {
                failures.push(format!("{}: {error}", call.call));
            }
        }
        last = match expired.into_iter().next_back() {
            None => break,
            last => last,
        };
    }
    match failures.as_slice() {
        [] => Ok(()),
        [first, ..] => bail!("{} calls' sound can't be deleted, the first is {first}", failures.len()),
    }
}

/// What is held stays. Tombstones do not: hardly a machine is away for as long as recordings are kept, and there would be one
/// of each for ever. The error within is of these objects, the other of the database.
async fn delete(
    tenant: &TenantId,
    Expired { call, recordings, .. }: &Expired,
    history: &History,
    objects: &dyn ObjectStore,
) -> Result<object_store::Result<()>> {
    let all: Vec<(&str, &str)> =
        recordings.iter().map(|recording| (recording.id.as_str(), recording.object.as_str())).collect();
    match deletion::delete(objects, (tenant.as_str(), &call.to_string()), &all).await {
        Ok(true) => {}
        Ok(false) => return Ok(Ok(())),
        Err(error) => return Ok(Err(error)),
    }
    let ids: Vec<&str> = all.iter().map(|(id, _)| *id).collect();
    history.forget_recordings(tenant, *call, &ids).await?;
    Ok(deletion::forget(objects, tenant.as_str(), &all).await)
}

fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_history::Batch;
    use mangrove_objects::held;
    use mangrove_proto::live::{
        Cdr, CdrRecording, Direction, EndedBy, Outcome, RecordingChannels, RecordingFormat,
    };
    use object_store::{ObjectStoreExt, memory::InMemory, path::Path};

    use super::*;

    fn cdr(call: u128, started: u64) -> Cdr {
        let recording = CdrRecording {
            id: "1".into(),
            object: format!("recordings/{call}.wav"),
            duration_ms: 1,
            bytes: 4,
            missing_ms: 0,
            sha256: String::new(),
            marks: Vec::new(),
            format: RecordingFormat::default(),
            channels: RecordingChannels::default(),
        };
        Cdr {
            call: mangrove_proto::id::CallId(call),
            tenant: TenantId::from("acme"),
            direction: Direction::Inbound,
            caller: "1".into(),
            called: "2".into(),
            number: None,
            source: None,
            trunk: None,
            started,
            answered: None,
            ended: started + 1,
            wait_ms: 0,
            talk_ms: 0,
            hold_ms: 0,
            group: None,
            employee: None,
            outcome: Outcome::Answered,
            ended_by: EndedBy::Caller,
            cause: "normal".into(),
            sip_status: 200,
            q850: 16,
            legs: Vec::new(),
            recordings: vec![recording],
        }
    }

    #[tokio::test]
    async fn sound_of_old_calls_goes_and_that_of_new_ones_stays() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&format!("sqlite:{}/history.db", folder.path().display())).await.unwrap();
        let (old, new) = (cdr(1, 1_000), cdr(2, 9_000));
        history.write(&Batch { cdrs: vec![old.clone(), new.clone()], ..Batch::default() }).await.unwrap();
        let objects = InMemory::new();
        for call in [&old, &new] {
            objects.put(&Path::from(call.recordings[0].object.as_str()), "wave".into()).await.unwrap();
        }
        let stray = Path::from("recordings/1.wav.part/000009.pcm");
        objects.put(&stray, "wave".into()).await.unwrap();
        delete_before(&TenantId::from("acme"), 5_000, &history, &objects).await.unwrap();
        assert!(objects.head(&stray).await.is_err());
        assert!(objects.head(&Path::from("recordings/1.wav")).await.is_err());
        assert!(objects.head(&Path::from("recordings/2.wav")).await.is_ok());
        assert!(!deletion::is_deleted(&objects, "acme", "1").await.unwrap(), "not one of each for ever");
        let kept = history.cdr(&old.tenant, old.call).await.unwrap().unwrap();
        assert!(kept.recordings.is_empty(), "the record stays, without a way to the sound");
    }

    #[tokio::test]
    async fn what_is_held_stays_until_it_is_released() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&format!("sqlite:{}/history.db", folder.path().display())).await.unwrap();
        let (tenant, old, objects) = (TenantId::from("acme"), cdr(1, 1_000), InMemory::new());
        history.write(&Batch { cdrs: vec![old.clone()], ..Batch::default() }).await.unwrap();
        let sound = Path::from(old.recordings[0].object.as_str());
        objects.put(&sound, "wave".into()).await.unwrap();
        let hold = held::Hold { author: "olga".into(), at: 1, reason: String::new() };
        let call = old.call.to_string();
        held::hold(&objects, ("acme", &call), &hold, &[]).await.unwrap();
        delete_before(&tenant, 5_000, &history, &objects).await.unwrap();
        assert!(objects.head(&sound).await.is_ok());
        assert_eq!(history.cdr(&tenant, old.call).await.unwrap().unwrap().recordings.len(), 1);
        held::release(&objects, ("acme", &call)).await.unwrap();
        delete_before(&tenant, 5_000, &history, &objects).await.unwrap();
        assert!(objects.head(&sound).await.is_err());
        assert!(history.cdr(&tenant, old.call).await.unwrap().unwrap().recordings.is_empty());
    }

    #[tokio::test]
    async fn what_cant_be_deleted_stands_in_nobodys_way() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::open(&format!("sqlite:{}/history.db", folder.path().display())).await.unwrap();
        let calls: Vec<_> = (1..=u128::from(BITE) + 2).map(|call| cdr(call, 1_000)).collect();
        history.write(&Batch { cdrs: calls.clone(), ..Batch::default() }).await.unwrap();
        let objects = object_store::local::LocalFileSystem::new_with_prefix(folder.path()).unwrap();
        // Folders where files should be: these can't be deleted.
        for call in &calls[..BITE as usize - 1] {
            std::fs::create_dir_all(folder.path().join(&call.recordings[0].object)).unwrap();
        }
        let last = &calls[BITE as usize + 1];
        let sound = Path::from(last.recordings[0].object.as_str());
        objects.put(&sound, "wave".into()).await.unwrap();
        let error = delete_before(&TenantId::from("acme"), 5_000, &history, &objects).await.unwrap_err();
        assert!(error.to_string().starts_with("99 calls"), "{error}");
        assert!(objects.head(&sound).await.is_err());
        assert!(history.cdr(&last.tenant, last.call).await.unwrap().unwrap().recordings.is_empty());
        let kept = history.cdr(&calls[0].tenant, calls[0].call).await.unwrap().unwrap();
        assert_eq!(kept.recordings.len(), 1, "tried again in the next round");
    }
}
