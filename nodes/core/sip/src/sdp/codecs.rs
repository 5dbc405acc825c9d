//! The encodings known here: their names, our number for each, and what we say of ourselves in `fmtp`. Which of them a
//! session takes is never decided here: whoever drives it passes [`g711`], [`all`] or a list made of them.

use super::Codec;

/// The clock of everything that a telephone network knows.
pub(super) const RATE: u32 = 8000;
/// The name of RFC 4733 digits in `rtpmap`.
pub(super) const TELEPHONE_EVENT: &str = "telephone-event";
/// The name of comfort noise in `rtpmap` (RFC 3389).
pub(super) const NOISE: &str = "CN";

/// We hear nothing above 8 kHz and say nothing above it, so that nobody need spend bits there, and losses are mended
/// from the packet that follows (RFC 7587 section 6.1). All else stays as the standard has it: one channel, and no
/// pauses that look like loss (`usedtx=0`).
const OPUS: &str = "useinbandfec=1;maxplaybackrate=16000;sprop-maxcapturerate=16000";
/// We make no comfort noise of annex B. That must be said, for silence means `yes` (RFC 4856 section 2.1.9); an answer
/// may say `no` to either, and then neither side makes any (RFC 7261 section 3).
const G729: &str = "annexb=no";

/// What a payload of an encoding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sound,
    Noise,
    Digits,
}

/// One row of the table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    /// As RTP counts, which is not always as the sound is sampled.
    pub(super) clock: u32,
    pub(super) channels: u8,
    /// Ours, where nothing speaks against it. Below 96 it is the encoding's own and needs no `rtpmap` (RFC 3551).
    pub(super) payload_type: u8,
    /// What we say of ourselves; empty: such an encoding has nothing to say, nor is heeded what others say of it.
    pub(super) fmtp: &'static str,
}

/// In our order of preference. Both laws pass through untouched and are recorded and played as they are.
pub(super) static KNOWN: [Known; 8] = [
    sound("PCMA", RATE, 1, 8, ""),
    sound("PCMU", RATE, 1, 0, ""),
    // Sampled at 16 kHz; its clock is an old mistake that stays (RFC 3551 section 4.5.2).
    sound("G722", RATE, 1, 9, ""),
    // Two channels are its name, whatever is in it (RFC 7587 section 7). The number is the one that browsers use.
    sound("opus", 48_000, 2, 111, OPUS),
    sound("G729", RATE, 1, 18, G729),
    Known { kind: Kind::Noise, ..sound(NOISE, RATE, 1, 13, "") },
    // Digits have the clock of the sound beside them (RFC 4733 section 2.1).
    Known { kind: Kind::Digits, ..sound(TELEPHONE_EVENT, RATE, 1, 101, "") },
    Known { kind: Kind::Digits, ..sound(TELEPHONE_EVENT, 48_000, 1, 110, "") },
];

const fn sound(name: &'static str, clock: u32, channels: u8, payload_type: u8, fmtp: &'static str) -> Known {
    Known { kind: Kind::Sound, name, clock, channels, payload_type, fmtp }
}

impl Known {
    /// As an entry of a list, under a number.
    pub(super) fn under(&self, payload_type: u8) -> Codec {
        Codec {
            payload_type,
            name: self.name.into(),
            clock: self.clock,
            channels: self.channels,
            fmtp: String::new(),
            ours: None,
        }
    }
}

/// G.711 in both laws, which every phone speaks.
pub fn g711() -> [Codec; 2] {
    [&KNOWN[0], &KNOWN[1]].map(|known| known.under(known.payload_type))
}

/// Everything known here, preferred first, comfort noise included. Digits are offered and taken with any list.
pub fn all() -> Vec<Codec> {
    let listed = KNOWN.iter().filter(|known| known.kind != Kind::Digits);
    listed.map(|known| known.under(known.payload_type)).collect()
}

/// Whether a list holds nothing but the two laws.
pub(super) fn is_g711(codecs: &[Codec]) -> bool {
    codecs.iter().all(|codec| KNOWN[..2].iter().any(|law| law.name == codec.name))
}

/// The encoding of an `rtpmap`, its name in any case.
pub(super) fn find(name: &str, clock: u32, channels: u8) -> Option<&'static Known> {
    let is_it = |known: &&Known| {
        known.name.eq_ignore_ascii_case(name) && (known.clock, known.channels) == (clock, channels)
    };
    KNOWN.iter().find(is_it)
}

/// The encoding that RFC 3551 fixes to a payload type.
pub(super) fn fixed(payload_type: u8) -> Option<&'static Known> {
    KNOWN.iter().find(|known| known.payload_type == payload_type && payload_type < 96)
}

/// Our number for an encoding; none: it is not known here.
pub(super) fn number(name: &str, clock: u32) -> Option<u8> {
    let known = KNOWN.iter().find(|known| known.name == name && known.clock == clock);
    known.map(|known| known.payload_type)
}

/// Whether the table has a number, which is then given to no other encoding.
pub(super) fn is_in_table(payload_type: u8) -> bool {
    KNOWN.iter().any(|known| known.payload_type == payload_type)
}

/// The clocks at which digits are known.
pub(super) fn digit_clocks() -> impl Iterator<Item = u32> {
    KNOWN.iter().filter(|known| known.kind == Kind::Digits).map(|known| known.clock)
}

/// What we say of ourselves about a codec.
pub(super) fn fmtp(name: &str) -> &'static str {
    KNOWN.iter().find(|known| known.name == name).map_or("", |known| known.fmtp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_for_one_encoding_and_the_laws_come_first() {
        for known in &KNOWN {
            assert_eq!(KNOWN.iter().filter(|other| other.payload_type == known.payload_type).count(), 1);
            assert_eq!(number(known.name, known.clock), Some(known.payload_type));
            assert_eq!(find(&known.name.to_lowercase(), known.clock, known.channels), Some(known));
            assert!(known.payload_type < 35 || (96..128).contains(&known.payload_type), "{known:?}");
        }
        let numbers = |codecs: &[Codec]| codecs.iter().map(|codec| codec.payload_type).collect::<Vec<_>>();
        assert_eq!((numbers(&g711()), numbers(&all())), (vec![8, 0], vec![8, 0, 9, 111, 18, 13]));
        assert!(is_g711(&g711()) && !is_g711(&all()));
    }
}
