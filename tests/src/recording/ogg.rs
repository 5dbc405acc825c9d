//! Opus in Ogg, read apart from the product's writer: pages by RFC 3533, head by RFC 7845, packets by libopus.

use anyhow::{Context, Result, ensure};
use libopus::MSDecoder;

use super::RATE;

/// The longest packet: 120 ms.
const LONGEST: usize = RATE * 120 / 1000;
/// Places are counted at 48 kHz.
const TICKS: usize = 48_000 / RATE;

/// Each channel's samples.
pub(super) fn read(file: &[u8]) -> Result<Vec<Vec<i16>>> {
    let (packets, end) = packets(file)?;
    let [head, tags, sound @ ..] = packets.as_slice() else { anyhow::bail!("no head") };
    ensure!(head.starts_with(b"OpusHead\x01") && tags.starts_with(b"OpusTags"), "another head");
    let (count, skip) = (usize::from(head[9]), usize::from(u16::from_le_bytes([head[10], head[11]])) / TICKS);
    let (streams, coupled, mapping) = match head.get(18).context("a short head")? {
        0 => (1, head[9] - 1, (0..head[9]).collect()),
        1 => (head[19], head[20], head[21..21 + count].to_vec()),
        family => anyhow::bail!("family {family}"),
    };
    let mut decoder = MSDecoder::new(RATE as u32, streams, coupled, &mapping)?;
    let (mut channels, mut heard) = (vec![Vec::new(); count], vec![0; LONGEST * count]);
    for packet in sound {
        let samples = decoder.decode(packet, &mut heard, false)?;
        for sample in heard[..samples * count].chunks(count) {
            channels.iter_mut().zip(sample).for_each(|(channel, sample)| channel.push(*sample));
        }
    }
    for channel in &mut channels {
        channel.truncate(end / TICKS);
        channel.drain(..skip.min(channel.len()));
    }
    Ok(channels)
}

/// All packets, and the place where the last page ends.
fn packets(mut file: &[u8]) -> Result<(Vec<Vec<u8>>, usize)> {
    let (mut packets, mut packet, mut end) = (Vec::new(), Vec::new(), 0);
    while !file.is_empty() {
        ensure!(file.starts_with(b"OggS") && file.len() > 27, "no page");
        end = u64::from_le_bytes(file[6..14].try_into()?) as usize;
        let (table, mut body) = file[27..].split_at_checked(usize::from(file[26])).context("no table")?;
        for size in table {
            let (piece, rest) =
                body.split_at_checked(usize::from(*size)).context("a page that is cut off")?;
            packet.extend_from_slice(piece);
            if *size < 255 {
                packets.push(std::mem::take(&mut packet));
            }
            body = rest;
        }
        file = body;
    }
    Ok((packets, end))
}
