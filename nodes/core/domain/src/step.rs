//! What a scheme can do, one file per step.

mod conference;
mod employee;
mod group;
mod hang_up;
mod play;
mod say;
mod voicemail;

use crate::{call::Call, cause::Cause, config::Step, scene::Scene};

/// What a step leaves the call to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// The step waits for something, or ended the call.
    Wait,
    /// It led nowhere, for this reason: the next step's turn.
    Next(Cause),
    /// The call has other steps now: the first of them.
    Diverted,
}

/// Runs one step.
pub(crate) fn run(step: &Step, call: &mut Call, scene: &mut Scene<'_>) -> Flow {
    match step {
        Step::Play { prompt } => play::run(prompt, call, scene),
        Step::Say { what } => say::run(*what, call, scene),
        Step::Group { id, priority } => group::run(id, *priority, call, scene),
        Step::Employee { id } => employee::run(id, call, scene),
        Step::Conference { name } => conference::run(name, call, scene),
        Step::Voicemail { mailbox, greeting } => voicemail::run(mailbox, greeting.as_ref(), call, scene),
        Step::HangUp { how } => hang_up::run(*how, call, scene),
    }
}
