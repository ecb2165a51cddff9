//! What outlines tell of a compiled set.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails and says so")]

use std::fmt::Write;

use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::table::{Condition, NamesRead, PolicyOutline, RuleOutline};
use orthrus::text::Source;

const FILES: [(&str, &str); 5] = [
    (
        "document.yaml",
        "apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  importDerivedRoles: [relations]
  constants: { local: { limit: 5, unused: 6 } }
  variables: { local: { size: R.attr.size, small: V.size < C.limit, unread: V.small } }
  rules:
    - { actions: [view, 'view:*'], roles: [user, '*'], effect: EFFECT_ALLOW, condition: { match: { expr: V.small } } }
    - { actions: [edit], roles: ['team:*'], derivedRoles: [owner], effect: EFFECT_DENY, name: no-edit }
",
    ),
    (
        "document.acme.yaml",
        "apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  scope: acme
  scopePermissions: SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS
  rules:
    - { actions: [view], roles: [user], effect: EFFECT_ALLOW, condition: { match: { expr: R.attr.public } } }
",
    ),
    (
        "ann.yaml",
        "apiVersion: api.cerbos.dev/v1
principalPolicy:
  principal: ann
  version: default
  rules:
    - resource: 'docu*'
      actions: [ { action: '*', effect: EFFECT_ALLOW, output: { when: { ruleActivated: C.greeting } } } ]
  constants: { import: [texts] }
",
    ),
    (
        "guest.yaml",
        "apiVersion: api.cerbos.dev/v1
rolePolicy:
  role: guest
  rules:
    - { resource: document, allowActions: ['view[1]', list], condition: { match: { expr: R.attr.public } } }
",
    ),
    (
        "shared.yaml",
        "apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: relations
  constants: { import: [texts] }
  definitions:
    - { name: owner, parentRoles: ['*', user], condition: { match: { expr: R.attr.owner == C.greeting } } }
",
    ),
];

const TEXTS: &str = "apiVersion: api.cerbos.dev/v1
exportConstants: { name: texts, definitions: { greeting: hello } }
";

const EXPECTED: &str = "\
principal.ann.vdefault (ann.yaml) scope \"\" ancestors [] imports [\"export_constants.texts\"]
  constant greeting
  docu*_rule-001: Allow on docu* [\"*\"] for [] [] if -
resource.document.vdefault (document.yaml) scope \"\" ancestors [] imports [\"derived_roles.relations\", \"export_constants.texts\"]
  variable size = R.attr.size
  variable small = V.size < C.limit
  constant limit
  owner of derived_roles.relations from [\"*\"] if R.attr.owner == C.greeting
    constant greeting
  rule-001: Allow on - [\"view\", \"view:*\"] for [\"*\"] [] if V.small
  no-edit: Deny on - [\"edit\"] for [\"team:*\"] [\"owner\"] if -
resource.document.vdefault/acme (document.acme.yaml) scope \"acme\" ancestors [\"resource.document.vdefault\"] imports []
  rule-001: Deny on - [\"view\"] for [\"user\"] [] if none(R.attr.public)
role.guest.vdefault (guest.yaml) scope \"\" ancestors [] imports []
  : Allow on document [\"view[1]\", \"list\"] for [] [] if none(R.attr.public)
";

#[test]
fn outlines_tell_what_is_decided_by() {
    let sources = FILES.into_iter().chain([("texts.yaml", TEXTS)]);
    let sources = sources.map(|(name, text)| Source::new(name, text));
    let engine = Engine::new(sources, Options::default(), Const::map(Vec::new())).unwrap();
    let mut text = String::new();
    engine.outlines().iter().for_each(|outline| describe(outline, &mut text));
    assert_eq!(text, EXPECTED);
}

fn describe(outline: &PolicyOutline<'_>, text: &mut String) {
    let PolicyOutline { key, file, scope, ancestors, imports, .. } = outline;
    writeln!(text, "{key} ({file}) scope {scope:?} ancestors {ancestors:?} imports {imports:?}").unwrap();
    names(&outline.reads, "  ", text);
    for role in &outline.derived_roles {
        let (name, origin, parents) = (role.name, role.origin, &role.parent_roles);
        writeln!(text, "  {name} of {origin} from {parents:?} if {}", condition(role.condition)).unwrap();
        names(&role.reads, "    ", text);
    }
    for RuleOutline { name, resource, actions, roles, derived_roles, effect, condition: when, .. } in
        &outline.rules
    {
        let (resource, when) = (resource.unwrap_or("-"), condition(*when));
        writeln!(
            text,
            "  {name}: {effect:?} on {resource} {actions:?} for {roles:?} {derived_roles:?} if {when}"
        )
        .unwrap();
    }
}

fn names(reads: &NamesRead<'_>, indent: &str, text: &mut String) {
    reads
        .variables
        .iter()
        .for_each(|(name, expr)| writeln!(text, "{indent}variable {name} = {expr}").unwrap());
    reads.constants.iter().for_each(|(name, _)| writeln!(text, "{indent}constant {name}").unwrap());
}

fn condition(condition: Option<&Condition>) -> String {
    let all = |conditions: &[Condition]| -> String {
        conditions.iter().map(|it| self::condition(Some(it))).collect::<Vec<_>>().join(", ")
    };
    match condition {
        None => "-".to_owned(),
        Some(Condition::Expr(expression)) => expression.text.to_string(),
        Some(Condition::All(conditions)) => format!("all({})", all(conditions)),
        Some(Condition::Any(conditions)) => format!("any({})", all(conditions)),
        Some(Condition::None(conditions)) => format!("none({})", all(conditions)),
    }
}
