//! The conformance corpus' suites of schemas: what the PDP's validator refuses, and what enforcement makes of it.

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
use libtest_mimic::{Arguments, Trial};
use orthrus::Engine;
use orthrus::cel::{Const, Map, ValueSeed};
use orthrus::check::Options;
use orthrus::policy::FileKind;
use orthrus::schema::{Compiler, Enforcement, Library};
use orthrus::text::{Code, Diagnostic, Diagnostics, Label, Severity, Source, Span};
use serde::de::DeserializeSeed;
use serde_json::{Value, json};
use support::engine_case::{check, run_case};
use support::{corpus, engine_with, files, read_store, stem, yaml};

const MODES: [(&str, Enforcement); 3] =
    [("none", Enforcement::None), ("warn", Enforcement::Warn), ("reject", Enforcement::Reject)];

fn main() {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    if let Some(corpus) = corpus("cerbos") {
        let store = Arc::new(read_store(&corpus.join("store")));
        for (mode, enforcement) in MODES {
            let folder = corpus.join("engine_schema_enforcement").join(mode);
            for path in if folder.is_dir() { files(&folder, ".yaml") } else { Vec::new() } {
                let name = format!("engine_schema_enforcement/{mode}/{}", stem(&path));
                let store = Arc::clone(&store);
                trials.push(Trial::test(name, move || {
                    let engine = store_engine(&store, enforcement);
                    run_case(&engine, &yaml::read(&path)).map_err(Into::into)
                }));
            }
        }
        let schemas = Arc::new(read_store(&corpus.join("schema/fs")));
        for path in files(&corpus.join("schema/test_cases"), ".yaml") {
            for (mode, enforcement) in MODES {
                let name = format!("schema/test_cases/{}/{mode}", stem(&path));
                let (path, schemas) = (path.clone(), Arc::clone(&schemas));
                trials.push(Trial::test(name, move || run(&path, &schemas, enforcement).map_err(Into::into)));
            }
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn store_engine(store: &[Source], schema_enforcement: Enforcement) -> Engine {
    let globals = Const::map(vec![(Const::string("environment"), Const::string("test"))]);
    let options = Options { schema_enforcement, ..Options::default() };
    Engine::new(store.iter().cloned(), options, globals)
        .unwrap_or_else(|errors| panic!("{}", render(&errors)))
}

fn render(diagnostics: &Diagnostics) -> String {
    diagnostics.iter().map(Diagnostic::render).collect()
}

fn run(path: &Path, schemas: &[Source], enforcement: Enforcement) -> Result<(), String> {
    let case = yaml::read(path);
    let wanted: Vec<&Value> = case["wantValidationErrors"].as_array().into_iter().flatten().collect();
    let is_unloadable = |error: &&Value| error["message"].as_str().unwrap().starts_with("Failed to load");
    if wanted.iter().any(is_unloadable) {
        return refuses(&case, schemas, enforcement);
    }
    let wanted: BTreeSet<[&str; 3]> = wanted.into_iter().map(error).collect();
    match case.get("checkInput") {
        Some(input) => checks(&case, input, schemas, enforcement, &wanted),
        None => plans(&case, schemas, &wanted),
    }
}

fn error(error: &Value) -> [&str; 3] {
    ["source", "path", "message"].map(|field| error[field].as_str().unwrap())
}

/// The resource policy of a case, with a rule that allows everything.
fn policy(case: &Value) -> Source {
    let policy = json!({
        "apiVersion": "api.cerbos.dev/v1",
        "resourcePolicy": {
            "resource": case["checkInput"]["resource"]["kind"],
            "version": case["checkInput"]["resource"]["policyVersion"],
            "schemas": case["schemaRefs"],
            "rules": [{"actions": ["*"], "roles": ["*"], "effect": "EFFECT_ALLOW"}],
        },
    });
    Source::new("policy.json", policy.to_string())
}

fn sources(case: &Value, schemas: &[Source]) -> Vec<Source> {
    std::iter::once(policy(case)).chain(schemas.iter().cloned()).collect()
}

/// Where the PDP tells with every answer that a schema cannot be loaded, the policies are refused from the start. Where it says
/// nothing, because schemas are not enforced, the policies are accepted with a warning.
fn refuses(case: &Value, schemas: &[Source], enforcement: Enforcement) -> Result<(), String> {
    let diagnostics = match (engine_with(sources(case, schemas), enforcement), enforcement) {
        (Ok(engine), Enforcement::Ignored | Enforcement::None) => engine.warnings().clone(),
        (Err(diagnostics), Enforcement::Warn | Enforcement::Reject) => diagnostics,
        (Ok(_), _) => return Err("the policies are accepted".to_owned()),
        (Err(diagnostics), _) => return Err(render(&diagnostics)),
    };
    let about_schemas = |diagnostic: &Diagnostic| diagnostic.code == Code::InvalidSchema;
    let about_others =
        |diagnostic: &&Diagnostic| !about_schemas(diagnostic) && diagnostic.severity == Severity::Error;
    match diagnostics.iter().find(about_others) {
        Some(other) => Err(other.render()),
        None if diagnostics.iter().any(about_schemas) => Ok(()),
        None => Err("nothing is said about schemas".to_owned()),
    }
}

fn checks(
    case: &Value,
    input: &Value,
    schemas: &[Source],
    enforcement: Enforcement,
    wanted: &BTreeSet<[&str; 3]>,
) -> Result<(), String> {
    let engine = engine_with(sources(case, schemas), enforcement).map_err(|errors| render(&errors))?;
    let output = check(&engine, input);
    let errors: BTreeSet<_> = output["validationErrors"].as_array().unwrap().iter().map(error).collect();
    let effects: Vec<&Value> =
        output["actions"].as_object().unwrap().values().map(|action| &action[0]).collect();
    let (expected, effect) = match enforcement {
        Enforcement::Ignored | Enforcement::None => (&BTreeSet::new(), "EFFECT_ALLOW"),
        Enforcement::Warn => (wanted, "EFFECT_ALLOW"),
        Enforcement::Reject => (wanted, if wanted.is_empty() { "EFFECT_ALLOW" } else { "EFFECT_DENY" }),
    };
    if errors != *expected || effects.iter().any(|it| **it != effect) {
        return Err(format!("wanted {effect} with {expected:?}\ngot {effects:?} with {errors:?}"));
    }
    Ok(())
}

/// A query plan does not ask for the attributes of a resource that are required.
fn plans(case: &Value, schemas: &[Source], wanted: &BTreeSet<[&str; 3]>) -> Result<(), String> {
    let library = Library::new(schemas.iter().filter_map(|source| match FileKind::of(source.name()) {
        FileKind::Schema { id } => Some((id, source.clone())),
        _ => None,
    }));
    let mut compiler = Compiler::new(&library);
    let referrer = Label::new(&Source::new("policy.json", ""), Span::default());
    let mut compile = |schema: &str| {
        compiler.reference(case["schemaRefs"][schema]["ref"].as_str().unwrap(), referrer.clone()).unwrap()
    };
    let (principal, resource) = (compile("principalSchema"), compile("resourceSchema"));
    let set = compiler.finish().schemas;
    let arena = Bump::new();
    let validate = |schema, whose: &str| {
        let text = arena.alloc_str(&case["planResourcesInput"][whose]["attr"].to_string());
        let value =
            ValueSeed::new(&arena).deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap();
        let attributes = if let orthrus::cel::Value::Map(map) = value { map } else { Map::EMPTY };
        set.validate(schema, attributes, &arena)
    };
    let of_principal =
        validate(principal, "principal").iter().map(|it| ["SOURCE_PRINCIPAL", it.path, it.message]);
    let of_resource =
        validate(resource, "resource").iter().filter(|violation| violation.keyword != "required");
    let of_resource = of_resource.map(|it| ["SOURCE_RESOURCE", it.path, it.message]);
    let errors: BTreeSet<_> = of_principal.chain(of_resource).collect();
    if errors == *wanted { Ok(()) } else { Err(format!("wanted {wanted:?}\ngot {errors:?}")) }
}
