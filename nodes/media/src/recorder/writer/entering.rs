//! How a writer comes to a recording: as the first, after another, or with sound that waited on the disk. What is missing
//! before its sound becomes silence then.

use super::Writer;
use crate::recorder::{
    Settings, compact,
    judge::{self, Standing},
    layout::SPARE_MS,
    open::{Note, Ticket},
    spool::About,
};

impl Writer {
    /// Begins the recording, or takes up what a former run or another node left. What is missing until now is silence.
    pub(super) async fn open(settings: Settings, ticket: Ticket, now_ms: u64, ran_ms: u64) -> Self {
        let fresh = fresh(&settings, ticket, now_ms, ran_ms);
        let begin = || fresh.begin(settings.parts.as_ref());
        let former = settings.failing.insist("begin the note", &fresh.ticket, begin).await;
        Self::enter(settings, fresh, former, now_ms).await
    }

    /// Goes on with what a former run of this machine's had on the disk, in its place and in its name: the next run finds what
    /// is left if this one ends, and an heir that writes itself in meanwhile stays the heir. None when another has taken the
    /// recording up since, or all is in the file: then nothing of it may be written. `base`: bytes of the recording before
    /// that run's own sound, if it had begun.
    pub(in crate::recorder) async fn take_up(
        settings: Settings,
        about: &About,
        base: Option<u64>,
    ) -> Option<Self> {
        let settings = Settings { writer: about.writer.clone(), ..settings };
        let fresh = fresh(&settings, about.ticket.clone(), about.began_ms, about.ran_ms);
        let (objects, ticket) = (settings.objects.as_ref(), &about.ticket);
        let mut found =
            settings.failing.insist("read the note", ticket, || Note::read(objects, ticket)).await;
        if found.is_none() {
            let look = || compact::is_there(objects, ticket);
            if base.is_some() || settings.failing.insist("look for the file", ticket, look).await {
                return None;
            }
            // An heir may have begun it since: what it noted is judged, too.
            let begin = || fresh.begin(settings.parts.as_ref());
            found = settings.failing.insist("begin the note", ticket, begin).await;
        }
        let Some(note) = found else {
            return Some(Self::enter(settings, fresh, None, about.began_ms).await);
        };
        match judge::standing(about, base, &note) {
            Standing::GoesOn { base } => {
                let mut writer = Self::new(settings, note);
                writer.go_behind_the_last().await;
                writer.base = base;
                Some(writer)
            }
            Standing::TakesUp => Some(Self::enter(settings, fresh, Some(note), about.began_ms).await),
            Standing::Finishes => {
                compact::finish(&settings, note).await;
                None
            }
            Standing::IsOut => None,
        }
    }

    /// Writes itself in, now that `former` is the note that was there.
    async fn enter(settings: Settings, fresh: Note, former: Option<Note>, now_ms: u64) -> Self {
        let ran_ms = fresh.ran_ms.unwrap_or_default();
        let Some(former) = former else {
            let mut writer = Self::new(settings, fresh);
            if ran_ms > SPARE_MS {
                writer.resume(now_ms, false).await;
            }
            return writer;
        };
        // From now on by this node's clock: it is the one that will say when the recording ends.
        let is_own_clock = judge::are_of_one_name(&fresh.writer, &former.writer);
        let began_ms = judge::began_by(now_ms, former.began_ms, ran_ms, is_own_clock);
        let is_overtaken = judge::is_overtaken(&fresh, &former);
        let Note { writer, ran_ms, .. } = fresh;
        let note = Note { writer, ran_ms, began_ms, finished: None, ended_ms: None, ..former };
        let mut writer = Self::new(settings, note);
        writer.write_note().await;
        writer.resume(now_ms, is_overtaken).await;
        writer
    }
}

/// The note of a recording that nobody has begun before.
fn fresh(settings: &Settings, ticket: Ticket, now_ms: u64, ran_ms: u64) -> Note {
    let is_late = ran_ms > SPARE_MS;
    let began_ms = if is_late { now_ms.saturating_sub(ran_ms) } else { now_ms };
    Note { writer: settings.writer.clone(), ran_ms: Some(ran_ms), ..Note::new(ticket, began_ms) }
}
