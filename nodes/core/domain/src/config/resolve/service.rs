//! Groups and schemes: extensions become ids.

use std::{collections::BTreeMap, sync::Arc};

use mangrove_proto::{id::GroupId, live::ServiceLevel};

use crate::config::{
    Announce, Group, HangUp, Mailbox, Member, NoAnswer, Overflow, Owner, QueueRules, Scheme, Step,
    document::{self, Document},
    validate::Names,
};

pub(super) fn group(group: &document::Group, names: &Names<'_>) -> Result<Group, String> {
    let member =
        |m: &document::Member| Ok(Member { employee: names.employee(&m.extension)?, priority: m.priority });
    Ok(Group {
        id: GroupId::from(group.id()),
        extension: group.extension.as_str().into(),
        name: group.name.trim().into(),
        strategy: group.strategy,
        members: group.members.iter().map(member).collect::<Result<_, String>>()?,
        ring_ms: group.ring.0,
        wrap_up_ms: group.wrap_up.0,
        queue: queue(&group.queue),
        overflow: Overflow {
            waited: steps(&group.overflow.waited, names)?,
            full: steps(&group.overflow.full, names)?,
            nobody: steps(&group.overflow.nobody, names)?,
        },
        no_answer: NoAnswer { misses: group.no_answer.misses, pause_ms: group.no_answer.pause.0 },
        recording: group.recording,
        recorded_as: group.recorded_as,
    })
}

fn queue(queue: &document::Queue) -> QueueRules {
    QueueRules {
        max_wait_ms: queue.max_wait.map(|wait| wait.0),
        max_length: queue.max_length,
        music: queue.music.clone(),
        at_max_wait: queue.at_max_wait,
        service_level: ServiceLevel {
            seconds: queue.service_level.seconds,
            percent: queue.service_level.percent,
        },
        announce: queue.announce.map(|announce| Announce {
            every_ms: announce.every.0,
            position: announce.position,
            expected_wait: announce.expected_wait,
        }),
    }
}

pub(super) fn schemes(document: &Document, names: &Names<'_>) -> Result<BTreeMap<Arc<str>, Scheme>, String> {
    let scheme = |scheme: &document::Scheme| {
        let name: Arc<str> = scheme.name.as_str().into();
        Ok((name.clone(), Scheme { name, steps: steps(&scheme.steps, names)? }))
    };
    document.schemes.iter().map(scheme).collect()
}

pub(super) fn mailboxes(
    document: &Document,
    names: &Names<'_>,
) -> Result<BTreeMap<Arc<str>, Mailbox>, String> {
    let resolved = document.voicemail.iter().map(|mailbox| self::mailbox(mailbox, names));
    resolved.map(|mailbox| mailbox.map(|mailbox| (mailbox.name.clone(), mailbox))).collect()
}

fn mailbox(mailbox: &document::Mailbox, names: &Names<'_>) -> Result<Mailbox, String> {
    let owner = match (&mailbox.employee, &mailbox.group) {
        (Some(employee), _) => Owner::Employee(names.employee(employee)?),
        (None, Some(group)) => Owner::Group(names.group(group)?),
        (None, None) => return Err(format!("the box `{}` has no owner", mailbox.name)),
    };
    Ok(Mailbox {
        name: mailbox.name.as_str().into(),
        owner,
        greeting: mailbox.greeting.as_deref().map(Into::into),
        longest_ms: mailbox.longest.0,
        email: mailbox.email.as_deref().map(Into::into),
    })
}

fn steps(steps: &[document::Step], names: &Names<'_>) -> Result<Vec<Step>, String> {
    steps.iter().map(|step| self::step(step, names)).collect()
}

fn step(step: &document::Step, names: &Names<'_>) -> Result<Step, String> {
    Ok(match step {
        document::Step::Play(prompt) => Step::Play { prompt: prompt.as_str().into() },
        document::Step::Group(group) => {
            Step::Group { id: names.group(&group.extension)?, priority: group.priority }
        }
        document::Step::Employee(employee) => Step::Employee { id: names.employee(employee)? },
        document::Step::Conference(name) => Step::Conference { name: name.as_str().into() },
        document::Step::Say(what) => Step::Say { what: *what },
        document::Step::Voicemail(step) => Step::Voicemail {
            mailbox: step.mailbox.as_str().into(),
            greeting: step.greeting.as_deref().map(Into::into),
        },
        document::Step::Busy(_) => Step::HangUp { how: HangUp::Busy },
        document::Step::HangUp(how) => {
            Step::HangUp { how: how.status.map_or(HangUp::Normal, HangUp::Status) }
        }
    })
}
