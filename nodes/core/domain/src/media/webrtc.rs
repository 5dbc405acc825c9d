//! What ties a browser to a media node: the words of ICE and the certificate that it was told with the address, and the
//! keys that they agreed on in their handshake. A media node makes and reports them, for nothing that replicas share is a
//! secret to begin with; they are kept beside the address, and go with it. Who carries the same address later is told all
//! of it, and goes on without a word to the browser; another address has others.

use std::sync::Arc;

use bytes::Bytes;
use mangrove_proto::{
    id::LegId,
    media::{self, EndpointAddress, Srtp},
};
use mangrove_sip::sdp::Credentials;
use serde::{Deserialize, Serialize};

use crate::call::{Call, party::Party};

/// Of one party and one media node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Association {
    pub(crate) credentials: Arc<Credentials>,
    /// None until they have shaken hands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secured: Option<Secured>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Secured {
    /// Its `Debug` leaves the keys out.
    srtp: Srtp,
    /// Of the certificate that the browser showed: with another one these keys are over.
    theirs: Bytes,
}

impl Association {
    /// What a node said with an address; none where that is not complete.
    pub(crate) fn of(told: &EndpointAddress) -> Option<Self> {
        let webrtc = told.webrtc.as_ref()?;
        let credentials = Credentials::new(&webrtc.ufrag, &webrtc.pwd, webrtc.fingerprint.clone())?;
        Some(Self { credentials: credentials.into(), secured: None })
    }
}

/// What an endpoint's node is told of a browser, whichever node it is; none where the party is none.
pub(super) fn of(party: &Party) -> Option<media::Webrtc> {
    let theirs = || Some(party.line.audio()?.webrtc.as_ref()?.fingerprint.bytes().clone());
    party
        .line
        .is_with_browser()
        .then(|| media::Webrtc { theirs: theirs().unwrap_or_default(), ..media::Webrtc::default() })
}

/// Adds what was agreed with the node of this association.
pub(super) fn fill(endpoint: &mut media::Endpoint, association: Option<&Association>) {
    let (Some(webrtc), Some(association)) = (&mut endpoint.webrtc, association) else { return };
    let Credentials { ufrag, pwd, fingerprint } = &*association.credentials;
    (webrtc.ufrag, webrtc.pwd) = (ufrag.clone(), pwd.clone());
    webrtc.fingerprint = fingerprint.bytes().clone();
    let secured = association.secured.as_ref().filter(|secured| secured.theirs == webrtc.theirs);
    endpoint.srtp = secured.map(|secured| secured.srtp.clone());
}

/// Whether what a node says with an address is all that its far end must be told.
pub(crate) fn is_complete(party: &Party, told: &EndpointAddress) -> bool {
    !party.line.is_with_browser() || Association::of(told).is_some()
}

/// Whether a node that has a party's address says other words with it: it can't shake hands in the name of the one before.
pub(crate) fn is_another(party: &Party, told: &EndpointAddress) -> bool {
    let known = party.association.as_deref().map(|known| &known.credentials);
    known.is_some_and(|known| Association::of(told).is_some_and(|new| new.credentials != *known))
}

/// Keeps what a browser and its node have agreed on.
pub(crate) fn secure(call: &mut Call, told: &media::Secured) {
    let Some(srtp) = told.srtp.clone() else { return };
    let party = told.endpoint.parse::<LegId>().ok().and_then(|leg| call.party_mut(leg));
    let association = party.and_then(|party| party.association.as_mut());
    // Under the words of before it was agreed with somebody else's.
    if let Some(association) = association.filter(|known| known.credentials.ufrag == told.ufrag) {
        Arc::make_mut(association).secured = Some(Secured { srtp, theirs: told.theirs.clone() });
    }
}
