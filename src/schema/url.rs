//! URLs as Go's `net/url` reads them: what the formats `uri`, `uri-reference` and `uri-template` accept.

/// The parts of a URL that formats ask about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Url<'u> {
    pub(super) is_absolute: bool,
    /// As it is written; empty for an opaque URL such as `mailto:ann`.
    pub(super) path: &'u str,
}

/// Reads a URL; none where Go would refuse it, or where it names an IPv6 address that is none.
pub(super) fn parse(text: &str) -> Option<Url<'_>> {
    let (rest, fragment) = text.split_once('#').unwrap_or((text, ""));
    if rest.bytes().chain(fragment.bytes()).any(|byte| byte < b' ' || byte == 0x7f) || !is_encoded(fragment) {
        return None;
    }
    if rest == "*" {
        return Some(Url { is_absolute: false, path: "*" });
    }
    let (scheme, rest) = split_scheme(rest)?;
    let (rest, _query) = rest.split_once('?').unwrap_or((rest, ""));
    let is_absolute = scheme.is_some();
    if !rest.starts_with('/') {
        if is_absolute {
            return Some(Url { is_absolute, path: "" });
        }
        let first_segment = rest.split('/').next().unwrap_or_default();
        if first_segment.contains(':') {
            return None;
        }
    }
    let path = match rest.strip_prefix("//") {
        Some(authority) if is_absolute || !rest.starts_with("///") => {
            let (authority, path) = authority.split_at(authority.find('/').unwrap_or(authority.len()));
            if !is_authority(authority) {
                return None;
            }
            path
        }
        _ => rest,
    };
    is_encoded(path).then_some(Url { is_absolute, path })
}

/// The scheme, if there is one, and the rest; none for a `:` with nothing before it.
fn split_scheme(text: &str) -> Option<(Option<&str>, &str)> {
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if at > 0 => {}
            b':' if at == 0 => return None,
            b':' => return Some((Some(&text[..at]), &text[at + 1..])),
            _ => break,
        }
    }
    Some((None, text))
}

fn is_authority(authority: &str) -> bool {
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (user, host),
        None => ("", authority),
    };
    let is_user_byte = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&byte);
    user.bytes().all(is_user_byte) && is_encoded(user) && is_host(host)
}

fn is_host(host: &str) -> bool {
    let name = if host.starts_with('[') {
        let Some((address, port)) = host.rsplit_once(']') else { return false };
        let address = &address[1..];
        // Past a `%25` there is the zone of the address.
        let address_only = address.split("%25").next().unwrap_or_default();
        let is_address = !address.contains(':') || address_only.parse::<std::net::Ipv6Addr>().is_ok();
        if !is_port(port) || !is_address || address != address_only {
            return false;
        }
        address
    } else {
        let (name, port) = host.rfind(':').map_or((host, ""), |colon| host.split_at(colon));
        if !is_port(port) || name.contains(':') {
            return false;
        }
        name
    };
    // In names of hosts only what is not ASCII may be percent-encoded.
    let is_host_byte =
        |byte: u8| byte >= 0x80 || byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:[]<>\"%".contains(&byte);
    let mut escapes = name.split('%').skip(1);
    name.bytes().all(is_host_byte)
        && escapes.all(|escape| escape.bytes().next().is_some_and(|byte| byte > b'7'))
        && is_encoded(name)
}

fn is_port(port: &str) -> bool {
    port.is_empty()
        || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether every `%` starts an escape.
fn is_encoded(text: &str) -> bool {
    let is_escape = |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    text.split('%').skip(1).all(is_escape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_in_go() {
        for text in [
            "https://example.com:8080/a%20b?q#f",
            "http://user:secret@host/",
            "http://[::1]:80/",
            "mailto:ann@example.com",
            "urn:isbn:1",
            "http://host/a b",
            "cerbos:///a.json",
        ] {
            assert!(parse(text).is_some_and(|url| url.is_absolute), "{text}");
        }
        for text in ["", "a/b", "//host/path", "/a:b", "*", "?x", "#x", "a b", "%41"] {
            assert!(parse(text).is_some_and(|url| !url.is_absolute), "{text}");
        }
        for text in [
            ":a",
            "a b:c",
            "1a:b",
            "http://a b/",
            "http://host:port/",
            "http://[::1",
            "http://[::zz]/",
            "http://::1/",
            "http://us er@host/",
            "a%",
            "a#%zz",
            "http://h\u{7f}",
            "http://a%41b/",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
