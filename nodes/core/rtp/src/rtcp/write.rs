//! Appends the packets of a compound to a buffer that the caller keeps.

use super::{Block, SenderReport};

/// A sender report with up to 31 blocks; more are left out.
pub fn sender_report(out: &mut Vec<u8>, report: &SenderReport, blocks: &[Block]) {
    let blocks = &blocks[..blocks.len().min(31)];
    head(out, blocks.len() as u8, 200, 6 + blocks.len() * 6);
    word(out, report.ssrc);
    out.extend_from_slice(&report.ntp.to_be_bytes());
    word(out, report.timestamp);
    word(out, report.packets);
    word(out, report.octets);
    blocks.iter().for_each(|b| block(out, b));
}

/// A receiver report with up to 31 blocks; more are left out.
pub fn receiver_report(out: &mut Vec<u8>, ssrc: u32, blocks: &[Block]) {
    let blocks = &blocks[..blocks.len().min(31)];
    head(out, blocks.len() as u8, 201, 1 + blocks.len() * 6);
    word(out, ssrc);
    blocks.iter().for_each(|b| block(out, b));
}

/// The source description that every compound must carry; names are cut to 255 bytes.
pub fn cname(out: &mut Vec<u8>, ssrc: u32, name: &str) {
    let name = &name.as_bytes()[..name.len().min(255)];
    // The item (two bytes and the name) is ended by at least one zero and filled to whole words.
    let words = (2 + name.len()) / 4 + 1;
    head(out, 1, 202, 1 + words);
    word(out, ssrc);
    let end = out.len() + words * 4;
    out.extend_from_slice(&[1, name.len() as u8]);
    out.extend_from_slice(name);
    out.resize(end, 0);
}

fn head(out: &mut Vec<u8>, count: u8, kind: u8, words: usize) {
    out.extend_from_slice(&[0x80 | count, kind]);
    out.extend_from_slice(&(words as u16).to_be_bytes());
}

fn word(out: &mut Vec<u8>, word: u32) {
    out.extend_from_slice(&word.to_be_bytes());
}

fn block(out: &mut Vec<u8>, block: &Block) {
    word(out, block.ssrc);
    word(out, (u32::from(block.fraction_lost) << 24) | (block.lost & 0xff_ffff));
    word(out, block.highest);
    word(out, block.jitter);
    word(out, block.last_sr);
    word(out, block.delay);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_ended_and_filled_to_words() {
        for length in 0..12 {
            let mut out = Vec::new();
            cname(&mut out, 1, &"x".repeat(length));
            let words = usize::from(u16::from_be_bytes([out[2], out[3]]));
            assert_eq!(out.len(), (words + 1) * 4, "{length}");
            assert_eq!(out.last(), Some(&0), "{length}");
        }
    }
}
