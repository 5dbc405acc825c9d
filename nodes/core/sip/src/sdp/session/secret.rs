//! A session's keys: which suites it takes, when a key of ours is due, and what is said of it.

use std::{fmt, sync::Arc};

use super::super::read::Line;
use super::super::write::Secret;
use super::super::{Audio, Error, Ours, Security, Suite};
use super::{Pending, Session};

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id)
            .field("version", &self.version)
            .field("agreed", &self.agreed)
            .field("fax", &self.fax)
            .field("pending", &self.pending)
            .field("security", &self.security)
            .field("ours", &self.ours)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

impl Session {
    /// The same, which may or must be SRTP, with our key if that is known already.
    pub fn secured(self, security: Security, ours: Option<Ours>) -> Self {
        Self { security, ours: ours.map(Arc::new), ..self }
    }

    /// The suite that a key of ours is needed for, while there is none: of an offer that waits for our answer, or of our
    /// own.
    pub fn key_due(&self) -> Option<Suite> {
        match &self.pending {
            _ if self.ours.is_some() || self.agreed.is_some() || self.credentials.is_some() => None,
            Some(Pending::Theirs(offer)) => offer.audio.crypto.as_ref().map(|crypto| crypto.suite),
            Some(Pending::Ours { .. } | Pending::OurFax(_) | Pending::TheirFax(_)) => None,
            None => self.security.offers().then_some(Suite::OFFERED),
        }
    }

    /// Our key, for the suite that is due. The first one counts.
    pub fn equip(&mut self, ours: Ours) {
        if self.key_due() == Some(ours.suite) {
            self.ours = Some(ours.into());
        }
    }

    /// Our key.
    pub fn ours(&self) -> Option<&Ours> {
        self.ours.as_deref()
    }

    /// What is agreed stays; before that, the policy says.
    pub(super) fn offered_secret(&self) -> Option<Secret> {
        let ours = self.ours.clone().filter(|_| self.credentials.is_none())?;
        let (is_secret, is_savp) = match self.agreed.as_deref() {
            Some(was) => (was.audio.crypto.is_some(), was.lines.get(was.index).is_some_and(Line::is_savp)),
            None => (self.security.offers(), self.security == Security::Require),
        };
        is_secret.then_some(Secret { ours, tag: 1, is_savp })
    }

    /// The suites that an offer may bring keys for. A session has one key of ours, and gets none after its first
    /// agreement.
    pub(super) fn suites(&self) -> &[Suite] {
        match &self.ours {
            Some(ours) => std::slice::from_ref(&ours.suite),
            None if self.security != Security::Off && self.agreed.is_none() => &Suite::ALL,
            None => &[],
        }
    }

    /// Our key beside the far end's. Where it may be left out and we have none, the stream is plain.
    pub(super) fn answered_secret(&self, audio: &mut Audio, is_savp: bool) -> Result<Option<Secret>, Error> {
        let Some(theirs) = &audio.crypto else { return Ok(None) };
        let ours = self.ours.clone().filter(|ours| ours.suite == theirs.suite);
        let secret = ours.map(|ours| Secret { ours, tag: theirs.tag, is_savp });
        if secret.is_none() {
            if is_savp || self.security == Security::Require {
                return Err(Error::NoCommonSecurity);
            }
            audio.crypto = None;
        }
        Ok(secret)
    }
}
