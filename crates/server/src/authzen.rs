//! The Authorization API of AuthZEN (OpenID, 1.0), in the terms in which Cerbos maps it.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hash, RandomState};

use orthrus::policy::Effect;
use pbjson_types::Value;
use pbjson_types::value::Kind;
use prost::Message;
use tonic::Code;

use crate::call::Call;
use crate::cerbos::validated;
use crate::pdp::{Asked, Claims, Pdp};
use crate::proto::authzen::authorization::v1::{
    AccessEvaluationBatchRequest, AccessEvaluationBatchResponse, AccessEvaluationRequest,
    AccessEvaluationResponse, Action, MetadataResponse, Resource as AuthZenResource, Subject,
};
use crate::proto::cerbos::engine::v1::{Principal, Resource};
use crate::proto::cerbos::request::v1::AuxData;
use crate::proto::cerbos::response::v1::CheckResourcesResponse;
use crate::results::result_entry;
use crate::status::Status;
use crate::validate::Validate;
use crate::values::from_json;

type Fields = BTreeMap<String, Value>;

/// Where the endpoints are, for a client that reached this server by `base`.
pub(crate) fn metadata(base: &str) -> MetadataResponse {
    MetadataResponse {
        policy_decision_point: base.to_owned(),
        access_evaluation_endpoint: format!("{base}/access/v1/evaluation"),
        access_evaluations_endpoint: format!("{base}/access/v1/evaluations"),
    }
}

/// Decides one action of one resource.
pub(crate) async fn evaluation(
    pdp: &Pdp,
    call: &Call,
    request: &AccessEvaluationRequest,
) -> Result<AccessEvaluationResponse, Status> {
    request.validate()?;
    let one = One {
        subject: validated(request.subject.as_ref())?,
        resource: validated(request.resource.as_ref())?,
        action: validated(request.action.as_ref())?,
        context: &request.context,
    };
    let mut answered = evaluate(pdp, call, &[one], include_meta(&request.context)).await?;
    answered.pop().ok_or_else(|| Status::new(Code::Internal, "there is no answer"))
}

/// Decides several at once.
pub(crate) async fn evaluations(
    pdp: &Pdp,
    call: &Call,
    request: &AccessEvaluationBatchRequest,
) -> Result<AccessEvaluationBatchResponse, Status> {
    request.validate()?;
    let (count, limits) = (request.evaluations.len(), pdp.limits);
    let limit = limits.max_actions_per_resource.saturating_mul(limits.max_resources_per_request);
    if count > limit {
        return Err(Status::invalid(format!(
            "number of evaluations ({count}) exceeds configured limit ({limit})"
        )));
    }
    let all: Vec<One<'_>> = request
        .evaluations
        .iter()
        .map(|evaluation| {
            Ok(One {
                subject: validated(evaluation.subject.as_ref().or(request.subject.as_ref()))?,
                resource: validated(evaluation.resource.as_ref().or(request.resource.as_ref()))?,
                action: validated(evaluation.action.as_ref().or(request.action.as_ref()))?,
                context: if evaluation.context.is_empty() { &request.context } else { &evaluation.context },
            })
        })
        .collect::<Result<_, Status>>()?;
    let mut evaluations = evaluate(pdp, call, &all, include_meta(&request.context)).await?;
    let last = match request.options.as_ref().map_or("", |options| options.evaluations_semantic.as_str()) {
        "deny_on_first_deny" => Some(false),
        "permit_on_first_permit" => Some(true),
        _ => None,
    };
    if let Some(end) = last.and_then(|last| evaluations.iter().position(|it| it.decision == Some(last))) {
        evaluations.truncate(end + 1);
    }
    Ok(AccessEvaluationBatchResponse { evaluations })
}

/// An evaluation with the defaults filled in.
#[derive(Clone, Copy)]
struct One<'a> {
    subject: &'a Subject,
    resource: &'a AuthZenResource,
    action: &'a Action,
    context: &'a Fields,
}

/// Evaluations that are one question: of one subject with the same tokens.
struct Group<'a> {
    subject: &'a Subject,
    claims: Option<Claims>,
    request_id: &'a str,
    resources: Vec<Grouped<'a>>,
}

struct Grouped<'a> {
    asked: &'a AuthZenResource,
    resource: Resource,
    actions: Vec<String>,
    /// Where each is among them.
    known: HashMap<&'a str, usize>,
    /// Of each evaluation its place in the request, and that of its action.
    places: Vec<(usize, usize)>,
}

/// Decides each by its own subject, resource and tokens. (The PDP puts together what has the same ids, and decides by the properties of
/// the first of them.)
async fn evaluate(
    pdp: &Pdp,
    call: &Call,
    all: &[One<'_>],
    include_meta: bool,
) -> Result<Vec<AccessEvaluationResponse>, Status> {
    let groups = group(pdp, all).await?;
    let mut answers = vec![AccessEvaluationResponse::default(); all.len()];
    let mut size = 0_usize;
    for group in &groups {
        pdp.check_limits(group.resources.iter().map(|it| it.actions.as_slice()))?;
        let principal = principal(group.subject);
        let asked = Asked {
            request_id: group.request_id,
            include_meta,
            principal: &principal,
            resources: group.resources.iter().map(|it| (&it.resource, it.actions.as_slice())).collect(),
            claims: group.claims.as_ref(),
            request_context: None,
        };
        let (allowed, response) = pdp.decide(call, &asked, |decisions| {
            let allowed: Vec<Vec<bool>> = decisions
                .iter()
                .map(|decision| decision.actions.iter().map(|it| it.effect == Effect::Allow).collect())
                .collect();
            let results = asked.resources.iter().zip(decisions);
            let response = include_meta.then(|| CheckResourcesResponse {
                request_id: group.request_id.to_owned(),
                results: results
                    .map(|((resource, actions), decision)| result_entry(resource, actions, decision, true))
                    .collect(),
                cerbos_call_id: String::new(),
            });
            (allowed, response)
        })?;
        let context = match response {
            None => Fields::new(),
            Some(response) => {
                let places: usize = group.resources.iter().map(|it| it.places.len()).sum();
                // Each evaluation tells all of it.
                size = size.saturating_add(response.encoded_len().saturating_mul(places));
                pdp.check_size(size)?;
                context(&response)?
            }
        };
        for (grouped, allowed) in group.resources.iter().zip(&allowed) {
            for (place, action) in &grouped.places {
                let decision = allowed.get(*action).copied().unwrap_or(false);
                answers[*place] =
                    AccessEvaluationResponse { decision: Some(decision), context: context.clone() };
            }
        }
    }
    Ok(answers)
}

async fn group<'a>(pdp: &Pdp, all: &[One<'a>]) -> Result<Vec<Group<'a>>, Status> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    let (mut known, mut known_resources) = (Places::default(), Places::default());
    let mut verified: Option<(&Fields, Option<Claims>)> = None;
    for (place, one) in all.iter().enumerate() {
        // Most evaluations have the context of the request: its tokens are verified once.
        let claims = match &verified {
            Some((context, claims)) if std::ptr::eq(*context, one.context) => claims.clone(),
            _ => pdp.claims(aux_data(one.context)?.as_ref()).await?,
        };
        verified = Some((one.context, claims.clone()));
        let Subject { r#type, id, properties } = one.subject;
        let hash = known.hash((r#type, id, claims.as_ref().map(|it| &it.0)), properties);
        let is_same = |at: &usize| groups[*at].subject == one.subject && groups[*at].claims == claims;
        let group_at = known.find(hash, is_same).unwrap_or_else(|| {
            let request_id = text(one.context, "cerbos.requestId");
            known.add(hash, groups.len());
            groups.push(Group { subject: one.subject, claims, request_id, resources: Vec::new() });
            groups.len() - 1
        });
        let resources = &mut groups[group_at].resources;
        let AuthZenResource { r#type, id, properties } = one.resource;
        let hash = known_resources.hash((group_at, r#type, id), properties);
        let is_same = |at: &usize| resources.get(*at).is_some_and(|grouped| grouped.asked == one.resource);
        let resource_at = known_resources.find(hash, is_same).unwrap_or_else(|| {
            known_resources.add(hash, resources.len());
            resources.push(Grouped {
                asked: one.resource,
                resource: resource(one.resource),
                actions: Vec::new(),
                known: HashMap::new(),
                places: Vec::new(),
            });
            resources.len() - 1
        });
        let grouped = &mut resources[resource_at];
        let action = *grouped.known.entry(&one.action.name).or_insert_with(|| {
            grouped.actions.push(one.action.name.clone());
            grouped.actions.len() - 1
        });
        grouped.places.push((place, action));
    }
    Ok(groups)
}

/// Where something is in a list, by its hash: a client may send thousands that differ in little. Of two that have the same hash
/// the later one counts, and what is equal to the earlier one is decided once more.
#[derive(Default)]
struct Places {
    hasher: RandomState,
    by_hash: HashMap<u64, usize>,
}

impl Places {
    fn hash(&self, names: impl Hash, properties: &Fields) -> u64 {
        let fields = properties.iter().map(|(name, value)| (name, self.hash_value(value)));
        self.hasher.hash_one((names, fields.collect::<Vec<_>>()))
    }

    fn hash_value(&self, value: &Value) -> u64 {
        match &value.kind {
            None | Some(Kind::NullValue(_)) => 0,
            Some(Kind::BoolValue(value)) => self.hasher.hash_one(value),
            // 0 and -0 are equal.
            Some(Kind::NumberValue(value)) => self.hasher.hash_one((value + 0.0).to_bits()),
            Some(Kind::StringValue(value)) => self.hasher.hash_one(value),
            Some(Kind::ListValue(list)) => self
                .hasher
                .hash_one(list.values.iter().map(|value| self.hash_value(value)).collect::<Vec<_>>()),
            // In whatever order.
            Some(Kind::StructValue(fields)) => fields
                .fields
                .iter()
                .map(|(name, value)| self.hasher.hash_one((name, self.hash_value(value))))
                .fold(1, u64::wrapping_add),
        }
    }

    fn find(&self, hash: u64, is_same: impl Fn(&usize) -> bool) -> Option<usize> {
        self.by_hash.get(&hash).copied().filter(is_same)
    }

    fn add(&mut self, hash: u64, place: usize) {
        self.by_hash.insert(hash, place);
    }
}

fn principal(subject: &Subject) -> Principal {
    let roles: Vec<String> =
        match subject.properties.get("cerbos.roles").and_then(|value| value.kind.as_ref()) {
            Some(Kind::ListValue(list)) => list
                .values
                .iter()
                .filter_map(|value| match &value.kind {
                    Some(Kind::StringValue(role)) if !role.is_empty() => Some(role.clone()),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        };
    Principal {
        id: subject.id.clone(),
        policy_version: text(&subject.properties, "cerbos.policyVersion").to_owned(),
        // Somebody without roles is of one kind at least.
        roles: if roles.is_empty() { vec![subject.r#type.clone()] } else { roles },
        attr: subject.properties.clone(),
        scope: text(&subject.properties, "cerbos.scope").to_owned(),
    }
}

fn resource(resource: &AuthZenResource) -> Resource {
    Resource {
        kind: resource.r#type.clone(),
        policy_version: text(&resource.properties, "cerbos.policyVersion").to_owned(),
        id: resource.id.clone(),
        attr: resource.properties.clone(),
        scope: text(&resource.properties, "cerbos.scope").to_owned(),
    }
}

fn text<'a>(fields: &'a Fields, name: &str) -> &'a str {
    match fields.get(name).and_then(|value| value.kind.as_ref()) {
        Some(Kind::StringValue(text)) => text,
        _ => "",
    }
}

fn include_meta(context: &Fields) -> bool {
    matches!(
        context.get("cerbos.includeMeta").and_then(|value| value.kind.as_ref()),
        Some(Kind::BoolValue(true))
    )
}

fn aux_data(context: &Fields) -> Result<Option<AuxData>, Status> {
    let Some(value) = context.get("cerbos.auxData") else { return Ok(None) };
    let read = serde_json::to_value(value).and_then(serde_json::from_value);
    read.map(Some).map_err(|_| Status::invalid("invalid auxData"))
}

fn context(response: &CheckResourcesResponse) -> Result<Fields, Status> {
    let told =
        serde_json::to_value(response).map_err(|error| Status::new(Code::Internal, error.to_string()))?;
    Ok([("cerbos.response".to_owned(), from_json(told))].into())
}
