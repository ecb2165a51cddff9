//! The page at `/`: the state, the policies that are loaded, and a check to try.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header;

use crate::server::Shared;

const PAGE: &str = include_str!("page/index.html");
const SCRIPT: &str = include_str!("page/page.js");
const STYLE: &str = include_str!("page/page.css");

/// The page runs nothing but its own script, and sends nothing anywhere else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn add(router: Router<Arc<Shared>>) -> Router<Arc<Shared>> {
    router
        .route("/", get(|| async { file("text/html; charset=utf-8", PAGE) }))
        .route("/_orthrus/page.js", get(|| async { file("text/javascript; charset=utf-8", SCRIPT) }))
        .route("/_orthrus/page.css", get(|| async { file("text/css; charset=utf-8", STYLE) }))
        .route("/_orthrus/state", get(state))
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text).into_response()
}

async fn state(State(shared): State<Arc<Shared>>) -> Response {
    axum::Json(shared.state_json()).into_response()
}
