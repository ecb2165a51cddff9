//! Why a call is refused, in the codes of gRPC; over HTTP as grpc-gateway maps them.

use http::StatusCode;
use prost::Message;
use prost::bytes::Bytes;
use serde_json::{Value, json};
use tonic::Code;

use crate::proto::buf::validate::Violations;
use crate::proto::google::rpc;

const VIOLATIONS: &str = "type.googleapis.com/buf.validate.Violations";

/// A refusal.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// What kind of refusal.
    pub code: Code,
    /// For those who call.
    pub message: String,
    /// What is wrong with the request, field by field; empty where it is something else.
    pub violations: Violations,
}

impl Status {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), violations: Violations::default() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidArgument, message)
    }

    /// The status by which HTTP says it.
    #[must_use]
    pub fn http(&self) -> StatusCode {
        match self.code {
            Code::Ok => StatusCode::OK,
            Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
            Code::Unauthenticated => StatusCode::UNAUTHORIZED,
            Code::PermissionDenied => StatusCode::FORBIDDEN,
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
            Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
            Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
            Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
            Code::Cancelled | Code::Unknown | Code::Internal | Code::DataLoss => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The body by which HTTP says it.
    #[must_use]
    pub fn json(&self) -> Value {
        let mut body = json!({ "code": i32::from(self.code), "message": self.message });
        if let (false, Ok(mut details)) =
            (self.violations.violations.is_empty(), serde_json::to_value(&self.violations))
        {
            details["@type"] = VIOLATIONS.into();
            body["details"] = json!([details]);
        }
        body
    }
}

impl From<Status> for tonic::Status {
    fn from(status: Status) -> Self {
        if status.violations.violations.is_empty() {
            return Self::new(status.code, status.message);
        }
        let violations = pbjson_types::Any {
            type_url: VIOLATIONS.to_owned(),
            value: Bytes::from(status.violations.encode_to_vec()),
        };
        let details = rpc::Status {
            code: status.code.into(),
            message: status.message.clone(),
            details: vec![violations],
        };
        Self::with_details(status.code, status.message, Bytes::from(details.encode_to_vec()))
    }
}
