//! Deletes recordings whose time is over: the sound first, then what points at it, so that nothing is left behind that
//! nobody knows of. A deletion that failed is tried again in the next round.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use mangrove_control::Control;
use mangrove_history::{Expired, History};
use mangrove_proto::id::TenantId;
use object_store::{ObjectStore, ObjectStoreExt, path::Path};

/// Between two rounds. Retention is counted in days.
const PERIOD: Duration = Duration::from_secs(3_600);
/// Calls in one bite.
const BITE: u32 = 100;

/// Rounds for as long as the node runs.
pub(crate) async fn keep(control: Control, history: History, objects: Arc<dyn ObjectStore>) {
    loop {
        for (tenant, retention_ms) in control.retentions() {
            let before = wall().saturating_sub(retention_ms);
            if let Err(error) = delete_before(&tenant, before, &history, objects.as_ref()).await {
                tracing::warn!(%tenant, %error, "expired recordings stay until the next round");
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn delete_before(
    tenant: &TenantId,
    before: u64,
    history: &History,
    objects: &dyn ObjectStore,
) -> Result<()> {
    loop {
        let expired = history.expired_recordings(tenant, before, BITE).await?;
        if expired.is_empty() {
            return Ok(());
        }
        for call in expired {
            delete(&call, objects).await?;
            history.forget_recordings(tenant, call.call).await?;
        }
    }
}

async fn delete(call: &Expired, objects: &dyn ObjectStore) -> Result<()> {
    for recording in &call.recordings {
        match objects.delete(&Path::from(recording.object.as_str())).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use mangrove_history::Batch;
    use mangrove_proto::live::{Cdr, CdrRecording, Direction, EndedBy, Outcome};
    use object_store::memory::InMemory;

    use super::*;

    fn cdr(call: u128, started: u64) -> Cdr {
        let recording = CdrRecording {
            id: "1".into(),
            object: format!("recordings/{call}.wav"),
            duration_ms: 1,
            bytes: 4,
            missing_ms: 0,
            sha256: String::new(),
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
        delete_before(&TenantId::from("acme"), 5_000, &history, &objects).await.unwrap();
        assert!(objects.head(&Path::from("recordings/1.wav")).await.is_err());
        assert!(objects.head(&Path::from("recordings/2.wav")).await.is_ok());
        let kept = history.cdr(&old.tenant, old.call).await.unwrap().unwrap();
        assert!(kept.recordings.is_empty(), "the record stays, without a way to the sound");
    }
}
