//! The conformance corpus' suites of the test runner: suites with the results that the Cerbos PDP gives.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

#[path = "../../../tests/support/mod.rs"]
mod support;

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::policy::Effect;
use orthrus::text::{Diagnostic, Source};
use orthrus_cli::verify::{self, Config, Test, TestResults};
use orthrus_cli::{Environment, Exit, Terminal};
use serde_json::{Map, Value, json};
use support::{Archive, Case, corpus, files, read_store, run_cases, stem, yaml};

fn main() {
    let mut cases = Vec::new();
    if let Some(corpus) = corpus("cerbos") {
        let engine = store_engine(&corpus.join("store"));
        for path in files(&corpus.join("verify/cases"), ".yaml") {
            let engine = Arc::clone(&engine);
            cases.push((
                format!("verify/{}", stem(&path)),
                Box::new(move || results_case(&engine, &path)) as _,
            ));
        }
        for path in files(&corpus.join("verify_junit/cases"), ".yaml") {
            let store = corpus.join("verify_junit/store");
            cases.push((
                format!("verify_junit/{}", stem(&path)),
                Box::new(move || junit_case(&store, &path)) as _,
            ));
        }
        let fixture = Arc::new(yaml::read(&corpus.join("verify/get_tests_fixture.yaml")));
        for path in files(&corpus.join("verify/test_suite_run_get_tests"), ".yaml") {
            let fixture = Arc::clone(&fixture);
            cases.push((
                format!("get_tests/{}", stem(&path)),
                Box::new(move || tests_case(&fixture, &path)) as _,
            ));
        }
    }
    let cases: Vec<Case> = cases;
    run_cases(cases, "verify.txt")
}

fn store_engine(store: &Path) -> Arc<Engine> {
    let engine = Engine::new(read_store(store), Options::default(), Const::map(Vec::new()));
    Arc::new(engine.unwrap_or_else(|errors| panic!("{}", render(errors.iter()))))
}

fn render<'d>(diagnostics: impl Iterator<Item = &'d Diagnostic>) -> String {
    diagnostics.map(Diagnostic::render).collect()
}

fn beside(path: &Path, ending: &str) -> String {
    fs::read_to_string(format!("{}{ending}", path.display())).unwrap()
}

fn run(engine: &Engine, path: &Path, config: &Config) -> TestResults {
    let sources = Archive::parse(&beside(path, ".input")).sources(&[]);
    verify::run(engine, &sources, config, &mut |_, _| {})
}

// --- verify/cases -------------------------------------------------------------------------------------

fn results_case(engine: &Engine, path: &Path) -> Result<(), String> {
    let config = &yaml::read(path)["config"];
    let keys = |name: &str| {
        let names = config[name].as_array().into_iter().flatten().filter_map(Value::as_str);
        names.map(|name| name.trim_start_matches("cerbos.").to_owned()).collect()
    };
    let config = Config {
        excluded_resource_policies: keys("excludedResourcePolicyFqns"),
        excluded_principal_policies: keys("excludedPrincipalPolicyFqns"),
        ..Config::default()
    };
    let mut actual = serde_json::to_value(run(engine, path, &config)).unwrap();
    let mut wanted: Value = serde_json::from_str(&beside(path, ".golden")).unwrap();
    let texts = [take_texts(&mut actual), take_texts(&mut wanted)];
    if actual != wanted {
        return Err(format!("wanted {wanted:#}\ngot {actual:#}"));
    }
    texts[0].iter().zip(&texts[1]).try_for_each(|(ours, theirs)| compare_texts(ours, theirs))
}

/// Takes what is worded freely out of results: errors, and the reasons that the runner gives for leaving tests out.
/// Sorts what has no order.
fn take_texts(results: &mut Value) -> Vec<String> {
    let mut texts = Vec::new();
    match results {
        Value::Array(elements) => texts.extend(elements.iter_mut().flat_map(take_texts)),
        Value::Object(fields) => {
            let excluded =
                fields.get("skipReason").and_then(Value::as_str).is_some_and(|it| it.contains("exclude"));
            for name in ["error", if excluded { "skipReason" } else { "error" }] {
                if let Some(Value::String(text)) = fields.get_mut(name) {
                    texts.push(std::mem::replace(text, "TEXT".to_owned()).replace('\u{a0}', " "));
                }
            }
            texts.extend(fields.values_mut().flat_map(take_texts));
            for name in ["outputs", "suites"] {
                if let Some(Value::Array(list)) = fields.get_mut(name) {
                    list.sort_by_key(|it| (it["src"].to_string(), it["file"].to_string()));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    texts
}

/// Errors are in other words than those of the PDP, and there may be more of them: it stops at the first mistake. One
/// of ours quotes no name that theirs does not, and where theirs begin with a line, so do ours.
fn compare_texts(ours: &str, theirs: &str) -> Result<(), String> {
    let names = |line: &str| line.split('"').skip(1).step_by(2).all(|name| theirs.contains(name));
    let same_names = ours.lines().filter(|line| !line.ends_with(':')).any(names);
    let same_lines = theirs.lines().filter_map(line_number).all(|line| ours.contains(&format!(":{line}:")));
    if same_names && same_lines {
        return Ok(());
    }
    Err(format!("the errors differ\n    ours: {ours}\n  theirs: {theirs}"))
}

/// The `12` of `12:34 message`.
fn line_number(text: &str) -> Option<u32> {
    let (line, rest) = text.split_once(':')?;
    rest.starts_with(|first: char| first.is_ascii_digit()).then(|| line.parse().ok())?
}

// --- verify_junit -------------------------------------------------------------------------------------

fn junit_case(store: &Path, path: &Path) -> Result<(), String> {
    let directory = tempfile::tempdir().unwrap();
    for source in Archive::parse(&beside(path, ".input")).sources(&[]) {
        let path = directory.path().join(source.name());
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, source.text()).unwrap();
    }
    let arguments = ["compile", "--test-output=junit", "--verbose", "--tests"].map(OsString::from);
    let paths = [directory.path().as_os_str().to_owned(), store.as_os_str().to_owned()];
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut terminal = Terminal::new(&mut out, &mut err, Environment::default());
    let exit = orthrus_cli::run(arguments.into_iter().chain(paths), &mut terminal);
    let wanted = without_error_texts(&beside(path, ".golden"));
    let actual = without_error_texts(&String::from_utf8(out).unwrap());
    if actual.trim_end() != wanted.trim_end() {
        return Err(format!("wanted {wanted}\ngot {actual}"));
    }
    let fails = ["<failure", "<error"].iter().any(|tag| wanted.contains(tag));
    if fails == (exit == Exit::TestsFailed) { Ok(()) } else { Err(format!("{exit:?}")) }
}

fn without_error_texts(xml: &str) -> String {
    let cut = |line: &str| match line.split_once("<error type=\"RESULT_ERRORED\">") {
        Some((indent, _)) => format!("{indent}<error/>\n"),
        None => line.to_owned(),
    };
    xml.split_inclusive('\n').map(cut).collect()
}

// --- verify/test_suite_run_get_tests ------------------------------------------------------------------

fn tests_case(fixture: &Value, path: &Path) -> Result<(), String> {
    let case = yaml::read(path);
    let mut suite = fixture.clone();
    suite["name"] = "suite".into();
    suite["tests"] = json!([case["table"]]);
    let source = Source::new("suite_test.json", suite.to_string());
    let suite = verify::read_suite(&source).map_err(|errors| render(errors.iter()))?;
    match (verify::expand(&suite), case["wantErr"].as_str()) {
        (Ok(tests), None) => {
            let tests: Value = tests.iter().map(test_json).collect();
            if tests == case["wantTests"] {
                return Ok(());
            }
            Err(format!("wanted {:#}\ngot {tests:#}", case["wantTests"]))
        }
        (Ok(_), Some(error)) => Err(format!("wanted the error {error}")),
        (Err(errors), None) => Err(render(errors.iter())),
        (Err(errors), Some(theirs)) => {
            errors.iter().try_for_each(|ours| compare_texts(&ours.message, theirs))
        }
    }
}

/// A test in the shape of the corpus: absent is empty.
fn test_json(test: &Test<'_>) -> Value {
    let mut principal = json!({"id": test.principal.1.id, "roles": test.principal.1.roles});
    let mut resource = json!({"kind": test.resource.1.kind, "id": test.resource.1.id});
    for (json, attr) in [(&mut principal, &test.principal.1.attr), (&mut resource, &test.resource.1.attr)] {
        let attr = to_json(attr);
        if attr != json!({}) {
            json["attr"] = attr;
        }
    }
    let actions: Vec<&str> = test.table.input.actions.iter().map(|action| action.as_str()).collect();
    let mut input = json!({"principal": principal, "resource": resource, "actions": actions});
    if let Some(aux_data) = test.aux_data {
        input["auxData"] = json!({"jwt": to_json(&aux_data.jwt)});
    }
    // A pair that nothing is expected of is to be denied everything.
    let effect = |action: &str| match test.expected.effects.get(action) {
        Some(Effect::Allow) => "EFFECT_ALLOW",
        Some(Effect::Deny) | None => "EFFECT_DENY",
    };
    let expected: Map<String, Value> =
        actions.iter().map(|action| ((*action).to_owned(), effect(action).into())).collect();
    let mut json = json!({
        "name": {
            "testTableName": test.table.name.value,
            "principalKey": test.principal.0,
            "resourceKey": test.resource.0,
        },
        "description": test.table.description,
        "input": input,
        "expected": expected,
    });
    for (action, outputs) in &test.expected.outputs {
        for output in outputs {
            json["expectedOutputs"][action]["entries"][&output.src.value] = json!(output.val);
        }
    }
    json
}

fn to_json(value: &Const) -> Value {
    serde_json::to_value(orthrus::cel::Json(value.value())).unwrap()
}
