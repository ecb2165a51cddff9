//! Timestamps and durations: the ranges and texts of `google.protobuf.Timestamp` and Go's `time.Duration`.

use std::cmp::Ordering;
use std::fmt::{self, Write};

/// Seconds between 0001-01-01T00:00:00Z and the Unix epoch.
const MIN_SECONDS: i64 = -62_135_596_800;
/// Seconds between 9999-12-31T23:59:59Z and the Unix epoch.
const MAX_SECONDS: i64 = 253_402_300_799;
const NANOS_PER_SECOND: i128 = 1_000_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// An instant between the years 1 and 9999, to the nanosecond. It keeps the offset from UTC with which it
/// was written, for its text alone: instants compare whatever their offset.
#[derive(Clone, Copy, Debug, Default)]
pub struct Timestamp {
    seconds: i64,
    nanos: u32,
    /// Minutes east of UTC.
    offset: i16,
}

impl PartialEq for Timestamp {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Timestamp {}

impl PartialOrd for Timestamp {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Timestamp {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.seconds, self.nanos).cmp(&(other.seconds, other.nanos))
    }
}

impl Timestamp {
    /// The first instant.
    pub const MIN: Self = Self { seconds: MIN_SECONDS, nanos: 0, offset: 0 };

    /// The instant `seconds` and `nanos` (below 1,000,000,000) after the Unix epoch, if it is in range.
    #[must_use]
    pub fn new(seconds: i64, nanos: u32) -> Option<Self> {
        let in_range = (MIN_SECONDS..=MAX_SECONDS).contains(&seconds) && nanos < 1_000_000_000;
        in_range.then_some(Self { seconds, nanos, offset: 0 })
    }

    /// Whole seconds since the Unix epoch, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds past [`seconds`](Self::seconds).
    #[must_use]
    pub fn nanos(self) -> u32 {
        self.nanos
    }

    /// Minutes east of UTC, with which it was written.
    pub(crate) fn offset(self) -> i16 {
        self.offset
    }

    /// The same instant, written with so many minutes east of UTC.
    pub(crate) fn at_offset(self, offset: i16) -> Self {
        Self { offset, ..self }
    }

    fn total_nanos(self) -> i128 {
        i128::from(self.seconds) * NANOS_PER_SECOND + i128::from(self.nanos)
    }

    /// The instant a duration later; `None` out of range.
    #[must_use]
    pub fn checked_add(self, duration: Duration) -> Option<Self> {
        let nanos = self.total_nanos() + i128::from(duration.nanos);
        let seconds = i64::try_from(nanos.div_euclid(NANOS_PER_SECOND)).ok()?;
        let moved = Self::new(seconds, u32::try_from(nanos.rem_euclid(NANOS_PER_SECOND)).ok()?)?;
        Some(Self { offset: self.offset, ..moved })
    }

    /// The time from `earlier` to this instant; `None` where 64 bits of nanoseconds do not hold it.
    #[must_use]
    pub fn checked_since(self, earlier: Self) -> Option<Duration> {
        i64::try_from(self.total_nanos() - earlier.total_nanos()).ok().map(Duration::from_nanos)
    }

    /// Reads RFC 3339 (`2023-01-14T10:30:45.123Z`, `…+02:00`) as Go does.
    ///
    /// # Errors
    /// A text that is not RFC 3339, or an instant outside the years 1 to 9999.
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        Self::read(text).map_err(|error| match error {
            TimestampError::Malformed if has_shape(text) => TimestampError::NoSuchTime,
            _ => error,
        })
    }

    fn read(text: &str) -> Result<Self, TimestampError> {
        let mut rest = Cursor(text.as_bytes());
        let year = rest.digits(4)?;
        rest.literal(b'-')?;
        let month = rest.digits(2)?;
        rest.literal(b'-')?;
        let day = rest.digits(2)?;
        rest.literal(b'T')?;
        let hour = rest.digits(2)?;
        rest.literal(b':')?;
        let minute = rest.digits(2)?;
        rest.literal(b':')?;
        let second = rest.digits(2)?;
        let nanos = rest.fraction()?;
        let offset = rest.offset()?;
        let valid_date = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if !rest.0.is_empty() || !valid_date || hour > 23 || minute > 59 || second > 59 {
            return Err(TimestampError::Malformed);
        }
        let time_of_day = hour * 3600 + minute * 60 + second;
        let seconds = days_from_civil(year, month, day) * SECONDS_PER_DAY + time_of_day - offset * 60;
        let instant = Self::new(seconds, nanos).ok_or(TimestampError::OutOfRange)?;
        Ok(Self { offset: i16::try_from(offset).map_err(|_| TimestampError::Malformed)?, ..instant })
    }

    /// The same instant, written in UTC.
    #[must_use]
    pub fn in_utc(self) -> Self {
        Self { offset: 0, ..self }
    }

    /// The calendar fields at an offset from UTC, in seconds east.
    pub(crate) fn civil(self, offset: i64) -> Civil {
        let local = self.seconds + offset;
        let days = local.div_euclid(SECONDS_PER_DAY);
        let second_of_day = local.rem_euclid(SECONDS_PER_DAY);
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            day_of_year: days - days_from_civil(year, 1, 1),
            day_of_week: (days + 4).rem_euclid(7),
            hour: second_of_day / 3600,
            minute: second_of_day / 60 % 60,
            second: second_of_day % 60,
        }
    }
}

/// Why a text is no timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampError {
    /// Not RFC 3339.
    Malformed,
    /// Written as RFC 3339, but no time: the 30th of February, or `t` and `z` in lower case, as in Go.
    NoSuchTime,
    /// Outside the years 1 to 9999.
    OutOfRange,
}

/// RFC 3339 with as many decimals as needed.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil { year, month, day, hour, minute, second, .. } = self.civil(i64::from(self.offset) * 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if self.nanos != 0 {
            let digits = format!("{:09}", self.nanos);
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        if self.offset == 0 {
            return f.write_char('Z');
        }
        let sign = if self.offset < 0 { '-' } else { '+' };
        let minutes = self.offset.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Calendar fields: month and day from 1, day of the year from 0, day of the week from 0 (Sunday).
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) day_of_year: i64,
    pub(crate) day_of_week: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar
/// (<https://howardhinnant.github.io/date_algorithms.html#days_from_civil>).
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Whether a text has the form of RFC 3339, in either case, whatever its numbers say.
fn has_shape(text: &str) -> bool {
    let digits =
        |text: &str| text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>();
    let shape = digits(text).to_ascii_uppercase();
    let Some(rest) = shape.strip_prefix("0000-00-00T00:00:00") else { return false };
    let zone = match rest.strip_prefix('.') {
        Some(fraction) if fraction.starts_with('0') => fraction.trim_start_matches('0'),
        Some(_) => return false,
        None => rest,
    };
    matches!(zone, "Z" | "+00:00" | "-00:00")
}

struct Cursor<'t>(&'t [u8]);

impl Cursor<'_> {
    fn digits(&mut self, count: usize) -> Result<i64, TimestampError> {
        let (digits, rest) = self.0.split_at_checked(count).ok_or(TimestampError::Malformed)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return Err(TimestampError::Malformed);
        }
        self.0 = rest;
        Ok(digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0')))
    }

    fn literal(&mut self, byte: u8) -> Result<(), TimestampError> {
        self.0 = self.0.strip_prefix(&[byte]).ok_or(TimestampError::Malformed)?;
        Ok(())
    }

    /// Decimals of a second; past the ninth they are dropped.
    fn fraction(&mut self) -> Result<u32, TimestampError> {
        let Some((b'.', rest)) = self.0.split_first() else { return Ok(0) };
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if count == 0 {
            return Err(TimestampError::Malformed);
        }
        let (digits, rest) = rest.split_at(count);
        self.0 = rest;
        let digit = |index: usize| digits.get(index).map_or(0, |digit| u32::from(digit - b'0'));
        Ok((0..9).fold(0, |nanos, index| nanos * 10 + digit(index)))
    }

    /// `Z` or `±hh:mm`, in minutes east.
    fn offset(&mut self) -> Result<i64, TimestampError> {
        let (sign, rest) = self.0.split_first().ok_or(TimestampError::Malformed)?;
        self.0 = rest;
        let sign = match sign {
            b'Z' => return Ok(0),
            b'+' => 1,
            b'-' => -1,
            _ => return Err(TimestampError::Malformed),
        };
        let hours = self.digits(2)?;
        self.literal(b':')?;
        let minutes = self.digits(2)?;
        if hours > 23 || minutes > 59 {
            return Err(TimestampError::Malformed);
        }
        Ok(sign * (hours * 60 + minutes))
    }
}

/// A span of time in nanoseconds, at most about ±292 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanos: i64,
}

impl Duration {
    /// A duration of so many nanoseconds.
    #[must_use]
    pub fn from_nanos(nanos: i64) -> Self {
        Self { nanos }
    }

    /// The whole duration in nanoseconds.
    #[must_use]
    pub fn nanos(self) -> i64 {
        self.nanos
    }

    /// Reads `1h30m`, `-1.5s`, `100ms`: the units are `h m s ms us µs ns`, as in Go's `time.ParseDuration`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.strip_prefix(['-', '+']) {
            Some(rest) => (text.starts_with('-'), rest),
            None => (false, text),
        };
        if rest == "0" {
            return Some(Self::default());
        }
        if rest.is_empty() {
            return None;
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (term, after) = parse_term(rest)?;
            total = total.checked_add(term)?;
            rest = after;
        }
        let total = i128::from(total);
        i64::try_from(if negative { -total } else { total }).ok().map(Self::from_nanos)
    }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn parse_term(text: &str) -> Option<(u64, &str)> {
    let number_end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(number_end);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    if (whole.is_empty() && decimals.is_empty()) || decimals.contains('.') {
        return None;
    }
    let unit_end = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_end);
    let unit: u64 = match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    };
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    // 18 decimals are more than a nanosecond of an hour can show.
    let decimals = &decimals[..decimals.len().min(18)];
    let scale = 10u128.pow(u32::try_from(decimals.len()).ok()?);
    let fraction: u128 = if decimals.is_empty() { 0 } else { decimals.parse().ok()? };
    let fraction = u64::try_from(fraction * u128::from(unit) / scale).ok()?;
    Some((whole.checked_mul(unit)?.checked_add(fraction)?, rest))
}

/// Seconds with as many decimals as needed: `3.5s`. As in Go they are a double, which does not hold the
/// nanoseconds of a duration of years.
impl fmt::Display for Duration {
    #[expect(clippy::cast_precision_loss, reason = "the rounding is the defined behaviour")]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, fraction) = (self.nanos / 1_000_000_000, self.nanos % 1_000_000_000);
        write!(f, "{}s", seconds as f64 + fraction as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_read_and_write() {
        for text in ["1970-01-01T00:00:00Z", "2024-02-29T23:59:59.123456789Z", "0001-01-01T00:00:00Z"] {
            assert_eq!(Timestamp::parse(text).map(|t| t.to_string()), Ok(text.to_owned()));
        }
        let moved = Timestamp::parse("2009-02-13T23:31:30+02:00").map(|t| t.to_string());
        assert_eq!(moved, Ok("2009-02-13T23:31:30+02:00".to_owned()));
        assert_eq!(Timestamp::parse("2009-02-13T23:31:30+02:00"), Timestamp::parse("2009-02-13T21:31:30Z"));
        for text in ["", "2023-01-01", "2023-01-01 00:00:00Z", "2023-01-01T00:00:00.Z", "2023-01-01T00:00:00"]
        {
            assert_eq!(Timestamp::parse(text), Err(TimestampError::Malformed), "{text}");
        }
        for text in ["2023-02-29T00:00:00Z", "2023-01-01T24:00:00.5Z", "2023-01-01t00:00:00z"] {
            assert_eq!(Timestamp::parse(text), Err(TimestampError::NoSuchTime), "{text}");
        }
        assert_eq!(Timestamp::parse("0000-01-01T00:00:00Z"), Err(TimestampError::OutOfRange));
    }

    #[test]
    fn durations_read_and_write() {
        let text = |text| Duration::parse(text).map(|d| d.to_string());
        assert_eq!(text("1h30m").as_deref(), Some("5400s"));
        assert_eq!(text("-1.5s").as_deref(), Some("-1.5s"));
        assert_eq!(text("1us2ns").as_deref(), Some("0.000001002s"));
        assert_eq!(text("0").as_deref(), Some("0s"));
        assert_eq!(text("100000000.123456789s").as_deref(), Some("100000000.12345679s"));
        for bad in ["", "1", "1d", "s", "1.2.3s", "-", "10000000000s"] {
            assert_eq!(Duration::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn arithmetic_keeps_to_the_range() {
        let last = Timestamp::new(MAX_SECONDS, 0).unwrap_or_default();
        assert_eq!(last.checked_add(Duration::from_nanos(1_000_000_000)), None);
        let hour = Duration::parse("1h").unwrap_or_default();
        let later = Timestamp::default().checked_add(hour).unwrap_or_default();
        assert_eq!(later.checked_since(Timestamp::default()), Some(hour));
    }
}
