//! Pages of other origins.

use axum::Router;
use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::config::CorsConfig;

/// Those that Cerbos allows where the configuration names none.
const HEADERS: [&str; 4] = ["accept", "content-type", "user-agent", "x-requested-with"];

pub(super) fn add(router: Router, config: &CorsConfig) -> Router {
    if config.disabled {
        return router;
    }
    let all = config.allowed_origins.is_empty() || config.allowed_origins.iter().any(|origin| origin == "*");
    let origins = if all {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(
            config.allowed_origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()),
        )
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
