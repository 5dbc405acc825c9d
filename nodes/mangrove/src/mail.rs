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

use anyhow::{Context, Result};
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
    let post = Post::new(smtp);
    let mut tries = Tries::default();
    loop {
        let due = control.messages_to_mail();
        tries.keep(&due);
        for mail in due.iter().filter(|mail| tries.is_due(&mail.errand, Instant::now())).collect::<Vec<_>>() {
            if let Err(error) = send(mail, &control, objects.as_ref(), &post).await {
                give_up_or_wait(&mail.errand, &control, &error, &mut tries).await;
            }
        }
        tokio::time::sleep(PERIOD).await;
    }
}

async fn send(mail: &Mail, control: &Control, objects: &dyn ObjectStore, post: &Post) -> Result<()> {
    let Mail { errand, to, language } = mail;
    // A box that has no address any more has nothing to mail.
    if let Some(to) = to {
        let sound = sound(errand, objects).await.context("its sound can't be read")?;
        post.send(&Letter { errand, to, language, sound }).await?;
    }
    control.note_message(errand, MessageWish::Mailed).await.context("it was mailed, which can't be noted")
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

async fn give_up_or_wait(errand: &Errand, control: &Control, error: &anyhow::Error, tries: &mut Tries) {
    let Errand { tenant, place, message } = errand;
    let (mailbox, number) = (&place.mailbox, place.number);
    if wall().saturating_sub(message.at) < PATIENCE_MS {
        tracing::warn!(%tenant, %mailbox, number, error = %format!("{error:#}"), "a message is not mailed yet");
        return tries.failed(errand, Instant::now());
    }
    tracing::error!(%tenant, %mailbox, number, error = %format!("{error:#}"), "a message is not mailed, it stays in its box");
    // Who can't note it now gives it up in the next round.
    let _ = control.note_message(errand, MessageWish::Mailed).await;
}

fn wall() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}
