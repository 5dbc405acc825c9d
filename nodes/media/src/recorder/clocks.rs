//! How long a recording has lasted when another node takes it up. Two nodes' wall clocks may differ by years, but both see
//! what the store dates its objects by.

use object_store::{ObjectStore, ObjectStoreExt, Result, path::Path};

use super::store::{DEADLINE, within};

/// What the two measures may differ by while both are right: stores date by whole seconds, and a note takes its time to get
/// there.
const TOLERANCE_MS: u64 = 3_000;

/// When an object was written by the store's clock, milliseconds since 1970.
pub(super) async fn date_ms(objects: &dyn ObjectStore, path: &Path) -> Result<u64> {
    let meta = within(DEADLINE, objects.head(path)).await?;
    Ok(meta.last_modified.timestamp_millis().max(0) as u64)
}

/// Milliseconds: the wall clocks' measure, which is the finer one, where the store's shows that both clocks are right.
pub(super) fn lasted_ms(by_walls: i64, by_store: i64) -> u64 {
    let lasted = if by_walls.abs_diff(by_store) <= TOLERANCE_MS { by_walls } else { by_store };
    lasted.max(0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn walls_are_believed_as_far_as_the_store_bears_them_out() {
        let hour = 3_600_000;
        for (by_walls, by_store, lasted) in [
            (10_250, 10_000, 10_250),
            (10_250, 13_000, 10_250),
            (10_250, 14_000, 14_000),
            (10_250 + hour, 10_000, 10_000),
            (10_250 - hour, 10_000, 10_000),
            (10_250, -hour, 0),
        ] {
            assert_eq!(lasted_ms(by_walls, by_store), lasted, "{by_walls} {by_store}");
        }
    }
}
