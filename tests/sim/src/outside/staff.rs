//! Agents at their desks: they take breaks and come back, one wish at a time, and remember what was acknowledged (I4).

use std::collections::BTreeMap;

use mangrove_proto::{
    control::{AgentCommand, Author},
    live::Agent,
    service::Error,
};

use super::Outside;
use crate::company::{AGENTS, TENANT};
use crate::post::{Answer, Ask};
use crate::{NODES, NodeIndex};

const PATIENCE: u64 = 8_000;
const AGAIN: u64 = 300;
const ASKER: u64 = 1;
/// What the rules choose for an agent who does not answer.
const BY_THE_RULES: &str = "no-answer";

/// What each agent was promised.
#[derive(Debug, Default)]
pub(crate) struct Staff {
    desks: BTreeMap<&'static str, Desk>,
    /// Nobody wants anything new any more.
    pub(crate) done: bool,
}

#[derive(Debug, Default)]
struct Desk {
    wishes: u32,
    wanted: Option<Wish>,
    granted: Option<Wish>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Wish {
    number: u32,
    state: &'static str,
    reason: String,
}

impl Staff {
    /// Whether every wish was acknowledged.
    pub(crate) fn are_content(&self) -> bool {
        self.desks.values().all(|desk| desk.wanted.is_none())
    }

    /// What was acknowledged and does not show.
    pub(crate) fn betrayed(&self, agents: &[Agent]) -> Vec<String> {
        let found = |extension: &&str| agents.iter().find(|agent| agent.extension == **extension);
        let broken = |(extension, desk): (&&'static str, &Desk)| {
            let granted = desk.granted.as_ref()?;
            let reason = found(extension).and_then(|agent| agent.reason.clone()).unwrap_or_default();
            let kept = reason == granted.reason || reason == BY_THE_RULES;
            (!kept).then(|| {
                format!("I4: agent {extension} was promised {granted:?} and has the reason `{reason}`")
            })
        };
        self.desks.iter().filter_map(broken).collect()
    }
}

impl Outside {
    /// The agents begin to have wishes.
    pub(crate) fn staff_begins(&mut self) {
        for extension in AGENTS {
            self.staff.desks.insert(extension, Desk::default());
            next_wish(self, extension);
        }
    }
}

fn next_wish(outside: &mut Outside, extension: &'static str) {
    let pause = outside.between(1_000, 6_000);
    outside.after(pause, move |outside| {
        let tired = outside.percent(25);
        let done = outside.staff.done;
        let Some(desk) = outside.staff.desks.get_mut(extension).filter(|_| !done) else { return };
        desk.wishes += 1;
        let number = desk.wishes;
        let wish = match tired {
            true => Wish { number, state: "break", reason: format!("b{number}") },
            false => Wish { number, state: "available", reason: String::new() },
        };
        desk.wanted = Some(wish.clone());
        let node = outside.between(0, NODES as u64 - 1) as usize;
        insist(outside, extension, wish, node);
    });
}

/// Repeats a wish until it is acknowledged, at one node after the other: what became of one that was not answered is not
/// known.
fn insist(outside: &mut Outside, extension: &'static str, wish: Wish, node: NodeIndex) {
    outside.chronicle.say(|| format!("agent {extension} asks n{node} for {wish:?}"));
    let command = AgentCommand {
        tenant: TENANT.into(),
        employee: format!("a{extension}"),
        state: wish.state.into(),
        reason: wish.reason.clone(),
        // As a page numbers them.
        author: Some(Author { asker: ASKER, number: wish.number.into(), ..Author::default() }),
    };
    outside.ask(node, Ask::Wish(command), PATIENCE, move |outside, answer| match answer {
        Some(Answer::Wish(Ok(()))) => granted(outside, extension, wish),
        Some(Answer::Wish(Err(Error::Refused { why }))) => {
            outside.chronicle.broken(format!("agent {extension}'s {wish:?} is refused: {why}"));
        }
        _ => outside.after(AGAIN, move |outside| insist(outside, extension, wish, (node + 1) % NODES)),
    });
}

fn granted(outside: &mut Outside, extension: &'static str, wish: Wish) {
    outside.chronicle.say(|| format!("agent {extension} is granted {wish:?}"));
    if let Some(desk) = outside.staff.desks.get_mut(extension) {
        desk.granted = Some(wish);
        desk.wanted = None;
    }
    next_wish(outside, extension);
}
