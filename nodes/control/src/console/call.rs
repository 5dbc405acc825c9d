//! Commands on a call in progress. Who asks for a pause is answered when the media node has said that nothing is kept: until
//! then the card's number may still be recorded.

use std::{sync::Arc, time::Duration};

use mangrove_domain::{CallWish, Command, ConferenceWish, Mode, RecordingWish, State, rules};
use mangrove_proto::{
    control::CallCommand,
    id::{CallId, EmployeeId, TenantId},
    service::Error,
};
use tokio::sync::watch;

use super::{ask, author, settle};
use crate::{control::Control, group::Group};

/// How long the media node may take to confirm a pause: whoever waits in a browser is answered by then.
const PATIENCE: Duration = Duration::from_secs(3);

/// Since this protocol all nodes can read a supervisor's wish.
const MONITORS_SINCE: u32 = 6;

pub(super) async fn command(control: &Control, command: CallCommand) -> Result<(), Error> {
    let call: CallId =
        command.call.parse().map_err(|_| Error::NotFound { what: format!("call `{}`", command.call) })?;
    let wish = wish(&command)?;
    let (group, tenant) = control.home(&command.tenant)?;
    let ask = match wish {
        CallWish::HangUp => None,
        CallWish::Record(_) => {
            knows_recording(&group.shared.get().state)?;
            ask(control, command.author.as_ref())
        }
        CallWish::Monitor { .. } => {
            knows_monitors(control)?;
            ask(control, command.author.as_ref())
        }
        CallWish::Confer(_) => {
            knows_conferences(&group.shared.get().state)?;
            None
        }
        CallWish::Transfer { .. } => {
            knows_transfers(&group.shared.get().state)?;
            ask(control, command.author.as_ref())
        }
    };
    let pauses = wish == CallWish::Record(RecordingWish::Pause);
    let (author, asked) = (author(command.author), tenant.clone());
    let command = Command::CommandCall { tenant: asked, call, wish, author, ask };
    let (reply, shows) = group.proposer.ask_to_see(command).await?;
    settle(reply)?;
    match pauses {
        // A pause from before must not be taken for this one.
        true if !shows => Err(unconfirmed()),
        true => confirmed(&group, &tenant, call).await,
        false => Ok(()),
    }
}

fn unconfirmed() -> Error {
    let why = "the media node has not confirmed it yet, sound may still be recorded: ask again before anything secret is \
               said";
    Error::Unavailable { what: "the pause".into(), why: why.into() }
}

/// All that can be asked for, by its word.
fn wishes(asked: &CallCommand) -> Vec<(&'static str, CallWish)> {
    let supervisor = EmployeeId::from(asked.employee.as_str());
    let recording = RecordingWish::ALL.map(|wish| (wish.name(), CallWish::Record(wish)));
    let modes = Mode::ALL.map(|mode| (mode.name(), Some(mode))).into_iter().chain([("stop", None)]);
    let monitor = |(word, mode)| (word, CallWish::Monitor { supervisor: supervisor.clone(), mode });
    let hang_up = [("hang-up", CallWish::HangUp)];
    let conference = ConferenceWish::ALL.map(|wish| (wish.name(), CallWish::Confer(wish)));
    let by = Some(supervisor.clone()).filter(|by| !by.as_str().is_empty());
    let transfer = [("transfer", CallWish::Transfer { by, to: asked.to.clone() })];
    let of_recording = hang_up.into_iter().chain(recording);
    of_recording.chain(modes.map(monitor)).chain(conference).chain(transfer).collect()
}

fn wish(command: &CallCommand) -> Result<CallWish, Error> {
    let mut known = wishes(command);
    let place = known.iter().position(|(word, _)| *word == command.action);
    let place = place.ok_or_else(|| {
        let words: Vec<&str> = known.iter().map(|(word, _)| *word).collect();
        let (action, words) = (&command.action, words.join(", "));
        Error::Refused { why: format!("`{action}` can't be done to a call: use one of {words}") }
    })?;
    Ok(known.swap_remove(place).1)
}

/// What older builds can't read is not written while there are such.
fn knows_recording(state: &State) -> Result<(), Error> {
    if rules::records_by_rule(state.rules()) {
        return Ok(());
    }
    Err(Error::Refused { why: "not all nodes know recording by hand yet: upgrade them all first".into() })
}

fn knows_conferences(state: &State) -> Result<(), Error> {
    if rules::confers(state.rules()) {
        return Ok(());
    }
    Err(Error::Refused { why: "not all nodes know conferences yet: upgrade them all first".into() })
}

fn knows_transfers(state: &State) -> Result<(), Error> {
    if rules::transfers_by_wish(state.rules()) {
        return Ok(());
    }
    Err(Error::Refused { why: "not all nodes know transfers by wish yet: upgrade them all first".into() })
}

fn knows_monitors(control: &Control) -> Result<(), Error> {
    if control.cluster().directory().all_speak(MONITORS_SINCE) {
        return Ok(());
    }
    Err(Error::Refused { why: "supervision is not known to all nodes yet: upgrade them all first".into() })
}

/// How far a pause is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Awaited,
    Confirmed,
    /// The talk is over, or somebody has ended the pause again.
    Over,
}

fn progress(state: &State, tenant: &TenantId, call: CallId) -> Progress {
    let call = state.tenant(tenant).and_then(|tenant| tenant.call(call));
    let recording = call.and_then(|call| call.recording.as_ref()).filter(|recording| recording.running);
    match recording.and_then(|recording| recording.pause) {
        None => Progress::Over,
        Some(pause) if pause.confirmed => Progress::Confirmed,
        Some(_) => Progress::Awaited,
    }
}

async fn confirmed(group: &Arc<Group>, tenant: &TenantId, call: CallId) -> Result<(), Error> {
    let look = || progress(&group.shared.get().state, tenant, call);
    match tokio::time::timeout(PATIENCE, decided(group.progress.follow(), look)).await {
        Ok(Progress::Confirmed) => Ok(()),
        Ok(Progress::Over) => Err(Error::Conflict { what: format!("call {call}: its recording") }),
        Ok(Progress::Awaited) | Err(_) => Err(unconfirmed()),
    }
}

/// Looks again with every entry, until it is known how it ends; as it is when there are no more.
async fn decided(mut entries: watch::Receiver<u64>, look: impl Fn() -> Progress) -> Progress {
    loop {
        let known = look();
        if known != Progress::Awaited || entries.changed().await.is_err() {
            return known;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    use super::*;

    fn asked(action: &str) -> Result<CallWish, Error> {
        let (employee, to) = ("desk".into(), "102".into());
        wish(&CallCommand { action: action.into(), employee, to, ..CallCommand::default() })
    }

    #[test]
    fn wishes_are_known_by_their_words() {
        let monitor = |mode| CallWish::Monitor { supervisor: "desk".into(), mode };
        for (word, expected) in [
            ("hang-up", CallWish::HangUp),
            ("start-recording", CallWish::Record(RecordingWish::Start)),
            ("stop-recording", CallWish::Record(RecordingWish::Stop)),
            ("pause-recording", CallWish::Record(RecordingWish::Pause)),
            ("resume-recording", CallWish::Record(RecordingWish::Resume)),
            ("listen", monitor(Some(Mode::Listen))),
            ("whisper", monitor(Some(Mode::Whisper))),
            ("barge", monitor(Some(Mode::Barge))),
            ("take-over", monitor(Some(Mode::TakeOver))),
            ("stop", monitor(None)),
            ("mute", CallWish::Confer(ConferenceWish::Mute)),
            ("lock-conference", CallWish::Confer(ConferenceWish::Lock)),
            ("transfer", CallWish::Transfer { by: Some("desk".into()), to: "102".into() }),
        ] {
            assert!(asked(word).is_ok_and(|found| found == expected), "{word}");
        }
        let Err(Error::Refused { why }) = asked("erase") else { panic!("it is not known") };
        assert!(["pause-recording", "take-over"].iter().all(|word| why.contains(word)), "{why}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_is_known_with_the_entry_that_confirms_it() {
        let (entry, entries) = watch::channel(1);
        let confirmed = AtomicBool::new(false);
        let look = || if confirmed.load(Relaxed) { Progress::Confirmed } else { Progress::Awaited };
        let began = tokio::time::Instant::now();
        let told = async {
            entry.send_replace(2);
            tokio::task::yield_now().await;
            confirmed.store(true, Relaxed);
            entry.send_replace(3);
        };
        let (known, ()) = tokio::join!(decided(entries, look), told);
        assert_eq!((known, began.elapsed()), (Progress::Confirmed, Duration::ZERO));
    }

    #[test]
    fn a_call_that_is_not_there_is_not_waited_for() {
        assert_eq!(progress(&State::default(), &"acme".into(), CallId(7)), Progress::Over);
    }
}
