//! A session whose far end is a browser: which offers it takes, and what it is told of our media node.

use std::sync::Arc;

use super::super::read::{Description, Ways};
use super::super::webrtc::{self, Said};
use super::super::{Credentials, Error, Security};
use super::Session;

impl Session {
    /// What the next description says of our media node, to a browser. It goes with the address.
    pub fn introduce(&mut self, credentials: Arc<Credentials>) {
        self.credentials = Some(credentials);
    }

    /// What a browser was told last.
    pub fn credentials(&self) -> Option<&Arc<Credentials>> {
        self.credentials.as_ref()
    }

    /// Whether the far end is a browser: by what is agreed, else by what it offers, else by what it is offered.
    pub fn is_with_browser(&self) -> bool {
        match self.agreed().or_else(|| self.offered()) {
            Some(audio) => audio.webrtc.is_some(),
            None => self.credentials.is_some(),
        }
    }

    /// Which offers are taken.
    pub(super) fn ways(&self) -> Ways {
        match self.agreed() {
            Some(audio) if audio.webrtc.is_some() => Ways::Webrtc,
            None if self.security != Security::Off => Ways::All,
            _ => Ways::Plain,
        }
    }

    /// Which answers to our offer are.
    pub(super) fn ways_of_answer(&self) -> Ways {
        if self.offered_to_browser().is_some() { Ways::Webrtc } else { Ways::Plain }
    }

    /// What our offer says of it.
    pub(super) fn offered_to_browser(&self) -> Option<Said> {
        let agreed = self.agreed();
        let is_one = agreed.is_none_or(|audio| audio.webrtc.is_some());
        let ours = self.credentials.clone().filter(|_| is_one)?;
        Some(Said::offer(ours, agreed.and_then(|audio| audio.webrtc.as_ref())))
    }

    /// What our answer says of it; none where it is no browser.
    pub(super) fn answered_to_browser(&self, offer: &Description) -> Result<Option<Said>, Error> {
        let Some(theirs) = &offer.audio.webrtc else { return Ok(None) };
        let ours = self.credentials.clone().ok_or(Error::NoCommonSecurity)?;
        let (mid, is_bundled) = (theirs.mid.clone(), theirs.is_bundled);
        let profile = webrtc::profile(offer.proto());
        Ok(Some(Said { ours, profile, mid, is_bundled, is_answer: true }))
    }
}
