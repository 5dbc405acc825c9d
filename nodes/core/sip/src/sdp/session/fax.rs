//! T.38 in the place of a session's audio. What was agreed on for audio stays known: numbers, order and our key are the
//! same when audio comes back.

use serde::{Deserialize, Serialize};

use super::super::fax::{self, Description, Fax};
use super::super::read::Line;
use super::super::{Direction, Error, MediaAddress, Security};
use super::{Pending, Said, Session, Stream};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Agreed {
    fax: Fax,
    /// The far end's side as it said it, before our direction narrowed it.
    theirs: Fax,
    /// The attributes that we have said.
    said: Vec<String>,
    pub(super) lines: Vec<Line>,
    pub(super) index: usize,
    pub(super) local: MediaAddress,
    pub(super) wanted: Direction,
}

impl Agreed {
    /// Whether an offer says anything new.
    pub(super) fn differs(&self, offer: &Description) -> bool {
        offer.fax != self.theirs || offer.lines.len() != self.lines.len()
    }
}

/// Ours, which waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Offer {
    local: MediaAddress,
    wanted: Direction,
    terms: Vec<String>,
    index: usize,
}

impl Session {
    /// The fax that has taken audio's place.
    pub fn fax(&self) -> Option<&Fax> {
        self.fax.as_ref().map(|agreed| &agreed.fax)
    }

    /// What we have said of it: the attributes of our line.
    pub fn said_of_fax(&self) -> Option<&[String]> {
        self.fax.as_ref().map(|agreed| agreed.said.as_slice())
    }

    /// What the far end offers in audio's place and we have not answered yet.
    pub fn offered_fax(&self) -> Option<&Fax> {
        match &self.pending {
            Some(Pending::TheirFax(description)) => Some(&description.fax),
            _ => None,
        }
    }

    /// Whether audio is agreed on that a fax may take the place of: UDPTL is never encrypted, and a browser has none.
    pub fn takes_fax(&self) -> bool {
        let is_browser = |was: &super::Agreed| was.audio.webrtc.is_some();
        self.security != Security::Require && self.agreed.as_deref().is_some_and(|was| !is_browser(was))
    }

    /// Whether an offer of T.38 of ours awaits its answer.
    pub fn awaits_fax(&self) -> bool {
        matches!(self.pending, Some(Pending::OurFax(_)))
    }

    /// Our offer of T.38 with these attributes. It takes the place of an offer of ours still outstanding.
    pub fn offer_fax(&mut self, local: MediaAddress, terms: &[String], direction: Direction) -> Vec<u8> {
        let (lines, used) = self.audio_place();
        let index = lines.iter().position(Line::is_fax).unwrap_or(used);
        let said = Said { local, direction, stream: Stream::Fax(terms), lines: &lines, index };
        let sent = self.say(&said);
        let terms = terms.to_vec();
        self.pending = Some(Pending::OurFax(Offer { local, wanted: direction, terms, index }));
        sent
    }

    /// Takes the far end's offer of T.38; the former agreement stands until [`Session::answer_fax`].
    ///
    /// # Errors
    /// Malformed or unacceptable descriptions, or a session that takes none ([`Session::takes_fax`]); the session is as
    /// before.
    pub fn receive_fax(&mut self, body: &[u8]) -> Result<Fax, Error> {
        if !self.takes_fax() {
            return Err(Error::NoCommonFax);
        }
        let description = fax::offer(body)?;
        let fax = description.fax.clone();
        self.pending = Some(Pending::TheirFax(description));
        Ok(fax)
    }

    /// Our answer to the offer of T.38 received, with these attributes. `direction` is what we want, the answer says at
    /// most what the offer allows.
    ///
    /// # Errors
    /// [`Error::NoOffer`] when there is none to answer.
    pub fn answer_fax(
        &mut self,
        local: MediaAddress,
        terms: &[String],
        direction: Direction,
    ) -> Result<Vec<u8>, Error> {
        let Some(Pending::TheirFax(description)) = &self.pending else { return Err(Error::NoOffer) };
        let Description { lines, index, fax: theirs } = description.clone();
        let fax = Fax { direction: direction.within(theirs.direction), ..theirs.clone() };
        let stream = Stream::Fax(terms);
        let sent = self.say(&Said { local, direction: fax.direction, stream, lines: &lines, index });
        let said = terms.to_vec();
        self.fax = Some(Agreed { fax, theirs, said, lines, index, local, wanted: direction }.into());
        self.pending = None;
        Ok(sent)
    }

    /// Takes the answer to our offer of T.38.
    ///
    /// # Errors
    /// Malformed, refused, or no such offer of ours outstanding; a failed answer leaves the offer outstanding, see
    /// [`Session::withdraw`].
    pub fn receive_fax_answer(&mut self, body: &[u8]) -> Result<Fax, Error> {
        let Some(Pending::OurFax(offer)) = &self.pending else { return Err(Error::NoOffer) };
        let Offer { local, wanted, terms: said, index } = offer.clone();
        let Description { lines, index, fax: theirs } = fax::answer(body, index)?;
        let fax = Fax { direction: wanted.within(theirs.direction), ..theirs.clone() };
        self.fax = Some(Agreed { fax: fax.clone(), theirs, said, lines, index, local, wanted }.into());
        self.pending = None;
        Ok(fax)
    }

    /// The lines so far, and which of them is audio, or is to be again: where a fax took its line, that one.
    pub(super) fn audio_place(&self) -> (Vec<Line>, usize) {
        let was = self.agreed.as_deref();
        let Some(fax) = self.fax.as_deref() else {
            return was.map(|was| (was.lines.clone(), was.index)).unwrap_or_default();
        };
        let own = was.map(|was| was.index).filter(|index| fax.lines.get(*index).is_some_and(Line::is_audio));
        (fax.lines.clone(), own.unwrap_or(fax.index))
    }
}
