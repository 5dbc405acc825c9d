//! What a payload can be, and the clock that its timestamps count. Only G.711 is also read and written here; `mangrove-codec`
//! does the others.

use crate::{RATE, g711::Law};

/// An encoding of sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    G711(Law),
    /// Sampled at 16 kHz.
    G722,
    G729,
    Opus,
}

impl Encoding {
    /// The encoding of an `rtpmap`, its name in any case; None for one that is not known here, or not with this clock
    /// and these channels.
    pub fn of(name: &str, clock: u32, channels: u32) -> Option<Self> {
        let encoding = match name {
            _ if name.eq_ignore_ascii_case("G722") => Self::G722,
            _ if name.eq_ignore_ascii_case("G729") => Self::G729,
            _ if name.eq_ignore_ascii_case("opus") => Self::Opus,
            _ => Self::G711(Law::of_name(name)?),
        };
        // RFC 7587 section 7: two channels, whatever is in it.
        let named = if encoding == Self::Opus { 2 } else { 1 };
        ((encoding.clock(), named) == (clock, channels)).then_some(encoding)
    }

    /// Timestamp units in a second. That of G.722 is an old mistake that stays (RFC 3551 section 4.5.2).
    pub const fn clock(self) -> u32 {
        match self {
            Self::G711(_) | Self::G722 | Self::G729 => RATE,
            Self::Opus => 48_000,
        }
    }

    /// The law, of G.711.
    pub const fn law(self) -> Option<Law> {
        match self {
            Self::G711(law) => Some(law),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_its_name_with_clock_and_channels() {
        for (name, clock, channels, encoding) in [
            ("pcma", 8_000, 1, Some(Encoding::G711(Law::A))),
            ("PCMU", 8_000, 1, Some(Encoding::G711(Law::Mu))),
            ("PCMU", 16_000, 1, None),
            ("G722", 8_000, 1, Some(Encoding::G722)),
            ("G722", 16_000, 1, None),
            ("g729", 8_000, 1, Some(Encoding::G729)),
            ("OPUS", 48_000, 2, Some(Encoding::Opus)),
            ("opus", 48_000, 1, None),
            ("speex", 8_000, 1, None),
        ] {
            assert_eq!(Encoding::of(name, clock, channels), encoding, "{name}/{clock}/{channels}");
        }
    }
}
