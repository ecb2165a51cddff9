//! gateway (compiles alone for now)
use serde::{Deserialize, Serialize};
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct GatewayConfig {}
pub(crate) struct Gateway;
impl Gateway {
    pub(crate) fn new(_: &GatewayConfig, _: &crate::config::TokenConfig) -> Result<Self, crate::start::StartError> { Ok(Self) }
}
pub(crate) mod http {
    pub(crate) fn add(router: axum::Router, _: &std::sync::Arc<crate::server::Shared>) -> axum::Router { router }
}
pub(crate) mod grpc {
    pub(crate) fn add(routes: tonic::service::Routes, _: &std::sync::Arc<crate::server::Shared>) -> tonic::service::Routes { routes }
}
