//! What is known of a recording that is not finished, and how it is kept in the store.

use mangrove_proto::media::{RecordingFinished, media_event::Fact};
use mangrove_sound::kept::Form;
use object_store::{Error, ObjectStore, ObjectStoreExt, PutMode};
use serde::{Deserialize, Serialize};

use super::{
    layout,
    store::{DEADLINE, within},
};
use crate::outbox::Owner;

/// Whose recording it is and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    pub(crate) group: u64,
    pub(crate) tenant: String,
    pub(crate) session: String,
    pub(crate) recording: String,
    pub(crate) object: String,
    /// It becomes Opus in Ogg instead of WAV.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) opus: bool,
    /// Both sides become one channel.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) mixed: bool,
}

impl Ticket {
    /// What kind of file it becomes. Its parts are plain sound of both sides in any case.
    pub(super) fn form(&self) -> Form {
        Form { opus: self.opus, mixed: self.mixed }
    }

    pub(super) fn owner(&self) -> Owner {
        Owner {
            group: self.group,
            tenant: self.tenant.as_str().into(),
            session: self.session.as_str().into(),
        }
    }
}

/// The note in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub(super) ticket: Ticket,
    /// Whose it is to write: the one that took it up last.
    #[serde(default)]
    pub(super) writer: String,
    /// How long the recording had been wanted by the group's clock when its writer took it up; none in notes of earlier
    /// builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ran_ms: Option<u64>,
    /// Bytes of the recording before its writer's own sound, once they are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) base: Option<u64>,
    /// When it began, milliseconds since 1970.
    pub(super) began_ms: u64,
    /// When its call ended; none while it runs, and when its node died first.
    #[serde(default)]
    pub(super) ended_ms: Option<u64>,
    /// Silence put in for sound that was lost.
    pub(super) missing_ms: u64,
    /// Set once the file is whole: the parts may be gone.
    pub(super) finished: Option<Finished>,
}

/// What is reported of a finished recording.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Finished {
    pub(super) bytes: u64,
    pub(super) duration_ms: u64,
    pub(super) sha256: String,
}

impl Note {
    /// The note of a recording that begins.
    pub(super) fn new(ticket: Ticket, began_ms: u64) -> Self {
        Self {
            ticket,
            writer: String::new(),
            ran_ms: None,
            base: None,
            began_ms,
            ended_ms: None,
            missing_ms: 0,
            finished: None,
        }
    }

    /// The note, with the end that its writer did not note: so long after it began.
    pub(super) fn ended_after(self, ran_ms: Option<u64>) -> Self {
        Self { ended_ms: self.ended_ms.or(ran_ms.map(|ran| self.began_ms.saturating_add(ran))), ..self }
    }

    /// Puts this note into the store, unless the recording was begun before and not forgotten: then the note of then.
    /// It may be lost with the machine's power, as the sound that follows may.
    pub(super) async fn begin(&self, parts: &dyn ObjectStore) -> object_store::Result<Option<Self>> {
        let path = layout::note(&self.ticket);
        let create = parts.put_opts(&path, self.json().into(), PutMode::Create.into());
        match within(DEADLINE, create).await {
            Ok(_) => return Ok(None),
            Err(Error::AlreadyExists { .. }) => {}
            Err(error) => return Err(error),
        }
        let former = Self::read(parts, &self.ticket).await?;
        if former.is_none() {
            self.write(parts).await?;
        }
        Ok(former)
    }

    /// The note of the recording, if it was begun before and not forgotten.
    pub(super) async fn read(
        objects: &dyn ObjectStore,
        ticket: &Ticket,
    ) -> object_store::Result<Option<Self>> {
        let read = async { objects.get(&layout::note(ticket)).await?.bytes().await };
        let bytes = match within(DEADLINE, read).await {
            Ok(bytes) => bytes,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Self::parse(&bytes).filter(|note| note.ticket.object == ticket.object))
    }

    /// None when it is no note: somebody else's file, or one cut off.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    pub(super) async fn write(&self, objects: &dyn ObjectStore) -> object_store::Result<()> {
        within(DEADLINE, objects.put(&layout::note(&self.ticket), self.json().into())).await.map(drop)
    }

    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The report to control, once it is finished.
    pub(super) fn fact(&self) -> Option<Fact> {
        let finished = self.finished.as_ref()?;
        Some(Fact::RecordingFinished(RecordingFinished {
            recording: self.ticket.recording.clone(),
            object: self.ticket.object.clone(),
            duration_ms: finished.duration_ms,
            bytes: finished.bytes,
            missing_ms: self.missing_ms,
            sha256: finished.sha256.clone(),
            opus: self.ticket.opus,
            mixed: self.ticket.mixed,
        }))
    }
}
