//! A call: who makes it, and when.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

use http::HeaderMap;
use tonic::Code;
use ulid::Ulid;

use crate::connection::Peer;
use crate::pdp::Pdp;
use crate::proto::cerbos::audit::v1::RequestContext;
use crate::trace::Span;

/// What is known of a call beside its request.
pub(crate) struct Call {
    /// `cerbosCallId`: a ULID.
    pub(crate) id: String,
    pub(crate) at: SystemTime,
    started: Instant,
    /// The method by its name in gRPC, over HTTP as well.
    pub(crate) method: &'static str,
    pub(crate) peer: Peer,
    pub(crate) headers: HeaderMap,
    pub(crate) span: Span,
    /// What the caller says of the request, for the audit log.
    pub(crate) request_context: OnceLock<RequestContext>,
}

/// The end of a call, which is told also where nobody waits for the answer any more.
pub(crate) struct Ending<'a> {
    call: &'a Call,
    pdp: &'a Pdp,
    code: Code,
    limit: Option<Duration>,
}

impl Ending<'_> {
    /// Where it takes longer it is ended by who has set that limit.
    pub(crate) fn within(mut self, limit: Option<Duration>) -> Self {
        self.limit = limit;
        self
    }

    /// It is answered.
    pub(crate) fn with(mut self, code: Code) {
        self.code = code;
    }
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        let is_late = self.limit.is_some_and(|limit| self.call.started.elapsed() >= limit);
        let code = if self.code == Code::Cancelled && is_late { Code::DeadlineExceeded } else { self.code };
        self.call.end(self.pdp, code);
    }
}

impl Call {
    pub(crate) fn begin(pdp: &Pdp, method: &'static str, peer: &Peer, headers: HeaderMap) -> Self {
        Self {
            id: Ulid::generate().to_string(),
            at: SystemTime::now(),
            started: Instant::now(),
            method,
            peer: peer.clone(),
            span: pdp.tracer.call(method, &headers),
            request_context: OnceLock::new(),
            headers,
        }
    }

    /// To be kept until it is answered.
    pub(crate) fn ending<'a>(&'a self, pdp: &'a Pdp) -> Ending<'a> {
        Ending { call: self, pdp, code: Code::Cancelled, limit: None }
    }

    /// Tells metrics, traces and the audit log how it ended.
    fn end(&self, pdp: &Pdp, code: Code) {
        pdp.metrics.rpc(self.method, code, self.started.elapsed());
        self.span.end(code == Code::Ok);
        if let Some(audit) = &pdp.audit {
            audit.access(self, code, &pdp.policies());
        }
    }

    /// The first value of a header; empty where there is none that is a text.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}
