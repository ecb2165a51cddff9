//! Spans of time, as Go writes them: `30s`, `1h15m`, `1.5h`, `250ms`.

use std::fmt;
use std::time::Duration;

use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A span of time that is not negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// So many seconds.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// None where it is zero, which stands for no limit.
    #[must_use]
    pub fn limit(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
    }

    /// Reads a span.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        const UNITS: [(&str, f64); 7] =
            [("ns", 1e-9), ("us", 1e-6), ("µs", 1e-6), ("ms", 1e-3), ("s", 1.0), ("m", 60.0), ("h", 3600.0)];
        if text == "0" {
            return Some(Self::default());
        }
        let mut rest = text;
        let mut seconds = 0.0;
        while !rest.is_empty() || text.is_empty() {
            let digits = rest.find(|char: char| !char.is_ascii_digit() && char != '.')?;
            let number: f64 = rest[..digits].parse().ok()?;
            rest = &rest[digits..];
            let end = rest.find(|char: char| char.is_ascii_digit()).unwrap_or(rest.len());
            let (_, unit) = UNITS.iter().find(|(name, _)| *name == &rest[..end])?;
            seconds += number * unit;
            rest = &rest[end..];
        }
        Duration::try_from_secs_f64(seconds).ok().map(Self)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}s", self.0.as_secs_f64())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Span;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as 30s or 1h15m")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Span, E> {
                Span::parse(text).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_go_writes_them() {
        for (text, milliseconds) in [
            ("30s", 30_000),
            ("1h15m", 4_500_000),
            ("1.5h", 5_400_000),
            ("250ms", 250),
            ("0", 0),
            ("1m0.5s", 60_500),
        ] {
            assert_eq!(Span::parse(text), Some(Span(Duration::from_millis(milliseconds))), "{text}");
        }
        for text in ["", "30", "s", "-1s", "1d", "1s 2s", "1.2.3s", "1e3s", "99999999999999999999h"] {
            assert_eq!(Span::parse(text), None, "{text}");
        }
    }
}
