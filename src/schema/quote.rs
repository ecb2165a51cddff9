//! Text in messages, quoted as the PDP quotes it: Go's `%q` and `%#v`.

use std::fmt::{self, Write};

use super::json::{Kind, Node};

/// In single quotes: names and strings.
pub(super) fn single(text: &str) -> String {
    format!("'{}'", escaped(text, '\''))
}

/// In double quotes: constants of schemas.
fn double(text: &str) -> String {
    format!("\"{}\"", escaped(text, '"'))
}

fn escaped(text: &str, quote: char) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            // Writing to a string does not fail.
            char if char < ' ' || char == '\u{7f}' => drop(write!(out, "\\x{:02x}", u32::from(char))),
            char if char.is_control() => drop(write!(out, "\\u{:04x}", u32::from(char))),
            char => {
                if char == quote {
                    out.push('\\');
                }
                out.push(char);
            }
        }
    }
    out
}

/// A constant of a schema; none for lists and objects. Numbers are quoted as they are written.
pub(super) fn constant(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Null => Some("<nil>".to_owned()),
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Number { text, .. } | Kind::String(text) => Some(double(text)),
        Kind::Array(_) | Kind::Object(_) => None,
    }
}

/// A number as Go's `%v` writes it: the shortest digits, with an exponent below 1e-4 and from 1e6... on.
pub(super) fn number(value: f64) -> String {
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if value == 0.0 || (-4..MIN_EXPONENT).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

/// From this power of ten on, numbers are written with an exponent.
const MIN_EXPONENT: i32 = 6;

/// A part of a path to an attribute: a JSON pointer's token, percent-encoded.
pub(super) fn write_token(out: &mut impl Write, token: &str) -> fmt::Result {
    token.bytes().try_for_each(|byte| match byte {
        b'~' => out.write_str("~0"),
        b'/' => out.write_str("~1"),
        b'-' | b'_' | b'.' | b'$' | b'&' | b'+' | b':' | b'=' | b'@' => out.write_char(char::from(byte)),
        byte if byte.is_ascii_alphanumeric() => out.write_char(char::from(byte)),
        byte => write!(out, "%{byte:02X}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_go_writes_them() {
        let cases = [
            (0.0, "0"),
            (5.0, "5"),
            (-2.5, "-2.5"),
            (999_999.0, "999999"),
            (1_000_000.0, "1e+06"),
            (123_456_789.0, "1.23456789e+08"),
            (0.0001, "0.0001"),
            (0.000_01, "1e-05"),
            (1e300, "1e+300"),
        ];
        for (value, expected) in cases {
            assert_eq!(number(value), expected);
        }
    }

    #[test]
    fn texts_are_quoted_as_in_go() {
        assert_eq!(single("joe\"'s\n"), r#"'joe"\'s\n'"#);
        assert_eq!(double("a\"b'c\\\u{1}\u{85}é"), r#""a\"b'c\\\x01\u0085é""#);
        let mut path = String::new();
        write_token(&mut path, "a/b~c dé").unwrap();
        assert_eq!(path, "a~1b~0c%20d%C3%A9");
    }
}
