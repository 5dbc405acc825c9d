//! How a writer comes to a recording: as the first, after another, or with sound that waited on the disk. What is missing
//! before its sound becomes silence then.

use tokio::time::Instant;

use super::Writer;
use crate::{
    clock::unix_us,
    recorder::{
        Settings, compact,
        judge::{self, Standing},
        layout::SPARE_MS,
        open::{Note, Ticket},
        spool::About,
    },
};

/// When a writer was told to record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told {
    at: Instant,
    /// Milliseconds since 1970.
    wall_ms: u64,
}

impl Told {
    /// Just now, the wall showing this.
    pub(super) fn now(wall_ms: u64) -> Self {
        Self { at: Instant::now(), wall_ms }
    }

    /// One of the two clocks may stand still with a machine.
    fn is_late(self) -> bool {
        let (own_ms, wall_ms) = (self.at.elapsed().as_millis() as u64, unix_us() / 1_000);
        judge::is_late(own_ms, wall_ms.saturating_sub(self.wall_ms))
    }
}

/// The recording is whole, or was and is deleted: nothing may be written any more.
#[derive(Debug)]
struct TooLate;

impl Writer {
    /// Begins the recording, or takes up what a former run or another node left. What is missing until now is silence. Who was told
    /// to before another that has taken it up, or comes when all is done, writes nothing.
    pub(super) async fn open(settings: Settings, ticket: Ticket, told: Told, ran_ms: u64) -> Self {
        let now_ms = told.wall_ms;
        let fresh = fresh(&settings, ticket, now_ms, ran_ms);
        let begun = begin(&settings, &fresh, || told.is_late()).await;
        match begun {
            Ok(Some(former)) if judge::is_stale(&fresh, &former) => Self::lost(settings, fresh),
            Ok(former) => Self::enter(settings, fresh, former, now_ms).await,
            Err(TooLate) => Self::lost(settings, fresh),
        }
    }

    fn lost(settings: Settings, fresh: Note) -> Self {
        let recording = &fresh.ticket.recording;
        tracing::warn!(
            recording,
            "another wrote this recording before this node came to it: nothing is added"
        );
        Self { is_lost: true, ..Self::new(settings, fresh) }
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
        let found = settings.failing.insist("read the note", ticket, || Note::read(objects, ticket)).await;
        let note = match found {
            Some(note) => note,
            None if base.is_some() => return None,
            None => {
                let begun = begin(&settings, &fresh, || true).await;
                match begun {
                    Ok(None) => return Some(Self::enter(settings, fresh, None, about.began_ms).await),
                    // An heir has begun it since: what it noted is judged, too.
                    Ok(Some(note)) => note,
                    Err(TooLate) => return None,
                }
            }
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
        let note = Note { writer, ran_ms, base: None, began_ms, finished: None, ended_ms: None, ..former };
        let mut writer = Self::new(settings, note);
        writer.write_note().await;
        writer.resume(now_ms, is_overtaken).await;
        writer
    }
}

/// Makes the note, or gives the one that another made, however often the store fails.
async fn begin(
    settings: &Settings,
    fresh: &Note,
    is_late: impl Fn() -> bool,
) -> Result<Option<Note>, TooLate> {
    let attempt = || try_begin(settings, fresh, &is_late);
    settings.failing.insist("begin the note", &fresh.ticket, attempt).await
}

/// Who is late looks first whether the recording is whole, and again once there is its note: no heir begins and ends unseen
/// after that.
async fn try_begin(
    settings: &Settings,
    fresh: &Note,
    is_late: &impl Fn() -> bool,
) -> object_store::Result<Result<Option<Note>, TooLate>> {
    let (objects, ticket) = (settings.objects.as_ref(), &fresh.ticket);
    if is_late() && compact::is_done(objects, ticket).await? {
        return Ok(Err(TooLate));
    }
    let former = fresh.begin(settings.parts.as_ref()).await?;
    if former.is_none() && is_late() && compact::is_done(objects, ticket).await? {
        compact::remove_note(objects, ticket).await?;
        return Ok(Err(TooLate));
    }
    Ok(Ok(former))
}

/// The note of a recording that nobody has begun before.
fn fresh(settings: &Settings, ticket: Ticket, now_ms: u64, ran_ms: u64) -> Note {
    let is_late = ran_ms > SPARE_MS;
    let began_ms = if is_late { now_ms.saturating_sub(ran_ms) } else { now_ms };
    // Who is late has silence before its sound, first of all.
    let base = (!is_late).then_some(0);
    Note { writer: settings.writer.clone(), ran_ms: Some(ran_ms), base, ..Note::new(ticket, began_ms) }
}
