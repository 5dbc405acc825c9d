//! Midnight where the tenant is. The offsets are committed with the configuration, so replicas built with different
//! time zone data still agree; wall time enters only here, as the label of a day.

use std::sync::Arc;

use jiff::{Timestamp, tz::TimeZoneDatabase};
use serde::{Deserialize, Serialize};

const DAY_MS: i64 = 86_400_000;
/// 2020-01-01 and 2045-01-01: outside of this span the nearest known offset holds.
const FROM_S: i64 = 1_577_836_800;
const UNTIL_S: i64 = 2_366_841_600;

/// No such zone in the IANA database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no time zone; allowed: a name of the IANA database, like Europe/Moscow or UTC")]
pub struct UnknownTimezone {
    pub name: String,
}

/// An IANA time zone and its offsets from 2020 to 2044.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timezone {
    pub name: Arc<str>,
    /// (since, offset): seconds since 1970 and seconds to add to UTC; rising, never empty.
    offsets: Arc<[(i64, i32)]>,
}

impl Timezone {
    /// The zone with this IANA name. Upper and lower case are alike; the database's spelling is kept.
    pub fn named(name: &str) -> Result<Self, UnknownTimezone> {
        let unknown = || UnknownTimezone { name: name.to_owned() };
        let zone = TimeZoneDatabase::bundled().get(name).map_err(|_| unknown())?;
        let start = Timestamp::from_second(FROM_S).map_err(|_| unknown())?;
        let first = (FROM_S, zone.to_offset(start).seconds());
        let later = zone
            .following(start)
            .map(|change| (change.timestamp().as_second(), change.offset().seconds()))
            .take_while(|(since, _)| *since < UNTIL_S);
        let offsets = std::iter::once(first).chain(later).collect();
        Ok(Self { name: zone.iana_name().unwrap_or(name).into(), offsets })
    }

    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: "UTC".into(), offsets: [(FROM_S, 0)].into() }
    }

    /// Seconds to add to UTC at this wall time (milliseconds since 1970).
    pub fn offset_s(&self, wall_ms: u64) -> i32 {
        let second = i64::try_from(wall_ms / 1000).unwrap_or(i64::MAX);
        let later = self.offsets.partition_point(|(since, _)| *since <= second);
        self.offsets.get(later.saturating_sub(1)).map_or(0, |(_, offset)| *offset)
    }

    /// Hours and minutes of the local day.
    pub fn clock(&self, wall_ms: u64) -> (u8, u8) {
        let minute = self.local(wall_ms).rem_euclid(DAY_MS) / 60_000;
        ((minute / 60) as u8, (minute % 60) as u8)
    }

    /// The local day (days since 1970-01-01 there): counters of "today" start anew when it changes.
    pub fn day(&self, wall_ms: u64) -> i64 {
        self.local(wall_ms).div_euclid(DAY_MS)
    }

    /// What clocks show there, in milliseconds since they showed the beginning of 1970.
    fn local(&self, wall_ms: u64) -> i64 {
        let utc = i64::try_from(wall_ms).unwrap_or(i64::MAX);
        utc.saturating_add(i64::from(self.offset_s(wall_ms)) * 1000)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Timezone;

    #[test]
    fn days_change_at_local_midnight() {
        let moscow = Timezone::named("Europe/Moscow").unwrap();
        // 2026-11-22T21:00:00Z is midnight in Moscow.
        let midnight = 1_795_381_200_000;
        assert_eq!(moscow.day(midnight) - moscow.day(midnight - 1), 1);
        assert_eq!(moscow.day(midnight + 86_399_999), moscow.day(midnight));
        assert_eq!(Timezone::utc().day(midnight), Timezone::utc().day(midnight - 1));
    }

    #[test]
    fn clocks_show_local_time() {
        let moscow = Timezone::named("Europe/Moscow").unwrap();
        for (wall, clock) in [(1_795_381_200_000, (0, 0)), (1_795_381_199_999, (23, 59)), (0, (3, 0))] {
            assert_eq!(moscow.clock(wall), clock, "{wall}");
        }
        let there = moscow.clock(u64::MAX);
        assert!(there.0 < 24 && there.1 < 60, "whatever the wall says");
    }

    #[test]
    fn summer_time_is_known() {
        let berlin = Timezone::named("europe/berlin").unwrap();
        assert_eq!(&*berlin.name, "Europe/Berlin");
        assert_eq!(berlin.offset_s(1_795_000_000_000), 3600);
        assert_eq!(berlin.offset_s(1_782_000_000_000), 7200);
        assert_eq!(berlin.offset_s(0), 3600, "before the table: its first offset");
        assert_eq!(berlin.offset_s(u64::MAX), 3600, "behind the table: its last offset");
    }

    #[test]
    fn unknown_zones_are_refused() {
        for name in ["", "Mars/Olympus", "+03:00"] {
            assert!(Timezone::named(name).is_err(), "{name}");
        }
    }
}
