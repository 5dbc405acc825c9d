//! The encodings, and what RTP and SDP say of each: names, numbers, clocks, lengths.

use mangrove_rtp::g711::Law;

/// How sound is written in a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encoding {
    /// G.711, A-law.
    Pcma,
    /// G.711, mu-law.
    Pcmu,
    /// G.722 at 64 kbit/s.
    G722,
    /// G.729 Annex A; comfort noise of Annex B is heard, never made.
    G729,
    /// Opus (RFC 6716) in one channel at 16 kHz.
    Opus,
}

/// What decodes and encodes: the two laws share theirs.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Codec {
    G711(Law),
    G722,
    G729,
    Opus,
}

impl Encoding {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Pcma, Self::Pcmu, Self::G722, Self::G729, Self::Opus];

    /// The encoding of a name in SDP, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|encoding| encoding.name().eq_ignore_ascii_case(name))
    }

    /// The name in SDP.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pcma => "PCMA",
            Self::Pcmu => "PCMU",
            Self::G722 => "G722",
            Self::G729 => "G729",
            Self::Opus => "opus",
        }
    }

    /// The payload type that RFC 3551 fixes; None where SDP has to name one.
    pub const fn static_payload_type(self) -> Option<u8> {
        match self {
            Self::Pcma => Some(8),
            Self::Pcmu => Some(0),
            Self::G722 => Some(9),
            Self::G729 => Some(18),
            Self::Opus => None,
        }
    }

    /// The law, where it is G.711.
    pub const fn law(self) -> Option<Law> {
        match self.codec() {
            Codec::G711(law) => Some(law),
            _ => None,
        }
    }

    /// What a decoder and an encoder of it are made of.
    pub(crate) const fn codec(self) -> Codec {
        match self {
            Self::Pcma => Codec::G711(Law::A),
            Self::Pcmu => Codec::G711(Law::Mu),
            Self::G722 => Codec::G722,
            Self::G729 => Codec::G729,
            Self::Opus => Codec::Opus,
        }
    }

    /// Ticks a second of the RTP timestamps: 48000 for Opus whatever is in it (RFC 7587 section 4.1), 8000 for G.722
    /// though that has 16000 samples (RFC 3551 section 4.5.2).
    pub const fn clock_rate(self) -> u32 {
        match self {
            Self::Opus => 48_000,
            _ => 8000,
        }
    }

    /// Channels that SDP names: two for Opus, always (RFC 7587 section 7). The sound here has one.
    pub const fn channels(self) -> u8 {
        match self {
            Self::Opus => 2,
            _ => 1,
        }
    }

    /// Samples a second of the sound that goes in and comes out: 8000 or 16000.
    pub const fn sample_rate(self) -> u32 {
        match self {
            Self::Pcma | Self::Pcmu | Self::G729 => 8000,
            Self::G722 | Self::Opus => 16_000,
        }
    }

    /// Whether frames of so many milliseconds can be made. Opus has none of 30 (RFC 6716 section 2.1.4).
    pub const fn makes(self, ms: u32) -> bool {
        match ms {
            10 | 20 | 40 | 60 => true,
            30 => !matches!(self, Self::Opus),
            _ => false,
        }
    }

    /// How long frames should be, in milliseconds, for a far end that wants `wanted` (`ptime`; 0 where it says
    /// nothing): the longest that is no longer, at least 10.
    pub fn frame_ms(self, wanted: u32) -> u32 {
        let wanted = if wanted == 0 { 20 } else { wanted };
        [60, 40, 30, 20].into_iter().find(|ms| *ms <= wanted && self.makes(*ms)).unwrap_or(10)
    }

    /// Ticks of the RTP clock in which so many samples pass.
    pub(crate) fn ticks(self, samples: usize) -> u32 {
        (samples as u64 * u64::from(self.clock_rate()) / u64::from(self.sample_rate())) as u32
    }

    /// Samples that pass in so many ticks of the RTP clock.
    pub(crate) fn samples(self, ticks: u32) -> usize {
        (u64::from(ticks) * u64::from(self.sample_rate()) / u64::from(self.clock_rate())) as usize
    }

    /// Samples of so many milliseconds.
    pub(crate) fn samples_of_ms(self, ms: u32) -> usize {
        (self.sample_rate() * ms / 1000) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_in_any_case() {
        assert_eq!(Encoding::of_name("pcmu"), Some(Encoding::Pcmu));
        assert_eq!(Encoding::of_name("OPUS"), Some(Encoding::Opus));
        assert_eq!(Encoding::of_name("telephone-event"), None);
        assert!(
            Encoding::ALL.into_iter().all(|encoding| Encoding::of_name(encoding.name()) == Some(encoding))
        );
    }

    #[test]
    fn twenty_milliseconds_in_each_clock() {
        let ticks = Encoding::ALL.map(|encoding| encoding.ticks(encoding.samples_of_ms(20)));
        assert_eq!(ticks, [160, 160, 160, 160, 960]);
        let samples = Encoding::ALL.map(|encoding| encoding.samples(encoding.clock_rate() / 50));
        assert_eq!(samples, [160, 160, 320, 160, 320]);
    }

    #[test]
    fn frames_are_as_long_as_wanted_or_shorter() {
        let lengths = [0, 5, 10, 20, 30, 35, 50, 60, 1000].map(|wanted| Encoding::Pcmu.frame_ms(wanted));
        assert_eq!(lengths, [20, 10, 10, 20, 30, 30, 40, 60, 60]);
        assert_eq!(Encoding::Opus.frame_ms(30), 20);
        assert!(!Encoding::Opus.makes(30) && !Encoding::Pcma.makes(25));
    }
}
