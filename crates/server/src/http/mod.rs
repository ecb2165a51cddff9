//! HTTP: Cerbos' API and AuthZEN in JSON, health, metrics, and the page.

mod cors;
mod explorer;
mod json;

use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use tonic::Code;

use crate::call::Call;
use crate::connection::Peer;
use crate::grpc::SERVICES;
use crate::pdp::Pdp;
use crate::server::Shared;
use crate::status::Status;
use crate::{authzen, cerbos};

/// Answers a request about a call.
type Run<Q, A> = for<'a> fn(&'a Pdp, &'a Call, &'a Q) -> Answering<'a, A>;
type Answering<'a, A> = std::pin::Pin<Box<dyn Future<Output = Result<A, Status>> + Send + 'a>>;

/// All that is served over HTTP.
pub(crate) fn router(shared: &Arc<Shared>) -> Router {
    macro_rules! call {
        ($method:literal, $run:expr) => {
            post(|State(shared): State<Arc<Shared>>, request: Request| async move {
                answer(&shared, $method, request, $run).await
            })
        };
    }
    let listening = &shared.config.server;
    let mut router = Router::new()
        .route(
            "/api/check/resources",
            call!("cerbos.svc.v1.CerbosService/CheckResources", |pdp, call, asked| {
                Box::pin(cerbos::check_resources(pdp, call, asked))
            }),
        )
        .route(
            "/api/check",
            call!("cerbos.svc.v1.CerbosService/CheckResourceSet", |pdp, call, asked| {
                Box::pin(cerbos::check_resource_set(pdp, call, asked))
            }),
        )
        .route(
            "/api/check_resource_batch",
            call!("cerbos.svc.v1.CerbosService/CheckResourceBatch", |pdp, call, asked| {
                Box::pin(cerbos::check_resource_batch(pdp, call, asked))
            }),
        )
        .route(
            "/api/plan/resources",
            call!("cerbos.svc.v1.CerbosService/PlanResources", |_, _, asked| {
                Box::pin(async move { cerbos::plan_resources(asked) })
            }),
        )
        .route(
            "/access/v1/evaluation",
            call!("authzen.authorization.v1.AuthorizationService/AccessEvaluation", |pdp, call, asked| {
                Box::pin(authzen::evaluation(pdp, call, asked))
            }),
        )
        .route(
            "/access/v1/evaluations",
            call!(
                "authzen.authorization.v1.AuthorizationService/AccessEvaluationBatch",
                |pdp, call, asked| { Box::pin(authzen::evaluations(pdp, call, asked)) }
            ),
        )
        .route(
            "/api/server_info",
            get(|| async { json_response(StatusCode::OK, &cerbos::server_info(), false) }),
        )
        .route("/.well-known/authzen-configuration", get(authzen_metadata))
        .route("/_cerbos/health", get(health));
    if listening.metrics_enabled {
        router = router.route("/_cerbos/metrics", get(metrics));
    }
    if listening.api_explorer_enabled {
        router = explorer::add(router);
    }
    let router = router
        .fallback(not_found)
        .method_not_allowed_fallback(|| async {
            refusal(&Status::new(Code::Unimplemented, "Method Not Allowed"), false)
        })
        .with_state(Arc::clone(shared));
    let router = cors::add(router, &listening.cors);
    crate::gateway::http::add(router, shared)
        .layer(middleware::from_fn_with_state(Arc::clone(shared), measure))
}

async fn measure(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let (started, method) = (Instant::now(), request.method().clone());
    let limit = shared.config.server.advanced.http.write_timeout.limit();
    let response = match limit {
        None => next.run(request).await,
        Some(limit) => match tokio::time::timeout(limit, next.run(request)).await {
            Ok(response) => response,
            Err(_) => refusal(&Status::new(Code::DeadlineExceeded, "the answer took too long"), false),
        },
    };
    shared.pdp.metrics.http(&method, response.status().as_u16(), started.elapsed());
    response
}

async fn answer<Q: DeserializeOwned + Default, A: Serialize>(
    shared: &Shared,
    method: &'static str,
    request: Request,
    run: Run<Q, A>,
) -> Response {
    let (parts, body) = request.into_parts();
    let pretty = is_pretty(&parts.uri);
    let peer = parts.extensions.get::<Peer>().cloned().unwrap_or_default();
    let call = Call::begin(&shared.pdp, method, &peer, parts.headers);
    let ending = call.ending(&shared.pdp).within(shared.config.server.advanced.http.write_timeout.limit());
    let result = match read::<Q>(shared, body).await {
        Ok(asked) => run(&shared.pdp, &call, &asked).await,
        Err(status) => Err(status),
    };
    ending.with(result.as_ref().map_or_else(|status| status.code, |_| Code::Ok));
    match result {
        Ok(answer) => {
            if shared.config.server.log_request_payloads {
                shared.log_payload(&call, &answer);
            }
            json_response(StatusCode::OK, &answer, pretty)
        }
        Err(status) => refusal(&status, pretty),
    }
}

/// Reads a request. An empty body is an empty request, which validation refuses.
async fn read<Q: DeserializeOwned + Default>(shared: &Shared, body: Body) -> Result<Q, Status> {
    let bytes = read_body(shared, body).await?;
    if bytes.is_empty() {
        return Ok(Q::default());
    }
    json::read(&bytes)
}

async fn read_body(shared: &Shared, body: Body) -> Result<Bytes, Status> {
    let advanced = &shared.config.server.advanced;
    let reading = collect(body, advanced.grpc.max_recv_msg_size_bytes);
    match advanced.http.read_timeout.limit() {
        None => reading.await,
        Some(time) => match tokio::time::timeout(time, reading).await {
            Ok(read) => read,
            Err(_) => Err(Status::new(Code::DeadlineExceeded, "the request took too long to arrive")),
        },
    }
}

/// A body that is not too large. Of one that is, some more is read and thrown away: a client that is still sending would not hear the
/// answer.
async fn collect(mut body: Body, limit: usize) -> Result<Bytes, Status> {
    const READ_ON: usize = 4;
    let mut collected = BytesMut::new();
    let mut size = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Status::invalid("the request ended before its time"))?;
        let Ok(data) = frame.into_data() else { continue };
        size = size.saturating_add(data.len());
        if size <= limit {
            collected.extend_from_slice(&data);
        } else {
            collected.clear();
        }
        if size > limit.saturating_mul(READ_ON) {
            break;
        }
    }
    if size > limit {
        let message = format!("received message larger than max ({size} vs. {limit})");
        return Err(Status::new(Code::ResourceExhausted, message));
    }
    Ok(collected.freeze())
}

async fn authzen_metadata(State(shared): State<Arc<Shared>>, headers: HeaderMap, uri: Uri) -> Response {
    let host =
        headers.get(header::HOST).and_then(|host| host.to_str().ok()).or(uri.host()).unwrap_or("localhost");
    json_response(StatusCode::OK, &authzen::metadata(&shared.base(host)), is_pretty(&uri))
}

async fn health(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    if parameter(&uri, "service").is_some_and(|service| !service.is_empty() && !SERVICES.contains(&service)) {
        return refusal(&Status::new(Code::NotFound, "unknown service"), false);
    }
    let (status, name) = if shared.is_serving() {
        (StatusCode::OK, "SERVING")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "NOT_SERVING")
    };
    let mut body = json!({ "status": name });
    if parameter(&uri, "verbose").is_some() {
        body["policies"] = shared.policies_json();
    }
    json_response(status, &body, false)
}

async fn metrics(State(shared): State<Arc<Shared>>, headers: HeaderMap) -> Response {
    let accepted = headers.get_all(header::ACCEPT).iter();
    let is_open =
        accepted.filter_map(|it| it.to_str().ok()).any(|it| it.contains("application/openmetrics-text"));
    let metrics = &shared.pdp.metrics;
    let (kind, text) = if is_open {
        ("application/openmetrics-text; version=1.0.0; charset=utf-8", metrics.open_metrics())
    } else {
        ("text/plain; version=0.0.4; charset=utf-8", metrics.prometheus())
    };
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

async fn not_found(uri: Uri) -> Response {
    if uri.path().starts_with("/api/") {
        return refusal(&Status::new(Code::NotFound, "Not Found"), false);
    }
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (StatusCode::NOT_FOUND, headers, "404 page not found\n").into_response()
}

fn is_pretty(uri: &Uri) -> bool {
    parameter(uri, "pretty").is_some()
}

/// A parameter of the query as it is written; empty where it has a name alone.
fn parameter<'a>(uri: &'a Uri, name: &str) -> Option<&'a str> {
    let pairs = uri.query().unwrap_or_default().split('&');
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).find(|(key, _)| *key == name).map(|it| it.1)
}

fn refusal(status: &Status, pretty: bool) -> Response {
    json_response(status.http(), &status.json(), pretty)
}

fn json_response(status: StatusCode, body: &impl Serialize, pretty: bool) -> Response {
    let text = if pretty { serde_json::to_vec_pretty(body) } else { serde_json::to_vec(body) };
    match text {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
