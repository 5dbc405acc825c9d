//! Whether a company's document names sounds that are not there. It is no mistake: they may be uploaded later, and
//! media nodes may have files of their own.

use std::collections::BTreeSet;

use axum::body::Bytes;
use mangrove_domain::{config::document, shipped};
use mangrove_proto::id::TenantId;

use super::shelf::Shelf;
use crate::app::App;

/// A sentence for each sound that is named and neither uploaded nor shipped; nothing while the store does not answer.
pub(crate) async fn missing(app: &App, tenant: &TenantId, document: &Bytes) -> Vec<String> {
    let Ok(document) = document::read(document) else { return Vec::new() };
    let (mut named, shipped) = (document.sounds(), shipped::keys());
    named.retain(|sound| !shipped.contains(&sound.key));
    if named.is_empty() {
        return Vec::new();
    }
    let Ok(uploaded) = Shelf::of(app, tenant).all().await else { return Vec::new() };
    let uploaded: BTreeSet<String> =
        uploaded.iter().map(|sound| format!("{}/{}", sound.kind, sound.name)).collect();
    named.retain(|sound| !uploaded.contains(&sound.key));
    let sentence = |sound: document::NamedSound| {
        let document::NamedSound { path, key } = sound;
        format!(
            "{path} names the sound {key}, which was not uploaded: unless media nodes have a file of it, callers hear \
             nothing there; mangrove upload {key} FILE"
        )
    };
    named.into_iter().map(sentence).collect()
}
