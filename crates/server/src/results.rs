//! Decisions as messages.

use std::collections::{BTreeMap, BTreeSet};

use orthrus::check::{self, ActionDecision, AttributeSource, Decision};
use orthrus::policy;
use orthrus::table::NameMap;

use crate::pdp::Asked;
use crate::proto::cerbos::audit::v1::AuditTrail;
use crate::proto::cerbos::effect::v1::Effect;
use crate::proto::cerbos::engine::v1::{
    CheckOutput, EvaluationError, OutputEntry, Resource, check_output, evaluation_error,
};
use crate::proto::cerbos::policy::v1::SourceAttributes;
use crate::proto::cerbos::response::v1::check_resources_response::{ResultEntry, result_entry};
use crate::proto::cerbos::schema::v1::{ValidationError, validation_error::Source};
use crate::values;

/// The part of a response that is about one resource.
pub(crate) fn result_entry(
    resource: &Resource,
    actions: &[String],
    decision: &Decision<'_>,
    include_meta: bool,
) -> ResultEntry {
    ResultEntry {
        resource: Some(result_entry::Resource {
            id: resource.id.clone(),
            kind: resource.kind.clone(),
            policy_version: resource.policy_version.clone(),
            scope: resource.scope.clone(),
        }),
        actions: effects(actions, decision),
        validation_errors: validation_errors(decision),
        meta: include_meta.then(|| result_entry::Meta {
            actions: named(actions, decision, |action| result_entry::meta::EffectMeta {
                matched_policy: action.policy.to_string(),
                matched_scope: action.scope.to_owned(),
            }),
            effective_derived_roles: effective_derived_roles(decision),
        }),
        outputs: decision.outputs.iter().map(output_entry).collect(),
    }
}

pub(crate) fn effects(actions: &[String], decision: &Decision<'_>) -> BTreeMap<String, i32> {
    named(actions, decision, |action| effect(action).into())
}

pub(crate) fn named<T>(
    actions: &[String],
    decision: &Decision<'_>,
    tell: impl Fn(&ActionDecision<'_>) -> T,
) -> BTreeMap<String, T> {
    actions.iter().zip(decision.actions).map(|(name, action)| (name.clone(), tell(action))).collect()
}

pub(crate) fn effective_derived_roles(decision: &Decision<'_>) -> Vec<String> {
    decision.effective_derived_roles.iter().map(|role| (*role).to_owned()).collect()
}

pub(crate) fn validation_errors(decision: &Decision<'_>) -> Vec<ValidationError> {
    let tell = |error: &check::ValidationError<'_>| ValidationError {
        path: error.path.to_owned(),
        message: error.message.to_owned(),
        source: match error.source {
            AttributeSource::Principal => Source::Principal.into(),
            AttributeSource::Resource => Source::Resource.into(),
        },
    };
    decision.validation_errors.iter().map(tell).collect()
}

fn effect(action: &ActionDecision<'_>) -> Effect {
    match action.effect {
        policy::Effect::Allow => Effect::Allow,
        policy::Effect::Deny => Effect::Deny,
    }
}

fn output_entry(output: &check::OutputEntry<'_>) -> OutputEntry {
    let told = output.value.map_err(|error| error.to_string()).and_then(values::output);
    let (val, error) = match told {
        Ok(value) => (Some(value), String::new()),
        Err(error) => (None, error),
    };
    OutputEntry {
        src: format!("{}#{}", output.policy, output.rule),
        val,
        action: output.action.to_owned(),
        error,
    }
}

/// What the audit log tells of the decision about one resource.
pub(crate) fn check_output(
    asked: &Asked<'_>,
    resource: &Resource,
    actions: &[String],
    decision: &Decision<'_>,
) -> CheckOutput {
    CheckOutput {
        request_id: asked.request_id.to_owned(),
        resource_id: resource.id.clone(),
        actions: named(actions, decision, |action| check_output::ActionEffect {
            effect: effect(action).into(),
            policy: action.policy.to_string(),
            scope: action.scope.to_owned(),
        }),
        effective_derived_roles: effective_derived_roles(decision),
        validation_errors: validation_errors(decision),
        outputs: decision.outputs.iter().map(output_entry).collect(),
        evaluation_errors: decision.evaluation_errors.iter().map(evaluation_error).collect(),
    }
}

fn evaluation_error(error: &check::EvaluationError<'_>) -> EvaluationError {
    let cel_error = evaluation_error::CelError {
        expression: error.expression.to_owned(),
        message: error.error.to_string(),
    };
    EvaluationError { error: Some(evaluation_error::Error::CelError(cel_error)) }
}

/// The policies whose rules were looked at, each with its file.
pub(crate) fn audit_trail(
    decisions: &[Decision<'_>],
    sources: &NameMap<Box<str>>,
    driver: Option<&str>,
) -> AuditTrail {
    let keys: BTreeSet<&str> = decisions.iter().flat_map(|it| it.trace).map(|entry| entry.policy).collect();
    let text = |text: &str| values::from_json(text.into());
    let attributes = |key: &str| {
        let source = sources.get(key).map_or("", |source| source);
        let driver = driver.map(|driver| ("driver".to_owned(), text(driver)));
        SourceAttributes {
            attributes: driver.into_iter().chain([("source".to_owned(), text(source))]).collect(),
        }
    };
    AuditTrail { effective_policies: keys.iter().map(|key| ((*key).to_owned(), attributes(key))).collect() }
}
