//! WAV files: the header of a recording written, prompts read. Reading takes what people upload (PCM of 8 or 16 bits,
//! both G.711 laws, one or two channels, any usual rate), trusts no length in the file and never allocates more than
//! the file is long.

mod read;

pub use read::{Error, Sound, read};

/// Bytes of the header.
pub const HEADER: usize = 44;

/// The header of 16-bit PCM with `data` bytes behind it. A file of 4 GiB or more says the most that the format can.
pub fn header(channels: u16, rate: u32, data: u64) -> [u8; HEADER] {
    let align = channels * 2;
    let data = data.min(u64::from(u32::MAX) - 36) as u32;
    let mut out = [0; HEADER];
    out[0..4].copy_from_slice(b"RIFF");
    out[4..8].copy_from_slice(&(data + 36).to_le_bytes());
    out[8..16].copy_from_slice(b"WAVEfmt ");
    out[16..20].copy_from_slice(&16u32.to_le_bytes());
    out[20..22].copy_from_slice(&1u16.to_le_bytes());
    out[22..24].copy_from_slice(&channels.to_le_bytes());
    out[24..28].copy_from_slice(&rate.to_le_bytes());
    out[28..32].copy_from_slice(&(rate * u32::from(align)).to_le_bytes());
    out[32..34].copy_from_slice(&align.to_le_bytes());
    out[34..36].copy_from_slice(&16u16.to_le_bytes());
    out[36..40].copy_from_slice(b"data");
    out[40..44].copy_from_slice(&data.to_le_bytes());
    out
}
