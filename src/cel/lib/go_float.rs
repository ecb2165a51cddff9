//! Numbers as Go's `strconv.ParseFloat` reads them: decimal or hexadecimal (`0x1.8p3`), with `_` between
//! digits, or `inf`, `infinity` and `nan` in any case.

use std::borrow::Cow;

/// The nearest double; `None` for text that is no number, and for a number that no double can hold.
pub(super) fn parse(text: &str) -> Option<f64> {
    let plain = without_underscores(text)?;
    let (negative, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, &plain[1..]),
        Some(b'+') => (false, &plain[1..]),
        _ => (false, &*plain),
    };
    if digits.eq_ignore_ascii_case("nan") {
        return (digits.len() == text.len()).then_some(f64::NAN);
    }
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hexadecimal) => parse_hexadecimal(hexadecimal)?,
        None if digits.starts_with(['+', '-']) => return None,
        None => digits.parse().ok()?,
    };
    // Infinity has a name; digits that lead there are too large.
    let too_large =
        f64::is_infinite(magnitude) && digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    (!too_large).then_some(if negative { -magnitude } else { magnitude })
}

/// Underscores may stand between digits, and between `0x` and the first digit.
fn without_underscores(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('_') {
        return Some(Cow::Borrowed(text));
    }
    let unsigned = text.trim_start_matches(['+', '-']);
    let hexadecimal = unsigned.starts_with("0x") || unsigned.starts_with("0X");
    let is_digit = |byte: u8| if hexadecimal { byte.is_ascii_hexdigit() } else { byte.is_ascii_digit() };
    let bytes = unsigned.as_bytes();
    let well_placed = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'_').all(|(at, _)| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let after = bytes.get(at + 1);
        let begins = before.is_some_and(|byte| is_digit(*byte)) || (hexadecimal && at == 2);
        begins && after.is_some_and(|byte| is_digit(*byte))
    });
    well_placed.then(|| Cow::Owned(text.replace('_', "")))
}

/// Digits with a point and the exponent of two that must follow: `1.8p-3`.
fn parse_hexadecimal(text: &str) -> Option<f64> {
    let (mantissa, exponent) = text.split_once(['p', 'P'])?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let well_formed = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let (mut bits, mut scale) = (0_u64, 0_i64);
    for digit in whole.chars().chain(fraction.chars()) {
        let digit = u64::from(digit.to_digit(16)?);
        if bits >> 59 == 0 {
            bits = bits << 4 | digit;
        } else {
            // What does not fit only tells to which side a tie falls.
            bits |= u64::from(digit != 0);
            scale += 4;
        }
    }
    scale -= i64::try_from(fraction.len()).ok()?.checked_mul(4)?;
    if whole.len() + fraction.len() == 0 || !well_formed {
        return None;
    }
    // An exponent of more digits is as good as the largest: the result is zero or too large.
    let exponent = match exponent.parse::<i64>() {
        Ok(exponent) => exponent.clamp(-MAX_EXPONENT, MAX_EXPONENT),
        Err(_) if exponent.starts_with('-') => -MAX_EXPONENT,
        Err(_) => MAX_EXPONENT,
    };
    Some(scaled(bits, exponent.saturating_add(scale)))
}

const MAX_EXPONENT: i64 = 1 << 40;

/// `bits` × 2^`exponent`, rounded once, to even.
#[expect(clippy::cast_precision_loss, reason = "at most 53 bits are left")]
fn scaled(bits: u64, exponent: i64) -> f64 {
    if bits == 0 {
        return 0.0;
    }
    // With the highest bit at 63 the number is `bits` × 2^`exponent` still.
    let zeros = bits.leading_zeros();
    let (bits, exponent) = (bits << zeros, exponent - i64::from(zeros));
    let magnitude = exponent + 63;
    if magnitude > 1023 {
        return f64::INFINITY;
    }
    // Subnormal numbers have fewer than 53 bits.
    let kept = (magnitude + 1075).min(53);
    if kept < 0 {
        return 0.0;
    }
    let dropped = 64 - kept;
    let (whole, rest) = if dropped >= 64 { (0, bits) } else { (bits >> dropped, bits << kept) };
    let half = 1 << 63;
    let rounded = if rest > half || (rest == half && whole & 1 == 1) { whole + 1 } else { whole };
    rounded as f64 * power_of_two(exponent + dropped)
}

/// 2^`exponent` for exponents of doubles, subnormal ones included.
fn power_of_two(exponent: i64) -> f64 {
    let bits = if exponent >= -1022 { (exponent + 1023) << 52 } else { 1 << (exponent + 1074).clamp(0, 51) };
    f64::from_bits(bits.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the PDP answers `double('…')`.
    #[test]
    fn numbers_as_go_reads_them() {
        let cases = [
            ("0x1p-2", Some(0.25)),
            ("0X1P+2", Some(4.0)),
            ("-0x1.8p1", Some(-3.0)),
            ("0x.8p0", Some(0.5)),
            ("0x1.fffffffffffff8p0", Some(2.0)),
            ("0x1.0000000000001p-1030", Some(8.691_694_759_794e-311)),
            ("0x1p-1074", Some(5e-324)),
            ("0x1p-1075", Some(0.0)),
            ("0x1.8p-1075", Some(5e-324)),
            ("0x1p-1080", Some(0.0)),
            ("0x1.fffffffffffffp1023", Some(f64::MAX)),
            ("0x1.fffffffffffff8p1023", None),
            ("0x1p5000", None),
            ("0x1p99999999999999999999", None),
            ("0x0p99999999999999999999", Some(0.0)),
            ("0x1p-99999999999999999999", Some(0.0)),
            ("0x_1p-2", Some(0.25)),
            ("0x1p1_0", Some(1024.0)),
            ("1_000.5", Some(1000.5)),
            ("1e1_0", Some(1e10)),
            (".5", Some(0.5)),
            ("5.", Some(5.0)),
            ("+1", Some(1.0)),
            ("Infinity", Some(f64::INFINITY)),
            ("-inf", Some(f64::NEG_INFINITY)),
            ("1e400", None),
            ("+nan", None),
            ("+-1", None),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("1_.5", None),
            ("0x_p1", None),
            ("0xp1", None),
            ("0x1", None),
            ("0x1.p", None),
            ("0x1p+-1", None),
            ("infin", None),
            ("", None),
            (" 1", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert!(parse("NaN").is_some_and(f64::is_nan));
    }
}
