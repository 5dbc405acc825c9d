//! An INVITE that comes in from outside of any dialog, whether it begins a call or goes on in one: which way it came, and
//! the dialog that it makes.

use std::sync::Arc;

use mangrove_proto::{edge::Ingress, id::LegId, story::Kind};
use mangrove_sip::{
    Message, Source,
    ua::{Ctx, Output},
};

use super::{Call, agree, secret};
use crate::{
    line::{self, Line},
    scene::Scene,
    story,
};

/// What came, and how. It was not seen before.
pub(crate) struct Incoming<'a> {
    /// What marks it: [`super::arrive::key`].
    pub(crate) key: Arc<str>,
    /// Who vouches for it.
    pub(crate) ingress: &'a Ingress,
    /// What it says.
    pub(crate) invite: &'a Message,
    /// The same as it came.
    pub(crate) bytes: &'a [u8],
    /// Where from.
    pub(crate) source: &'a Source,
    /// The edge that carries the dialog.
    pub(crate) edge: &'a str,
}

impl Incoming<'_> {
    /// The dialog, as this leg of ours and with a phone of ours or not, and what it says first. Or the status by which the
    /// INVITE was refused: no dialog can come of it.
    pub(super) fn begin(
        &self,
        leg: LegId,
        is_ours: bool,
        scene: &mut Scene<'_>,
    ) -> Result<(Line, Vec<Output>), u16> {
        let (invite, source, edge) = (self.invite, self.source, self.edge);
        let local = line::local_at(scene.state, &scene.tenant, edge, source.transport, leg, is_ours);
        let (codecs, security) = (agree::taken(scene), secret::of_caller(self.ingress, scene));
        let mut ctx = Ctx { now: scene.stamp.now, seed: &mut scene.seed, local: &local };
        let taken = Line::incoming(invite, source, edge, (&codecs, security), &mut ctx);
        taken.map_err(|reject| {
            line::refuse(invite, source, edge, &reject, &local, scene);
            reject.status
        })
    }

    /// The leg is in the call by now: it is found there, and what the dialog says first goes out.
    pub(super) fn enter(&self, call: &mut Call, leg: LegId, outputs: Vec<Output>, scene: &mut Scene<'_>) {
        if let Some(party) = call.party(leg) {
            let line = story::message(call, scene.moment(), party, Kind::Received, self.bytes);
            scene.effects.story.push(line);
        }
        line::send_all(call, leg, outputs, scene);
        // Its offer is answered when it is itself: it is no change of a session.
        scene.facts.retain(|(of, fact)| *of != leg || *fact != line::Fact::OfferReceived);
        scene.tenant.legs.insert(leg, call.id);
        scene.tenant.arrivals.insert(self.key.clone(), call.id);
        line::trying(call, leg, scene);
    }
}
