//! The CEL corpora: the conformance tests of the CEL specification as Cerbos answers them, and Cerbos' own.
//!
//! One test a case. Cases that are known to fail stand in `tests/expected_failures/cel.txt`; a listed
//! case that passes fails the run, so that the list can only shrink.

#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the harness reports on stdout, and stops where the corpus is not as described"
)]

mod cel_support;

use std::collections::BTreeSet;
use std::process::ExitCode;

use bumpalo::Bump;
use cel_support::{Corpus, attributes, constant, json_files, matches, static_type};
use libtest_mimic::{Arguments, Failed, Trial};
use orthrus::cel::{
    Activation, AuxData, Const, Declarations, EvalError, Expr, Map, NoNames, Principal, Program, Resource,
    Timestamp, Value,
};
use serde_json::Value as Json;

/// `2021-04-22T10:05:20.021-05:00`, the clock of `cerbos/cel_eval`.
const NOW_SECONDS: i64 = 1_619_103_920;
const NOW_NANOS: u32 = 21_000_000;

fn main() -> ExitCode {
    let Some(corpus) = Corpus::locate() else { return cel_support::missing_corpus() };
    let expected: BTreeSet<String> = include_str!("expected_failures/cel.txt")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect();
    let mut cases = cel_spec(&corpus);
    cases.extend(cel_lib(&corpus));
    cases.extend(cel_eval(&corpus));
    let names: BTreeSet<String> = cases.iter().map(|case| case.name.clone()).collect();
    let skipped = cases.iter().filter(|case| case.skip.is_some()).count();
    let stale: Vec<&String> = expected.difference(&names).collect();
    println!("cases {}, skipped {skipped}, expected failures {}", cases.len(), expected.len());
    if !stale.is_empty() {
        println!("expected failures that are no cases: {stale:?}");
        return ExitCode::FAILURE;
    }
    let trials = cases.into_iter().map(|case| case.into_trial(&expected)).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

struct Case {
    name: String,
    skip: Option<&'static str>,
    run: Box<dyn FnOnce() -> Result<(), String> + Send>,
}

impl Case {
    fn into_trial(self, expected: &BTreeSet<String>) -> Trial {
        let listed = expected.contains(&self.name);
        let run = self.run;
        let trial = Trial::test(self.name, move || match (run(), listed) {
            (Ok(()), false) | (Err(_), true) => Ok(()),
            (Ok(()), true) => Err(Failed::from("passes: take it off the list of expected failures")),
            (Err(message), false) => Err(Failed::from(message)),
        });
        match self.skip {
            Some(reason) => trial.with_kind(reason).with_ignored_flag(true),
            None => trial,
        }
    }
}

fn cel_spec(corpus: &Corpus) -> Vec<Case> {
    let mut cases = Vec::new();
    for (file, content) in json_files(&corpus.path("cel-spec")) {
        for (index, test) in content["tests"].as_array().into_iter().flatten().enumerate() {
            let text = |key: &str| test[key].as_str().unwrap_or_default();
            let name = format!("cel-spec/{file}/{}/{}#{index}", text("section"), text("name"));
            let test = test.clone();
            let skip = skip_spec(&test);
            cases.push(Case { name, skip, run: Box::new(move || as_cerbos(&test)) });
        }
    }
    cases
}

/// Where Cerbos gives another answer than the specification wants, so do we.
fn as_cerbos(test: &Json) -> Result<(), String> {
    match (run_spec(test), test["cerbos"].as_str()) {
        (Ok(()), Some("fail")) => {
            Err(format!("{}: as the specification wants it, unlike Cerbos", test["expr"]))
        }
        (Err(_), Some("fail")) => Ok(()),
        (result, _) => result,
    }
}

/// Why a case of the specification is not for Cerbos: of none of these it is known what Cerbos does.
fn skip_spec(test: &Json) -> Option<&'static str> {
    let has = |key: &str| !test[key].is_null();
    let tagged =
        |tag: &str| test["tags"].as_array().is_some_and(|tags| tags.iter().any(|known| known == tag));
    match test["cerbos"].as_str() {
        Some(_) => None,
        None if tagged("proto") => Some("protobuf messages"),
        None if has("container") => Some("containers"),
        None if has("disableCheck") || has("disableMacros") => Some("Cerbos always checks"),
        None if test["expr"]
            .as_str()
            .is_some_and(|expr| expr.contains("cel.index") || expr.contains("cel.iterVar")) =>
        {
            Some("extension that Cerbos does not enable")
        }
        None if test.to_string().contains("overloads") => Some("functions of the test"),
        None if test["typeEnv"].to_string().contains("\"message\"") => Some("protobuf messages"),
        None => None,
    }
}

fn run_spec(test: &Json) -> Result<(), String> {
    let expr = test["expr"].as_str().unwrap_or_default();
    let mut declarations = Declarations::new();
    for declared in test["typeEnv"].as_array().into_iter().flatten() {
        let ty =
            static_type(&declared["type"]).ok_or_else(|| format!("no such type: {}", declared["type"]))?;
        declarations = declarations.with(declared["name"].as_str().unwrap_or_default(), ty);
    }
    let compiled = Expr::parse_with(expr, &declarations);
    if test["cerbos"] == "compileError" {
        return compiled.map_or(Ok(()), |_| Err(format!("{expr}: compiles, and should not")));
    }
    let wants_error = !test["evalError"].is_null();
    let compiled = match compiled {
        Ok(compiled) => compiled,
        Err(_) if wants_error => return Ok(()),
        Err(issues) => return Err(format!("{expr}: {issues:?}")),
    };
    if let Some(ty) = static_type(&test["deducedType"])
        && ty != *compiled.result_type()
    {
        return Err(format!("{expr}: type {}, expected {ty}", compiled.result_type()));
    }
    if test["checkOnly"] == true {
        return Ok(());
    }
    let program = Program::lower(&compiled, &Bindings::of(&test["bindings"]));
    let arena = Bump::new();
    let (principal, resource) = (Principal::default(), Resource::default());
    let result = program.eval(&Activation::new(&arena, &principal, &resource));
    verdict(expr, result, wants_error, |value| matches(&test["value"], value), &test["value"])
}

fn verdict(
    expr: &str,
    result: Result<Value<'_>, EvalError<'_>>,
    wants_error: bool,
    matches: impl Fn(Value<'_>) -> bool,
    expected: &Json,
) -> Result<(), String> {
    match result {
        Ok(value) if !wants_error && matches(value) => Ok(()),
        Ok(value) => Err(format!("{expr}: gives {value:?}, expected {expected}")),
        Err(_) if wants_error => Ok(()),
        Err(error) => Err(format!("{expr}: fails with '{error}', expected {expected}")),
    }
}

/// The bindings of a case as constants.
struct Bindings(Vec<(String, Const)>);

impl Bindings {
    fn of(bindings: &Json) -> Self {
        let binding = |(name, value): (&String, &Json)| Some((name.clone(), constant(value)?));
        Self(bindings.as_object().into_iter().flatten().filter_map(binding).collect())
    }
}

impl orthrus::cel::Names for Bindings {
    fn variable(&self, _: &str) -> Option<u32> {
        None
    }

    fn constant(&self, name: &str) -> Option<&Const> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }
}

fn cel_lib(corpus: &Corpus) -> Vec<Case> {
    let mut cases = Vec::new();
    for (file, content) in json_files(&corpus.path("cerbos/cel_lib")) {
        for (index, test) in content.as_array().into_iter().flatten().cloned().enumerate() {
            let run = Box::new(move || run_lib(&test));
            cases.push(Case { name: format!("cerbos/cel_lib/{file}#{index}"), skip: None, run });
        }
    }
    cases
}

fn run_lib(test: &Json) -> Result<(), String> {
    let expr = test["expr"].as_str().unwrap_or_default();
    let wants_error = test["wantError"] == true;
    let compiled = match Expr::parse(expr) {
        Ok(compiled) => compiled,
        Err(_) if wants_error => return Ok(()),
        Err(issues) => return Err(format!("{expr}: {issues:?}")),
    };
    let program = Program::lower(&compiled, &NoNames);
    let arena = Bump::new();
    let (principal, resource) = (Principal::default(), Resource::default());
    let mut activation = Activation::new(&arena, &principal, &resource);
    activation.now = Timestamp::new(NOW_SECONDS, NOW_NANOS).unwrap_or_default();
    // A case on `timeSince` of May 2021 holds from then on.
    if expr.contains("timeSince") {
        activation.now = Timestamp::parse("2024-01-01T00:00:00Z").unwrap_or_default();
    }
    let same = |value: Value<'_>| {
        serde_json::to_value(orthrus::cel::Json(value)).is_ok_and(|json| json == test["want"])
    };
    verdict(expr, program.eval(&activation), wants_error, same, &test["want"])
}

fn cel_eval(corpus: &Corpus) -> Vec<Case> {
    let mut cases = Vec::new();
    for (file, content) in cel_support::yaml_files(&corpus.path("cerbos/cel_eval")) {
        let run = Box::new(move || run_eval(&content));
        cases.push(Case { name: format!("cerbos/cel_eval/{file}"), skip: None, run });
    }
    cases
}

fn run_eval(case: &Json) -> Result<(), String> {
    let arena = Bump::new();
    let request = &case["request"];
    let text = |json: &Json| -> String { json.as_str().unwrap_or_default().to_owned() };
    let arena_text = |json: &Json| -> &str { arena.alloc_str(&text(json)) };
    let roles: Vec<&str> =
        request["principal"]["roles"].as_array().into_iter().flatten().map(arena_text).collect();
    let principal = Principal {
        id: arena_text(&request["principal"]["id"]),
        roles: &roles,
        attr: attributes(&arena, &request["principal"]["attr"]),
        ..Principal::default()
    };
    let resource = Resource {
        kind: arena_text(&request["resource"]["kind"]),
        id: arena_text(&request["resource"]["id"]),
        attr: attributes(&arena, &request["resource"]["attr"]),
        ..Resource::default()
    };
    let jwt = attributes(&arena, &request["auxData"]["jwt"]);
    let aux_data = AuxData { jwt, jwts: Map::EMPTY };
    let conditions = Conditions::compile(&case["condition"])?;
    let mut activation = Activation::new(&arena, &principal, &resource);
    activation.aux_data = Some(&aux_data);
    activation.now = Timestamp::new(NOW_SECONDS, NOW_NANOS).unwrap_or_default();
    let result = conditions.holds(&activation).map(Value::Bool);
    let wants_error = case["wantError"] == true;
    let want = case["want"] == true;
    let same = |value: Value<'_>| matches!(value, Value::Bool(value) if value == want);
    verdict("condition", result, wants_error, same, &case["want"])
}

/// A condition as policies have it.
enum Conditions {
    Expr(Program),
    All(Vec<Conditions>),
    Any(Vec<Conditions>),
    None(Vec<Conditions>),
}

impl Conditions {
    fn compile(json: &Json) -> Result<Self, String> {
        let of = |key: &str| -> Option<Result<Vec<Self>, String>> {
            let list = json[key]["of"].as_array()?;
            Some(list.iter().map(Self::compile).collect())
        };
        if let Some(all) = of("all") {
            return all.map(Self::All);
        }
        if let Some(any) = of("any") {
            return any.map(Self::Any);
        }
        if let Some(none) = of("none") {
            return none.map(Self::None);
        }
        let text = json["expr"].as_str().unwrap_or_default();
        let expr = Expr::parse(text).map_err(|issues| format!("{text}: {issues:?}"))?;
        Ok(Self::Expr(Program::lower(&expr, &NoNames)))
    }

    fn holds<'a>(&'a self, activation: &Activation<'a>) -> Result<bool, EvalError<'a>> {
        match self {
            // An expression that fails is not satisfied, unless evaluation is strict.
            Self::Expr(program) => Ok(matches!(program.eval(activation), Ok(Value::Bool(true)))),
            Self::All(of) => {
                for condition in of {
                    if !condition.holds(activation)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Any(of) => {
                for condition in of {
                    if condition.holds(activation)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::None(of) => {
                for condition in of {
                    if condition.holds(activation)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }
}
