//! Conferences: PINs become digests, and one that is not said stays as it is. What can be wrong with a PIN together with one
//! that stays is found here.

use std::{collections::BTreeMap, sync::Arc};

use super::Made;
use crate::config::{
    Conference,
    conference::digest,
    document::{self, Document, Problem, Secret},
};

pub(super) fn conferences(
    document: &Document,
    made: &mut Made<'_>,
) -> Result<BTreeMap<Arc<str>, Conference>, Problem> {
    let mut conferences = BTreeMap::new();
    for (at, from) in document.conferences.iter().enumerate() {
        let conference = conference(document, from, made);
        check(&conference).map_err(|message| {
            let path = format!("conferences[{at}].moderator_pin");
            Problem { path, message: message.to_owned() }
        })?;
        let warning = open(from, made);
        made.warnings.extend(warning);
        conferences.insert(conference.name.clone(), conference);
    }
    Ok(conferences)
}

fn conference(document: &Document, from: &document::Conference, made: &Made<'_>) -> Conference {
    let present = present(from, made);
    let kept = |pin: &Option<Secret>, present: Option<&Arc<str>>| match pin {
        Some(Secret::Text(text)) if text.is_empty() => None,
        Some(Secret::Text(text)) => Some(digest(&document.tenant, &from.name, text)),
        _ => present.cloned(),
    };
    Conference {
        name: from.name.as_str().into(),
        extension: from.extension.as_deref().map(Into::into),
        pin: kept(&from.pin, present.and_then(|present| present.pin.as_ref())),
        moderator_pin: kept(&from.moderator_pin, present.and_then(|present| present.moderator_pin.as_ref())),
        waits_for_moderator: from.wait_for_moderator,
        chimes: from.entry_tone,
        most: from.max_people,
    }
}

fn present<'a>(from: &document::Conference, made: &Made<'a>) -> Option<&'a Conference> {
    made.present.and_then(|present| present.conferences.get(from.name.as_str()))
}

fn check(conference: &Conference) -> Result<(), &'static str> {
    let Conference { pin, moderator_pin, waits_for_moderator, .. } = conference;
    if moderator_pin.is_none() && *waits_for_moderator {
        return Err(
            "nobody could be the moderator for whom all wait; allowed: 3 to 12 digits in quotes, or no \
                    `wait_for_moderator`",
        );
    }
    if moderator_pin.is_some() && moderator_pin == pin {
        return Err("this is everybody's PIN too; allowed: another one than `pin`");
    }
    Ok(())
}

/// A file that was exported elsewhere has no PINs: what was closed there would be open here, and nobody would know.
fn open(from: &document::Conference, made: &Made<'_>) -> Option<String> {
    let is_silent = from.pin.is_none() && from.moderator_pin.is_none() && present(from, made).is_none();
    is_silent.then(|| {
        let name = &from.name;
        format!("the conference {name} is new and asks nobody for a PIN; say `pin: \"\"` if that is meant")
    })
}
