//! Times in queries and exports.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize as _, Deserializer, de::Error as _};

/// Unix milliseconds, or RFC 3339 in UTC.
pub(crate) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)?.filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    if let Ok(millis) = text.parse() {
        return Ok(Some(millis));
    }
    let time = humantime::parse_rfc3339_weak(&text)
        .map_err(|_| D::Error::custom("time is neither Unix milliseconds nor like 2026-11-22T10:00:00Z"))?;
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    Ok(Some(u64::try_from(since.as_millis()).unwrap_or(u64::MAX)))
}

/// Unix milliseconds.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or_default()
}

/// RFC 3339 in UTC; times beyond the year 9999 are cut there.
pub(crate) fn write(millis: u64) -> String {
    const LAST: u64 = 253_402_300_799_000;
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(millis.min(LAST))).to_string()
}
