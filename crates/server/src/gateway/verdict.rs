//! What comes of a question.

use http::{HeaderMap, StatusCode};
use orthrus::policy::Effect;
use orthrus_gateway::{AskedRequest, MatchedResource, RouteMatch, normalize_path};
use tonic::Code;

use super::Proxy;
use super::identity::{Nobody, person};
use super::question::{Question, Unclear};
use crate::call::Call;
use crate::connection::Peer;
use crate::host::{Event, Level};
use crate::pdp::Asked;
use crate::proto::cerbos::engine::v1::{Principal, Resource};
use crate::server::Shared;
use crate::values::from_json;

/// The headers by which whoever is behind the proxy hears who makes a request. Each is always there when it may pass, so that
/// what a client puts into one of them never arrives.
pub(super) const PRINCIPAL: &str = "x-orthrus-principal";
pub(super) const ROLES: &str = "x-orthrus-roles";
pub(super) const CALL_ID: &str = "x-orthrus-call-id";

/// May a request pass?
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may, with these headers.
    Pass([(&'static str, String); 3]),
    /// It may not. The reason is for logs alone.
    Refuse(Refusal, &'static str),
}

/// How it is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// What it asks for has no meaning that is sure.
    Unclear,
    /// Nobody knows who makes it.
    Unauthenticated,
    /// No route fits, or the policies do not allow it.
    Forbidden,
    /// It cannot be answered now.
    Unavailable,
}

impl Refusal {
    pub(super) fn status(self) -> StatusCode {
        match self {
            Self::Unclear => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) fn code(self) -> Code {
        match self {
            Self::Unclear => Code::InvalidArgument,
            Self::Unauthenticated => Code::Unauthenticated,
            Self::Forbidden => Code::PermissionDenied,
            Self::Unavailable => Code::Unavailable,
        }
    }

    /// Tells a client no more than the status does.
    pub(super) fn body(self) -> &'static str {
        match self {
            Self::Unclear => r#"{"error":"bad request"}"#,
            Self::Unauthenticated => r#"{"error":"unauthorized"}"#,
            Self::Forbidden => r#"{"error":"forbidden"}"#,
            Self::Unavailable => r#"{"error":"unavailable"}"#,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Unclear => "unclear",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
        }
    }
}

/// Answers a question of a proxy.
pub(super) async fn verdict(
    shared: &Shared,
    proxy: Proxy,
    peer: &Peer,
    headers: HeaderMap,
    question: Result<Question, Unclear>,
) -> Verdict {
    let pdp = &shared.pdp;
    let method = match proxy {
        Proxy::Traefik => "orthrus.gateway/Traefik",
        Proxy::Caddy => "orthrus.gateway/Caddy",
        Proxy::Nginx => "orthrus.gateway/Nginx",
        Proxy::Envoy => "orthrus.gateway/Envoy",
    };
    let call = Call::begin(pdp, method, peer, headers);
    let ending = call.ending(pdp).within(shared.config.server.advanced.http.write_timeout.limit());
    let verdict = match question {
        Ok(question) => decide(shared, &call, &question)
            .await
            .unwrap_or_else(|(refusal, why)| Verdict::Refuse(refusal, why)),
        Err(Unclear(why)) => Verdict::Refuse(Refusal::Unclear, why),
    };
    let (outcome, code) = match &verdict {
        Verdict::Pass(_) => ("pass", Code::Ok),
        Verdict::Refuse(refusal, why) => {
            let event = Event::new(Level::Info, "orthrus.gateway", "a request is refused")
                .with("callId", call.id.as_str())
                .with("proxy", proxy.name())
                .with("outcome", refusal.name())
                .with("reason", *why);
            shared.host.log(event);
            (refusal.name(), refusal.code())
        }
    };
    pdp.metrics.gateway(proxy.name(), outcome);
    ending.with(code);
    verdict
}

async fn decide(
    shared: &Shared,
    call: &Call,
    question: &Question,
) -> Result<Verdict, (Refusal, &'static str)> {
    let gateway = shared.gateway.as_ref().ok_or((Refusal::Forbidden, "NO_GATEWAY"))?;
    let path = normalize_path(&question.path).map_err(|why| (Refusal::Unclear, why))?;
    // Who is behind the proxy gets the path as it came, and may take what is between two slashes for something.
    if question.path.contains("//") {
        return Err((Refusal::Unclear, "a doubled slash"));
    }
    let person =
        person(&gateway.config.identity, &shared.pdp.tokens, question).await.map_err(
            |nobody| match nobody {
                Nobody::Unauthenticated(why) => (Refusal::Unauthenticated, why),
                Nobody::Unavailable => (Refusal::Unavailable, "KEYS_UNAVAILABLE"),
            },
        )?;
    let header = |name: &str| {
        let values: Vec<&str> = question.values(name).collect();
        (!values.is_empty()).then(|| values.join(", "))
    };
    let asked = AskedRequest {
        method: &question.method,
        host: &question.host,
        path: &path,
        query: question.query.as_deref(),
        header: &header,
    };
    let matched = gateway.routes.load().matching(&asked).ok_or((Refusal::Forbidden, "NO_ROUTE"))?;
    let RouteMatch { action, resource, .. } = matched;
    let (resource, actions) = (to_proto(resource), [action]);
    let asked = Asked {
        request_id: "",
        include_meta: false,
        principal: &person.principal,
        resources: vec![(&resource, &actions)],
        claims: person.claims.as_ref(),
        request_context: None,
    };
    let allowed = shared.pdp.decide(call, &asked, |decisions| {
        decisions.iter().flat_map(|it| it.actions).map(|action| action.effect).eq([Effect::Allow])
    });
    match allowed {
        Ok(true) => Ok(Verdict::Pass(told(&person.principal, call))),
        Ok(false) => Err((Refusal::Forbidden, "DENIED")),
        Err(_) => Err((Refusal::Unavailable, "UNDECIDED")),
    }
}

fn to_proto(resource: MatchedResource) -> Resource {
    Resource {
        kind: resource.kind,
        id: resource.id,
        scope: resource.scope,
        policy_version: resource.policy_version,
        attr: resource.attr.into_iter().map(|(name, value)| (name, from_json(value.into()))).collect(),
    }
}

fn told(principal: &Principal, call: &Call) -> [(&'static str, String); 3] {
    let roles: Vec<String> = principal.roles.iter().map(|role| plain(role)).collect();
    [(PRINCIPAL, plain(&principal.id)), (ROLES, roles.join(",")), (CALL_ID, call.id.clone())]
}

/// A text as a header can hold it: percent-encoded, but for what is in common names.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@/|+".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}
