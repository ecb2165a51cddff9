//! Laws that hold for every path: whoever spells one in another way gets no further.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

use orthrus::text::Source;
use orthrus_gateway::{AskedRequest, NormalPath, RouteMatch, Routes, normalize_path};
use proptest::prelude::*;

const ROUTES: &str = "
- { path: '/{rest*}', resource: { kind: any, id: '{rest}' }, action: read }
- { path: /a, resource: { kind: a }, action: read }
- { path: /a/b, resource: { kind: b }, action: read }
- { path: '/a/{x}', resource: { kind: x, id: '{x}' }, action: read }
- { path: '/{x}/b', resource: { kind: y, id: '{x}' }, action: read }
- { path: '/a/é/{x*}', resource: { kind: e, id: '{x}' }, action: read }
";

fn routes() -> Routes {
    Routes::from_source(&Source::new("routes.yaml", ROUTES)).unwrap().routes
}

fn matching(routes: &Routes, path: &NormalPath) -> Option<RouteMatch> {
    let (method, host) = ("GET", "localhost");
    routes.matching(&AskedRequest { method, host, path, query: None, header: &|_| None })
}

/// Characters that mean something in paths, and some that do not.
fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        6 => prop::sample::select(vec!['/', 'a', 'b']),
        3 => prop::sample::select(vec!['.', '%', ';', '\\', '?', '#', 'é', 'e', '\u{301}', '2', 'f', '5', '\0']),
        1 => any::<char>(),
    ]
}

/// A path, and how many times each of its characters is encoded.
fn spelt() -> impl Strategy<Value = (String, String)> {
    prop::collection::vec((character(), 0..3_u8), 0..24).prop_map(|characters| {
        let mut decoded = String::from("/");
        let mut encoded = String::from("/");
        for (character, times) in characters {
            decoded.push(character);
            // A `%` as it is would begin another encoding.
            let times = if character == '%' { times.max(1) } else { times };
            encoded.push_str(&spell(character, times));
        }
        (decoded, encoded)
    })
}

fn spell(character: char, times: u8) -> String {
    let mut spelt = character.to_string();
    for _ in 0..times {
        let bytes: Vec<u8> = spelt.bytes().collect();
        // Whoever encodes again encodes the `%` alone.
        let is_encoded = spelt.starts_with('%') && spelt.len() > 1;
        spelt = if is_encoded {
            spelt.replace('%', "%25")
        } else {
            bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
        };
    }
    spelt
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn what_is_normal_stays_so((_, path) in spelt()) {
        if let Ok(normal) = normalize_path(&path) {
            prop_assert_eq!(normalize_path(&normal.text), Ok(normal));
        }
    }

    #[test]
    fn segments_are_never_read_in_two_ways((_, path) in spelt()) {
        let Ok(normal) = normalize_path(&path) else { return Ok(()) };
        for segment in &normal.segments {
            prop_assert!(!matches!(segment.as_str(), "" | "." | ".."));
            prop_assert!(!segment.contains(['/', '\\', ';']));
            prop_assert!(!segment.contains(|c: char| c.is_ascii_control()));
        }
    }

    #[test]
    fn no_encoding_gets_where_the_decoded_form_does_not((decoded, encoded) in spelt()) {
        let Ok(normal) = normalize_path(&encoded) else { return Ok(()) };
        // It was decoded once, and that is all there is to decode.
        let segments: Vec<&str> = decoded.split('/').filter(|segment| !segment.is_empty()).collect();
        prop_assert_eq!(&normal.segments, &segments);
        let routes = routes();
        let plain = normalize_path(&normal.text).unwrap();
        prop_assert_eq!(matching(&routes, &normal), matching(&routes, &plain));
        // These three are written encoded if they are meant as they are.
        if !decoded.contains(['%', '?', '#']) {
            let plain = normalize_path(&decoded);
            prop_assert_eq!(plain.as_ref(), Ok(&normal));
        }
    }

    #[test]
    fn whatever_comes_is_answered(path in any::<String>()) {
        if let Ok(normal) = normalize_path(&path) {
            let _ = matching(&routes(), &normal);
        }
    }
}
