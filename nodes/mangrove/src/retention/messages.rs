//! Messages in boxes: they have the time of recordings. One is deleted as people do it, and then its sound, also that of
//! messages whose sound could not be deleted when somebody deleted them.

use anyhow::{Error, Result};
use mangrove_control::Control;
use mangrove_domain::{MessageWish, mailbox::Errand};
use mangrove_objects::{deletion, held};
use mangrove_proto::id::TenantId;
use object_store::ObjectStore;

use super::FAILURES;

/// Deletes what was left before `before`, unless it is held. Goes on past what can't be deleted, and says so at the end.
pub(super) async fn expire(
    tenant: &TenantId,
    before: u64,
    control: &Control,
    objects: &dyn ObjectStore,
) -> Result<()> {
    let mut failures: Vec<Error> = Vec::new();
    for errand in control.messages_before(tenant, before) {
        if failures.len() < FAILURES {
            failures.extend(expire_one(&errand, control, objects).await.err());
        }
    }
    first_of(failures)
}

async fn expire_one(errand: &Errand, control: &Control, objects: &dyn ObjectStore) -> Result<()> {
    let call = errand.message.call.to_string();
    if held::held(objects, (errand.tenant.as_str(), &call)).await?.is_none() {
        control.note_message(errand, MessageWish::Delete).await?;
    }
    Ok(())
}

/// Deletes the sound of messages that are deleted, unless it is held by now. A tombstone stays of sound that never came: it may
/// still come from a machine that is away. Goes on past what can't be deleted, as above.
pub(super) async fn sweep(control: &Control, objects: &dyn ObjectStore) -> Result<()> {
    let mut failures: Vec<Error> = Vec::new();
    for errand in control.messages_to_delete() {
        if failures.len() < FAILURES {
            failures.extend(sweep_one(&errand, control, objects).await.err());
        }
    }
    first_of(failures)
}

async fn sweep_one(errand: &Errand, control: &Control, objects: &dyn ObjectStore) -> Result<()> {
    let Errand { tenant, message, .. } = errand;
    let (call, sound) = (message.call.to_string(), [(message.recording.as_str(), message.object.as_str())]);
    if !deletion::delete(objects, (tenant.as_str(), &call), &sound).await? {
        return Ok(());
    }
    control.note_message(errand, MessageWish::Gone).await?;
    if message.sha256.is_some() {
        deletion::forget(objects, tenant.as_str(), &sound).await?;
    }
    Ok(())
}

fn first_of(failures: Vec<Error>) -> Result<()> {
    failures.into_iter().next().map_or(Ok(()), Err)
}
