//! Carries out what control has committed.

use mangrove_proto::edge::{
    EdgeCommand, EdgeCommands, EdgeExecuted, SendRequest, SendResponse, edge_command::Op,
};
use mangrove_sip::{
    Message, Method,
    transaction::{Input, Key},
    wire,
};

use super::{Signalling, invites::Owner};
use crate::{convert, metrics::COMMANDS};

/// A command that can't be carried out, whoever repeats it.
#[derive(Debug, thiserror::Error)]
enum Error {
    #[error(transparent)]
    Destination(#[from] convert::Error),
    #[error("message is malformed: {0}")]
    Message(#[from] mangrove_sip::wire::Error),
    #[error("request is none of ours: it names no call")]
    NoCallId,
    #[error("the command says nothing")]
    Nothing,
}

impl Signalling {
    /// Sends what may be sent; returns the effects that came too late.
    pub(crate) fn execute(&self, commands: EdgeCommands) -> EdgeExecuted {
        let mut refused = Vec::new();
        for command in commands.commands {
            let effect = command.effect;
            let outcome = if !self.fences.admits(&command.tenant, command.fence.as_ref()) {
                tracing::warn!(effect, tenant = command.tenant, "command of a leader that was replaced");
                refused.push(effect);
                "late"
            } else if let Err(error) = self.carry_out(command) {
                tracing::error!(effect, %error, "command can't be carried out");
                "unreadable"
            } else {
                "executed"
            };
            metrics::counter!(COMMANDS, "outcome" => outcome).increment(1);
        }
        EdgeExecuted { refused }
    }

    fn carry_out(&self, mut command: EdgeCommand) -> Result<(), Error> {
        match command.op.take() {
            Some(Op::Request(request)) => self.send_request(&command.tenant, request),
            Some(Op::Response(response)) => self.send_response(&command, response),
            None => Err(Error::Nothing),
        }
    }

    fn send_request(&self, tenant: &str, request: SendRequest) -> Result<(), Error> {
        let destination = convert::destination(request.destination.as_ref())?;
        let shard = self.shards.of_call(Some(wire::call_id_of(&request.message).ok_or(Error::NoCallId)?));
        let sent_by = self.contacts.sent_by(destination.transport).to_owned();
        let SendRequest { branch, method, message, .. } = request;
        let (method, now) = (Method::read(&method), self.clock.now());
        self.report_missing_flow(tenant, &destination);
        let outputs = shard.handle(Input::Send { branch, method, destination, sent_by, message, now });
        self.perform(shard, outputs, None);
        Ok(())
    }

    fn send_response(&self, command: &EdgeCommand, response: SendResponse) -> Result<(), Error> {
        let destination = convert::destination(response.destination.as_ref())?;
        let message = Message::parse(&response.message)?;
        let now = self.clock.now();
        let shard = self.shards.of(&message);
        if message.method() == Method::INVITE
            && let Some(key) = Key::of(&message)
            && shard.answer(key, &message, self.leg_of(command), now)
        {
            self.admission.answered(1);
        }
        let outputs = shard.handle(Input::Respond { destination, message, bytes: response.message, now });
        self.perform(shard, outputs, None);
        Ok(())
    }

    fn leg_of(&self, command: &EdgeCommand) -> Option<Owner> {
        let route = self.routes.tenant(&command.tenant).filter(|_| !command.leg.is_empty())?;
        Some(Owner { route, leg: command.leg.clone(), ingress: None })
    }
}
