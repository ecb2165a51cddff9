//! The types of plain scalars: the YAML 1.2 core schema with the readings of the PDP's parser.
//!
//! The PDP differs from the core schema in numbers: `_` between digits is skipped, a leading `0` means
//! octal, `0b` is binary, hexadecimal and octal may be signed, a number needs a `.` to be a float (`1e3` is
//! a string), and a number that does not fit 64 bits is a string. `yes`, `on` and timestamps are strings.

use super::{Node, node::Kind, node::Style};

/// A scalar with its type.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Resolved {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number from `i64::MIN` to `u64::MAX`.
    Integer(i128),
    /// A finite number with a `.`.
    Float(f64),
    /// `.inf`, `-.inf` or `.nan`, which no policy value can be.
    NonFinite,
    /// The scalar's text.
    String,
}

impl Resolved {
    /// What the type is called in a message.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Integer(_) => "integer",
            Self::Float(_) => "number",
            Self::NonFinite => "infinity or NaN",
            Self::String => "string",
        }
    }
}

/// Whether a mapping's key asks for its value to be merged in: a plain `<<`.
#[must_use]
pub fn is_merge_key(key: &Node<'_>) -> bool {
    matches!(&key.kind, Kind::Scalar(scalar) if scalar.style == Style::Plain && scalar.text == "<<")
}

/// The type of a plain scalar.
pub(super) fn resolve(text: &str) -> Resolved {
    // Most scalars are words; only these first bytes can start anything else.
    match text.as_bytes().first() {
        None => Resolved::Null,
        Some(b'~' | b'n' | b'N' | b't' | b'T' | b'f' | b'F') => keyword(text),
        Some(b'0'..=b'9' | b'+' | b'-' | b'.') => number(text),
        Some(_) => Resolved::String,
    }
}

fn keyword(text: &str) -> Resolved {
    match text {
        "~" | "null" | "Null" | "NULL" => Resolved::Null,
        "true" | "True" | "TRUE" => Resolved::Bool(true),
        "false" | "False" | "FALSE" => Resolved::Bool(false),
        _ => Resolved::String,
    }
}

fn number(text: &str) -> Resolved {
    match text {
        ".inf" | ".Inf" | ".INF" | "-.inf" | "-.Inf" | "-.INF" | ".nan" | ".NaN" | ".NAN" => {
            return Resolved::NonFinite;
        }
        _ => {}
    }
    let negative = text.starts_with('-');
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    let digits = unsigned.strip_prefix('-').unwrap_or(unsigned).replace('_', "");
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'x', ..] => (16, &digits[2..]),
        [b'0', b'o', ..] => (8, &digits[2..]),
        [b'0', b'b', ..] => (2, &digits[2..]),
        bytes if bytes.contains(&b'.') => return float(&digits, negative),
        [b'0', _, ..] => (8, &*digits),
        _ => (10, &*digits),
    };
    integer(digits, radix, negative).map_or(Resolved::String, Resolved::Integer)
}

fn integer(digits: &str, radix: u32, negative: bool) -> Option<i128> {
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok().map(i128::from)?;
    let value = if negative { -magnitude } else { magnitude };
    (value >= i128::from(i64::MIN)).then_some(value)
}

fn float(digits: &str, negative: bool) -> Resolved {
    match digits.parse::<f64>() {
        Ok(value) if value.is_finite() => Resolved::Float(if negative { -value } else { value }),
        _ => Resolved::String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_strings_unless_the_core_schema_names_them() {
        for text in ["yes", "no", "on", "off", "y", "N", "tRUE", "nULL", "nil", "none", "_1", "2020-01-01"] {
            assert_eq!(resolve(text), Resolved::String, "{text}");
        }
        for text in ["~", "null", "Null", "NULL", ""] {
            assert_eq!(resolve(text), Resolved::Null, "{text}");
        }
        for (text, value) in [("true", true), ("True", true), ("TRUE", true), ("FALSE", false)] {
            assert_eq!(resolve(text), Resolved::Bool(value), "{text}");
        }
    }

    #[test]
    fn integers_are_read_as_the_pdp_reads_them() {
        let cases: [(&str, i128); 14] = [
            ("0", 0),
            ("-0", 0),
            ("010", 8),
            ("0o10", 8),
            ("0x1F", 31),
            ("-0x10", -16),
            ("0b101", 5),
            ("1_000", 1000),
            ("+5", 5),
            ("-5_", -5),
            ("0_1", 1),
            ("20210210", 20_210_210),
            ("18446744073709551615", u64::MAX as i128),
            ("-9223372036854775808", i64::MIN as i128),
        ];
        for (text, value) in cases {
            assert_eq!(resolve(text), Resolved::Integer(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_stays_a_string() {
        for text in [
            "08",
            "1e3",
            "0x",
            "0xg",
            "++5",
            "-+5",
            "-",
            "+",
            ".",
            "..",
            "1.2.3",
            "18446744073709551616",
            "-9223372036854775809",
            "1.5e400",
            "0x1.8",
            "1-2",
            "-.",
            "0x-5",
            "0x+5",
        ] {
            assert_eq!(resolve(text), Resolved::String, "{text}");
        }
    }

    #[test]
    fn floats_need_a_point() {
        for (text, value) in
            [("1.5", 1.5), (".5", 0.5), ("-.5", -0.5), ("1.", 1.0), ("1.5e3", 1500.0), ("010.5", 10.5)]
        {
            assert_eq!(resolve(text), Resolved::Float(value), "{text}");
        }
        for text in [".inf", "-.INF", ".NaN"] {
            assert_eq!(resolve(text), Resolved::NonFinite, "{text}");
        }
    }
}
