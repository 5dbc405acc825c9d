//! What payload types mean at one endpoint: under which its far end is sent something, and under which it sends. The two
//! differ where the far end numbers otherwise than we do (RFC 3264 section 5.1).

use mangrove_rtp::{RATE, encoding::Encoding, g711::Law};

/// An encoding under its payload types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Codec {
    pub(crate) encoding: Encoding,
    /// What it is sent under.
    pub(crate) payload_type: u8,
    /// What it comes in under.
    pub(crate) expected: u8,
}

/// RFC 4733 events at one clock rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) clock: u32,
    pub(crate) payload_type: u8,
    pub(crate) expected: u8,
}

/// All that was negotiated with one far end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Formats {
    /// What is sent; without it nothing is.
    pub(crate) codec: Option<Codec>,
    /// What the far end takes besides, and may send.
    pub(crate) accepts: Vec<Codec>,
    pub(crate) events: Vec<Event>,
    /// Comfort noise at 8000 Hz, both ways.
    pub(crate) noise: Option<u8>,
}

/// What a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Sound(Encoding),
    /// Events at this clock rate.
    Digits(u32),
    /// Comfort noise (RFC 3389).
    Noise,
    /// Something that nobody negotiated.
    Other,
}

impl Formats {
    /// What comes in under a type: what is expected under it; then what it is sent under, for some far ends send by
    /// their own numbers; then either law under its static type, which some far ends change to unasked.
    pub(crate) fn content(&self, payload_type: u8) -> Content {
        let noise = || (self.noise == Some(payload_type)).then_some(Content::Noise);
        let theirs = || self.meant(payload_type, |_, sent| sent);
        let either_law = || {
            let law = Law::of_static(payload_type).filter(|_| self.codec.is_some())?;
            Some(Content::Sound(Encoding::G711(law)))
        };
        let expected = self.meant(payload_type, |expected, _| expected);
        expected.or_else(noise).or_else(theirs).or_else(either_law).unwrap_or(Content::Other)
    }

    /// What has a number: the expected one or the sent one, as picked.
    fn meant(&self, number: u8, pick: fn(u8, u8) -> u8) -> Option<Content> {
        let mut codecs = self.codec.iter().chain(&self.accepts);
        let sound = codecs.find(|codec| pick(codec.expected, codec.payload_type) == number);
        let digits = self.events.iter().find(|event| pick(event.expected, event.payload_type) == number);
        let digits = digits.map(|event| Content::Digits(event.clock));
        sound.map(|codec| Content::Sound(codec.encoding)).or(digits)
    }

    /// Whether the far end may send an encoding, by what was negotiated. One that speaks a law may change to the other
    /// unasked.
    pub(crate) fn speaks(&self, encoding: Encoding) -> bool {
        self.codec.iter().chain(&self.accepts).any(|codec| are_alike(codec.encoding, encoding))
    }

    /// The clock of what is sent.
    pub(crate) fn clock(&self) -> u32 {
        self.codec.map_or(RATE, |codec| codec.encoding.clock())
    }

    /// The clock that counts the timestamps of what comes in.
    pub(crate) fn clock_of(&self, content: Content) -> u32 {
        match content {
            Content::Sound(encoding) => encoding.clock(),
            Content::Digits(clock) => clock,
            Content::Noise => RATE,
            Content::Other => self.clock(),
        }
    }

    /// As what sound of an encoding goes to the far end: as the codec that it gets if that is the same encoding or both
    /// are laws, else untouched if it takes it and the stream's clock stays. None: not without transcoding.
    pub(crate) fn carrier(&self, sound: Encoding) -> Option<Codec> {
        let codec = self.codec?;
        if are_alike(codec.encoding, sound) {
            return Some(codec);
        }
        let fits = |other: &&Codec| other.encoding == sound && sound.clock() == codec.encoding.clock();
        self.accepts.iter().find(fits).copied()
    }

    /// The type of all else for the far end; None: it does not take that as it is. Events of another clock need other
    /// durations.
    pub(crate) fn type_of(&self, content: Content) -> Option<u8> {
        match content {
            Content::Digits(clock) => {
                self.event().filter(|event| event.clock == clock).map(|event| event.payload_type)
            }
            Content::Noise if self.clock() == RATE => self.noise,
            _ => None,
        }
    }

    /// The events that are sent: those of the codec's clock (RFC 4733 section 2.1). Far ends that have them at 8000 Hz
    /// only get them so beside every codec.
    pub(crate) fn event(&self) -> Option<Event> {
        let at = |clock: u32| self.events.iter().copied().find(|event| event.clock == clock);
        at(self.clock()).or_else(|| at(RATE))
    }
}

/// Whether one is the other, or becomes it in place.
fn are_alike(one: Encoding, other: Encoding) -> bool {
    one == other || (one.law().is_some() && other.law().is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Encoding = Encoding::G711(Law::A);
    const MU: Encoding = Encoding::G711(Law::Mu);

    fn codec(encoding: Encoding, payload_type: u8, expected: u8) -> Codec {
        Codec { encoding, payload_type, expected }
    }

    fn event(clock: u32, payload_type: u8, expected: u8) -> Event {
        Event { clock, payload_type, expected }
    }

    fn rich() -> Formats {
        Formats {
            codec: Some(codec(Encoding::Opus, 96, 111)),
            accepts: vec![codec(Encoding::G722, 9, 9), codec(A, 97, 8)],
            events: vec![event(8_000, 102, 101), event(48_000, 103, 110)],
            noise: Some(13),
        }
    }

    #[test]
    fn what_comes_in_is_known_by_what_is_expected_and_else_by_what_is_sent() {
        for (payload_type, content) in [
            (111, Content::Sound(Encoding::Opus)),
            (9, Content::Sound(Encoding::G722)),
            (8, Content::Sound(A)),
            (0, Content::Sound(MU)),
            (101, Content::Digits(8_000)),
            (110, Content::Digits(48_000)),
            (13, Content::Noise),
            (96, Content::Sound(Encoding::Opus)),
            (97, Content::Sound(A)),
            (103, Content::Digits(48_000)),
            (99, Content::Other),
        ] {
            assert_eq!(rich().content(payload_type), content, "{payload_type}");
        }
        let crossed = Formats { accepts: vec![codec(Encoding::G722, 111, 96)], ..rich() };
        assert_eq!(crossed.content(96), Content::Sound(Encoding::G722), "what is expected comes first");
        assert_eq!(crossed.content(111), Content::Sound(Encoding::Opus));
        let clocks = [Content::Sound(Encoding::G722), Content::Digits(8_000), Content::Noise, Content::Other];
        assert_eq!(clocks.map(|content| rich().clock_of(content)), [8_000, 8_000, 8_000, 48_000]);
        assert_eq!(Formats::default().content(8), Content::Other, "nothing is negotiated");
    }

    #[test]
    fn what_goes_out_has_the_far_ends_numbers() {
        let number = |formats: &Formats, sound| formats.carrier(sound).map(|codec| codec.payload_type);
        assert_eq!(
            [Encoding::Opus, Encoding::G722, A].map(|sound| number(&rich(), sound)),
            [Some(96), None, None]
        );
        let mut formats = Formats { codec: Some(codec(MU, 98, 0)), ..rich() };
        assert_eq!(
            [A, MU, Encoding::G722, Encoding::G729, Encoding::Opus].map(|sound| number(&formats, sound)),
            [Some(98), Some(98), Some(9), None, None]
        );
        formats.codec = None;
        assert_eq!(number(&formats, MU), None);
    }

    #[test]
    fn who_speaks_a_law_may_send_either() {
        let speaks = |formats: &Formats| {
            [A, MU, Encoding::G722, Encoding::G729, Encoding::Opus].map(|encoding| formats.speaks(encoding))
        };
        assert_eq!(speaks(&rich()), [true, true, true, false, true]);
        let plain = Formats { codec: Some(codec(A, 8, 8)), ..Formats::default() };
        assert_eq!(speaks(&plain), [true, true, false, false, false]);
        let wide = Formats { codec: Some(codec(Encoding::Opus, 96, 96)), ..Formats::default() };
        assert_eq!(speaks(&wide), [false, false, false, false, true]);
    }

    #[test]
    fn digits_go_out_at_the_clock_of_the_sound() {
        let types = |formats: &Formats| {
            [Content::Digits(8_000), Content::Digits(48_000), Content::Noise]
                .map(|content| formats.type_of(content))
        };
        assert_eq!(types(&rich()), [None, Some(103), None]);
        assert_eq!(types(&Formats { codec: Some(codec(A, 8, 8)), ..rich() }), [Some(102), None, Some(13)]);
        assert_eq!(
            types(&Formats { events: vec![event(8_000, 102, 102)], ..rich() }),
            [Some(102), None, None]
        );
        assert_eq!(types(&Formats { events: Vec::new(), noise: None, ..rich() }), [None; 3]);
    }
}
