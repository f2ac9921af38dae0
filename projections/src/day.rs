use chrono::{DateTime, Utc};

/// The day of a time in UTC, as `2010-12-01`.
pub(crate) fn day_of(time: &DateTime<Utc>) -> String {
    time.format("%Y-%m-%d").to_string()
}
