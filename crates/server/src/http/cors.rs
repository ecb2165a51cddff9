//! Pages of other origins.

use axum::Router;
use http::{HeaderName, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::CorsConfig;

/// Those that Cerbos allows where the configuration names none.
const HEADERS: [&str; 4] = ["accept", "content-type", "user-agent", "x-requested-with"];

/// `*` in a pattern stands for anything, once, as in the PDP.
fn is_origin(pattern: &str, origin: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == origin,
        Some((before, after)) => {
            origin.len() >= before.len() + after.len()
                && origin.starts_with(before)
                && origin.ends_with(after)
        }
    }
}

pub(super) fn add(router: Router, config: &CorsConfig) -> Router {
    if config.disabled {
        return router;
    }
    let all = config.allowed_origins.is_empty() || config.allowed_origins.iter().any(|origin| origin == "*");
    let origins = if all {
        AllowOrigin::any()
    } else {
        let patterns: Vec<String> = config.allowed_origins.iter().map(|it| it.to_ascii_lowercase()).collect();
        AllowOrigin::predicate(move |origin, _| {
            let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
            patterns.iter().any(|pattern| is_origin(pattern, &origin))
        })
    };
    let given = config.allowed_headers.iter().map(String::as_str);
    let names: Vec<&str> = if config.allowed_headers.is_empty() { HEADERS.to_vec() } else { given.collect() };
    let headers = names.into_iter().filter_map(|name| HeaderName::try_from(name).ok()).collect::<Vec<_>>();
    let mut layer = CorsLayer::new()
        .allow_origin(origins)
        .allow_methods([Method::GET, Method::HEAD, Method::POST])
        .allow_headers(headers);
    if let Some(age) = config.max_age.limit() {
        layer = layer.max_age(age);
    }
    router.layer(layer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_of_origins() {
        for (pattern, origin, expected) in [
            ("https://a.test", "https://a.test", true),
            ("https://a.test", "https://a.test.evil", false),
            ("https://*.a.test", "https://b.a.test", true),
            ("https://*.a.test", "https://a.test", false),
            ("https://*.a.test", "http://b.a.test", false),
            ("https://aa*aa", "https://aaa", false),
        ] {
            assert_eq!(is_origin(pattern, origin), expected, "{pattern} {origin}");
        }
    }
}
