//! An agent's own changes of state.

use mangrove_domain::{AgentWish, Command};
use mangrove_proto::{
    control::AgentCommand,
    id::{EmployeeId, TenantId},
    service::Error,
};

use super::{ask, author, settle};
use crate::control::Control;

pub(super) async fn command(control: &Control, command: AgentCommand) -> Result<(), Error> {
    let wish = wish(&command)?;
    let (group, tenant) = control.home(&command.tenant)?;
    let reply = group.proposer.ask(Command::CommandAgent {
        tenant: TenantId::clone(&tenant),
        employee: EmployeeId::from(command.employee),
        wish,
        ask: ask(control, command.author.as_ref()),
        author: author(command.author),
    });
    settle(reply.await?)
}

fn wish(command: &AgentCommand) -> Result<AgentWish, Error> {
    let reason = Some(command.reason.trim()).filter(|reason| !reason.is_empty()).map(str::to_owned);
    match command.state.as_str() {
        "available" => Ok(AgentWish::Available),
        "break" => Ok(AgentWish::Break(reason)),
        "offline" => Ok(AgentWish::Offline),
        "wrap-up-end" => Ok(AgentWish::EndWrapUp),
        other => Err(Error::Refused {
            why: format!(
                "`{other}` is no state that an agent can choose: available, break, offline, wrap-up-end"
            ),
        }),
    }
}
