//! Cerbos' service, whichever way a call came.

use std::collections::BTreeMap;

use crate::call::Call;
use crate::pdp::{Asked, Pdp};
use crate::proto::cerbos::engine::v1::Resource;
use crate::proto::cerbos::request::v1::{
    AttributesMap, CheckResourceBatchRequest, CheckResourceSetRequest, CheckResourcesRequest,
    PlanResourcesRequest,
};
use crate::proto::cerbos::response::v1::check_resource_set_response::{self as set_response, meta};
use crate::proto::cerbos::response::v1::{
    CheckResourceBatchResponse, CheckResourceSetResponse, CheckResourcesResponse, PlanResourcesResponse,
    ServerInfoResponse, check_resource_batch_response as batch_response,
};
use crate::results::{effective_derived_roles, effects, named, result_entry, validation_errors};
use crate::status::Status;
use crate::validate::Validate;

/// Decides about each resource by itself.
pub(crate) async fn check_resources(
    pdp: &Pdp,
    call: &Call,
    request: &CheckResourcesRequest,
) -> Result<CheckResourcesResponse, Status> {
    if let (Some(context), true) = (&request.request_context, pdp.audit.is_some()) {
        call.request_context.get_or_init(|| context.clone());
    }
    request.validate()?;
    pdp.check_limits(request.resources.iter().map(|entry| entry.actions.as_slice()))?;
    let claims = pdp.claims(request.aux_data.as_ref()).await?;
    let asked = Asked {
        request_id: &request.request_id,
        include_meta: request.include_meta,
        principal: validated(request.principal.as_ref())?,
        resources: entries(request.resources.iter().map(|entry| (&entry.resource, &entry.actions)))?,
        claims: claims.as_ref(),
        request_context: request.request_context.as_ref(),
    };
    let results = pdp.decide(call, &asked, |decisions| {
        let told = asked.resources.iter().zip(decisions);
        told.map(|((resource, actions), decision)| {
            result_entry(resource, actions, decision, request.include_meta)
        })
        .collect()
    })?;
    Ok(CheckResourcesResponse {
        request_id: request.request_id.clone(),
        results,
        cerbos_call_id: call.id.clone(),
    })
}

/// Decides the same actions about resources of one kind. Cerbos has deprecated it.
pub(crate) async fn check_resource_set(
    pdp: &Pdp,
    call: &Call,
    request: &CheckResourceSetRequest,
) -> Result<CheckResourceSetResponse, Status> {
    request.validate()?;
    let set = validated(request.resource.as_ref())?;
    pdp.check_limits(set.instances.iter().map(|_| request.actions.as_slice()))?;
    let claims = pdp.claims(request.aux_data.as_ref()).await?;
    let instance = |(id, attributes): (&String, &AttributesMap)| Resource {
        kind: set.kind.clone(),
        policy_version: set.policy_version.clone(),
        id: id.clone(),
        attr: attributes.attr.clone(),
        scope: set.scope.clone(),
    };
    let resources: Vec<Resource> = set.instances.iter().map(instance).collect();
    if resources.iter().any(|resource| resource.id.is_empty()) {
        return Err(Status::invalid("resource.instances: an id must not be empty"));
    }
    let asked = Asked {
        request_id: &request.request_id,
        include_meta: request.include_meta,
        principal: validated(request.principal.as_ref())?,
        resources: resources.iter().map(|resource| (resource, request.actions.as_slice())).collect(),
        claims: claims.as_ref(),
        request_context: None,
    };
    pdp.decide(call, &asked, |decisions| {
        let mut response = CheckResourceSetResponse {
            request_id: request.request_id.clone(),
            resource_instances: BTreeMap::new(),
            meta: request.include_meta.then(set_response::Meta::default),
        };
        for (resource, decision) in resources.iter().zip(decisions) {
            let told = set_response::ActionEffectMap {
                actions: effects(&request.actions, decision),
                validation_errors: validation_errors(decision),
            };
            response.resource_instances.insert(resource.id.clone(), told);
            if let Some(meta) = &mut response.meta {
                let told = meta::ActionMeta {
                    actions: named(&request.actions, decision, |action| meta::EffectMeta {
                        matched_policy: action.policy.to_string(),
                        matched_scope: action.scope.to_owned(),
                    }),
                    effective_derived_roles: effective_derived_roles(decision),
                };
                meta.resource_instances.insert(resource.id.clone(), told);
            }
        }
        response
    })
}

/// Decides about each resource by itself. Cerbos has deprecated it.
pub(crate) async fn check_resource_batch(
    pdp: &Pdp,
    call: &Call,
    request: &CheckResourceBatchRequest,
) -> Result<CheckResourceBatchResponse, Status> {
    request.validate()?;
    pdp.check_limits(request.resources.iter().map(|entry| entry.actions.as_slice()))?;
    let claims = pdp.claims(request.aux_data.as_ref()).await?;
    let asked = Asked {
        request_id: &request.request_id,
        include_meta: false,
        principal: validated(request.principal.as_ref())?,
        resources: entries(request.resources.iter().map(|entry| (&entry.resource, &entry.actions)))?,
        claims: claims.as_ref(),
        request_context: None,
    };
    let results = pdp.decide(call, &asked, |decisions| {
        let tell = |((resource, actions), decision): (&(&Resource, &[String]), &_)| {
            batch_response::ActionEffectMap {
                resource_id: resource.id.clone(),
                actions: effects(actions, decision),
                validation_errors: validation_errors(decision),
            }
        };
        asked.resources.iter().zip(decisions).map(tell).collect()
    })?;
    Ok(CheckResourceBatchResponse { request_id: request.request_id.clone(), results })
}

/// Plans are not made.
pub(crate) fn plan_resources(_request: &PlanResourcesRequest) -> Result<PlanResourcesResponse, Status> {
    let message =
        "PlanResources is not implemented by this version of orthrus: ask CheckResources, or a Cerbos PDP";
    Err(Status::new(tonic::Code::Unimplemented, message))
}

/// Which server answers.
pub(crate) fn server_info() -> ServerInfoResponse {
    ServerInfoResponse {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: option_env!("ORTHRUS_COMMIT").unwrap_or_default().to_owned(),
        build_date: option_env!("ORTHRUS_BUILD_DATE").unwrap_or_default().to_owned(),
    }
}

fn entries<'a>(
    entries: impl Iterator<Item = (&'a Option<Resource>, &'a Vec<String>)>,
) -> Result<Vec<(&'a Resource, &'a [String])>, Status> {
    entries.map(|(resource, actions)| Ok((validated(resource.as_ref())?, actions.as_slice()))).collect()
}

/// What validation has found to be there.
pub(crate) fn validated<T>(value: Option<&T>) -> Result<&T, Status> {
    value.ok_or_else(|| Status::invalid("a message is missing"))
}
