//! cel-go's `ext.Encoders`: base64 (RFC 4648) and JSON.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

use super::Declaration;
use crate::cel::{Activation, EvalError, EvalResult, Value};

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "base64.encode",
        doc: "Bytes as base64 text",
        signatures: &["base64.encode(bytes) -> string"],
        run: |ctx, args| match *args {
            [Value::Bytes(bytes)] => Ok(Value::String(ctx.arena.alloc_str(&base64_text(bytes)))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "base64.decode",
        doc: "The bytes of a base64 text, with or without padding",
        signatures: &["base64.decode(string) -> bytes"],
        run: |ctx, args| match *args {
            [Value::String(text)] => match base64_bytes(text) {
                Some(bytes) => Ok(Value::Bytes(ctx.arena.alloc_slice_copy(&bytes))),
                None => {
                    // A digit that stands alone is found at the group that it begins.
                    let plain = |byte: &u8| !ALPHABET.contains(byte);
                    let at = text.as_bytes().iter().position(plain).unwrap_or(text.len() / 4 * 4);
                    Err(EvalError::message(ctx.arena, format_args!("illegal base64 data at input byte {at}")))
                }
            },
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "json.encode",
        doc: "A value as JSON text",
        signatures: &["json.encode(dyn) -> string"],
        run: json_encode,
    },
];

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
pub(crate) fn base64_text(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let sextet = (group >> (18 - 6 * at) & 63) as usize;
            out.push(if at > chunk.len() { '=' } else { char::from(ALPHABET[sextet]) });
        }
    }
    out
}

/// The bytes of a base64 text, with or without padding.
pub(crate) fn base64_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let padded = padding > 0 && (padding > 2 || !text.len().is_multiple_of(4));
    if padded || digits.len() % 4 == 1 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.as_bytes().chunks(4) {
        let mut group = 0;
        for at in 0..4 {
            let sextet = match chunk.get(at) {
                Some(digit) => ALPHABET.iter().position(|known| known == digit)?,
                None => 0,
            };
            group = group << 6 | u32::try_from(sextet).ok()?;
        }
        out.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Some(out)
}

fn json_encode<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [value] = *args else { return Err(EvalError::NoSuchOverload) };
    let mut bytes = Vec::new();
    let mut writer = serde_json::Serializer::with_formatter(&mut bytes, GoNumbers);
    match crate::cel::Json(value).serialize(&mut writer) {
        Ok(()) => {
            let text = String::from_utf8_lossy(&bytes);
            Ok(Value::String(ctx.arena.alloc_str(&escape_markup(&text))))
        }
        Err(error) => Err(EvalError::message(ctx.arena, format_args!("{error}"))),
    }
}

/// Numbers as Go's encoder writes them: with an exponent below 1e-6 and from 1e21 on.
struct GoNumbers;

impl Formatter for GoNumbers {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        let size = value.abs();
        if size == 0.0 || (1e-6..1e21).contains(&size) {
            return write!(writer, "{value}");
        }
        let text = format!("{value:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let sign = if exponent.starts_with('-') { "" } else { "+" };
        write!(writer, "{mantissa}e{sign}{exponent}")
    }
}

/// Go's encoder writes JSON that can stand in HTML and JavaScript: none of these stands outside of strings.
fn escape_markup(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                escaped.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_goes_both_ways() {
        for (bytes, text) in
            [(&b""[..], ""), (b"f", "Zg=="), (b"fo", "Zm8="), (b"foo", "Zm9v"), (b"\xff\xfe", "//4=")]
        {
            assert_eq!(base64_text(bytes), text);
            assert_eq!(base64_bytes(text).as_deref(), Some(bytes));
            assert_eq!(base64_bytes(text.trim_end_matches('=')).as_deref(), Some(bytes));
        }
        for bad in ["Z", "Zg=", "Zg===", "Z!=="] {
            assert_eq!(base64_bytes(bad), None, "{bad}");
        }
    }
}
