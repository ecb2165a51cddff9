//! Whole decisions, one case a file: policies, a request, and what is to be answered.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

mod support;

use bumpalo::Bump;
use libtest_mimic::{Arguments, Failed, Trial};
use orthrus::cel::{Const, Timestamp};
use orthrus::check::{Decision, Detail};
use orthrus::contract::{CheckResourcesRequest, ResultEntry};
use orthrus::policy::Effect;
use serde_json::{Value, json};
use std::path::Path;
use support::{Archive, bundled, engine_by, files, stem, tests_directory};

fn main() {
    let cases = files(&tests_directory().join("decisions"), ".txt");
    let trials = cases.into_iter().map(|path| Trial::test(stem(&path), move || run(&path)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn run(path: &Path) -> Result<(), Failed> {
    let archive = Archive::read(path);
    let expected: Value = serde_json::from_str(archive.file("expected.json"))?;
    let request: Value = serde_json::from_str(archive.file("request.json"))?;
    let actual = decide(&archive, &request.to_string());
    if actual != expected {
        return Err(format!("expected {expected:#}\ngot {actual:#}").into());
    }
    let among_others = decide(&archive, &with_bare_twins(request).to_string());
    let actual: Value = among_others.as_array().into_iter().flatten().skip(1).step_by(2).cloned().collect();
    if actual != expected {
        return Err(
            format!("after a resource of the same kind, expected {expected:#}\ngot {actual:#}").into()
        );
    }
    Ok(())
}

/// The same request, with a resource of the same kind and without attributes before each resource.
fn with_bare_twins(mut request: Value) -> Value {
    let resources = request["resources"].as_array().cloned().unwrap_or_default();
    let with_twin = |entry: Value| {
        let mut twin = entry.clone();
        twin["resource"]["attr"] = json!({});
        [twin, entry]
    };
    request["resources"] = resources.into_iter().flat_map(with_twin).collect();
    request
}

/// Decides by the policies, and by the same policies after a journey as bytes, which must change nothing.
fn decide(archive: &Archive, request: &str) -> Value {
    let sources = archive.sources(&["request.json", "expected.json"]);
    let engine = engine_by(sources.clone(), archive.options()).unwrap_or_else(|errors| {
        panic!("{}", errors.iter().map(orthrus::text::Diagnostic::render).collect::<String>());
    });
    let bundled = bundled(sources, archive.options(), Const::map(Vec::new()));
    let [decided, decided_bundled] = [engine, bundled].map(|engine| decide_by(&engine, request));
    assert_eq!(decided, decided_bundled, "by the bundle");
    decided
}

fn decide_by(engine: &orthrus::Engine, request: &str) -> Value {
    let arena = Bump::new();
    let request = CheckResourcesRequest::from_json(request, &arena).unwrap();
    let detail = Detail { metadata: true, evaluation_errors: true, ..Detail::default() };
    let now = Timestamp::new(1_700_000_000, 0).unwrap();
    let decisions = engine.check_resources(&request, now, detail, &arena);
    let results = request.resources.iter().zip(decisions);
    results.map(|(entry, decision)| result(&request, entry, decision)).collect()
}

fn result(
    request: &CheckResourcesRequest<'_>,
    entry: &orthrus::contract::ResourceEntry<'_>,
    decision: &Decision<'_>,
) -> Value {
    let include_meta = request.include_meta;
    let mut json = serde_json::to_value(ResultEntry { entry, decision, include_meta, audit: None }).unwrap();
    let effects = entry.actions.iter().zip(decision.actions);
    json["actions"] = effects
        .map(|(action, decided)| {
            let effect = if decided.effect == Effect::Allow { "EFFECT_ALLOW" } else { "EFFECT_DENY" };
            ((*action).to_owned(), json!(effect))
        })
        .collect::<serde_json::Map<_, _>>()
        .into();
    json
}
