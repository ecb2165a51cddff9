//! Laws that hold for every policy set, tried on the sample store.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

mod support;

use bumpalo::Bump;
use orthrus::Engine;
use orthrus::cel::Timestamp;
use orthrus::check::Detail;
use orthrus::contract::CheckResourcesRequest;
use orthrus::policy::Effect;
use orthrus::text::Source;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::path::Path;
use support::{engine, read_store};

fn sample() -> Vec<Source> {
    read_store(&Path::new(env!("CARGO_MANIFEST_DIR")).join("policies"))
}

/// Everything about a decision that a caller can see.
fn decide(engine: &Engine, request: &Value) -> String {
    let text = request.to_string();
    let arena = Bump::new();
    let request = CheckResourcesRequest::from_json(&text, &arena).unwrap();
    let detail = Detail { metadata: true, evaluation_errors: true, ..Detail::default() };
    let decisions =
        engine.check_resources(&request, Timestamp::new(1_700_000_000, 0).unwrap(), detail, &arena);
    format!("{decisions:?}")
}

fn effects(engine: &Engine, request: &Value) -> Vec<bool> {
    let text = request.to_string();
    let arena = Bump::new();
    let request = CheckResourcesRequest::from_json(&text, &arena).unwrap();
    let decisions = engine.check_resources(&request, Timestamp::default(), Detail::default(), &arena);
    decisions.iter().flat_map(|it| it.actions).map(|action| action.effect == Effect::Allow).collect()
}

const KINDS: [&str; 7] =
    ["organization", "project", "document", "billing", "api_key", "audit_log", "unknown"];
const ROLES: [&str; 8] =
    ["user", "org:admin", "org:member", "admin", "member", "api_key", "machine", "anonymous"];
const ACTIONS: [&str; 10] =
    ["view", "list", "create", "update", "edit", "delete", "share", "read", "billing:write", "invite"];

prop_compose! {
    fn requests()(
        roles in prop::sample::subsequence(ROLES.to_vec(), 1..4),
        kind in prop::sample::select(KINDS.to_vec()),
        actions in prop::sample::subsequence(ACTIONS.to_vec(), 1..5),
        (own_org, impersonated) in (prop::option::of("[ab]"), prop::option::of(any::<bool>())),
        (org, owner, status) in (prop::option::of("[ab]"), prop::option::of("(ann|bob)"), prop::option::of("(draft|published)")),
    ) -> Value {
        let mut principal = json!({"id": "ann", "roles": roles, "attr": {"authenticated": true}});
        if let Some(org) = own_org { principal["attr"]["org"] = json!({"id": org, "permissions": ["docs:read"]}); }
        if let Some(impersonated) = impersonated { principal["attr"]["impersonated"] = impersonated.into(); }
        let mut attr = json!({});
        if let Some(org) = org { attr["orgId"] = org.into(); }
        if let Some(owner) = owner { attr["ownerId"] = owner.into(); }
        if let Some(status) = status { attr["status"] = status.into(); }
        json!({"includeMeta": true, "principal": principal,
               "resources": [{"resource": {"kind": kind, "id": "1", "attr": attr}, "actions": actions}]})
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn the_order_of_files_changes_nothing(order in Just(sample()).prop_shuffle(), request in requests()) {
        thread_local! {
            static IN_ORDER: Engine = engine(sample()).unwrap();
        }
        let shuffled = engine(order).unwrap();
        let in_order = IN_ORDER.with(|in_order| decide(in_order, &request));
        prop_assert_eq!(in_order, decide(&shuffled, &request));
    }

    #[test]
    fn metadata_and_recorded_errors_change_no_effect(request in requests()) {
        thread_local! {
            static ENGINE: Engine = engine(sample()).unwrap();
        }
        ENGINE.with(|engine| {
            let quiet = effects(engine, &request);
            let text = request.to_string();
            let arena = Bump::new();
            let request = CheckResourcesRequest::from_json(&text, &arena).unwrap();
            let detail = Detail { metadata: true, evaluation_errors: true, ..Detail::default() };
            let told = engine.check_resources(&request, Timestamp::default(), detail, &arena);
            let told: Vec<bool> =
                told.iter().flat_map(|it| it.actions).map(|action| action.effect == Effect::Allow).collect();
            prop_assert_eq!(quiet, told);
            Ok(())
        })?;
    }

    #[test]
    fn an_action_alone_is_decided_as_among_others(request in requests()) {
        thread_local! {
            static ENGINE: Engine = engine(sample()).unwrap();
        }
        ENGINE.with(|engine| {
            let together = effects(engine, &request);
            let actions = request["resources"][0]["actions"].as_array().unwrap();
            for (action, effect) in actions.iter().zip(together) {
                let mut alone = request.clone();
                alone["resources"][0]["actions"] = json!([action]);
                prop_assert_eq!(effects(engine, &alone), vec![effect]);
            }
            Ok(())
        })?;
    }
}
