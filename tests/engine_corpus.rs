//! The conformance corpus' check suites: the store of the Cerbos PDP's own tests, and its requests with answers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

mod support;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use bumpalo::Bump;
use orthrus::Engine;
use orthrus::cel::{Const, Timestamp};
use orthrus::check::{Detail, Options};
use orthrus::contract::{CheckResourcesRequest, ResultEntry};
use orthrus::policy::Effect;
use orthrus::text::{Diagnostic, Source};
use serde_json::{Value, json};
use support::{Case, corpus, files, read_store, run_cases, stem, yaml};

fn main() {
    let mut trials: Vec<Case> = Vec::new();
    if let Some(corpus) = corpus("cerbos") {
        let store = read_store(&corpus.join("store"));
        let strict = Arc::new(store_engine(&store, false));
        let lenient = Arc::new(store_engine(&store, true));
        for (folder, engines) in [
            ("engine", vec![("strict", &strict), ("lenient", &lenient)]),
            ("engine_strict_scope_search", vec![("strict", &strict)]),
            ("engine_lenient_scope_search", vec![("lenient", &lenient)]),
        ] {
            for path in files(&corpus.join(folder), ".yaml") {
                for (mode, engine) in &engines {
                    let name = format!("{folder}/{}/{mode}_scope_search", stem(&path));
                    let (path, engine) = (path.clone(), Arc::clone(engine));
                    trials.push((name, Box::new(move || run_case(&engine, &yaml::read(&path)))));
                }
            }
        }
        trials.extend(strict_evaluation(&corpus.join("strict_evaluation")));
    }
    run_cases(trials, "engine.txt")
}

fn compile(sources: &[Source], options: Options, globals: Const) -> Engine {
    Engine::new(sources.iter().cloned(), options, globals)
        .unwrap_or_else(|errors| panic!("{}", errors.iter().map(Diagnostic::render).collect::<String>()))
}

fn store_engine(store: &[Source], lenient_scope_search: bool) -> Engine {
    let globals = Const::map(vec![(Const::string("environment"), Const::string("test"))]);
    compile(store, Options { lenient_scope_search, ..Options::default() }, globals)
}

fn run_case(engine: &Engine, case: &Value) -> Result<(), String> {
    let inputs = case["inputs"].as_array().unwrap();
    let outputs = case["wantOutputs"].as_array().unwrap();
    for (input, wanted) in inputs.iter().zip(outputs) {
        let actual = check(engine, input);
        let wanted = normalise_output(wanted);
        if actual != wanted {
            return Err(format!("{}\nwanted {wanted:#}\ngot {actual:#}", case["description"]));
        }
    }
    Ok(())
}

/// A `CheckInput` of the corpus, decided and written as a `CheckOutput`.
fn check(engine: &Engine, input: &Value) -> Value {
    let aux_data = input.get("auxData").or_else(|| input.get("aux_data")).cloned().unwrap_or(Value::Null);
    let request = json!({
        "includeMeta": true,
        "principal": input["principal"],
        "resources": [{"resource": input["resource"], "actions": input["actions"]}],
        "auxData": aux_data,
    })
    .to_string();
    let arena = Bump::new();
    let request = CheckResourcesRequest::from_json(&request, &arena).unwrap();
    let detail = Detail { metadata: true, evaluation_errors: true, ..Detail::default() };
    let now = Timestamp::new(1_700_000_000, 0).unwrap();
    let decisions = engine.check_resources(&request, now, detail, &arena);
    let (entry, decision) = (&request.resources[0], &decisions[0]);
    let details = serde_json::to_value(ResultEntry { entry, decision, include_meta: true }).unwrap();
    let actions = entry.actions.iter().zip(decision.actions).map(|(action, decided)| {
        let effect = if decided.effect == Effect::Allow { "EFFECT_ALLOW" } else { "EFFECT_DENY" };
        let wanted = json!({"effect": effect, "policy": decided.policy.to_string(), "scope": decided.scope});
        ((*action).to_owned(), wanted)
    });
    let errors = decision.evaluation_errors.iter().map(|error| error.expression);
    normalise_output(&json!({
        "actions": actions.collect::<serde_json::Map<_, _>>(),
        "effectiveDerivedRoles": details["meta"]["effectiveDerivedRoles"],
        "outputs": details["outputs"],
        "evaluationErrors": errors.map(|text| json!({"celError": {"expression": text}})).collect::<Vec<_>>(),
    }))
}

/// The parts that are compared, with defaults filled in and sets sorted. Messages of errors are cel-go's own.
fn normalise_output(output: &Value) -> Value {
    let field =
        |names: [&str; 2]| names.iter().find_map(|name| output.get(*name)).cloned().unwrap_or_default();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let actions = output["actions"].as_object().unwrap().iter().map(|(action, decided)| {
        let text = |name: &str| decided[name].as_str().unwrap_or_default().to_owned();
        (action.clone(), json!([text("effect"), text("policy"), text("scope")]))
    });
    let mut roles = list(&field(["effectiveDerivedRoles", "effective_derived_roles"]));
    roles.sort_by_key(Value::to_string);
    let mut outputs = list(&output["outputs"]);
    outputs.iter_mut().for_each(numbers_to_doubles);
    outputs.sort_by_key(|entry| (entry["src"].to_string(), entry["action"].to_string(), entry.to_string()));
    let errors = list(&field(["evaluationErrors", "evaluation_errors"]));
    let errors: BTreeSet<String> = errors
        .iter()
        .filter_map(|error| error["celError"]["expression"].as_str().map(str::to_owned))
        .collect();
    json!({
        "actions": actions.collect::<serde_json::Map<_, _>>(),
        "effectiveDerivedRoles": roles,
        "outputs": outputs,
        "evaluationErrors": errors,
    })
}

fn numbers_to_doubles(value: &mut Value) {
    match value {
        Value::Number(number) => *value = number.as_f64().into(),
        Value::Array(elements) => elements.iter_mut().for_each(numbers_to_doubles),
        Value::Object(fields) => fields.values_mut().for_each(numbers_to_doubles),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

fn strict_evaluation(directory: &Path) -> Vec<Case> {
    let sources = read_store(&directory.join("policies"));
    let cases = std::fs::read_to_string(directory.join("check.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    let sources = Arc::new(sources);
    let trial = |case: Value| -> Case {
        let name = format!("strict_evaluation/{}", case["name"].as_str().unwrap());
        let sources = Arc::clone(&sources);
        (name, Box::new(move || run_strict_case(&sources, &case)))
    };
    cases.into_iter().map(trial).collect()
}

fn run_strict_case(sources: &[Source], case: &Value) -> Result<(), String> {
    let strict_evaluation = case["strictEvaluation"].as_bool().unwrap();
    let engine =
        compile(sources, Options { strict_evaluation, ..Options::default() }, Const::map(Vec::new()));
    let wanted = case["wantActions"].as_object().unwrap();
    let mut resource = case["resource"].clone();
    resource["id"] = "1".into();
    let actual = check(
        &engine,
        &json!({
            "principal": {"id": "sam", "roles": ["user"]},
            "resource": resource,
            "actions": wanted.keys().collect::<Vec<_>>(),
        }),
    );
    for (action, effect) in wanted {
        if actual["actions"][action][0] != *effect {
            return Err(format!("{action}: wanted {effect}, got {:#}", actual["actions"]));
        }
    }
    let errors: BTreeSet<&str> =
        case["wantEvaluationErrorExprs"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let got: BTreeSet<&str> =
        actual["evaluationErrors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if errors == got { Ok(()) } else { Err(format!("evaluation errors: wanted {errors:?}, got {got:?}")) }
}
