//! Commands on a call in progress.

use mangrove_domain::{CallWish, Command, Mode};
use mangrove_proto::{
    control::CallCommand,
    id::{CallId, EmployeeId},
    service::Error,
};

use super::{author, settle};
use crate::control::Control;

/// Since this protocol all nodes can read a supervisor's wish.
const MONITORS_SINCE: u32 = 6;

pub(super) async fn command(control: &Control, command: CallCommand) -> Result<(), Error> {
    let call: CallId =
        command.call.parse().map_err(|_| Error::NotFound { what: format!("call `{}`", command.call) })?;
    let wish = wish(&command)?;
    let is_read = wish == CallWish::HangUp || control.cluster().directory().all_speak(MONITORS_SINCE);
    if !is_read {
        let why = "supervision is not known to all nodes yet: upgrade them all first".to_owned();
        return Err(Error::Refused { why });
    }
    let (group, tenant) = control.home(&command.tenant)?;
    settle(
        group
            .proposer
            .ask(Command::CommandCall { tenant, call, wish, author: author(command.author) })
            .await?,
    )
}

fn wish(command: &CallCommand) -> Result<CallWish, Error> {
    let supervisor = EmployeeId::from(command.employee.as_str());
    let monitor = |mode| Ok(CallWish::Monitor { supervisor, mode });
    match command.action.as_str() {
        "hang-up" => Ok(CallWish::HangUp),
        "listen" => monitor(Some(Mode::Listen)),
        "whisper" => monitor(Some(Mode::Whisper)),
        "barge" => monitor(Some(Mode::Barge)),
        "take-over" => monitor(Some(Mode::TakeOver)),
        "stop" => monitor(None),
        other => Err(Error::Refused {
            why: format!(
                "`{other}` can't be done to a call: use hang-up, listen, whisper, barge, take-over or stop"
            ),
        }),
    }
}
