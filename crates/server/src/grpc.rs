//! gRPC: Cerbos' service, AuthZEN's, health, reflection, and Envoy's questions.

use std::sync::Arc;

use axum::Router;
use axum::middleware::{map_request, map_response};
use http::HeaderValue;
use tonic::codec::CompressionEncoding;
use tonic::{Code, Request, Response};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use crate::call::Call;
use crate::connection::Peer;
use crate::proto::authzen::authorization::v1 as authzen_proto;
use crate::proto::authzen::authorization::v1::authorization_service_server::{
    AuthorizationService, AuthorizationServiceServer,
};
use crate::proto::cerbos::request::v1::{
    CheckResourceBatchRequest, CheckResourceSetRequest, CheckResourcesRequest, PlanResourcesRequest,
    ServerInfoRequest,
};
use crate::proto::cerbos::response::v1::{
    CheckResourceBatchResponse, CheckResourceSetResponse, CheckResourcesResponse, PlanResourcesResponse,
    ServerInfoResponse,
};
use crate::proto::cerbos::svc::v1::cerbos_service_server::{CerbosService, CerbosServiceServer};
use crate::proto::{self};
use crate::punctual::punctual;
use crate::server::Shared;
use crate::{authzen, cerbos};

/// Requests may be compressed; the limit is that of what comes out.
macro_rules! accepting {
    ($service:expr, $limit:expr) => {
        $service.accept_compressed(CompressionEncoding::Gzip).max_decoding_message_size($limit)
    };
}

/// What `tonic` says of a message that is too large is `OUT_OF_RANGE`; the PDP, and gRPC elsewhere, say `RESOURCE_EXHAUSTED`. No call is
/// answered with the former.
async fn too_large(mut response: axum::response::Response) -> axum::response::Response {
    const STATUS: &str = "grpc-status";
    let out_of_range = HeaderValue::from(i32::from(Code::OutOfRange));
    if response.headers().get(STATUS) == Some(&out_of_range) {
        response.headers_mut().insert(STATUS, HeaderValue::from(i32::from(Code::ResourceExhausted)));
    }
    response
}

/// All that is served over gRPC, and what tells health.
pub(crate) fn router(shared: &Arc<Shared>) -> (Router, HealthReporter) {
    let limit = shared.config.server.advanced.grpc.max_recv_msg_size_bytes;
    let service = Service(Arc::clone(shared));
    let (reporter, health) = tonic_health::server::health_reporter();
    let reflection = |builder: tonic_reflection::server::Builder<'static>| {
        builder
            .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
    };
    let mut routes = tonic::service::Routes::new(health)
        .add_service(accepting!(CerbosServiceServer::new(service.clone()), limit))
        .add_service(accepting!(AuthorizationServiceServer::new(service), limit));
    // The descriptors are made with the program: they can be read.
    if let Ok(service) = reflection(tonic_reflection::server::Builder::configure()).build_v1() {
        routes = routes.add_service(service);
    }
    if let Ok(service) = reflection(tonic_reflection::server::Builder::configure()).build_v1alpha() {
        routes = routes.add_service(service);
    }
    routes = crate::gateway::grpc::add(routes, shared);
    let mut router = routes.prepare().into_axum_router().layer(map_response(too_large));
    if let Some(limit) = shared.config.server.advanced.http.read_timeout.limit() {
        router = router.layer(map_request(move |request: axum::extract::Request| async move {
            // Who reflects may ask for more later.
            let is_stream = request.uri().path().starts_with("/grpc.reflection.");
            if is_stream { request } else { punctual(request, limit) }
        }));
    }
    (router, reporter)
}

/// The services of which health is told, beside that of the server as a whole.
pub(crate) const SERVICES: [&str; 2] =
    ["cerbos.svc.v1.CerbosService", "authzen.authorization.v1.AuthorizationService"];

/// Tells health whether the services serve.
pub(crate) async fn report(reporter: &HealthReporter, serving: bool) {
    let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    for service in SERVICES.into_iter().chain([""]) {
        reporter.set_service_status(service, status).await;
    }
}

#[derive(Clone)]
struct Service(Arc<Shared>);

/// Answers a call, and tells how it ended.
macro_rules! answer {
    ($self:ident, $request:ident, $method:literal, |$pdp:ident, $call:ident, $asked:ident| $run:expr) => {{
        let ($pdp, (metadata, extensions, asked)) = (&$self.0.pdp, $request.into_parts());
        let peer = extensions.get::<Peer>().cloned().unwrap_or_default();
        let call = Call::begin($pdp, $method, &peer, metadata.into_headers());
        let ending = call.ending($pdp);
        let ($call, $asked) = (&call, &asked);
        let result = $run;
        ending.with(result.as_ref().map_or_else(|status| status.code, |_| Code::Ok));
        if let (true, Ok(answer)) = ($self.0.config.server.log_request_payloads, &result) {
            $self.0.log_payload(&call, answer);
        }
        Ok(Response::new(result?))
    }};
}

type Answer<T> = Result<Response<T>, tonic::Status>;

#[tonic::async_trait]
impl CerbosService for Service {
    async fn check_resources(
        &self,
        request: Request<CheckResourcesRequest>,
    ) -> Answer<CheckResourcesResponse> {
        answer!(self, request, "cerbos.svc.v1.CerbosService/CheckResources", |pdp, call, asked| {
            cerbos::check_resources(pdp, call, asked).await
        })
    }

    async fn check_resource_set(
        &self,
        request: Request<CheckResourceSetRequest>,
    ) -> Answer<CheckResourceSetResponse> {
        answer!(self, request, "cerbos.svc.v1.CerbosService/CheckResourceSet", |pdp, call, asked| {
            cerbos::check_resource_set(pdp, call, asked).await
        })
    }

    async fn check_resource_batch(
        &self,
        request: Request<CheckResourceBatchRequest>,
    ) -> Answer<CheckResourceBatchResponse> {
        answer!(self, request, "cerbos.svc.v1.CerbosService/CheckResourceBatch", |pdp, call, asked| {
            cerbos::check_resource_batch(pdp, call, asked).await
        })
    }

    async fn plan_resources(&self, request: Request<PlanResourcesRequest>) -> Answer<PlanResourcesResponse> {
        answer!(self, request, "cerbos.svc.v1.CerbosService/PlanResources", |pdp, _call, asked| {
            cerbos::plan_resources(asked)
        })
    }

    async fn server_info(&self, _request: Request<ServerInfoRequest>) -> Answer<ServerInfoResponse> {
        Ok(Response::new(cerbos::server_info()))
    }
}

#[tonic::async_trait]
impl AuthorizationService for Service {
    async fn metadata(
        &self,
        _request: Request<authzen_proto::MetadataRequest>,
    ) -> Answer<authzen_proto::MetadataResponse> {
        Ok(Response::new(authzen::metadata(
            &self.0.base(&self.0.addresses().http.replace("[::]", "localhost")),
        )))
    }

    async fn access_evaluation(
        &self,
        request: Request<authzen_proto::AccessEvaluationRequest>,
    ) -> Answer<authzen_proto::AccessEvaluationResponse> {
        answer!(
            self,
            request,
            "authzen.authorization.v1.AuthorizationService/AccessEvaluation",
            |pdp, call, asked| { authzen::evaluation(pdp, call, asked).await }
        )
    }

    async fn access_evaluation_batch(
        &self,
        request: Request<authzen_proto::AccessEvaluationBatchRequest>,
    ) -> Answer<authzen_proto::AccessEvaluationBatchResponse> {
        answer!(
            self,
            request,
            "authzen.authorization.v1.AuthorizationService/AccessEvaluationBatch",
            |pdp, call, asked| authzen::evaluations(pdp, call, asked).await
        )
    }
}
