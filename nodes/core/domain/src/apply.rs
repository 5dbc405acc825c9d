//! `apply` itself: the command works on a copy of the state, which takes the state's place when it is through.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::{
    command::{self, Command},
    effect::{Effects, Reply},
    quarantine::{self, Subject},
    stamp::Stamp,
    state::State,
};

/// Carries out one committed command. Total: whatever comes in, the state stays whole. A command on which the rules
/// panic is dropped, all of it, on every replica alike; the call it was about is taken out with a record that says so.
pub fn apply(state: &mut State, command: Command, stamp: Stamp) -> Effects {
    let subject = quarantine::subject(&command);
    let mut next = state.clone();
    let done = catch_unwind(AssertUnwindSafe(|| {
        let mut effects = Effects::default();
        effects.reply = command::carry_out(&mut next, command, stamp, &mut effects);
        effects
    }));
    match done {
        Ok(effects) => {
            *state = next;
            effects
        }
        Err(panic) => {
            let mut effects = without(state, subject, stamp);
            effects.reply = Reply::Dropped { why: words(panic.as_ref()) };
            effects
        }
    }
}

/// What is left of a command that was dropped. Should its call be broken so badly that it can't even be taken out, the
/// call stays as it was.
fn without(state: &mut State, subject: Subject, stamp: Stamp) -> Effects {
    subject.mark_taken(state);
    let mut next = state.clone();
    let taken_out = catch_unwind(AssertUnwindSafe(|| {
        let mut effects = Effects::default();
        quarantine::take_out(&mut next, subject, stamp, &mut effects);
        effects
    }));
    match taken_out {
        Ok(effects) => {
            *state = next;
            effects
        }
        Err(_) => Effects::default(),
    }
}

/// [`apply`] for a batch, at the price of one copy of the state. None: a command panicked, nothing was changed; apply
/// them one by one.
pub fn apply_all(
    state: &mut State,
    commands: impl IntoIterator<Item = (Command, Stamp)>,
) -> Option<Vec<Effects>> {
    let mut next = state.clone();
    let mut one = |(command, stamp)| {
        let mut effects = Effects::default();
        effects.reply = command::carry_out(&mut next, command, stamp, &mut effects);
        effects
    };
    let done = catch_unwind(AssertUnwindSafe(|| commands.into_iter().map(&mut one).collect())).ok();
    if done.is_some() {
        *state = next;
    }
    done
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("the rules panicked").to_owned()
}
