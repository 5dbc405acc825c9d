//! Mails messages that callers have left, each with its sound. What is to be mailed stands in the state of the leader's groups
//! until the mail server has taken it: so none is lost with a node, and whoever leads next goes on. A server that has taken
//! one whose node died before it could say so gets it again, under the same Message-ID. What no server takes for days is
//! given up; the message stays in its box.

mod letter;
mod post;
mod tries;

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, Error, Result};
use mangrove_control::{Control, Mail};
use mangrove_domain::{MessageWish, mailbox::Errand};
use object_store::{ObjectStore, ObjectStoreExt, path::Path};

use crate::configuration::Smtp;
use letter::Letter;
use post::Post;
use tries::Tries;

/// Between two looks at what is to be mailed.
const PERIOD: Duration = Duration::from_secs(1);
/// Sound of more bytes is not attached: no server takes it.
const LARGEST: u64 = 40 << 20;
/// What could not be mailed for so long is given up.
const PATIENCE_MS: u64 = 3 * 24 * 3_600 * 1_000;

/// For as long as the node runs.
pub(crate) async fn keep(control: Control, objects: Arc<dyn ObjectStore>, smtp: Smtp) {
    let (post, mut tries) = (Post::new(smtp), Tries::default());
    loop {
        // Looked at anew for each: while another was sent it may have been deleted, or become another leader's.
        let due = control.messages_to_mail();
        tries.keep(&due);
        match due.iter().find(|mail| tries.is_due(&mail.errand, Instant::now())) {
            Some(mail) => settle(mail, &control, objects.as_ref(), &post, &mut tries).await,
            None => tokio::time::sleep(PERIOD).await,
        }
    }
}

/// Sends one and notes that. What is sent and can't be noted is only noted then, not sent again.
async fn settle(mail: &Mail, control: &Control, objects: &dyn ObjectStore, post: &Post, tries: &mut Tries) {
    let Errand { tenant, place, .. } = &mail.errand;
    if !tries.is_settled(&mail.errand)
        && let Err(error) = send(mail, objects, post).await
        && !is_given_up(&mail.errand, &error)
    {
        return tries.failed(&mail.errand, Instant::now());
    }
    tries.settled(&mail.errand, Instant::now());
    if let Err(error) = control.note_message(&mail.errand, MessageWish::Mailed).await {
        let (mailbox, number) = (&place.mailbox, place.number);
        tracing::warn!(%tenant, %mailbox, number, %error, "that a message is mailed can't be noted yet");
    }
}

/// A box that has no address any more has nothing to mail.
async fn send(mail: &Mail, objects: &dyn ObjectStore, post: &Post) -> Result<()> {
    let Mail { errand, to, language } = mail;
    let Some(to) = to else { return Ok(()) };
    let sound = sound(errand, objects).await.context("its sound can't be read")?;
    post.send(&Letter { errand, to, language, sound }).await
}

/// None: it is too long to be mailed.
async fn sound(errand: &Errand, objects: &dyn ObjectStore) -> Result<Option<Vec<u8>>> {
    let key = Path::parse(&errand.message.object)?;
    if objects.head(&key).await?.size > LARGEST {
        return Ok(None);
    }
    let bytes = objects.get(&key).await?.bytes().await?;
    Ok(Some(letter::alone(&bytes).unwrap_or_else(|_| bytes.to_vec())))
}

/// Whether it was tried for long enough; what is wrong is told.
fn is_given_up(errand: &Errand, error: &Error) -> bool {
    let Errand { tenant, place, message } = errand;
    let (mailbox, number, error) = (&place.mailbox, place.number, format!("{error:#}"));
    let is_over = wall().saturating_sub(message.at) >= PATIENCE_MS;
    if is_over {
        tracing::error!(%tenant, %mailbox, number, error, "a message is not mailed, it stays in its box");
    } else {
        tracing::warn!(%tenant, %mailbox, number, error, "a message is not mailed yet");
    }
    is_over
}

fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
