//! The hash by which replicas compare their states: FNV-1a over the state's MessagePack, which is canonical because
//! every map in it is ordered.

use std::io;

use super::State;

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

struct Fnv(u64);

impl io::Write for Fnv {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = fnv(self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn fnv(start: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(start, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(PRIME))
}

/// A number for a sequence of texts; the same on every machine.
pub(crate) fn of_bytes(parts: &[&[u8]]) -> u64 {
    parts.iter().fold(OFFSET, |hash, part| fnv(hash, part))
}

impl State {
    /// Equal states have equal hashes, on every machine. Costs as much as a snapshot.
    pub fn hash(&self) -> u64 {
        let mut fnv = Fnv(OFFSET);
        let written = rmp_serde::encode::write(&mut fnv, self);
        debug_assert!(written.is_ok(), "the state serialises: {written:?}");
        fnv.0
    }
}
