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

use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::text::{Diagnostic, Source};
use serde_json::{Value, json};
use support::engine_case::{check, run_case};
use support::{Case, bundled, corpus, files, read_store, run_cases, stem, yaml};

fn main() {
    let mut trials: Vec<Case> = Vec::new();
    if let Some(corpus) = corpus("cerbos") {
        let store = read_store(&corpus.join("store"));
        let strict = Arc::new(store_engine(&store, false));
        let lenient = Arc::new(store_engine(&store, true));
        // What a policy set decides does not depend on whether it has been bytes.
        let bundled = Arc::new(bundled(store.clone(), Options::default(), store_globals()));
        for (folder, engines) in [
            ("engine", vec![("strict", &strict), ("lenient", &lenient), ("bundled_strict", &bundled)]),
            ("engine_strict_scope_search", vec![("strict", &strict), ("bundled_strict", &bundled)]),
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
    compile(store, Options { lenient_scope_search, ..Options::default() }, store_globals())
}

fn store_globals() -> Const {
    Const::map(vec![(Const::string("environment"), Const::string("test"))])
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
