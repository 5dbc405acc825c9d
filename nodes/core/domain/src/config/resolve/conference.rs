//! Conferences: PINs become digests, and one that is not said stays as it is.

use std::sync::Arc;

use super::Made;
use crate::config::{
    Conference,
    conference::digest,
    document::{self, Document, Secret},
};

pub(super) fn conference(document: &Document, from: &document::Conference, made: &Made<'_>) -> Conference {
    let present = made.present.and_then(|present| present.conferences.get(from.name.as_str()));
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
