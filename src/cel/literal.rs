//! The values of number, string and bytes literals.

/// An `int` literal, decimal or `0x`.
pub(crate) fn int(text: &str, negative: bool) -> Option<i64> {
    let magnitude = match text.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok()?,
        None => text.parse().ok()?,
    };
    let magnitude = i128::from(magnitude);
    i64::try_from(if negative { -magnitude } else { magnitude }).ok()
}

/// A `uint` literal, with its `u`.
pub(crate) fn uint(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(['u', 'U']);
    match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None => digits.parse().ok(),
    }
}

/// A `double` literal; one that is too large for a double is none.
pub(crate) fn double(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A `string` literal, with its prefix and quotes.
pub(crate) fn string(text: &str) -> Result<String, &'static str> {
    let (body, raw) = body(text);
    if raw {
        return Ok(body.to_owned());
    }
    let mut out = String::with_capacity(body.len());
    unescape(body, false, |piece| match piece {
        Piece::Text(text) => out.push_str(text),
        Piece::Char(char) => out.push(char),
        Piece::Byte(byte) => out.push(char::from(byte)),
    })?;
    Ok(out)
}

/// A `bytes` literal, with its prefix and quotes.
pub(crate) fn bytes(text: &str) -> Result<Vec<u8>, &'static str> {
    let (body, raw) = body(text);
    if raw {
        return Ok(body.as_bytes().to_vec());
    }
    let mut out = Vec::with_capacity(body.len());
    unescape(body, true, |piece| match piece {
        Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
        Piece::Char(char) => out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        Piece::Byte(byte) => out.push(byte),
    })?;
    Ok(out)
}

/// What stands between the quotes, and whether the literal is raw.
fn body(text: &str) -> (&str, bool) {
    let quoted = text.trim_start_matches(['b', 'B', 'r', 'R']);
    let prefix = &text[..text.len() - quoted.len()];
    let quote =
        if quoted.len() >= 6 && (quoted.starts_with("\"\"\"") || quoted.starts_with("'''")) { 3 } else { 1 };
    let inner = quoted.get(quote..quoted.len() - quote).unwrap_or_default();
    (inner, prefix.contains(['r', 'R']))
}

enum Piece<'t> {
    Text(&'t str),
    Char(char),
    Byte(u8),
}

fn unescape<'t>(body: &'t str, bytes: bool, mut emit: impl FnMut(Piece<'t>)) -> Result<(), &'static str> {
    let mut rest = body;
    while let Some(at) = rest.find('\\') {
        emit(Piece::Text(&rest[..at]));
        let escape = &rest[at + 1..];
        let (piece, len) = escaped(escape, bytes)?;
        emit(piece);
        rest = &escape[len..];
    }
    emit(Piece::Text(rest));
    Ok(())
}

const BAD_ESCAPE: &str = "unable to unescape string";

/// The escape after a backslash, and its length.
fn escaped<'t>(text: &str, bytes: bool) -> Result<(Piece<'t>, usize), &'static str> {
    let first = text.chars().next().ok_or(BAD_ESCAPE)?;
    let digits = |from: usize, count: usize, radix: u32| {
        let digits = text.get(from..from + count).filter(|d| d.chars().all(|c| c.is_digit(radix)));
        digits.and_then(|digits| u32::from_str_radix(digits, radix).ok()).ok_or(BAD_ESCAPE)
    };
    let number = |value: u32| match u8::try_from(value) {
        Ok(byte) if bytes => Ok(Piece::Byte(byte)),
        _ => char::from_u32(value).map(Piece::Char).ok_or("invalid unicode code point"),
    };
    let simple = |char| Ok((Piece::Char(char), 1));
    match first {
        'a' => simple('\x07'),
        'b' => simple('\x08'),
        'f' => simple('\x0c'),
        'n' => simple('\n'),
        'r' => simple('\r'),
        't' => simple('\t'),
        'v' => simple('\x0b'),
        '\\' | '\'' | '"' | '`' | '?' => simple(first),
        'x' | 'X' => Ok((number(digits(1, 2, 16)?)?, 3)),
        '0'..='3' => Ok((number(digits(0, 3, 8)?)?, 3)),
        'u' | 'U' if bytes => Err(BAD_ESCAPE),
        'u' => Ok((number(digits(1, 4, 16)?)?, 5)),
        'U' => Ok((number(digits(1, 8, 16)?)?, 9)),
        _ => Err(BAD_ESCAPE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(int("9223372036854775808", true), Some(i64::MIN));
        assert_eq!(int("9223372036854775808", false), None);
        assert_eq!(int("0xff", true), Some(-255));
        assert_eq!(uint("18446744073709551615u"), Some(u64::MAX));
        assert_eq!(double("1e400"), None);
    }

    #[test]
    fn strings() {
        assert_eq!(string(r#""a\n\x41\101é\U0001F600""#).as_deref(), Ok("a\nAAé😀"));
        assert_eq!(string(r#"r"\n""#).as_deref(), Ok(r"\n"));
        assert_eq!(string(r#"'''it's'''"#).as_deref(), Ok("it's"));
        assert_eq!(string(r#""""#).as_deref(), Ok(""));
        assert!(string(r#""\q""#).is_err() && string(r#""\ud800""#).is_err());
    }

    #[test]
    fn bytes_keep_numeric_escapes_as_bytes() {
        assert_eq!(bytes(r#"b"\xff\377é""#).as_deref(), Ok([0xff, 0xff, 0xc3, 0xa9].as_slice()));
        assert_eq!(string(r#""\xff""#).as_deref(), Ok("ÿ"));
    }
}
