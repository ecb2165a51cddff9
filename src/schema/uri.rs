//! References between schemas: RFC 3986, as far as names of resources need it.

/// A URI without its fragment, and the fragment without `#`.
pub(super) fn split_fragment(uri: &str) -> (&str, &str) {
    uri.split_once('#').unwrap_or((uri, ""))
}

struct Parts<'u> {
    scheme: Option<&'u str>,
    authority: Option<&'u str>,
    path: &'u str,
    query: Option<&'u str>,
}

/// The scheme of a URI, if it has one.
pub(super) fn scheme(uri: &str) -> Option<&str> {
    let (scheme, _) = uri.split_once(':')?;
    let is_scheme = scheme.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    is_scheme.then_some(scheme)
}

fn parts(uri: &str) -> Parts<'_> {
    let scheme = scheme(uri);
    let rest = scheme.map_or(uri, |scheme| &uri[scheme.len() + 1..]);
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = match rest.strip_prefix("//") {
        Some(rest) => {
            let end = rest.find('/').unwrap_or(rest.len());
            (Some(&rest[..end]), &rest[end..])
        }
        None => (None, rest),
    };
    Parts { scheme, authority, path, query }
}

/// Resolves a reference against the URI of the schema that it stands in (RFC 3986, section 5.2). Neither may have
/// a fragment.
pub(super) fn resolve(base: &str, reference: &str) -> String {
    if reference.is_empty() {
        return base.to_owned();
    }
    let wanted = parts(reference);
    if wanted.scheme.is_some() {
        return reference.to_owned();
    }
    let base = parts(base);
    let (authority, path, query) = if wanted.authority.is_some() {
        (wanted.authority, without_dots(wanted.path), wanted.query)
    } else if wanted.path.is_empty() {
        (base.authority, base.path.to_owned(), wanted.query.or(base.query))
    } else if wanted.path.starts_with('/') {
        (base.authority, without_dots(wanted.path), wanted.query)
    } else {
        let directory = base.path.rfind('/').map_or("/", |slash| &base.path[..=slash]);
        (base.authority, without_dots(&format!("{directory}{}", wanted.path)), wanted.query)
    };
    let mut uri = base.scheme.map(|scheme| format!("{scheme}:")).unwrap_or_default();
    if let Some(authority) = authority {
        uri.push_str("//");
        uri.push_str(authority);
    }
    uri.push_str(&path);
    if let Some(query) = query {
        uri.push('?');
        uri.push_str(query);
    }
    uri
}

/// A path without its segments `.` and `..` (RFC 3986, section 5.2.4).
fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let mut ends_in_directory = false;
    for segment in path.split('/') {
        ends_in_directory = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." if kept.len() > 1 => {
                kept.pop();
            }
            ".." => {}
            _ => kept.push(segment),
        }
    }
    if ends_in_directory {
        kept.push("");
    }
    kept.join("/")
}

/// The path of a `cerbos:///path.json` below `_schemas`; none for other schemes.
pub(super) fn store_path(uri: &str) -> Option<String> {
    let parts = parts(uri);
    let ours = parts.scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("cerbos"));
    let path = parts.path.strip_prefix('/').unwrap_or(parts.path);
    if ours { percent_decode(path) } else { None }
}

/// Text with `%XX` replaced; none where that is not text.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = after else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_resolve_against_the_file_they_stand_in() {
        let base = "cerbos:///people/customer.json";
        let cases = [
            ("", base),
            ("address.json", "cerbos:///people/address.json"),
            ("./address.json", "cerbos:///people/address.json"),
            ("../address.json", "cerbos:///address.json"),
            ("../../../address.json", "cerbos:///address.json"),
            ("/address.json", "cerbos:///address.json"),
            ("?x", "cerbos:///people/customer.json?x"),
            ("cerbos:///a.json", "cerbos:///a.json"),
            ("//host/a.json", "cerbos://host/a.json"),
            ("https://example.com/a", "https://example.com/a"),
            ("urn:uuid:1", "urn:uuid:1"),
        ];
        for (reference, expected) in cases {
            assert_eq!(resolve(base, reference), expected, "{reference}");
        }
        assert_eq!(resolve("https://example.com", "a"), "https://example.com/a");
    }

    #[test]
    fn only_one_scheme_leads_to_the_store() {
        assert_eq!(store_path("cerbos:///a/b%20c.json").as_deref(), Some("a/b c.json"));
        assert_eq!(store_path("CERBOS://host/a.json").as_deref(), Some("a.json"));
        for other in ["a.json", "file:///a.json", "https://x/a.json", "cerbos:///%zz", "cerbos:///%f"] {
            assert_eq!(store_path(other), None, "{other}");
        }
    }
}
