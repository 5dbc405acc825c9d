//! The state of offer and answer in one dialog: what we said last, what is agreed, what is outstanding.
//! At most one offer is outstanding at a time; who may offer when is the dialog's business.

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::read::{self, Description, Line};
use super::write::Text;
use super::{Audio, Codec, Direction, Error, MediaAddress};

/// Payload type of telephone-event in our own first offer.
const TELEPHONE_EVENT: u8 = 101;

/// Offer and answer of one dialog. Plain data: its text depends on nothing but the calls made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    id: u64,
    version: u64,
    /// The address in `o=`: part of the session's name, so it stays when media moves.
    origin: Option<IpAddr>,
    sent: Option<Arc<str>>,
    agreed: Option<Arc<Agreed>>,
    pending: Option<Pending>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Agreed {
    audio: Audio,
    /// The far end's side as it said it, before our direction narrowed it.
    theirs: Audio,
    lines: Vec<Line>,
    index: usize,
    local: MediaAddress,
    wanted: Direction,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
enum Pending {
    Ours { local: MediaAddress, wanted: Direction, codecs: Vec<Codec>, telephone_event: u8 },
    Theirs(Description),
}

impl Session {
    /// A session nobody has described yet; `id` becomes the `o=` session id.
    pub fn new(id: u64) -> Self {
        Self { id, version: 1, origin: None, sent: None, agreed: None, pending: None }
    }

    /// Our offer. It takes the place of an offer of ours still outstanding. Payload types agreed before
    /// keep their numbers (RFC 3264 8.3.2), lines refused before stay refused.
    pub fn offer(&mut self, local: MediaAddress, codecs: &[Codec], direction: Direction) -> Vec<u8> {
        let agreed = self.agreed.as_deref();
        let codecs = numbered(codecs, agreed);
        let telephone_event = agreed.and_then(|was| was.audio.telephone_event).unwrap_or(TELEPHONE_EVENT);
        let (lines, index) = agreed.map(|was| (was.lines.clone(), was.index)).unwrap_or_default();
        let text = Text {
            id: self.id,
            origin: *self.origin.get_or_insert(local.ip),
            local,
            direction,
            codecs: &codecs,
            telephone_event: Some(telephone_event),
            lines: &lines,
            index,
        };
        let sent = say(&mut self.version, &mut self.sent, &text);
        self.pending = Some(Pending::Ours { local, wanted: direction, codecs, telephone_event });
        sent
    }

    /// Takes the far end's offer; the former agreement stands until [`Session::answer`].
    ///
    /// # Errors
    /// Malformed or unacceptable descriptions; the session is as before.
    pub fn receive_offer(&mut self, body: &[u8]) -> Result<Audio, Error> {
        let description = read::offer(body)?;
        let audio = description.audio.clone();
        self.pending = Some(Pending::Theirs(description));
        Ok(audio)
    }

    /// Our answer to the offer received; `direction` is what we want, the answer says at most what the
    /// offer allows.
    ///
    /// # Errors
    /// [`Error::NoOffer`] when there is none to answer.
    pub fn answer(&mut self, local: MediaAddress, direction: Direction) -> Result<Vec<u8>, Error> {
        let Some(Pending::Theirs(description)) = &self.pending else { return Err(Error::NoOffer) };
        let Description { lines, index, mut audio } = description.clone();
        let theirs = audio.clone();
        audio.direction = direction.within(audio.direction);
        let text = Text {
            id: self.id,
            origin: *self.origin.get_or_insert(local.ip),
            local,
            direction: audio.direction,
            codecs: &audio.codecs,
            telephone_event: audio.telephone_event,
            lines: &lines,
            index,
        };
        let sent = say(&mut self.version, &mut self.sent, &text);
        self.agreed = Some(Agreed { audio, theirs, lines, index, local, wanted: direction }.into());
        self.pending = None;
        Ok(sent)
    }

    /// Takes the answer to our offer.
    ///
    /// # Errors
    /// Malformed, refused, or no offer of ours outstanding; a failed answer leaves the offer outstanding,
    /// see [`Session::withdraw`].
    pub fn receive_answer(&mut self, body: &[u8]) -> Result<Audio, Error> {
        let Some(Pending::Ours { local, wanted, codecs, telephone_event }) = &self.pending else {
            return Err(Error::NoOffer);
        };
        let (local, wanted) = (*local, *wanted);
        let index = self.agreed.as_ref().map_or(0, |was| was.index);
        let mut description = read::answer(body, index)?;
        let theirs = description.audio.clone();
        let audio = &mut description.audio;
        audio.direction = wanted.within(audio.direction);
        audio.codecs.retain(|codec| codecs.iter().any(|ours| ours.name == codec.name));
        audio.telephone_event = audio.telephone_event.and(Some(*telephone_event));
        if audio.codecs.is_empty() {
            return Err(Error::NoCommonAudio);
        }
        let Description { lines, index, audio } = description;
        self.agreed = Some(Agreed { audio: audio.clone(), theirs, lines, index, local, wanted }.into());
        self.pending = None;
        Ok(audio)
    }

    /// Forgets an outstanding offer, of either side; the former agreement goes on.
    pub fn withdraw(&mut self) {
        self.pending = None;
    }

    /// What is agreed.
    pub fn agreed(&self) -> Option<&Audio> {
        self.agreed.as_ref().map(|agreed| &agreed.audio)
    }

    /// What the far end offers and we have not answered yet.
    pub fn offered(&self) -> Option<&Audio> {
        match &self.pending {
            Some(Pending::Theirs(description)) => Some(&description.audio),
            _ => None,
        }
    }

    /// Whether the offer received says anything new: address, codecs, direction or lines.
    pub fn offer_differs(&self) -> bool {
        match (&self.pending, &self.agreed) {
            (Some(Pending::Theirs(offer)), Some(agreed)) => {
                offer.audio != agreed.theirs || offer.lines.len() != agreed.lines.len()
            }
            _ => true,
        }
    }

    /// Whether an offer of ours awaits its answer.
    pub fn awaits_answer(&self) -> bool {
        matches!(self.pending, Some(Pending::Ours { .. }))
    }

    /// Our address and wanted direction in the present agreement.
    pub fn local(&self) -> Option<(MediaAddress, Direction)> {
        self.agreed.as_ref().map(|agreed| (agreed.local, agreed.wanted))
    }

    /// Our last description, for repeating it.
    pub fn sent(&self) -> Option<&[u8]> {
        self.sent.as_deref().map(str::as_bytes)
    }
}

/// Our codecs for an offer: the agreed ones first and under their agreed numbers.
fn numbered(codecs: &[Codec], agreed: Option<&Agreed>) -> Vec<Codec> {
    let mut list = agreed.map(|was| was.audio.codecs.clone()).unwrap_or_default();
    list.retain(|codec| codecs.iter().any(|ours| ours.name == codec.name));
    let new: Vec<_> =
        codecs.iter().filter(|codec| !list.iter().any(|had| had.name == codec.name)).cloned().collect();
    list.extend(new);
    list
}

/// Renders under the version that is due: the last one if the text is the same, the next otherwise.
fn say(version: &mut u64, sent: &mut Option<Arc<str>>, text: &Text<'_>) -> Vec<u8> {
    let same = text.render(*version);
    let said = match sent.as_ref() {
        Some(last) if **last != *same => {
            *version += 1;
            text.render(*version)
        }
        _ => same,
    };
    *sent = Some(said.as_str().into());
    said.into_bytes()
}
