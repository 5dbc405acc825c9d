//! The state of offer and answer in one dialog: what we said last, what is agreed, what is outstanding.
//! At most one offer is outstanding at a time; who may offer when is the dialog's business.

mod browser;
mod fax;
mod secret;

use std::{net::IpAddr, sync::Arc};

use serde::{Deserialize, Serialize};

use super::codecs::{self, RATE};
use super::fax::Description as FaxDescription;
use super::formats::Formats;
use super::numbers::Numbers;
use super::read::{self, Description, Line, Taken};
use super::write::{Stream, Text};
use super::{Audio, Codec, Credentials, Direction, Error, MediaAddress, Ours, Security, TelephoneEvent};

/// Offer and answer of one dialog. Plain data: its text depends on nothing but the calls made. `Debug` leaves out what was
/// sent, for it has our key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    id: u64,
    version: u64,
    /// The address in `o=`: part of the session's name, so it stays when media moves.
    origin: Option<IpAddr>,
    sent: Option<Arc<str>>,
    agreed: Option<Arc<Agreed>>,
    /// What has taken the place of what is agreed on for audio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fax: Option<Arc<fax::Agreed>>,
    pending: Option<Pending>,
    #[serde(default, skip_serializing_if = "Numbers::is_empty")]
    numbers: Numbers,
    /// What comes first in our first answer.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    preferred: Vec<String>,
    #[serde(default, skip_serializing_if = "Security::is_off")]
    security: Security,
    /// Our key, once there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ours: Option<Arc<Ours>>,
    /// What a browser is told of our media node, with its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials: Option<Arc<Credentials>>,
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
    Ours {
        local: MediaAddress,
        wanted: Direction,
        /// Under our numbers.
        codecs: Vec<Codec>,
        /// Digits at 8000 Hz, which every offer lists.
        telephone_event: u8,
        /// Digits at other clocks.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        events: Vec<TelephoneEvent>,
        /// It has our key.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        secret: bool,
    },
    Theirs(Description),
    /// Ours of T.38.
    OurFax(fax::Offer),
    TheirFax(FaxDescription),
}

impl Session {
    /// A session nobody has described yet; `id` becomes the `o=` session id.
    pub fn new(id: u64) -> Self {
        Self {
            id,
            version: 1,
            origin: None,
            sent: None,
            agreed: None,
            fax: None,
            pending: None,
            numbers: Numbers::default(),
            preferred: Vec::new(),
            security: Security::Off,
            ours: None,
            credentials: None,
        }
    }

    /// Our offer of `codecs`, preferred first. It takes the place of an offer of ours still outstanding. Payload types
    /// used before keep their numbers (RFC 3264 8.3.2), lines refused before stay refused.
    pub fn offer(&mut self, local: MediaAddress, codecs: &[Codec], direction: Direction) -> Vec<u8> {
        let agreed = self.agreed.as_deref();
        let formats = Formats::offer(codecs, agreed.map(|was| &was.audio), &self.numbers);
        let (lines, index) = self.audio_place();
        let (secret, browser) = (self.offered_secret(), self.offered_to_browser());
        let stream = Stream::Audio { formats: &formats, secret: secret.as_ref(), browser: browser.as_ref() };
        let said = Said { local, direction, stream, lines: &lines, index };
        let sent = self.say(&said);
        self.numbers.note(&formats, codecs);
        self.pending = Some(Pending::ours(local, direction, formats, secret.is_some()));
        sent
    }

    /// Takes the far end's offer as far as it lists codecs of `taken`; the former agreement stands until
    /// [`Session::answer`].
    ///
    /// # Errors
    /// Malformed or unacceptable descriptions; the session is as before.
    pub fn receive_offer(&mut self, body: &[u8], taken: &[Codec]) -> Result<Audio, Error> {
        let is_secret = self.security == Security::Require;
        let (suites, ways) = (self.suites(), self.ways());
        let description = read::offer(body, Taken { codecs: taken, suites, is_secret, ways })?;
        let audio = description.audio.clone();
        self.pending = Some(Pending::Theirs(description));
        Ok(audio)
    }

    /// Our first answer lists these encodings first, where the offer has them: what comes first is sent (RFC 3264 6.1).
    pub fn prefer(&mut self, names: Vec<String>) {
        self.preferred = names;
    }

    /// Our answer to the offer received, with those of its codecs that `codecs` has too, under its numbers and in its order
    /// (RFC 3264 6.1). Where that is more than G.711, what is preferred comes first, and later what was agreed on first, so
    /// that nothing changes in the midst of a talk. `direction` is what we want, the answer says at most what the offer
    /// allows.
    ///
    /// # Errors
    /// [`Error::NoOffer`] when there is none to answer, [`Error::NoCommonAudio`] when nothing is left of it,
    /// [`Error::NoCommonSecurity`] when it must be SRTP and our key is missing, or what a browser must be told.
    pub fn answer(
        &mut self,
        local: MediaAddress,
        codecs: &[Codec],
        direction: Direction,
    ) -> Result<Vec<u8>, Error> {
        let Some(Pending::Theirs(description)) = &self.pending else { return Err(Error::NoOffer) };
        let is_savp = description.is_savp();
        let browser = self.answered_to_browser(description)?;
        let Description { lines, index, mut audio } = description.clone();
        let theirs = audio.clone();
        audio.cut_down(codecs);
        if audio.codecs.is_empty() {
            return Err(Error::NoCommonAudio);
        }
        let secret = self.answered_secret(&mut audio, is_savp)?;
        if !codecs::is_g711(codecs) {
            self.put_in_order(&mut audio);
        }
        audio.direction = direction.within(audio.direction);
        let formats = Formats::of(&audio);
        let stream = Stream::Audio { formats: &formats, secret: secret.as_ref(), browser: browser.as_ref() };
        let said = Said { local, direction: audio.direction, stream, lines: &lines, index };
        let sent = self.say(&said);
        self.numbers.note(&formats, codecs);
        self.fax = None;
        self.agreed = Some(Agreed { audio, theirs, lines, index, local, wanted: direction }.into());
        (self.pending, self.preferred) = (None, Vec::new());
        Ok(sent)
    }

    fn put_in_order(&self, audio: &mut Audio) {
        let sent = self.agreed().and_then(|was| was.codecs.first()).map(|codec| codec.name.as_str());
        audio.codecs.sort_by_key(|codec| {
            let is_sent = sent == Some(codec.name.as_str());
            (!is_sent, !self.preferred.contains(&codec.name))
        });
    }

    /// Takes the answer to our offer. It normally repeats our numbers; where it does not, what it says is sent under
    /// its own and expected under ours (RFC 3264 5.1, 6.1), digits beside an offer of nothing but G.711 excepted: they
    /// keep ours.
    ///
    /// # Errors
    /// Malformed, refused, or no offer of ours outstanding; a failed answer leaves the offer outstanding,
    /// see [`Session::withdraw`].
    pub fn receive_answer(&mut self, body: &[u8]) -> Result<Audio, Error> {
        let Some((local, wanted, offered, has_key)) = self.pending.as_ref().and_then(Pending::offered) else {
            return Err(Error::NoOffer);
        };
        let (_, index) = self.audio_place();
        let suites = if has_key { self.suites() } else { &[] };
        let is_secret = self.security == Security::Require;
        let ways = self.ways_of_answer();
        let taken = Taken { codecs: &offered.codecs, suites, is_secret, ways };
        let Description { lines, index, mut audio } = read::answer(body, index, taken)?;
        let theirs = audio.clone();
        audio.direction = wanted.within(audio.direction);
        offered.expect(&mut audio);
        self.agreed = Some(Agreed { audio: audio.clone(), theirs, lines, index, local, wanted }.into());
        (self.fax, self.pending) = (None, None);
        Ok(audio)
    }

    /// Forgets an outstanding offer, of either side; the former agreement goes on.
    pub fn withdraw(&mut self) {
        self.pending = None;
    }

    /// What is agreed for audio, or was before a fax took its place.
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

    /// Whether the offer received says anything new: address, codecs, direction or lines, or another kind of stream.
    pub fn offer_differs(&self) -> bool {
        match (&self.pending, &self.agreed, &self.fax) {
            (Some(Pending::Theirs(offer)), Some(agreed), None) => {
                offer.audio != agreed.theirs || offer.lines.len() != agreed.lines.len()
            }
            (Some(Pending::TheirFax(offer)), _, Some(agreed)) => agreed.differs(offer),
            _ => true,
        }
    }

    /// Whether an offer of ours awaits its answer.
    pub fn awaits_answer(&self) -> bool {
        matches!(self.pending, Some(Pending::Ours { .. } | Pending::OurFax(_)))
    }

    /// Our address and wanted direction in the present agreement.
    pub fn local(&self) -> Option<(MediaAddress, Direction)> {
        let fax = self.fax.as_ref().map(|fax| (fax.local, fax.wanted));
        fax.or_else(|| self.agreed.as_ref().map(|agreed| (agreed.local, agreed.wanted)))
    }

    /// Our last description, for repeating it.
    pub fn sent(&self) -> Option<&[u8]> {
        self.sent.as_deref().map(str::as_bytes)
    }

    /// Renders under the version that is due: the last one if the text is the same, the next otherwise.
    fn say(&mut self, said: &Said<'_>) -> Vec<u8> {
        let Said { local, direction, stream, lines, index } = *said;
        let origin = *self.origin.get_or_insert(local.ip);
        let text = Text { id: self.id, origin, local, direction, stream, lines, index };
        let same = text.render(self.version);
        let said = match self.sent.as_ref() {
            Some(last) if **last != *same => {
                self.version += 1;
                text.render(self.version)
            }
            _ => same,
        };
        self.sent = Some(said.as_str().into());
        said.into_bytes()
    }
}

/// What a description says that a session does not know by itself.
#[derive(Debug)]
struct Said<'a> {
    local: MediaAddress,
    direction: Direction,
    stream: Stream<'a>,
    lines: &'a [Line],
    index: usize,
}

impl Pending {
    fn ours(local: MediaAddress, wanted: Direction, formats: Formats, secret: bool) -> Self {
        let Formats { codecs, mut events } = formats;
        let plain = events.iter().position(|event| event.clock == RATE);
        let telephone_event = plain.map_or(0, |plain| events.remove(plain).payload_type);
        Self::Ours { local, wanted, codecs, telephone_event, events, secret }
    }

    /// Our offer: where we listen, what we want, what it lists, and whether it has our key.
    fn offered(&self) -> Option<(MediaAddress, Direction, Formats, bool)> {
        let Self::Ours { local, wanted, codecs, telephone_event, events, secret } = self else { return None };
        let plain = TelephoneEvent::new(RATE, *telephone_event);
        let events = [plain].into_iter().chain(events.iter().copied()).collect();
        Some((*local, *wanted, Formats { codecs: codecs.clone(), events }, *secret))
    }
}
