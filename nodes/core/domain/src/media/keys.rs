//! The keys of SRTP: a media node makes ours, for nothing that replicas share is a secret to begin with; the dialog keeps
//! it beside the far end's, so that every node that has the call is told both.

use mangrove_proto::media::{Ready, Srtp};

use crate::{call::Call, line::Line};

/// What an endpoint's node is told; none where its sound is plain.
pub(super) fn of(line: &Line) -> Option<Srtp> {
    let theirs = line.audio().map(|audio| audio.crypto.as_ref());
    if theirs == Some(None) {
        return None;
    }
    let ours = line.ours();
    let suite = ours.map(|ours| ours.suite).or_else(|| line.key_due())?;
    Some(Srtp {
        suite: suite.name().to_owned(),
        ours: ours.map(|ours| ours.key.bytes().clone()).unwrap_or_default(),
        theirs: theirs.flatten().map(|theirs| theirs.key.bytes().clone()).unwrap_or_default(),
    })
}

/// Keeps the keys that a node has made. The first one of each dialog counts: if two nodes made one, both are told that.
pub(crate) fn take(call: &mut Call, ready: &Ready) {
    for told in ready.addresses.iter().filter(|told| !told.key.is_empty()) {
        let party = told.endpoint.parse().ok().and_then(|leg| call.party_mut(leg));
        if let Some(party) = party.filter(|party| party.is_alive()) {
            party.line.equip(told.key.clone());
        }
    }
}
