//! The parts of a recording as the store lists them, and silence in pieces of the same kind.

use bytes::Bytes;
use object_store::{ObjectStore, Result};

use super::{layout, open::Ticket, store::gathered};

/// Silence in one part: a second.
static ZEROS: [u8; 32_000] = [0; 32_000];

/// One part in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) bytes: u64,
    /// Milliseconds since 1970.
    pub(super) written_ms: u64,
}

/// The parts of a recording, in order.
pub(super) async fn list(objects: &dyn ObjectStore, ticket: &Ticket) -> Result<Vec<Part>> {
    let found = gathered(objects.list(Some(&layout::parts(ticket)))).await?;
    let mut parts: Vec<Part> = found
        .into_iter()
        .filter_map(|meta| {
            let written_ms = meta.last_modified.timestamp_millis().max(0) as u64;
            Some(Part { number: layout::number(&meta.location)?, bytes: meta.size, written_ms })
        })
        .collect();
    parts.sort_unstable_by_key(|part| part.number);
    Ok(parts)
}

/// So many bytes of silence, in pieces.
pub(super) fn silence(bytes: u64) -> impl Iterator<Item = Bytes> {
    let piece = ZEROS.len() as u64;
    let rest = (bytes % piece) as usize;
    let whole = std::iter::repeat_n(Bytes::from_static(&ZEROS), (bytes / piece) as usize);
    whole.chain((rest > 0).then(|| Bytes::from_static(&ZEROS[..rest])))
}
