//! Commands on a call in progress. Who asks for a pause is answered when the media node has said that nothing is kept: until
//! then the card's number may still be recorded.

use std::{sync::Arc, time::Duration};

use mangrove_domain::{CallWish, Command, RecordingWish, State, rules};
use mangrove_proto::{
    control::CallCommand,
    id::{CallId, TenantId},
    service::Error,
};

use super::{ask, author, settle};
use crate::{control::Control, group::Group};

/// How long the media node may take to confirm a pause: whoever waits in a browser is answered by then.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(20);

pub(super) async fn command(control: &Control, command: CallCommand) -> Result<(), Error> {
    let call: CallId =
        command.call.parse().map_err(|_| Error::NotFound { what: format!("call `{}`", command.call) })?;
    let wish = wish(&command.action)?;
    let (group, tenant) = control.home(&command.tenant)?;
    let ask = match wish {
        CallWish::HangUp => None,
        CallWish::Record(_) => {
            knows_recording(&group.shared.get().state)?;
            ask(control, command.author.as_ref())
        }
    };
    let (author, asked) = (author(command.author), tenant.clone());
    let command = Command::CommandCall { tenant: asked, call, wish, author, ask };
    let (reply, shows) = group.proposer.ask_to_see(command).await?;
    settle(reply)?;
    match wish {
        // A pause from before must not be taken for this one.
        CallWish::Record(RecordingWish::Pause) if !shows => Err(unconfirmed()),
        CallWish::Record(RecordingWish::Pause) => confirmed(&group, &tenant, call).await,
        _ => Ok(()),
    }
}

fn unconfirmed() -> Error {
    let why = "the media node has not confirmed it yet, sound may still be recorded: ask again before anything secret is \
               said";
    Error::Unavailable { what: "the pause".into(), why: why.into() }
}

fn wish(action: &str) -> Result<CallWish, Error> {
    CallWish::ALL.into_iter().find(|wish| wish.name() == action).ok_or_else(|| {
        let known = CallWish::ALL.map(CallWish::name).join(", ");
        Error::Refused { why: format!("`{action}` can't be done to a call: use one of {known}") }
    })
}

/// What older builds can't read is not written while there are such.
fn knows_recording(state: &State) -> Result<(), Error> {
    if rules::records_by_rule(state.rules()) {
        return Ok(());
    }
    Err(Error::Refused { why: "not all nodes know recording by hand yet: upgrade them all first".into() })
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
    let look = async {
        loop {
            let known = progress(&group.shared.get().state, tenant, call);
            if known != Progress::Awaited {
                return known;
            }
            tokio::time::sleep(LOOK).await;
        }
    };
    match tokio::time::timeout(PATIENCE, look).await {
        Ok(Progress::Confirmed) => Ok(()),
        Ok(_) => Err(Error::Conflict { what: format!("call {call}: its recording") }),
        Err(_) => Err(unconfirmed()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_known_by_their_names() {
        for known in CallWish::ALL {
            assert!(wish(known.name()).is_ok_and(|found| found == known), "{known:?}");
        }
        let refused = wish("erase");
        assert!(matches!(&refused, Err(Error::Refused { why }) if why.contains("pause-recording")), "{refused:?}");
    }

    #[test]
    fn a_call_that_is_not_there_is_not_waited_for() {
        assert_eq!(progress(&State::default(), &"acme".into(), CallId(7)), Progress::Over);
    }
}
