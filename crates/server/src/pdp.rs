//! The decision point: requests of all kinds come down to one question to the engine.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use arc_swap::ArcSwap;
use bumpalo::Bump;
use bumpalo::collections::Vec as BumpVec;
use orthrus::cel::{self, Timestamp};
use orthrus::check::{Decision, Detail};
use orthrus::contract::{CheckResourcesRequest, ResourceEntry, aux_data_from_json};
use orthrus_host::{PolicySet, with_arena};
use tonic::Code;

use crate::audit::AuditLog;
use crate::call::Call;
use crate::clock::since_1970;
use crate::config::RequestLimits;
use crate::metrics::Metrics;
use crate::proto::cerbos::audit::v1::RequestContext;
use crate::proto::cerbos::engine::v1::{Principal, Resource};
use crate::proto::cerbos::request::v1::{AuxData, aux_data};
use crate::status::Status;
use crate::tokens::{Believed, TokenError, Tokens};
use crate::trace::Tracer;
use crate::values::attributes;

/// Policies, and what surrounds a decision by them.
pub(crate) struct Pdp {
    policies: ArcSwap<PolicySet>,
    pub(crate) limits: RequestLimits,
    /// Of requests, and of answers that could be larger than what they answer, in bytes.
    max_message: usize,
    pub(crate) tokens: Tokens,
    pub(crate) audit: Option<AuditLog>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) tracer: Tracer,
}

/// A question, as the wire puts it.
pub(crate) struct Asked<'a> {
    pub(crate) request_id: &'a str,
    /// Whether effective derived roles are to be told.
    pub(crate) include_meta: bool,
    pub(crate) principal: &'a Principal,
    pub(crate) resources: Vec<(&'a Resource, &'a [String])>,
    /// Claims of verified tokens.
    pub(crate) claims: Option<&'a Claims>,
    pub(crate) request_context: Option<&'a RequestContext>,
}

/// Claims of verified tokens, as the JSON of `auxData`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claims(pub(crate) String);

impl Claims {
    /// Those of the one token of a request.
    pub(crate) fn of_one(token: &Believed) -> Self {
        Self(format!("{{\"jwt\":{}}}", token.for_policies))
    }
}

impl Pdp {
    pub(crate) fn new(
        policies: Arc<PolicySet>,
        limits: RequestLimits,
        max_message: usize,
        tokens: Tokens,
        audit: Option<AuditLog>,
        metrics: Arc<Metrics>,
        tracer: Tracer,
    ) -> Self {
        Self { policies: ArcSwap::new(policies), limits, max_message, tokens, audit, metrics, tracer }
    }

    /// Decides by other policies from now on; calls that are under way finish with those that they began with.
    pub(crate) fn replace(&self, policies: Arc<PolicySet>) {
        self.policies.store(policies);
    }

    pub(crate) fn policies(&self) -> Arc<PolicySet> {
        self.policies.load_full()
    }

    /// Verifies the tokens of a request.
    pub(crate) async fn claims(&self, aux_data: Option<&AuxData>) -> Result<Option<Claims>, Status> {
        let Some(aux_data) = aux_data else { return Ok(None) };
        if let Some(jwt) = &aux_data.jwt {
            return Ok(Some(Claims::of_one(&self.believed(jwt).await?)));
        }
        let mut named = Vec::with_capacity(aux_data.jwts.len());
        for (name, jwt) in &aux_data.jwts {
            let name = serde_json::Value::from(name.as_str());
            named.push(format!("{name}:{}", self.believed(jwt).await?.for_policies));
        }
        Ok((!named.is_empty()).then(|| Claims(format!("{{\"jwts\":{{{}}}}}", named.join(",")))))
    }

    async fn believed(&self, jwt: &aux_data::Jwt) -> Result<Believed, Status> {
        let believed = self.tokens.verify(&jwt.token, &jwt.key_set_id).await;
        believed.map_err(|error| match error {
            TokenError::Unavailable(_) => Status::new(Code::Unavailable, "auxData cannot be verified now"),
            // Why is in the log: it would tell an attacker how far a forged token got.
            TokenError::Refused(_) => Status::invalid("invalid auxData"),
        })
    }

    /// Refuses more resources, or more actions of one, than are allowed.
    pub(crate) fn check_limits<'a>(
        &self,
        actions: impl ExactSizeIterator<Item = &'a [String]>,
    ) -> Result<(), Status> {
        let RequestLimits { max_resources_per_request, max_actions_per_resource } = self.limits;
        let count = actions.len();
        if count > max_resources_per_request {
            return Err(Status::invalid(format!(
                "number of resources in batch ({count}) exceeds configured limit ({max_resources_per_request})"
            )));
        }
        for actions in actions {
            let count = actions.len();
            if count > max_actions_per_resource {
                return Err(Status::invalid(format!(
                    "number of actions ({count}) exceeds configured limit ({max_actions_per_resource})"
                )));
            }
        }
        Ok(())
    }

    /// Refuses an answer that is too large, as the PDP does, whose own gateway refuses it.
    pub(crate) fn check_size(&self, size: usize) -> Result<(), Status> {
        if size <= self.max_message {
            return Ok(());
        }
        let message = format!("received message larger than max ({size} vs. {})", self.max_message);
        Err(Status::new(Code::ResourceExhausted, message))
    }

    /// Decides, and tells what was decided. The question is validated already.
    pub(crate) fn decide<T>(
        &self,
        call: &Call,
        asked: &Asked<'_>,
        tell: impl FnOnce(&[Decision<'_>]) -> T,
    ) -> Result<T, Status> {
        let started = Instant::now();
        let span = self.tracer.check(call, asked);
        let policies = self.policies.load();
        let told = with_arena(|arena| {
            let request = engine_request(asked, arena)?;
            let audited = self.audit.as_ref().filter(|audit| audit.decisions());
            let detail = Detail {
                metadata: asked.include_meta || audited.is_some(),
                evaluation_errors: audited.is_some(),
                trace: audited.is_some(),
            };
            let now = if policies.engine.reads_clock() { now() } else { Timestamp::default() };
            let decisions = policies.engine.check_resources(&request, now, detail, arena);
            if let Some(audit) = audited {
                audit.decision(call, asked, decisions, &policies);
            }
            Ok(tell(decisions))
        });
        self.metrics.checked(started.elapsed(), asked.resources.len(), told.is_ok());
        span.end(told.is_ok());
        told
    }
}

fn engine_request<'a>(asked: &'a Asked<'a>, arena: &'a Bump) -> Result<CheckResourcesRequest<'a>, Status> {
    let aux_data = match asked.claims {
        None => None,
        // They are an object: no other claims are verified.
        Some(Claims(text)) => {
            let read = aux_data_from_json(text, arena);
            Some(read.map_err(|_| Status::invalid("invalid auxData"))?)
        }
    };
    let principal = asked.principal;
    let mut resources = BumpVec::with_capacity_in(asked.resources.len(), arena);
    resources.extend(asked.resources.iter().map(|(resource, actions)| ResourceEntry {
        resource: cel::Resource {
            kind: &resource.kind,
            id: &resource.id,
            attr: attributes(resource.attr.iter(), arena),
            policy_version: &resource.policy_version,
            scope: &resource.scope,
        },
        actions: texts(actions, arena),
    }));
    Ok(CheckResourcesRequest {
        request_id: asked.request_id,
        include_meta: asked.include_meta,
        principal: cel::Principal {
            id: &principal.id,
            roles: texts(&principal.roles, arena),
            attr: attributes(principal.attr.iter(), arena),
            policy_version: &principal.policy_version,
            scope: &principal.scope,
        },
        resources: resources.into_bump_slice(),
        aux_data,
    })
}

fn texts<'a>(texts: &'a [String], arena: &'a Bump) -> &'a [&'a str] {
    arena.alloc_slice_fill_iter(texts.iter().map(String::as_str))
}

fn now() -> Timestamp {
    orthrus_host::from_duration(since_1970(SystemTime::now()))
}
