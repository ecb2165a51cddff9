//! The endpoint of Envoy over gRPC.

use std::sync::Arc;

use http::HeaderMap;
use tonic::service::Routes;
use tonic::{Request, Response, Status};

use super::Proxy;
use super::question::Question;
use super::verdict::{Refusal, Verdict, verdict};
use crate::connection::Peer;
use crate::proto::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use crate::proto::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use crate::proto::envoy::service::auth::v3::authorization_server::{Authorization, AuthorizationServer};
use crate::proto::envoy::service::auth::v3::check_response::HttpResponse;
use crate::proto::envoy::service::auth::v3::{
    CheckRequest, CheckResponse, DeniedHttpResponse, OkHttpResponse,
};
use crate::proto::envoy::r#type::v3::HttpStatus;
use crate::proto::google::rpc;
use crate::server::Shared;

/// Adds it where Envoy is named.
pub(crate) fn add(routes: Routes, shared: &Arc<Shared>) -> Routes {
    if !shared.gateway.as_ref().is_some_and(|gateway| gateway.serves(Proxy::Envoy)) {
        return routes;
    }
    let limit = shared.config.server.advanced.grpc.max_recv_msg_size_bytes;
    let service = AuthorizationServer::new(Service(Arc::clone(shared)));
    routes.add_service(service.max_decoding_message_size(limit))
}

struct Service(Arc<Shared>);

#[tonic::async_trait]
impl Authorization for Service {
    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        let peer = request.extensions().get::<Peer>().cloned().unwrap_or_default();
        let question = Question::of_envoy(request.into_inner());
        let mut headers = HeaderMap::new();
        // For the audit log, which is about the client and not about Envoy.
        for name in ["user-agent", "x-forwarded-for"] {
            let value = question.as_ref().ok().and_then(|it| it.values(name).next()?.parse().ok());
            value.into_iter().for_each(|value| drop(headers.insert(name, value)));
        }
        let answer = verdict(&self.0, Proxy::Envoy, &peer, headers, question).await;
        Ok(Response::new(match answer {
            Verdict::Pass(told) => CheckResponse {
                status: Some(rpc::Status::default()),
                http_response: Some(HttpResponse::OkResponse(OkHttpResponse {
                    headers: told.into_iter().map(|(name, value)| overwrite(name, &value)).collect(),
                    ..OkHttpResponse::default()
                })),
            },
            Verdict::Refuse(refusal, _) => refuse(refusal),
        }))
    }
}

fn refuse(refusal: Refusal) -> CheckResponse {
    let mut headers =
        vec![overwrite("content-type", "application/json"), overwrite("cache-control", "no-store")];
    if refusal == Refusal::Unauthenticated {
        headers.push(overwrite("www-authenticate", "Bearer"));
    }
    CheckResponse {
        status: Some(rpc::Status { code: refusal.code().into(), ..rpc::Status::default() }),
        http_response: Some(HttpResponse::DeniedResponse(DeniedHttpResponse {
            status: Some(HttpStatus { code: i32::from(refusal.status().as_u16()) }),
            headers,
            body: refusal.body().to_owned(),
        })),
    }
}

fn overwrite(name: &str, value: &str) -> HeaderValueOption {
    HeaderValueOption {
        header: Some(HeaderValue { key: name.to_owned(), value: value.to_owned(), ..HeaderValue::default() }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        keep_empty_value: true,
        ..HeaderValueOption::default()
    }
}
