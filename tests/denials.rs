//! Which DENY rules are warned of: a table of conditions. Those that are not are tried with many requests, none of which
//! may make them raise.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

mod support;

use std::fs;
use std::path::Path;

use bumpalo::Bump;
use libtest_mimic::{Arguments, Failed, Trial};
use orthrus::Engine;
use orthrus::cel::{Const, Timestamp};
use orthrus::check::{Detail, Options};
use orthrus::contract::CheckResourcesRequest;
use orthrus::schema::Enforcement;
use orthrus::text::{Code, Source};
use serde_json::{Map, Value, json};
use support::{engine, tests_directory};

fn main() {
    let directory = tests_directory().join("denials");
    let schema = fs::read_to_string(directory.join("resource.json")).unwrap();
    let mut trials = vec![
        Trial::test("the sample policies", || sample_policies(&tests_directory().join("../policies"))),
        Trial::test("strict evaluation skips no rule", strict),
    ];
    let mut section = String::new();
    for line in fs::read_to_string(directory.join("conditions.txt")).unwrap().lines() {
        if let Some(name) = line.strip_prefix("## ") {
            name.clone_into(&mut section);
        }
        let Some((condition, expected)) = line.split_once("  =>").filter(|_| !line.starts_with('#')) else {
            continue;
        };
        let (condition, expected) = (condition.to_owned(), expected.trim().to_owned());
        let schema = (section == "schema").then(|| schema.clone());
        trials.push(Trial::test(format!("{section}: {condition}"), move || {
            one(&condition, &expected, schema.as_deref())
        }));
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

/// A policy with one DENY rule.
fn sources(condition: &str, schema: Option<&str>) -> Vec<Source> {
    let schemas = schema.map_or("", |_| "schemas: { resourceSchema: { ref: 'cerbos:///resource.json' } }");
    let policy = format!(
        r#"apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: doc
  version: default
  {schemas}
  constants: {{ local: {{ end: "2027-01-01T00:00:00Z", limits: {{ small: 10 }}, names: [a] }} }}
  variables:
    local:
      guarded: has(R.attr.flag) && R.attr.flag == true
      flagged: has(R.attr.flag)
      raises: R.attr.flag == true
      chained: V.raises || V.guarded
      role: 'has(P.attr.role) ? P.attr.role : "none"'
  rules:
    - name: it
      actions: [view]
      roles: [user]
      effect: EFFECT_DENY
      condition:
        match:
          expr: >-
            {condition}
"#
    );
    let mut sources = vec![Source::new("doc.yaml", policy)];
    sources.extend(schema.map(|schema| Source::new("_schemas/resource.json", schema)));
    sources
}

fn globals() -> Const {
    Const::map(vec![(Const::string("env"), Const::string("test"))])
}

fn one(condition: &str, expected: &str, schema: Option<&str>) -> Result<(), Failed> {
    let engine = Engine::new(sources(condition, schema), Options::default(), globals())
        .map_err(|errors| errors.iter().map(|it| it.message.clone()).collect::<Vec<_>>().join("\n"))?;
    let found: Vec<&str> = engine.warnings().iter().map(|warning| warning.message.as_str()).collect();
    let prefix = "the DENY rule `it` is skipped when this raises an error: ";
    let matches = match found.as_slice() {
        [] => expected.is_empty(),
        [one] => !expected.is_empty() && one.strip_prefix(prefix) == Some(expected),
        _ => false,
    };
    if !matches {
        return Err(format!("expected {expected:?}, got {found:?}").into());
    }
    if expected.is_empty() { never_raises(condition, schema) } else { Ok(()) }
}

/// Evaluates a condition that cannot raise against many requests that the schema allows.
fn never_raises(condition: &str, schema: Option<&str>) -> Result<(), Failed> {
    let options = Options { schema_enforcement: Enforcement::Reject, ..Options::default() };
    let engine = Engine::new(sources(condition, schema), options, globals()).unwrap();
    let mut random = Random(1);
    for _ in 0..REQUESTS {
        let mut attributes = if schema.is_some() { required() } else { Map::new() };
        for name in ["a", "b", "l", "x", "at", "locked", "open", "status", "members", "flag", "note", "left"]
        {
            if let Some(value) = random.value() {
                attributes.insert(name.to_owned(), value);
            }
        }
        for name in ["owner", "amount", "tags", "due", "address", "tree", "either", "list", "closed"] {
            if let Some(value) = random.value().filter(|_| schema.is_some() && random.next(4) == 0) {
                attributes.insert(name.to_owned(), value);
            }
        }
        let of_principal = ["ip", "range", "role"].into_iter();
        let of_principal: Map<String, Value> =
            of_principal.filter_map(|name| Some((name.to_owned(), random.value()?))).collect();
        let request = json!({
            "principal": {"id": "u_1", "roles": ["user"], "attr": of_principal},
            "resources": [{"resource": {"kind": "doc", "id": "d:1", "attr": attributes}, "actions": ["view"]}],
        })
        .to_string();
        let arena = Bump::new();
        let parsed = CheckResourcesRequest::from_json(&request, &arena).unwrap();
        let detail = Detail { evaluation_errors: true, ..Detail::default() };
        let now = Timestamp::new(1_800_000_000, 0).unwrap();
        let decisions = engine.check_resources(&parsed, now, detail, &arena);
        // Variables are recorded as well, whether or not the condition comes to read them.
        if decisions[0].evaluation_errors.iter().any(|error| error.expression == condition) {
            return Err(format!("it raised for {request}").into());
        }
    }
    Ok(())
}

/// How many requests a condition is tried with.
const REQUESTS: u32 = 400;

/// What the schema requires.
fn required() -> Map<String, Value> {
    let attributes = json!({
        "owner": "u_1", "amount": 3, "tags": ["x"], "due": "2026-01-01T00:00:00Z", "address": {"city": "Bern"},
        "tree": {"left": {"left": {"name": "n"}}}, "either": null, "list": [1, "x"],
    });
    attributes.as_object().unwrap().clone()
}

/// A linear congruential generator: the same requests in every run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }

    /// A value of any kind, or none.
    fn value(&mut self) -> Option<Value> {
        let values = [
            json!(null),
            json!(true),
            json!(false),
            json!(2.5),
            json!(1e300),
            json!("x"),
            json!(""),
            json!("2026-01-01T00:00:00Z"),
            json!("10.0.0.1"),
            json!("10.0.0.0/8"),
            json!([]),
            json!(["x", "y"]),
            json!([1, null, "x", {}]),
            json!({}),
            json!({"b": 1, "left": {"left": {"name": "n"}}, "city": "Bern", "x": "y"}),
        ];
        usize::try_from(self.next(20)).ok().and_then(|at| values.get(at).cloned())
    }
}

fn strict() -> Result<(), Failed> {
    let options = Options { strict_evaluation: true, ..Options::default() };
    let engine = Engine::new(sources("R.attr.locked", None), options, globals()).unwrap();
    if engine.warnings().is_empty() { Ok(()) } else { Err("there is a warning".into()) }
}

fn sample_policies(directory: &Path) -> Result<(), Failed> {
    let mut sources = Vec::new();
    for folder in ["derived_roles", "exports", "principals", "resources"] {
        for path in support::files(&directory.join(folder), ".yaml") {
            let name = format!("{folder}/{}", path.file_name().unwrap().to_string_lossy());
            sources.push(Source::new(name, fs::read_to_string(path).unwrap()));
        }
    }
    let engine = engine(sources).unwrap();
    let skipped = engine.warnings().iter().filter(|warning| warning.code == Code::DenyMayBeSkipped);
    let skipped: Vec<String> = skipped.map(orthrus::text::Diagnostic::render).collect();
    if skipped.is_empty() { Ok(()) } else { Err(skipped.join("\n").into()) }
}
