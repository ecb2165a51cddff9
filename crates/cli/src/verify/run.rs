//! Tests × engine → results.

use std::cell::Cell;
use std::collections::BTreeSet;

use bumpalo::Bump;
use orthrus::Engine;
use orthrus::cel::{self, Json, Map, Value};
use orthrus::check::{ActionDecision, Detail, Options, OutputEntry};
use orthrus::contract::{CheckResourcesRequest, ResourceEntry};
use orthrus::policy::{Effect, Kind, policy_key};

use super::matrix::Test;
use super::results::{
    Details, Failure, Outcome, Output, OutputFailure, OutputFailureKind, OutputValue, Success, SuiteResult,
    TestResult,
};
use super::suite::{ExpectedOutput, TestOptions};
use super::trace::trace;
use super::{Config, RulePlaces};

const NO_NOW: &str = "a policy asked for the time, and the options of the test do not set `now`";

/// Runs the tests of a suite.
pub(super) fn run(
    engine: &Engine,
    suite: &str,
    tests: &[Test<'_>],
    config: &Config,
    mut result: SuiteResult,
) -> SuiteResult {
    let mut arena = Bump::new();
    for test in tests {
        let names = (test.table.name.as_str(), test.principal.0, test.resource.0);
        let mut add = |action: &str, details| result.add(names.0, names.1, names.2, action, details);
        let actions: Vec<&str> = test.table.input.actions.iter().map(|action| action.as_str()).collect();
        let options = options(engine, test.options);
        if let Some(left_out) = left_out(suite, test, &actions, &options, config) {
            actions.iter().for_each(|action| add(action, left_out.clone()));
            continue;
        }
        let (wanted, filtered): (Vec<&str>, Vec<&str>) =
            actions.into_iter().partition(|action| config.filter.takes_action(action));
        let batch = if config.skip_batching { 1 } else { wanted.len().max(1) };
        for actions in wanted.chunks(batch) {
            let details = decide(engine, test, actions, &options, config.trace.as_ref(), &arena);
            actions.iter().zip(details).for_each(|(action, details)| add(action, details));
            arena.reset();
        }
        filtered
            .iter()
            .for_each(|action| add(action, Details::filtered("the test filter leaves the action out")));
    }
    result
}

/// The result of a test that is not run.
fn left_out(
    suite: &str,
    test: &Test<'_>,
    actions: &[&str],
    options: &Options,
    config: &Config,
) -> Option<Details> {
    let (principal, resource) = (test.principal, test.resource);
    let key = |kind, name, version: &str, scope: &str| {
        let version = if version.is_empty() { &options.default_policy_version } else { version };
        let scope = scope.strip_prefix('.').unwrap_or(scope);
        let scope = if scope.is_empty() { &options.default_scope } else { scope };
        policy_key(kind, name, version, scope)
    };
    let resource_key =
        || key(Kind::Resource, &resource.1.kind, &resource.1.policy_version, &resource.1.scope);
    let principal_key =
        || key(Kind::Principal, &principal.1.id, &principal.1.policy_version, &principal.1.scope);
    let excludes =
        |keys: &BTreeSet<String>, key: &dyn Fn() -> String| !keys.is_empty() && keys.contains(&key());
    if excludes(&config.excluded_resource_policies, &resource_key) {
        return Some(Details::skipped("the policy of the resource is excluded"));
    }
    if excludes(&config.excluded_principal_policies, &principal_key) {
        return Some(Details::skipped("the policy of the principal is excluded"));
    }
    if let Some(reason) = config.filter.leaves_out(suite, &test.table.name, principal.0, resource.0) {
        return Some(Details::filtered(reason));
    }
    if !actions.iter().any(|action| config.filter.takes_action(action)) {
        return Some(Details::filtered("the test filter leaves the action out"));
    }
    test.table.skip.then(|| Details::skipped(&test.table.skip_reason))
}

/// The options of a test over those of the engine. As in Cerbos, a test turns modes on and never off.
fn options(engine: &Engine, test: Option<&TestOptions>) -> Options {
    let mut options = engine.options().clone();
    if let Some(test) = test {
        options.lenient_scope_search |= test.lenient_scope_search;
        options.strict_evaluation |= test.strict_evaluation;
        if !test.default_policy_version.is_empty() {
            options.default_policy_version.clone_from(&test.default_policy_version);
        }
        if !test.default_scope.is_empty() {
            options.default_scope.clone_from(&test.default_scope);
        }
    }
    options
}

/// Decides some actions of a test, and compares.
fn decide(
    engine: &Engine,
    test: &Test<'_>,
    actions: &[&str],
    options: &Options,
    places: Option<&RulePlaces>,
    arena: &Bump,
) -> Vec<Details> {
    let now = test.options.and_then(|options| options.now);
    let now_was_read = Cell::new(false);
    // With evaluation errors, rules and variables are evaluated as far as the PDP evaluates them: only so does a
    // test notice every use of the time that the PDP notices.
    let detail = Detail { metadata: false, evaluation_errors: true, trace: places.is_some() };
    let mut call = engine.call(now.unwrap_or_default(), detail);
    if let Some(globals) =
        test.options.map(|options| map(&options.globals)).filter(|globals| !globals.is_empty())
    {
        call.globals = globals;
    }
    call.options = options;
    call.now_was_read = Some(&now_was_read);
    let roles: Vec<&str> = test.principal.1.roles.iter().map(String::as_str).collect();
    let entries = [ResourceEntry { resource: resource(test), actions }];
    let request = CheckResourcesRequest {
        request_id: "",
        include_meta: false,
        principal: principal(test, &roles),
        resources: &entries,
        aux_data: test.aux_data.map(|it| cel::AuxData { jwt: map(&it.jwt), jwts: map(&it.jwts) }),
    };
    let Some(decision) = engine.check_resources_by(call, &request, arena).first() else { return Vec::new() };
    let time_is_missing = now.is_none() && now_was_read.get();
    let judge = |(action, decided): (&&str, &ActionDecision<'_>)| {
        let details = if time_is_missing {
            Details::errored(NO_NOW)
        } else {
            compare(test, action, decided.effect, decision.outputs)
        };
        Details { trace: places.map_or_else(Vec::new, |places| trace(action, decision, places)), ..details }
    };
    actions.iter().zip(decision.actions).map(judge).collect()
}

fn principal<'a>(test: &'a Test<'_>, roles: &'a [&'a str]) -> cel::Principal<'a> {
    let principal = test.principal.1;
    cel::Principal {
        id: &principal.id,
        roles,
        attr: map(&principal.attr),
        policy_version: &principal.policy_version,
        scope: &principal.scope,
    }
}

fn resource<'a>(test: &'a Test<'_>) -> cel::Resource<'a> {
    let resource = test.resource.1;
    cel::Resource {
        kind: &resource.kind,
        id: &resource.id,
        attr: map(&resource.attr),
        policy_version: &resource.policy_version,
        scope: &resource.scope,
    }
}

fn map(constant: &cel::Const) -> Map<'_> {
    match constant.value() {
        Value::Map(map) => map,
        _ => Map::EMPTY,
    }
}

/// Compares the answer to an action with what is expected: effects first, and outputs where the effects agree.
fn compare(test: &Test<'_>, action: &str, actual: Effect, outputs: &[OutputEntry<'_>]) -> Details {
    let expected = test.expected.effects.get(action).copied().unwrap_or(Effect::Deny);
    let outputs: Vec<Output> = outputs.iter().filter(|it| it.action == action).map(output).collect();
    let failures = if expected == actual {
        let wanted = test.expected.outputs.get(action).into_iter().flatten();
        wanted.filter_map(|wanted| output_failure(wanted, &outputs)).collect()
    } else {
        Vec::new()
    };
    if expected != actual || !failures.is_empty() {
        return Details::new(
            TestResult::Failed,
            Outcome::Failure(Failure { expected, actual, outputs: failures }),
        );
    }
    Details::new(TestResult::Passed, Outcome::Success(Success { effect: actual, outputs }))
}

fn output(entry: &OutputEntry<'_>) -> Output {
    let value = match entry.value {
        Err(error) => OutputValue::Error(error.to_string()),
        Ok(value) => match serde_json::to_value(Json(value)) {
            Ok(value) => OutputValue::Val(value),
            Err(error) => OutputValue::Error(error.to_string()),
        },
    };
    Output { src: format!("{}#{}", entry.policy, entry.rule), action: entry.action.to_owned(), value }
}

/// What is wrong with an output that is to be there. Where a rule has several for the action, the last counts.
fn output_failure(wanted: &ExpectedOutput, outputs: &[Output]) -> Option<OutputFailure> {
    let expected = wanted.val.clone();
    let found = outputs.iter().rfind(|output| output.src == wanted.src.value).map(|output| &output.value);
    let kind = match found {
        None => OutputFailureKind::Missing { expected },
        Some(OutputValue::Error(error)) => OutputFailureKind::Errored { expected, error: error.clone() },
        Some(OutputValue::Val(actual)) if expected.as_ref() == Some(actual) => return None,
        Some(OutputValue::Val(actual)) => OutputFailureKind::Mismatched { expected, actual: actual.clone() },
    };
    Some(OutputFailure { src: wanted.src.value.clone(), kind })
}
