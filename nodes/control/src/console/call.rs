//! Commands on a call in progress.

use mangrove_domain::{CallWish, Command};
use mangrove_proto::{control::CallCommand, id::CallId, service::Error};

use super::{author, settle};
use crate::control::Control;

pub(super) async fn command(control: &Control, command: CallCommand) -> Result<(), Error> {
    let call: CallId =
        command.call.parse().map_err(|_| Error::NotFound { what: format!("call `{}`", command.call) })?;
    let wish = match command.action.as_str() {
        "hang-up" => CallWish::HangUp,
        other => return Err(Error::Refused { why: format!("`{other}` can't be done to a call: hang-up") }),
    };
    let (group, tenant) = control.home(&command.tenant)?;
    settle(
        group
            .proposer
            .ask(Command::CommandCall { tenant, call, wish, author: author(command.author) })
            .await?,
    )
}
