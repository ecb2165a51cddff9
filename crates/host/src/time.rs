//! Instants as hosts count them.

use std::time::Duration;

use orthrus::cel::Timestamp;

/// The instant so many milliseconds after 1970 began; 1970 itself for what no timestamp can be.
#[must_use]
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "Timestamp::new refuses what is out of range"
)]
pub fn from_milliseconds(milliseconds: f64) -> Timestamp {
    let seconds = (milliseconds / 1000.0).floor();
    let nanos = ((milliseconds - seconds * 1000.0) * 1e6).round();
    Timestamp::new(seconds as i64, nanos as u32).unwrap_or_default()
}

/// The instant so long after 1970 began, as the clock of a system tells it.
#[must_use]
pub fn from_duration(time: Duration) -> Timestamp {
    let seconds = i64::try_from(time.as_secs()).unwrap_or(i64::MAX);
    Timestamp::new(seconds, time.subsec_nanos()).unwrap_or_default()
}
