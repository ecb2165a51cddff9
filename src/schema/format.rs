//! The formats of strings, as strict and as lenient as the PDP's validator is.

use std::net::Ipv6Addr;

use super::url;
use crate::cel::regex;

/// What tells whether a string has a format; none for formats that nobody checks.
pub(super) fn named(name: &str) -> Option<fn(&str) -> bool> {
    Some(match name {
        "date-time" => is_date_time,
        "date" => is_date,
        "time" => is_time,
        "duration" => is_duration,
        "period" => is_period,
        "hostname" => is_hostname,
        "email" => is_email,
        "ip-address" | "ipv4" => is_ipv4,
        "ipv6" => is_ipv6,
        "uri" | "iri" => is_uri,
        "uri-reference" | "uriref" | "iri-reference" => is_uri_reference,
        "uri-template" => is_uri_template,
        "regex" => |text| regex::compile(text).is_ok(),
        "json-pointer" => is_json_pointer,
        "relative-json-pointer" => is_relative_json_pointer,
        "uuid" => is_uuid,
        _ => return None,
    })
}

/// RFC 3339, section 5.6.
fn is_date_time(text: &str) -> bool {
    match (text.get(..10), text.get(10..11), text.get(11..)) {
        (Some(date), Some("T" | "t"), Some(time)) => is_date(date) && is_time(time),
        _ => false,
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return false;
    }
    let digits = |range: std::ops::Range<usize>| {
        let part = text.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        part.and_then(|part| part.parse::<u32>().ok())
    };
    let (Some(year), Some(month), Some(day)) = (digits(0..4), digits(5..7), digits(8..10)) else {
        return false;
    };
    let is_leap_year = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 => 28 + u32::from(is_leap_year),
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// `hh:mm:ss[.f]` with `Z` or an offset. A leap second is only at the end of a day in UTC.
fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < 9 || bytes[2] != b':' || bytes[5] != b':' {
        return false;
    }
    let (Some(hour), Some(minute), Some(second)) =
        (number(text, 0, 23), number(text, 3, 59), number(text, 6, 60))
    else {
        return false;
    };
    let Some(mut rest) = text.get(8..) else { return false };
    if let Some(fraction) = rest.strip_prefix('.') {
        let after = fraction.trim_start_matches(|char: char| char.is_ascii_digit());
        if after.len() == fraction.len() {
            return false;
        }
        rest = after;
    }
    let offset = match rest.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign @ (b'+' | b'-'), _, _, b':', _, _] => {
            let (Some(hours), Some(minutes)) = (number(rest, 1, 23), number(rest, 4, 59)) else {
                return false;
            };
            (hours * 60 + minutes) * if *sign == b'+' { 1 } else { -1 }
        }
        _ => return false,
    };
    let in_utc = hour * 60 + minute - offset;
    let in_utc = if in_utc < 0 { in_utc + 24 * 60 } else { in_utc };
    second < 60 || in_utc == 24 * 60 - 1
}

/// The number of two characters at an offset. A sign is one of them where the PDP's validator reads it so.
fn number(text: &str, at: usize, max: i32) -> Option<i32> {
    let number = text.get(at..at + 2)?.parse().ok()?;
    (0..=max).contains(&number).then_some(number)
}

/// RFC 3339, appendix A: `P1Y2M3DT4H5M6S`, `P4W`. Units follow each other without gaps.
fn is_duration(text: &str) -> bool {
    let Some(text) = text.strip_prefix('P') else { return false };
    let (date, time) = match text.split_once('T') {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let Some(date) = units(date) else { return false };
    match time {
        None => date == "W" || (!date.is_empty() && "YMD".contains(&date)),
        Some(time) => {
            "YMD".contains(&date) && units(time).is_some_and(|time| !time.is_empty() && "HMS".contains(&time))
        }
    }
}

/// The units of `1Y2M` (`YM`); none where one lacks its number.
fn units(mut text: &str) -> Option<String> {
    let mut units = String::new();
    while !text.is_empty() {
        let rest = text.trim_start_matches(|char: char| char.is_ascii_digit());
        let unit = rest.chars().next().filter(|_| rest.len() < text.len())?;
        units.push(unit);
        text = &rest[unit.len_utf8()..];
    }
    Some(units)
}

/// RFC 3339, appendix A: start and end, or one of them and a duration.
fn is_period(text: &str) -> bool {
    let Some((start, end)) = text.split_once('/') else { return false };
    if is_date_time(start) {
        is_date_time(end) || is_duration(end)
    } else {
        is_duration(start) && is_date_time(end)
    }
}

/// RFC 1034, section 3.1, and RFC 1123, section 2.1.
fn is_hostname(text: &str) -> bool {
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    name.len() <= 253 && !name.starts_with('-') && name.split('.').all(is_label)
}

/// RFC 5322, section 3.4.1.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    if text.len() > 254 || local.len() > 64 {
        return false;
    }
    if let Some(address) = domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')) {
        return address.strip_prefix("IPv6:").map_or_else(|| is_ipv4(address), is_ipv6);
    }
    let is_space = |char| matches!(char, ' ' | '\t');
    is_hostname(domain) && !domain.ends_with('.') && is_local_part(local.trim_matches(is_space))
}

fn is_local_part(local: &str) -> bool {
    let is_visible = |char: char| char > ' ' && char != '\u{7f}';
    match local.strip_prefix('"') {
        None => {
            let is_atom_char = |char| is_visible(char) && !"()<>[]:;@\\,\"".contains(char);
            local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atom_char))
        }
        Some(quoted) => {
            let is_text = |char| is_visible(char) || matches!(char, ' ' | '\t');
            let mut chars = quoted.chars();
            let mut is_empty = true;
            loop {
                match chars.next() {
                    Some('"') => return !is_empty && chars.as_str().is_empty(),
                    Some('\\') if chars.next().is_some_and(is_text) => is_empty = false,
                    Some(char) if char != '\\' && is_text(char) => is_empty = false,
                    _ => return false,
                }
            }
        }
    }
}

/// Four numbers up to 255. As in the PDP's validator, only numbers above zero may not start with a zero.
fn is_ipv4(text: &str) -> bool {
    let is_group = |group: &str| match group.parse::<i32>() {
        Ok(number) => (0..=255).contains(&number) && (number == 0 || !group.starts_with('0')),
        Err(_) => false,
    };
    text.split('.').count() == 4 && text.split('.').all(is_group)
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<Ipv6Addr>().is_ok()
}

fn is_uri(text: &str) -> bool {
    url::parse(text).is_some_and(|url| url.is_absolute)
}

fn is_uri_reference(text: &str) -> bool {
    !text.contains('\\') && url::parse(text).is_some()
}

/// RFC 6570, as far as the braces of the path go.
fn is_uri_template(text: &str) -> bool {
    let is_balanced = |segment: &str| {
        let mut open = false;
        let braces = segment.chars().filter(|char| matches!(char, '{' | '}'));
        let in_order = braces.into_iter().all(|brace| {
            let fits = open == (brace == '}');
            open = brace == '{';
            fits
        });
        in_order && !open
    };
    url::parse(text).is_some_and(|url| url.path.split('/').all(is_balanced))
}

/// RFC 6901.
fn is_json_pointer(text: &str) -> bool {
    let is_escaped = |rest: &str| rest.starts_with(['0', '1']);
    (text.is_empty() || text.starts_with('/')) && text.split('~').skip(1).all(is_escaped)
}

/// A number without leading zeros, and a JSON pointer or `#`.
fn is_relative_json_pointer(text: &str) -> bool {
    let rest = match text.strip_prefix('0') {
        Some(rest) => rest,
        None => text.trim_start_matches(|char: char| char.is_ascii_digit()),
    };
    rest.len() < text.len() && (rest == "#" || is_json_pointer(rest))
}

/// RFC 4122.
fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let is_group = |(group, length): (&str, usize)| {
        group.len() == length && group.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    text.split('-').count() == lengths.len() && text.split('-').zip(lengths).all(is_group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_accept_and_refuse_what_the_pdp_does() {
        let cases: &[(&str, &[&str], &[&str])] = &[
            (
                "date-time",
                &["2024-02-29T12:00:00Z", "2024-01-01t00:00:00.123+05:30", "1998-12-31T23:59:60Z"],
                &[
                    "",
                    "2023-02-29T12:00:00Z",
                    "2024-01-01 00:00:00Z",
                    "2024-01-01T00:00:00",
                    "1998-12-31T23:58:60Z",
                ],
            ),
            (
                "date",
                &["2000-02-29", "0000-01-01"],
                &["1900-02-29", "2024-13-01", "2024-1-01", "2024-01-+1", "é024-01-01"],
            ),
            (
                "time",
                &["08:30:06Z", "23:59:60Z", "15:59:60-08:00", "00:29:60+00:30", "08:30:06.1-08:00"],
                &[
                    "24:00:00Z",
                    "08:30:06",
                    "08:30:06.Z",
                    "22:59:60Z",
                    "08:30:06+24:00",
                    "08:30:06Zx",
                    "é8:30:06Z",
                ],
            ),
            (
                "duration",
                &["P4DT12H30M5S", "P1Y", "PT36H", "P2W"],
                &["P", "PT", "4D", "P1", "P1D2H", "P1Y2D", "PT1D", "P1W2D", "P1DT", "P1é"],
            ),
            (
                "period",
                &["2024-01-01T00:00:00Z/P1D", "P1D/2024-01-01T00:00:00Z"],
                &["P1D/P1D", "P1D", "2024-01-01T00:00:00Z/x"],
            ),
            (
                "hostname",
                &["example.com", "a-b.c.", "1a"],
                &["", "-a.com", "a-.com", "a_b.com", "a..b", &"a".repeat(64)],
            ),
            (
                "email",
                &[
                    "joe@example.com",
                    "\"joe b\"@example.com",
                    "é@example.com",
                    "joe@[127.0.0.1]",
                    "joe@[IPv6:::1]",
                    " a@b.c",
                ],
                &[
                    "joe",
                    "@example.com",
                    ".a@b.c",
                    "a..b@b.c",
                    "a b@b.c",
                    "joe@-x.com",
                    "a@b.",
                    "\"a@b.c",
                    "\"\"@b.c",
                    "joe@[1.2.3]",
                ],
            ),
            (
                "ipv4",
                &["127.0.0.1", "0.0.0.0", "00.0.0.0"],
                &["256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.a", "1.2.3.4.5"],
            ),
            (
                "ipv6",
                &["::1", "::ffff:1.2.3.4", "12:34::"],
                &["1.2.3.4", ":::", "::1%eth0", "12345::", "::g"],
            ),
            ("uri", &["https://example.com/a", "urn:a"], &["/a", "a", "http://[::x]/"]),
            ("uri-reference", &["/a", "a?b#c", ""], &["a\\b", ":a"]),
            ("uri-template", &["http://x/{a}/b{c}", "/a"], &["http://x/{a", "/a}", "/{{a}}"]),
            ("regex", &["^a+$", "\\d"], &["(", "a(?=b)"]),
            ("json-pointer", &["", "/a~0b~1c", "/"], &["a", "/~", "/~2"]),
            ("relative-json-pointer", &["0", "0#", "12/a"], &["", "#", "/a", "01", "-1"]),
            (
                "uuid",
                &["2EB8AA08-aa98-11ea-b4aa-73b441d16380"],
                &["2eb8aa08", "2eb8aa08-aa98-11ea-b4aa-73b441d1638g", ""],
            ),
        ];
        for (name, valid, invalid) in cases {
            let is_valid = named(name).unwrap();
            valid.iter().for_each(|text| assert!(is_valid(text), "{name}: {text}"));
            invalid.iter().for_each(|text| assert!(!is_valid(text), "{name}: {text}"));
        }
        assert!(named("colour").is_none());
    }
}
