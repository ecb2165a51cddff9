//! The clock of the system, counted from 1970.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Longer than anybody waits.
pub(crate) const FOREVER: Duration = Duration::from_secs(365 * 86_400);

/// How long after 1970 began; nothing where a clock stands before that.
pub(crate) fn since_1970(at: SystemTime) -> Duration {
    at.duration_since(UNIX_EPOCH).unwrap_or_default()
}

pub(crate) fn milliseconds(at: SystemTime) -> u64 {
    u64::try_from(since_1970(at).as_millis()).unwrap_or(u64::MAX)
}
