//! Counts that start anew at midnight of the tenant's time zone. The day comes from the stamp's wall clock and the
//! committed time zone (`config::Timezone::day`), so it is the same on all replicas; no timer is needed: a count of
//! another day reads as nothing.

use serde::{Deserialize, Serialize};

/// The date of a day, `2026-02-28` (proleptic Gregorian calendar).
pub(crate) fn date(day: i64) -> String {
    // Days are counted from 1 March of year 0, so that the leap day comes last in its year.
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * of_year + 2) / 153;
    let day_of_month = of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day_of_month:02}")
}

/// A count of one day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Daily<T> {
    day: i64,
    count: T,
}

impl<T: Copy + Default> Daily<T> {
    /// The count of `day`.
    pub fn on(&self, day: i64) -> T {
        if self.day == day { self.count } else { T::default() }
    }

    /// The count of `day`, to be changed.
    pub(crate) fn on_mut(&mut self, day: i64) -> &mut T {
        if self.day != day {
            *self = Self { day, count: T::default() };
        }
        &mut self.count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_follow_the_calendar() {
        for (day, text) in [
            (0, "1970-01-01"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (19_782, "2024-02-29"),
            (-1, "1969-12-31"),
        ] {
            assert_eq!(date(day), text);
        }
    }

    #[test]
    fn yesterdays_count_reads_as_nothing() {
        let mut count = Daily::<u64>::default();
        *count.on_mut(5) += 2;
        assert_eq!((count.on(5), count.on(6)), (2, 0));
        *count.on_mut(6) += 1;
        assert_eq!((count.on(5), count.on(6)), (0, 1));
    }
}
