//! Percent-encoding (RFC 3986), and the form of it that queries have.

use std::fmt::Write;

/// The bytes that are written as `%XX`, in the order of the text. Overlapping ones count: what one reader passes over,
/// another may find.
pub(crate) fn encoded_bytes(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.as_bytes().windows(3).filter_map(encoded_byte)
}

/// The text with each `%XX` decoded once. None where a `%` begins no such thing, or the bytes are no UTF-8.
pub(crate) fn decode(text: &str) -> Option<String> {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        if *first == b'%' {
            bytes.push(encoded_byte(rest.get(..3)?)?);
            rest = rest.get(3..)?;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// The text with all but letters, digits and `-_.!~*'()` encoded, as JavaScript's `encodeURIComponent` has it.
pub(crate) fn encode_into(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

/// A parameter is there more than once: which of them counts is for each reader to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Repeated;

/// The parameter of a name, decoded as `application/x-www-form-urlencoded` (WHATWG URL).
pub(crate) fn parameter(query: &str, name: &str) -> Result<Option<String>, Repeated> {
    // What stands behind a `#` is no part of a query.
    let query = query.split('#').next().unwrap_or_default();
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter(|(key, _)| form_decode(key) == name).map(|(_, value)| value);
    match (values.next(), values.next()) {
        (_, Some(_)) => Err(Repeated),
        (value, None) => Ok(value.map(form_decode)),
    }
}

/// What is no encoding stays as it is, and what is no UTF-8 becomes U+FFFD.
fn form_decode(text: &str) -> String {
    let mut rest = text.as_bytes();
    let mut bytes = Vec::with_capacity(rest.len());
    while let [first, tail @ ..] = rest {
        let encoded = rest.get(..3).and_then(encoded_byte);
        bytes.push(encoded.unwrap_or(if *first == b'+' { b' ' } else { *first }));
        rest = if encoded.is_some() { rest.get(3..).unwrap_or_default() } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn encoded_byte(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    match text {
        [b'%', high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_of_a_name() {
        for (query, value) in [
            ("a=b&v=a+b%2B%20c", Some("a b+ c")),
            ("&&%76=x", Some("x")),
            ("v", Some("")),
            ("v=%zz%", Some("%zz%")),
            ("v=%FF", Some("\u{fffd}")),
            ("v=a=b", Some("a=b")),
            ("v=1#&v=2", Some("1")),
            ("w=1#v", None),
            ("V=1", None),
            ("", None),
        ] {
            assert_eq!(parameter(query, "v"), Ok(value.map(str::to_owned)), "{query}");
        }
        for query in ["v=1&v=2", "v&a&v", "v=1&%76=1"] {
            assert_eq!(parameter(query, "v"), Err(Repeated), "{query}");
        }
    }
}
