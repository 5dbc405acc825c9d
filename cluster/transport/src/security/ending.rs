//! When a certificate's end is an operator's business: a week before it, or for the last tenth of a life that is shorter
//! than seventy days. Whoever renews by a machine has done so before.

use rustls::pki_types::UnixTime;

use super::Mutual;

const HOUR: u64 = 60 * 60;
const DAY: u64 = 24 * HOUR;
/// The longest time before the end in which there is an alarm.
const WEEK: u64 = 7 * DAY;

/// From when to when a certificate is taken, Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) begins: u64,
    pub(super) ends: u64,
}

impl Life {
    /// How long before its end a certificate should have been renewed.
    fn notice(self) -> u64 {
        WEEK.min(self.ends.saturating_sub(self.begins) / 10)
    }

    /// Negative after the end.
    fn left(self, now: u64) -> i64 {
        self.ends as i64 - now as i64
    }

    /// What to say of it now, if anything.
    fn warning(self, now: u64) -> Option<String> {
        let left = self.ends.saturating_sub(now);
        match left {
            0 => Some("has ended, and other nodes refuse this one".to_owned()),
            left if left >= self.notice() => None,
            left => Some(format!("ends in {}, and other nodes will refuse this one then", words(left))),
        }
    }
}

fn words(seconds: u64) -> String {
    match seconds {
        left if left >= 2 * DAY => format!("{} days", left / DAY),
        left if left >= 2 * HOUR => format!("{} hours", left / HOUR),
        left => format!("{} minutes", left / 60),
    }
}

impl Mutual {
    /// Seconds until the certificate in use ends, by this node's wall clock; negative after its end.
    pub fn seconds_left(&self) -> i64 {
        self.0.material().life.left(UnixTime::now().as_secs())
    }

    /// A sentence for operators when the certificate in use should have been renewed by now.
    pub fn alarm(&self) -> Option<String> {
        let warning = self.0.material().life.warning(UnixTime::now().as_secs())?;
        let file = self.0.files.cert.display();
        Some(format!(
            "this node's certificate {file} {warning}: put a new one in its place (mangrove certs issue), the node takes \
             it while it runs"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_told_of_a_week_before_its_end_or_in_its_last_tenth() {
        let (begins, year, month) = (1_000 * DAY, 365 * DAY, 30 * DAY);
        for (life, left, told) in [
            (year, 7 * DAY, None),
            (year, 7 * DAY - 1, Some("ends in 6 days")),
            (year, 2 * DAY - 1, Some("ends in 47 hours")),
            (year, HOUR, Some("ends in 60 minutes")),
            (year, 0, Some("has ended")),
            (70 * DAY, 7 * DAY - 1, Some("ends in 6 days")),
            (month, 3 * DAY, None),
            (month, 3 * DAY - 1, Some("ends in 2 days")),
            (DAY, 3 * HOUR, None),
            (DAY, 2 * HOUR, Some("ends in 2 hours")),
        ] {
            let whole = Life { begins, ends: begins + life };
            let said = whole.warning(whole.ends - left);
            assert_eq!(said.is_some(), told.is_some(), "{life} {left}: {said:?}");
            assert!(told.is_none_or(|told| said.is_some_and(|said| said.contains(told))), "{life} {left}");
        }
        let ended = Life { begins, ends: begins + DAY };
        assert_eq!(ended.left(begins + 2 * DAY), -(DAY as i64));
        assert!(ended.warning(begins + 2 * DAY).is_some_and(|said| said.contains("has ended")));
    }
}
