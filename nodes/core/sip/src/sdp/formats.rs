//! What a description of ours lists: codecs and digits, each under the number that we expect it under. An answer is
//! held against it, for what it numbers otherwise is sent so and still expected as we said (RFC 3264 section 5.1).

use super::codecs::{self, NOISE, RATE};
use super::numbers::Numbers;
use super::{Audio, Codec, TelephoneEvent};

/// The formats of one description. `payload_type` is ours here, and `ours` is not used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Formats {
    /// Preferred first, comfort noise last.
    pub(super) codecs: Vec<Codec>,
    pub(super) events: Vec<TelephoneEvent>,
}

impl Formats {
    /// Those of an answer, or of an agreement that is said again.
    pub(super) fn of(audio: &Audio) -> Self {
        let said = |codec: &Codec| Codec {
            payload_type: codec.expected(),
            fmtp: String::new(),
            ours: None,
            ..codec.clone()
        };
        let noise = audio.noise.zip(codecs::find(NOISE, RATE, 1)).map(|(number, known)| known.under(number));
        let digits = |event: TelephoneEvent| TelephoneEvent::new(event.clock, event.expected());
        Self {
            codecs: audio.codecs.iter().map(said).chain(noise).collect(),
            events: audio.all_events().map(digits).collect(),
        }
    }

    /// Those of an offer: of `codecs` the agreed ones first and under their agreed numbers (RFC 3264 section 8.3.2),
    /// then the others, and digits at every clock that is needed, 8000 Hz always. Where something is agreed, of the others
    /// both laws only: a far end that is asked to send elsewhere must not be made to choose a codec anew.
    pub(super) fn offer(codecs: &[Codec], agreed: Option<&Audio>, numbers: &Numbers) -> Self {
        let is_plain = numbers.are_plain(codecs);
        let number = |name: &str, clock, own, formats: &Self| {
            if is_plain { own } else { numbers.find(name, clock, own, formats) }
        };
        let mut formats = agreed.map(Self::of).unwrap_or_default();
        formats.codecs.retain(|had| codecs.iter().any(|codec| codec.name == had.name));
        for codec in codecs {
            let is_due = agreed.is_none() || codecs::is_g711(std::slice::from_ref(codec));
            if is_due && formats.codec(&codec.name).is_none() {
                let payload_type = number(&codec.name, codec.clock, codec.payload_type, &formats);
                formats.codecs.push(Codec { payload_type, fmtp: String::new(), ours: None, ..codec.clone() });
            }
        }
        formats.codecs.sort_by_key(|codec| codec.name == NOISE);
        formats.add_events(number);
        formats
    }

    fn add_events(&mut self, number: impl Fn(&str, u32, u8, &Self) -> u8) {
        let clocks: Vec<u32> = self.codecs.iter().map(|codec| codec.clock).chain([RATE]).collect();
        self.events.retain(|event| clocks.contains(&event.clock));
        for clock in codecs::digit_clocks().filter(|clock| clocks.contains(clock)) {
            if self.event(clock).is_none()
                && let Some(own) = codecs::number(codecs::TELEPHONE_EVENT, clock)
            {
                let payload_type = number(codecs::TELEPHONE_EVENT, clock, own, self);
                self.events.push(TelephoneEvent::new(clock, payload_type));
            }
        }
    }

    /// Notes in an answer to this offer what each encoding is expected under. What was not offered is no part of it.
    pub(super) fn expect(&self, audio: &mut Audio) {
        if codecs::is_g711(&self.codecs) {
            return self.expect_as_before(audio);
        }
        audio.codecs.retain_mut(|codec| {
            let ours = self.codec(&codec.name);
            codec.ours = ours.filter(|ours| *ours != codec.payload_type);
            ours.is_some()
        });
        let expected = |event: TelephoneEvent| {
            let ours = self.event(event.clock)?;
            Some(TelephoneEvent { ours: Some(ours).filter(|ours| *ours != event.payload_type), ..event })
        };
        let events = audio.all_events().filter_map(expected).collect();
        audio.set_events(events);
        // Its number is fixed. A far end that has another one for it gets none, and its own is no sound to us.
        audio.noise = audio.noise.filter(|noise| self.codec(NOISE) == Some(*noise));
    }

    /// The same where nothing but G.711 was offered: earlier builds keep one number for each encoding, the far end's for
    /// sound and ours for digits, and all replicas must keep the same.
    fn expect_as_before(&self, audio: &mut Audio) {
        audio.codecs.retain(|codec| self.codec(&codec.name).is_some());
        audio.telephone_event = audio.telephone_event.and(self.event(RATE));
        (audio.events, audio.noise) = (Vec::new(), None);
    }

    /// All numbers, in the line's order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u8> + '_ {
        let codecs = self.codecs.iter().map(|codec| codec.payload_type);
        codecs.chain(self.events.iter().map(|event| event.payload_type))
    }

    /// All names, with clock and number.
    pub(super) fn said(&self) -> impl Iterator<Item = (&str, u32, u8)> + '_ {
        let codecs = self.codecs.iter().map(|codec| (codec.name.as_str(), codec.clock, codec.payload_type));
        let digits = |event: &TelephoneEvent| (codecs::TELEPHONE_EVENT, event.clock, event.payload_type);
        codecs.chain(self.events.iter().map(digits))
    }

    fn codec(&self, name: &str) -> Option<u8> {
        self.codecs.iter().find(|codec| codec.name == name).map(|codec| codec.payload_type)
    }

    fn event(&self, clock: u32) -> Option<u8> {
        self.events.iter().find(|event| event.clock == clock).map(|event| event.payload_type)
    }
}
