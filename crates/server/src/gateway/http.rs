//! The endpoints of proxies that ask over HTTP.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use http::{HeaderName, StatusCode, header};

use super::Proxy;
use super::question::{ENVOY_PREFIX, Question};
use super::verdict::{Refusal, Verdict, verdict};
use crate::connection::Peer;
use crate::server::Shared;

/// Adds the endpoints of the proxies that are named.
pub(crate) fn add(router: Router, shared: &Arc<Shared>) -> Router {
    let Some(gateway) = &shared.gateway else { return router };
    let mut endpoints = Router::new();
    for (proxy, path) in [
        (Proxy::Traefik, "/forward-auth/traefik"),
        (Proxy::Caddy, "/forward-auth/caddy"),
        (Proxy::Nginx, "/auth-request/nginx"),
    ] {
        if gateway.serves(proxy) {
            let endpoint = move |State(shared): State<Arc<Shared>>, request: Request| async move {
                answer(&shared, proxy, request).await
            };
            endpoints = endpoints.route(path, any(endpoint));
        }
    }
    if gateway.serves(Proxy::Envoy) {
        let endpoint = |State(shared): State<Arc<Shared>>, request: Request| async move {
            answer(&shared, Proxy::Envoy, request).await
        };
        endpoints = endpoints
            .route(ENVOY_PREFIX, any(endpoint))
            .route(&format!("{ENVOY_PREFIX}/"), any(endpoint))
            .route(&format!("{ENVOY_PREFIX}/{{*path}}"), any(endpoint));
    }
    router.merge(endpoints.with_state(Arc::clone(shared)))
}

async fn answer(shared: &Shared, proxy: Proxy, request: Request) -> Response {
    // What a client has put into the body is none of our business.
    let (parts, _body) = request.into_parts();
    let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_default();
    let question = match proxy {
        Proxy::Envoy => Question::of_copy(&parts.method, &parts.uri, &parts.headers),
        proxy => Question::of_headers(proxy, &parts.headers),
    };
    match verdict(shared, proxy, &peer, parts.headers, question).await {
        Verdict::Pass(told) => {
            let mut response = StatusCode::OK.into_response();
            for (name, value) in told {
                // They are made of visible characters alone.
                if let Ok(value) = value.parse() {
                    response.headers_mut().insert(HeaderName::from_static(name), value);
                }
            }
            response
        }
        Verdict::Refuse(refusal, _) => refuse(proxy, refusal),
    }
}

fn refuse(proxy: Proxy, refusal: Refusal) -> Response {
    // nginx makes a 500 of everything but 401 and 403.
    let refusal =
        if proxy == Proxy::Nginx && refusal == Refusal::Unclear { Refusal::Forbidden } else { refusal };
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    let mut response = (refusal.status(), headers, refusal.body()).into_response();
    if refusal == Refusal::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
    }
    response
}
