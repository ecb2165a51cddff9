//! The checks whose cost is measured: one principal, three actions, by policies of several kinds.

use std::hint::black_box;

use bumpalo::Bump;
use orthrus::Engine;
use orthrus::cel::{Const, Timestamp};
use orthrus::check::{Detail, Options};
use orthrus::contract::CheckResourcesRequest;
use orthrus::schema::Enforcement;
use orthrus::text::Source;

/// A check to be measured.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    kind: &'static str,
    pub(crate) policies: usize,
    /// How many resources a request has; the cost is that of one.
    pub(crate) resources: u32,
    enforcement: Enforcement,
}

pub(crate) const ROWS: [Row; 7] = [
    row("roles only", "roles_only", 5, Enforcement::None),
    row("owner and status", "owned", 5, Enforcement::None),
    row("derived roles, variables, condition tree", "derived", 5, Enforcement::None),
    Row { resources: 10, ..row("derived roles, one of 10 resources", "derived", 5, Enforcement::None) },
    row("attributes against schemas", "validated", 5, Enforcement::Reject),
    row("owner and status, 10 policies", "owned", 10, Enforcement::None),
    row("owner and status, 10000 policies", "owned", 10_000, Enforcement::None),
];

const fn row(name: &'static str, kind: &'static str, policies: usize, enforcement: Enforcement) -> Row {
    Row { name, kind, policies, resources: 1, enforcement }
}

/// The check of a row. What it is about is never freed.
pub(crate) fn check(row: &Row) -> impl FnMut() + use<> {
    let engine: &'static Engine = Box::leak(Box::new(engine(row.policies, row.enforcement)));
    let request = Box::leak(Box::new(request(row.kind, row.resources)));
    let mut arena = Bump::new();
    move || {
        black_box(engine.check_resources(
            black_box(request),
            Timestamp::default(),
            Detail::default(),
            &arena,
        ));
        arena.reset();
    }
}

fn request(kind: &str, resources: u32) -> CheckResourcesRequest<'static> {
    let resource = |id: u32| {
        format!(
            r#"{{"resource":{{"kind":"{kind}","id":"{id}","attr":{{"owner":"ann","status":"open","orgId":"acme","amount":12}}}},
            "actions":["read","write","delete"]}}"#
        )
    };
    let resources: Vec<String> = (0..resources).map(resource).collect();
    let text = format!(
        r#"{{"principal":{{"id":"ann","roles":["user"],"attr":{{"department":"sales","level":3,"org":{{"id":"acme"}}}}}},
            "resources":[{}]}}"#,
        resources.join(",")
    );
    match CheckResourcesRequest::from_json(text.leak(), Box::leak(Box::new(Bump::new()))) {
        Ok(request) => request,
        Err(error) => panic!("{error}"),
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
