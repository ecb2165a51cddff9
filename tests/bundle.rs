//! Policy sets as bytes: the same bytes for the same policies, and nothing but an error for bytes that are wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

mod support;

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use bumpalo::Bump;
use orthrus::bundle::Unreadable;
use orthrus::cel::{Const, Timestamp};
use orthrus::check::{Detail, Options};
use orthrus::contract::{CheckResourcesRequest, ResultEntry};
use orthrus::schema::Enforcement;
use orthrus::text::Source;
use orthrus::{Engine, PayloadError, pack};
use proptest::prelude::*;
use support::{Archive, files, tests_directory};

/// The policies of `tests/decisions`, case by case.
fn stores() -> Vec<Vec<Source>> {
    let cases = files(&tests_directory().join("decisions"), ".txt");
    cases.iter().map(|path| Archive::read(path).sources(&["request.json", "expected.json"])).collect()
}

/// The sample policies of the project, which use most of the language.
fn samples() -> Vec<Source> {
    fn walk(folder: &Path, root: &Path, sources: &mut Vec<Source>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                walk(&path, root, sources);
            } else {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
                sources.push(Source::new(name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let root = tests_directory().join("../policies");
    let mut sources = Vec::new();
    walk(&root, &root, &mut sources);
    sources
}

fn payload(sources: Vec<Source>) -> Vec<u8> {
    pack(sources, false).unwrap_or_else(|errors| panic!("{}", errors.iter().next().unwrap().render())).payload
}

fn load(payload: &[u8], schema_enforcement: Enforcement) -> Result<Engine, PayloadError> {
    let options = Options { schema_enforcement, ..Options::default() };
    Engine::from_payload(payload, options, Const::map(Vec::new()))
}

/// What is decided about a document, in JSON with all details.
fn decide(engine: &Engine, request: &str) -> String {
    let arena = Bump::new();
    let request = CheckResourcesRequest::from_json(request, &arena).unwrap();
    let detail = Detail { metadata: true, evaluation_errors: true, trace: true };
    let decisions =
        engine.check_resources(&request, Timestamp::new(1_700_000_000, 0).unwrap(), detail, &arena);
    let entries = request.resources.iter().zip(decisions).map(|(entry, decision)| ResultEntry {
        entry,
        decision,
        include_meta: true,
        audit: Some(engine.policy_sources()),
    });
    serde_json::to_string(&entries.collect::<Vec<_>>()).unwrap()
}

/// A policy whose schema refuses what `REQUEST` says of the organization.
fn with_schema() -> Vec<Source> {
    let policy = r##"{
        "apiVersion": "api.cerbos.dev/v1",
        "resourcePolicy": {
            "resource": "organization", "version": "default",
            "schemas": {"resourceSchema": {"ref": "cerbos:///organization.json#/$defs/all"}},
            "rules": [{"actions": ["*"], "roles": ["*"], "effect": "EFFECT_ALLOW"}]
        }
    }"##;
    let schema = r#"{"$defs": {"all": {"type": "object", "properties": {"org": {"$ref": "/name.json"}}}}}"#;
    vec![
        Source::new("organization.json", policy),
        Source::new("_schemas/organization.json", schema),
        Source::new("_schemas/name.json", r#"{"type": "string", "pattern": "^[a-z]+$"}"#),
    ]
}

const REQUEST: &str = r#"{
    "includeMeta": true,
    "principal": {"id": "max", "roles": ["member", "user", "admin"], "attr": {"org": "acme", "orgRole": "member"}},
    "resources": [
        {"resource": {"kind": "document", "id": "1", "attr": {"org": "acme", "owner": "max", "status": "draft"}},
         "actions": ["view", "edit", "delete", "publish"]},
        {"resource": {"kind": "organization", "id": "acme", "attr": {"org": 7}}, "actions": ["view", "members:invite"]}
    ]
}"#;

#[test]
fn what_a_tool_tells_of_policies_is_the_same() {
    for sources in stores().into_iter().chain([samples()]) {
        let packed = pack(sources.clone(), true).unwrap();
        let engine = Engine::new(sources, Options::default(), Const::map(Vec::new())).unwrap();
        let loaded = load(&packed.payload, Enforcement::None).unwrap();
        assert_eq!(format!("{:?}", engine.outlines()), format!("{:?}", loaded.outlines()));
        assert_eq!(engine.policy_count(), loaded.policy_count());
        assert_eq!(engine.reads_clock(), loaded.reads_clock());
        assert_eq!(engine.principal_attributes(), loaded.principal_attributes());
    }
}

#[test]
fn what_was_loaded_makes_the_same_bytes() {
    let first = payload(samples());
    let mut reversed = samples();
    reversed.reverse();
    assert_eq!(first, payload(reversed));
    assert_eq!(first, payload(samples()));
}

#[test]
fn schemas_count_where_they_are_enforced() {
    let bytes = payload(with_schema());
    for enforcement in [Enforcement::None, Enforcement::Warn, Enforcement::Reject] {
        let options = Options { schema_enforcement: enforcement, ..Options::default() };
        let engine = Engine::new(with_schema(), options, Const::map(Vec::new())).unwrap();
        let loaded = load(&bytes, enforcement).unwrap();
        let decided = decide(&engine, REQUEST);
        assert_eq!(decided, decide(&loaded, REQUEST));
        assert_eq!(decided.contains("validationErrors"), enforcement != Enforcement::None, "{decided}");
    }
}

#[test]
fn without_schemas_none_are_enforced() {
    let packed = pack(samples(), true).unwrap();
    assert!(load(&packed.payload, Enforcement::None).is_ok());
    assert_eq!(load(&packed.payload, Enforcement::Warn).unwrap_err(), PayloadError::NoSchemas);
}

#[test]
fn other_functions_are_noticed() {
    let mut bytes = payload(samples());
    bytes[0] ^= 1;
    assert_eq!(
        load(&bytes, Enforcement::None).unwrap_err(),
        PayloadError::Unreadable(Unreadable::OtherFunctions)
    );
}

#[test]
fn a_part_is_refused() {
    let bytes = payload(samples());
    for length in (0..bytes.len()).step_by(13).chain(bytes.len() - 50..bytes.len()) {
        assert!(load(&bytes[..length], Enforcement::Reject).is_err(), "the first {length} bytes");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(load(&longer, Enforcement::Reject).is_err());
}

static SAMPLE: LazyLock<Vec<u8>> = LazyLock::new(|| payload(samples()));

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// A digest would tell. Without one, the worst is another decision.
    #[test]
    fn altered_bytes_are_refused_or_decide(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4)) {
        let mut bytes = SAMPLE.clone();
        for (index, byte) in changes {
            let index = index.index(bytes.len());
            bytes[index] = byte;
        }
        if let Ok(engine) = load(&bytes, Enforcement::Reject) {
            decide(&engine, REQUEST);
            prop_assert!(engine.outlines().len() <= engine.policy_count().max(1000));
        }
    }

    #[test]
    fn any_bytes_are_refused(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(load(&[&SAMPLE[..10], &noise[..]].concat(), Enforcement::None).is_err());
    }
}
