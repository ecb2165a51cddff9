//! Order never matters: files, the rules in them, and the roles and actions of rules and requests may be shuffled.
//! What the PDP answers otherwise by order is refused (`tests/diagnostics/policies_that_clash.txt`), or has one answer here.

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
use orthrus::check::{Detail, Options};
use orthrus::contract::CheckResourcesRequest;
use orthrus::policy::Effect;
use orthrus::text::Source;
use proptest::prelude::*;
use serde_json::{Value, json};
use support::engine_by;

const KINDS: [&str; 2] = ["doc", "photo"];
const ROLES: [&str; 4] = ["user", "admin", "auditor", "org:lead"];
const ACTIONS: [&str; 4] = ["view", "edit", "edit:own", "delete"];
const CONSENT: &str = "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS";

fn condition() -> impl Strategy<Value = Option<&'static str>> {
    let met_or_not = ["R.attr.a", "R.attr.b", "!R.attr.a", "P.attr.x == R.attr.x", "R.attr.missing == 1"];
    prop::option::of(prop::sample::select(met_or_not.to_vec()))
}

fn some(
    names: &[&'static str],
    patterns: &[&'static str],
) -> impl Strategy<Value = Vec<&'static str>> + use<> {
    let all: Vec<_> = names.iter().chain(patterns).copied().collect();
    prop::sample::subsequence(all, 1..4).prop_shuffle()
}

prop_compose! {
    fn rule()(
        actions in some(&ACTIONS, &["*", "edit*", "edit:*"]),
        roles in some(&ROLES, &["*", "org:*"]),
        owners in any::<bool>(),
        denies in prop::bool::weighted(0.3),
        condition in condition(),
    ) -> Value {
        let effect = if denies { "EFFECT_DENY" } else { "EFFECT_ALLOW" };
        let mut rule = json!({"actions": actions, "roles": roles, "effect": effect});
        if owners { rule["derivedRoles"] = json!(["owner", "peer"]); }
        if let Some(expr) = condition { rule["condition"] = json!({"match": {"expr": expr}}); }
        rule
    }
}

prop_compose! {
    fn role_rule()(
        resource in prop::sample::select(vec!["doc", "photo", "*", "d*"]),
        actions in some(&ACTIONS, &["*", "edit*"]),
        condition in condition(),
    ) -> Value {
        let mut rule = json!({"resource": resource, "allowActions": actions});
        if let Some(expr) = condition { rule["condition"] = json!({"match": {"expr": expr}}); }
        rule
    }
}

fn rules<S: Strategy<Value = Value>>(rule: impl Fn() -> S) -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec(rule(), 1..5)
}

fn policy(body: &Value) -> Value {
    let mut policy = json!({"apiVersion": "api.cerbos.dev/v1"});
    policy.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
    policy
}

prop_compose! {
    /// Policies of two kinds in a scope and its parent, for one principal, and for roles on top of others.
    fn policies()(
        of_kinds in prop::collection::vec(rules(rule), 4),
        of_principal in rules(role_rule),
        of_roles in prop::collection::vec((rules(role_rule), some(&ROLES, &[])), 0..3),
        consent in any::<bool>(),
    ) -> Vec<Value> {
        let mut all = vec![policy(&json!({"derivedRoles": {"name": "roles", "definitions": [
            {"name": "owner", "parentRoles": ["user", "org:lead"], "condition": {"match": {"expr": "R.attr.b"}}},
            {"name": "peer", "parentRoles": ["*"], "condition": {"match": {"expr": "P.attr.x == R.attr.x"}}},
        ]}}))];
        for (index, rules) in of_kinds.iter().enumerate() {
            let mut body = json!({"resource": KINDS[index % 2], "version": "default", "rules": rules,
                                  "importDerivedRoles": ["roles"]});
            if index >= 2 {
                body["scope"] = "a".into();
                if consent { body["scopePermissions"] = CONSENT.into(); }
            }
            all.push(policy(&json!({"resourcePolicy": body})));
        }
        let own: Vec<Value> = of_principal.iter().map(|rule| {
            let actions = rule["allowActions"].as_array().unwrap().iter();
            let effect = |index| if index % 2 == 0 { "EFFECT_ALLOW" } else { "EFFECT_DENY" };
            let action = |(index, action): (usize, &Value)| {
                let mut own = json!({"action": action, "effect": effect(index)});
                if let Some(condition) = rule.get("condition") { own["condition"] = condition.clone(); }
                own
            };
            json!({"resource": rule["resource"], "actions": actions.enumerate().map(action).collect::<Vec<_>>()})
        }).collect();
        let mut resources = std::collections::BTreeSet::new();
        let own: Vec<Value> =
            own.into_iter().filter(|rule| resources.insert(rule["resource"].to_string())).collect();
        all.push(policy(&json!({"principalPolicy": {"principal": "ann", "version": "default", "rules": own}})));
        for ((rules, parents), role) in of_roles.iter().zip(["auditor", "org:lead", "user"]) {
            let body = json!({"role": role, "scope": "a", "parentRoles": parents, "rules": rules});
            all.push(policy(&json!({"rolePolicy": body})));
        }
        all
    }
}

prop_compose! {
    fn request()(
        id in prop::sample::select(vec!["ann", "bob"]),
        roles in some(&ROLES, &[]),
        (kind, scope) in (prop::sample::select(KINDS.to_vec()), prop::sample::select(vec!["", "a"])),
        actions in Just(ACTIONS.to_vec()).prop_shuffle(),
        (a, b, x) in (any::<bool>(), any::<bool>(), prop::option::of("[xy]")),
    ) -> Value {
        let mut attr = json!({"a": a, "b": b});
        if let Some(x) = x { attr["x"] = x.into(); }
        json!({"principal": {"id": id, "roles": roles, "attr": {"x": "x"}},
               "resources": [{"resource": {"kind": kind, "id": "1", "scope": scope, "attr": attr}, "actions": actions}]})
    }
}

/// Lists whose order means nothing.
const LISTS: [&str; 6] = ["rules", "actions", "roles", "derivedRoles", "parentRoles", "allowActions"];

/// Orders each of those lists by the numbers given.
fn shuffle(value: &mut Value, numbers: &mut impl Iterator<Item = u64>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                shuffle(field, numbers);
                if let (Value::Array(items), true) = (&mut *field, LISTS.contains(&name.as_str())) {
                    let mut keyed: Vec<_> =
                        items.drain(..).map(|item| (numbers.next().unwrap_or(0), item)).collect();
                    keyed.sort_by_key(|(number, _)| *number);
                    items.extend(keyed.into_iter().map(|(_, item)| item));
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| shuffle(item, numbers)),
        _ => {}
    }
}

fn compiled(policies: &[Value], strict_evaluation: bool) -> Engine {
    let sources = policies.iter().enumerate();
    let sources = sources.map(|(index, policy)| Source::new(format!("{index}.json"), policy.to_string()));
    engine_by(sources.collect(), Options { strict_evaluation, ..Options::default() }).unwrap_or_else(
        |errors| panic!("{}", errors.iter().map(orthrus::text::Diagnostic::render).collect::<String>()),
    )
}

/// Which actions are allowed, by name.
fn allowed(engine: &Engine, request: &Value) -> Vec<String> {
    let text = request.to_string();
    let arena = Bump::new();
    let request = CheckResourcesRequest::from_json(&text, &arena).unwrap();
    let decisions = engine.check_resources(&request, Timestamp::default(), Detail::default(), &arena);
    let names = request.resources.iter().flat_map(|entry| entry.actions);
    let decided = names.zip(decisions.iter().flat_map(|it| it.actions));
    let mut allowed: Vec<_> = decided
        .filter(|(_, decided)| decided.effect == Effect::Allow)
        .map(|(name, _)| (*name).to_owned())
        .collect();
    allowed.sort();
    allowed
}

/// Everything that is said about a request.
fn decided(engine: &Engine, request: &Value) -> String {
    let text = request.to_string();
    let arena = Bump::new();
    let request = CheckResourcesRequest::from_json(&text, &arena).unwrap();
    let detail = Detail { metadata: true, evaluation_errors: true, ..Detail::default() };
    format!("{:?}", engine.check_resources(&request, Timestamp::default(), detail, &arena))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rules_roles_and_actions_may_stand_in_any_order(
        policies in policies(),
        request in request(),
        numbers in prop::collection::vec(any::<u64>(), 400),
    ) {
        let (mut shuffled, mut asked, mut numbers) = (policies.clone(), request.clone(), numbers.into_iter());
        shuffled.iter_mut().for_each(|policy| shuffle(policy, &mut numbers));
        shuffle(&mut asked, &mut numbers);
        let in_order = allowed(&compiled(&policies, false), &request);
        prop_assert_eq!(in_order, allowed(&compiled(&shuffled, false), &asked));
    }

    /// Strictly, an error in a rule denies more than a denial does, and which of them the PDP meets first changes from start to
    /// start. (Rules of resource policies it takes in the order of the file, and so do we.)
    #[test]
    fn strictly_rules_of_role_policies_may_stand_in_any_order(
        policies in policies(),
        request in request(),
        numbers in prop::collection::vec(any::<u64>(), 400),
    ) {
        let (mut shuffled, mut numbers) = (policies.clone(), numbers.into_iter());
        let role_policies = shuffled.iter_mut().filter(|policy| policy.get("rolePolicy").is_some());
        role_policies.for_each(|policy| shuffle(policy, &mut numbers));
        let in_order = allowed(&compiled(&policies, true), &request);
        prop_assert_eq!(in_order, allowed(&compiled(&shuffled, true), &request));
    }

    #[test]
    fn files_may_come_in_any_order(
        (policies, shuffled) in policies().prop_flat_map(|all| (Just(all.clone()), Just(all).prop_shuffle())),
        request in request(),
        strict in any::<bool>(),
    ) {
        let in_order = decided(&compiled(&policies, strict), &request);
        prop_assert_eq!(in_order, decided(&compiled(&shuffled, strict), &request));
    }
}
