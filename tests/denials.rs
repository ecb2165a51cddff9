//! Which DENY rules are warned of: a table of conditions, and trees of conditions.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

mod support;

use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::text::{Code, Source};
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
    if matches { Ok(()) } else { Err(format!("expected {expected:?}, got {found:?}").into()) }
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
