//! What Go's `net/netip` says of texts that are no addresses and no ranges
//! (<https://pkg.go.dev/net/netip#ParseAddr>).

use super::network::parse_ip;

/// What is wrong with an address; `None` for one with a zone.
pub(super) fn refusal(text: &str) -> Option<String> {
    let (message, at) = wrong(text)?;
    let at = at.map_or_else(String::new, |at| format!(" (at {at:?})"));
    Some(format!("ParseAddr({text:?}): {message}{at}"))
}

/// What is wrong with a range.
pub(super) fn prefix_refusal(text: &str) -> String {
    let why = match text.rsplit_once('/') {
        None => "no '/'".to_owned(),
        Some((address, bits)) => match parse_ip(address) {
            None => refusal(address).unwrap_or_else(|| "IPv6 zones cannot be present in a prefix".to_owned()),
            Some(_) if is_number(bits) => "prefix length out of range".to_owned(),
            Some(_) => format!("bad bits after slash: {bits:?}"),
        },
    };
    format!("netip.ParsePrefix({text:?}): {why}")
}

/// Whether a text is a number as Go writes it, which may be too large.
fn is_number(bits: &str) -> bool {
    let plain = !bits.is_empty() && bits.bytes().all(|byte| byte.is_ascii_digit());
    plain && (bits.len() == 1 || !bits.starts_with('0'))
}

/// What is wrong, and the rest of the text where it is.
type Wrong<'t> = (&'static str, Option<&'t str>);

fn wrong(text: &str) -> Option<Wrong<'_>> {
    match text.find(['.', ':', '%']).map(|at| text.as_bytes()[at]) {
        Some(b'.') => wrong_v4(text),
        Some(b':') => wrong_v6(text),
        // A zone without an address.
        Some(_) => Some(("missing IPv6 address", None)),
        None => Some(("unable to parse IP", None)),
    }
}

fn wrong_v4(text: &str) -> Option<Wrong<'_>> {
    let (mut value, mut digits, mut fields) = (0_u32, 0, 0);
    for (at, char) in text.char_indices() {
        let rest = &text[at..];
        match char {
            '0'..='9' => {
                if digits == 1 && value == 0 {
                    return Some(("IPv4 field has octet with leading zero", None));
                }
                value = value * 10 + u32::from(char) - u32::from('0');
                digits += 1;
                if value > 255 {
                    return Some(("IPv4 field has value >255", None));
                }
            }
            '.' => {
                if digits == 0 || at == text.len() - 1 {
                    return Some(("IPv4 field must have at least one digit", Some(rest)));
                }
                if fields == 3 {
                    return Some(("IPv4 address too long", None));
                }
                (fields, value, digits) = (fields + 1, 0, 0);
            }
            _ => return Some(("unexpected character", Some(rest))),
        }
    }
    (fields < 3).then_some(("IPv4 address too short", None))
}

fn wrong_v6(text: &str) -> Option<Wrong<'_>> {
    let (address, zone) = match text.split_once('%') {
        Some((_, "")) => return Some(("zone must be a non-empty string", None)),
        Some((address, zone)) => (address, Some(zone)),
        None => (text, None),
    };
    let mut rest = address;
    let mut ellipsis = None;
    let mut filled = 0;
    if let Some(after) = rest.strip_prefix("::") {
        (rest, ellipsis) = (after, Some(0));
    }
    while filled < 16 && !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
        if digits > 4 {
            return Some(("each group must have 4 or less digits", Some(rest)));
        }
        if digits == 0 {
            return Some(("each colon-separated field must have at least one digit", Some(rest)));
        }
        if rest[digits..].starts_with('.') {
            if ellipsis.is_none() && filled != 12 {
                return Some((
                    "embedded IPv4 address must replace the final 2 fields of the address",
                    Some(rest),
                ));
            }
            if filled + 4 > 16 {
                return Some((
                    "too many hex fields to fit an embedded IPv4 at the end of the address",
                    Some(rest),
                ));
            }
            if let Some(wrong) = wrong_v4(rest) {
                return Some(wrong);
            }
            (rest, filled) = ("", filled + 4);
            break;
        }
        filled += 2;
        rest = &rest[digits..];
        if rest.is_empty() {
            break;
        }
        let Some(after) = rest.strip_prefix(':') else {
            return Some(("unexpected character, want colon", Some(rest)));
        };
        if after.is_empty() {
            return Some(("colon must be followed by more characters", Some(rest)));
        }
        rest = after;
        if let Some(after) = rest.strip_prefix(':') {
            if ellipsis.is_some() {
                return Some(("multiple :: in address", Some(rest)));
            }
            (rest, ellipsis) = (after, Some(filled));
        }
    }
    if !rest.is_empty() {
        return Some(("trailing garbage after address", Some(rest)));
    }
    match ellipsis {
        None if filled < 16 => Some(("address string too short", None)),
        Some(_) if filled == 16 => Some(("the :: must expand to at least one field of zeros", None)),
        _ if zone.is_some() => None,
        // Not reached for what Rust refuses too.
        _ => Some(("unable to parse IP", None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_refused_with_reasons() {
        let cases = [
            ("", "unable to parse IP"),
            ("1234", "unable to parse IP"),
            ("a.b.c", "unexpected character (at \"a.b.c\")"),
            ("256.1.1.1", "IPv4 field has value >255"),
            ("1.1.1", "IPv4 address too short"),
            ("1.1.1.1.1", "IPv4 address too long"),
            ("1..1.1", "IPv4 field must have at least one digit (at \".1.1\")"),
            ("1.1.1.", "IPv4 field must have at least one digit (at \".\")"),
            ("01.1.1.1", "IPv4 field has octet with leading zero"),
            ("1.1.1.1%x", "unexpected character (at \"%x\")"),
            ("::1::", "multiple :: in address (at \":\")"),
            (":1", "each colon-separated field must have at least one digit (at \":1\")"),
            ("1:2", "address string too short"),
            ("12345::", "each group must have 4 or less digits (at \"12345::\")"),
            ("1:2:3:4:5:6:7:8:9", "trailing garbage after address (at \"9\")"),
            ("1:2:3:4:5:6:7:", "colon must be followed by more characters (at \":\")"),
            ("::1.2.3", "IPv4 address too short"),
            (
                "1:2:3:4:5:6:7:1.2.3.4",
                "embedded IPv4 address must replace the final 2 fields of the address (at \"1.2.3.4\")",
            ),
            ("::1.2.3.4:1", "unexpected character (at \":1\")"),
            ("fe80::1%", "zone must be a non-empty string"),
        ];
        for (text, why) in cases {
            assert_eq!(refusal(text), Some(format!("ParseAddr({text:?}): {why}")));
        }
        assert_eq!(refusal("fe80::1%eth0"), None);
    }

    #[test]
    fn ranges_are_refused_with_reasons() {
        let cases = [
            ("1.1.1.1", "no '/'"),
            ("1.1.1.1/33", "prefix length out of range"),
            ("1.1.1.1/999", "prefix length out of range"),
            ("1.1.1.1/08", "bad bits after slash: \"08\""),
            ("1.1.1.1/", "bad bits after slash: \"\""),
            ("::1%a/8", "IPv6 zones cannot be present in a prefix"),
            ("1.1.1/8", "ParseAddr(\"1.1.1\"): IPv4 address too short"),
        ];
        for (text, why) in cases {
            assert_eq!(prefix_refusal(text), format!("netip.ParsePrefix({text:?}): {why}"));
        }
    }
}
