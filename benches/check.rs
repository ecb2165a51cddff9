//! What a check costs inside the engine. Prints one JSON object a line: `{"name", "ns", "allocs"}`; `ns` is the
//! median over rounds of the mean time of one check with three actions, `allocs` the heap allocations of one check.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

use std::hint::black_box;
use std::time::Instant;

use bumpalo::Bump;
use orthrus::Engine;
use orthrus::cel::{Const, Timestamp};
use orthrus::check::{Detail, Options};
use orthrus::contract::CheckResourcesRequest;
use orthrus::schema::Enforcement;
use orthrus::text::Source;

const ROUNDS: usize = 30;
const CHECKS: u32 = 20_000;

fn main() {
    for (name, kind, actions) in [
        ("roles only", "roles_only", r#"["read","write","delete"]"#),
        ("owner and status", "owned", r#"["read","write","delete"]"#),
        ("derived roles, variables, condition tree", "derived", r#"["read","write","delete"]"#),
    ] {
        measure(name, &engine(1, Enforcement::None), kind, actions);
    }
    let schemas = engine(1, Enforcement::Reject);
    measure("attributes against schemas", &schemas, "validated", r#"["read","write","delete"]"#);
    for policies in [10, 10_000] {
        measure(
            &format!("owner and status, {policies} policies"),
            &engine(policies, Enforcement::None),
            "owned",
            r#"["read","write","delete"]"#,
        );
    }
}

fn engine(policies: usize, schema_enforcement: Enforcement) -> Engine {
    let mut sources = vec![
        Source::new("roles_only.yaml", ROLES_ONLY),
        Source::new("owned.yaml", OWNED),
        Source::new("derived.yaml", DERIVED),
        Source::new("derived_roles.yaml", DERIVED_ROLES),
        Source::new("validated.yaml", VALIDATED),
        Source::new("_schemas/user.json", USER_SCHEMA),
        Source::new("_schemas/resource.json", RESOURCE_SCHEMA),
    ];
    let more = (5..policies).map(|number| {
        let text = OWNED.replace("resource: owned", &format!("resource: owned_{number}"));
        Source::new(format!("owned_{number}.yaml"), text)
    });
    sources.extend(more);
    let options = Options { schema_enforcement, ..Options::default() };
    match Engine::new(sources, options, Const::map(Vec::new())) {
        Ok(engine) => engine,
        Err(errors) => panic!("{}", errors.iter().map(orthrus::text::Diagnostic::render).collect::<String>()),
    }
}

fn measure(name: &str, engine: &Engine, kind: &str, actions: &str) {
    let request = format!(
        r#"{{"principal":{{"id":"ann","roles":["user"],"attr":{{"department":"sales","level":3,"org":{{"id":"acme"}}}}}},
            "resources":[{{"resource":{{"kind":"{kind}","id":"7","attr":{{"owner":"ann","status":"open","orgId":"acme","amount":12}}}},
            "actions":{actions}}}]}}"#
    );
    let request_arena = Bump::new();
    let Ok(request) = CheckResourcesRequest::from_json(&request, &request_arena) else {
        panic!("a valid request")
    };
    let mut arena = Bump::new();
    let now = Timestamp::default();
    let mut check = || {
        black_box(engine.check_resources(black_box(&request), now, Detail::default(), &arena));
        arena.reset();
    };
    (0..CHECKS).for_each(|_| check());
    let allocs = allocation_counter::measure(&mut check).count_total;
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            (0..CHECKS).for_each(|_| check());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(CHECKS)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{{\"name\":\"{name}\",\"ns\":{:.1},\"allocs\":{allocs}}}", rounds[ROUNDS / 2]);
}

const ROLES_ONLY: &str = r#"
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: roles_only
  version: default
  rules:
    - { actions: [read, write], roles: [user], effect: EFFECT_ALLOW }
    - { actions: ["*"], roles: [admin], effect: EFFECT_ALLOW }
"#;

const OWNED: &str = r#"
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: owned
  version: default
  rules:
    - actions: [read]
      roles: [user]
      effect: EFFECT_ALLOW
    - actions: [write, delete]
      roles: [user]
      effect: EFFECT_ALLOW
      condition: { match: { expr: 'R.attr.owner == P.id && R.attr.status == "open"' } }
    - { actions: ["*"], roles: [admin], effect: EFFECT_ALLOW }
"#;

const DERIVED: &str = r#"
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: derived
  version: default
  importDerivedRoles: [bench]
  variables: { local: { small: R.attr.amount < 100.0, same_org: P.attr.org.id == R.attr.orgId } }
  rules:
    - { actions: [read], derivedRoles: [colleague], effect: EFFECT_ALLOW }
    - actions: [write, delete]
      derivedRoles: [owner]
      effect: EFFECT_ALLOW
      condition: { match: { all: { of: [ { expr: V.small }, { expr: V.same_org }, { none: { of: [ { expr: 'R.attr.status == "closed"' } ] } } ] } } }
    - actions: ["*"]
      roles: ["*"]
      effect: EFFECT_DENY
      condition: { match: { expr: P.attr.level < 1.0 } }
"#;

const DERIVED_ROLES: &str = r#"
apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: bench
  definitions:
    - { name: owner, parentRoles: [user], condition: { match: { expr: R.attr.owner == P.id } } }
    - { name: colleague, parentRoles: [user], condition: { match: { expr: P.attr.org.id == R.attr.orgId } } }
"#;

const VALIDATED: &str = r#"
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: validated
  version: default
  schemas:
    principalSchema: { ref: "cerbos:///user.json" }
    resourceSchema: { ref: "cerbos:///resource.json" }
  rules:
    - { actions: [read, write], roles: [user], effect: EFFECT_ALLOW }
"#;

const USER_SCHEMA: &str = r#"
{ "type": "object", "required": ["department", "level"],
  "properties": { "department": { "enum": ["sales", "legal"] }, "level": { "type": "integer", "minimum": 1 },
                  "org": { "type": "object", "properties": { "id": { "type": "string", "pattern": "^[a-z]+$" } } } } }
"#;

const RESOURCE_SCHEMA: &str = r##"
{ "type": "object", "required": ["owner"], "additionalProperties": false,
  "properties": { "owner": { "$ref": "#/$defs/name" }, "orgId": { "$ref": "#/$defs/name" }, "amount": { "maximum": 1000 },
                  "status": { "anyOf": [ { "const": "closed" }, { "const": "open" } ] } },
  "$defs": { "name": { "type": "string", "minLength": 1 } } }
"##;
