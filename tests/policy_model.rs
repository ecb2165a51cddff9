//! What the decoder makes of each kind of policy, and of the freedoms that the format gives.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a helper that fails, fails its test")]

use orthrus::policy::{
    Body, Budget, ConditionKind, ConstantValue, Constants, Effect, Kind, Policy, ResourcePolicy,
    ResourceRule, ScopePermissions, Spanned, parse, parse_file, parse_stream,
};
use orthrus::text::{Code, Diagnostics, Position, Source, Span};

fn read(text: &str) -> Policy {
    let errors = |errors: Diagnostics| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    parse(&Source::new("policy.yaml", text), &Budget::default()).map_err(errors).unwrap()
}

fn codes(text: &str) -> Vec<Code> {
    let errors = parse(&Source::new("policy.yaml", text), &Budget::default()).err().unwrap_or_default();
    errors.iter().map(|error| error.code).collect()
}

/// A resource policy; `rest` follows its `version`.
fn resource(rest: &str) -> ResourcePolicy {
    let text = format!(
        "apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: document\n  version: default\n{rest}"
    );
    match read(&text).body {
        Body::Resource(policy) => policy,
        other => panic!("{other:?}"),
    }
}

/// A rule; `rest` follows its `actions`.
fn rule(rest: &str) -> ResourceRule {
    resource(&format!("  rules:\n    - actions: [view]\n{rest}")).rules.remove(0)
}

fn names(strings: &[Spanned<String>]) -> Vec<&str> {
    strings.iter().map(|string| string.value.as_str()).collect()
}

#[test]
fn each_kind_has_its_identity() {
    let cases = [
        (
            "resourcePolicy: {resource: 'a:b', version: v1, scope: acme.hr}",
            Kind::Resource,
            "resource.a_b.vv1/acme.hr",
        ),
        (
            "principalPolicy: {principal: daisy, version: default}",
            Kind::Principal,
            "principal.daisy.vdefault",
        ),
        ("rolePolicy: {role: admin}", Kind::Role, "role.admin.vdefault"),
        ("rolePolicy: {role: admin, version: '', scope: acme}", Kind::Role, "role.admin.vdefault/acme"),
        (
            "derivedRoles: {name: common-roles, definitions: [{name: owner, parentRoles: [user]}]}",
            Kind::DerivedRoles,
            "derived_roles.common_roles",
        ),
        ("exportVariables: {name: shared}", Kind::ExportVariables, "export_variables.shared"),
        ("exportConstants: {name: shared}", Kind::ExportConstants, "export_constants.shared"),
    ];
    for (body, kind, key) in cases {
        let policy = read(&format!("apiVersion: api.cerbos.dev/v1\n{body}\n"));
        assert_eq!((policy.kind(), policy.key().as_str()), (kind, key), "{body}");
    }
}

#[test]
fn principal_policies_hold_actions_by_resource() {
    let policy = read(
        "apiVersion: api.cerbos.dev/v1\nprincipalPolicy:\n  principal: daisy\n  version: default\n  rules:\n    \
         - resource: 'doc:*'\n      actions:\n        - {action: view, effect: EFFECT_ALLOW, name: look}\n        \
         - {action: '*', effect: EFFECT_DENY, output: {expr: '1'}}\n",
    );
    let Body::Principal(body) = policy.body else { panic!("a principal policy") };
    let [rule] = &*body.rules else { panic!("one rule") };
    assert_eq!(rule.resource.value, "doc:*");
    let actions: Vec<_> =
        rule.actions.iter().map(|action| (action.action.value.as_str(), action.effect)).collect();
    assert_eq!(actions, [("view", Effect::Allow), ("*", Effect::Deny)]);
    assert_eq!(rule.actions[0].name.as_ref().unwrap().value, "look");
    assert!(rule.actions[0].output.is_none() && rule.actions[1].output.is_some());
}

#[test]
fn role_policies_hold_allowed_actions() {
    let policy = read(
        "apiVersion: api.cerbos.dev/v1\nrolePolicy:\n  role: clerk\n  parentRoles: [user]\n  scopePermissions: \
         SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS\n  rules:\n    - resource: doc\n      \
         allowActions: [view, 'edit:*']\n      condition: {match: {expr: 'true'}}\n",
    );
    let Body::Role(body) = policy.body else { panic!("a role policy") };
    assert_eq!(names(&body.parent_roles), ["user"]);
    assert_eq!(names(&body.rules[0].allow_actions), ["view", "edit:*"]);
    assert!(body.rules[0].condition.is_some());
}

#[test]
fn fields_may_be_written_in_snake_case() {
    let policy = resource(
        "  import_derived_roles: [common]\n  scope_permissions: SCOPE_PERMISSIONS_OVERRIDE_PARENT\n  schemas:\n    \
         principal_schema: {ref: 'cerbos:///p.json', ignore_when: {actions: ['*']}}\n  rules:\n    \
         - actions: [view]\n      effect: EFFECT_DENY\n      derived_roles: [owner]\n      output: {when: \
         {rule_activated: '1', condition_not_met: '2'}}\n",
    );
    assert_eq!(names(&policy.import_derived_roles), ["common"]);
    assert_eq!(policy.scope_permissions.as_deref(), Some(&ScopePermissions::OverrideParent));
    let schema = policy.schemas.unwrap().principal.unwrap();
    assert_eq!(
        (schema.reference.value.as_str(), names(&schema.ignore_when_actions)),
        ("cerbos:///p.json", vec!["*"])
    );
    let output = policy.rules[0].output.clone().unwrap();
    assert_eq!(output.rule_activated.unwrap().value, "1");
    assert_eq!(output.condition_not_met.unwrap().value, "2");
    assert_eq!(names(&policy.rules[0].derived_roles), ["owner"]);
}

#[test]
fn string_fields_take_scalars_by_value() {
    for (written, value) in
        [("010", "8"), ("0x1F", "31"), ("1_000", "1000"), ("+5", "5"), ("TRUE", "TRUE"), ("1e3", "1e3")]
    {
        let text = format!("apiVersion: api.cerbos.dev/v1\nexportVariables: {{name: {written}}}\n");
        assert_eq!(read(&text).name(), value);
    }
}

#[test]
fn effects_may_be_numbers() {
    assert_eq!(rule("      effect: 1\n").effect, Effect::Allow);
    assert_eq!(rule("      effect: 2\n").effect, Effect::Deny);
    let unspecified = "apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: document\n  version: default\n  \
                       rules:\n    - actions: [view]\n      effect: EFFECT_UNSPECIFIED\n";
    assert_eq!(codes(unspecified), [Code::MissingField]);
}

#[test]
fn outputs_prefer_when_and_drop_what_is_empty() {
    let output =
        |text: &str| rule(&format!("      effect: EFFECT_ALLOW\n      output: {text}\n")).output.unwrap();
    let activated = |text: &str| output(text).rule_activated.map(|text| text.value);
    assert_eq!(activated("{expr: 'a'}").as_deref(), Some("a"));
    assert_eq!(activated("{expr: 'a', when: {ruleActivated: 'b'}}").as_deref(), Some("b"));
    assert_eq!(activated("{expr: 'a', when: {ruleActivated: ''}}").as_deref(), Some("a"));
    assert_eq!(activated("{when: {conditionNotMet: 'b'}}"), None);
    assert_eq!(output("{when: {conditionNotMet: 'b'}}").condition_not_met.unwrap().value, "b");
    assert_eq!(activated("{}"), None);
}

#[test]
fn constants_hold_any_json_with_sorted_keys() {
    let policy =
        resource("  constants:\n    import: [shared]\n    local: {m: {b: 1, a: [~, true, '1', 1.5]}}\n");
    let Constants { import, local } = policy.constants;
    assert_eq!(names(&import), ["shared"]);
    let ConstantValue::Map(map) = &local[0].value.value else { panic!("a map") };
    assert_eq!(map.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let ConstantValue::List(list) = &map[0].1.value else { panic!("a list") };
    let list: Vec<_> = list.iter().map(|constant| &constant.value).collect();
    assert_eq!(
        list,
        [
            &ConstantValue::Null,
            &ConstantValue::Bool(true),
            &ConstantValue::String("1".to_owned()),
            &ConstantValue::Number(1.5)
        ]
    );
    assert_eq!(map[1].1.value, ConstantValue::Number(1.0));
}

#[test]
fn a_nearer_alternative_replaces_a_merged_one() {
    let policy = resource(
        "  rules:\n    - actions: [view]\n      effect: EFFECT_ALLOW\n      condition:\n        match: &m\n          \
         expr: 'true'\n    - actions: [edit]\n      effect: EFFECT_ALLOW\n      condition:\n        match:\n          \
         <<: *m\n          any: {of: [{expr: 'a'}, {all: {of: [{expr: 'b'}]}}, {none: {of: [{expr: 'c'}]}}]}\n",
    );
    let ConditionKind::Any(of) = &policy.rules[1].condition.as_ref().unwrap().kind else { panic!("any") };
    assert!(matches!(&of[0].kind, ConditionKind::Expr(text) if text.value == "a"));
    assert!(matches!(&of[1].kind, ConditionKind::All(of) if of.len() == 1));
    assert!(matches!(&of[2].kind, ConditionKind::None(of) if of.len() == 1));
}

#[test]
fn a_field_replaces_its_merged_other_spelling() {
    let policy = resource(
        "  rules:\n    - &r\n      actions: [view]\n      effect: EFFECT_ALLOW\n      derived_roles: [owner]\n    \
         - <<: *r\n      derivedRoles: [editor]\n",
    );
    assert_eq!(names(&policy.rules[1].derived_roles), ["editor"]);
    assert_eq!(names(&policy.rules[1].actions), ["view"]);
}

#[test]
fn metadata_is_carried_along() {
    let policy = read(
        "apiVersion: api.cerbos.dev/v1\n$schema: x\ndisabled: True\ndescription: text\nmetadata:\n  sourceFile: a.yaml\n  \
         annotations: {team: docs, n: 5, none: ~}\n  hash: '18446744073709551615'\n  storeIdentifer: old\n  \
         sourceAttributes: {attributes: {driver: disk}}\nvariables: {x: 1 + 1}\nrolePolicy: {role: r}\n",
    );
    assert!(policy.disabled);
    assert_eq!(policy.description.unwrap().value, "text");
    assert_eq!(policy.variables[0].value.value, "1 + 1");
    let metadata = policy.metadata;
    assert_eq!(metadata.source_file.unwrap().value, "a.yaml");
    let annotations: Vec<_> = metadata
        .annotations
        .iter()
        .map(|annotation| (annotation.name.value.as_str(), annotation.value.value.as_str()))
        .collect();
    assert_eq!(annotations, [("team", "docs"), ("n", "5"), ("none", "")]);
    assert_eq!(metadata.hash, Some(u64::MAX));
    assert_eq!(metadata.store_identifier.unwrap().value, "old");
    assert_eq!(metadata.source_attributes[0].value.value, ConstantValue::String("disk".to_owned()));
}

#[test]
fn of_a_disabled_policy_only_the_format_counts() {
    let twice = "apiVersion: api.cerbos.dev/v1\nderivedRoles:\n  name: x\n  definitions:\n    \
                 - {name: a, parentRoles: [u]}\n    - {name: a, parentRoles: [u]}\n";
    assert_eq!(codes(twice), [Code::InvalidValue]);
    assert_eq!(codes(&format!("disabled: true\n{twice}")), []);
    let export = "apiVersion: api.cerbos.dev/v1\nvariables: {x: '1'}\nexportVariables: {name: x}\n";
    assert_eq!(codes(export), [Code::InvalidValue]);
    assert_eq!(codes(&format!("disabled: true\n{export}")), []);
}

#[test]
fn all_errors_of_a_file_are_reported_together() {
    let text = "apiVersion: v2\nfoo: 1\nresourcePolicy:\n  version: 1.5\n  rules:\n    - actions: [a, a]\n      \
                effect: ALLOW\n    - 5\n  variables: []\n";
    let expected = [
        Code::UnknownField,
        Code::InvalidValue,
        Code::MissingField,
        Code::WrongType,
        Code::WrongType,
        Code::InvalidValue,
        Code::InvalidValue,
        Code::WrongType,
    ];
    assert_eq!(codes(text), expected);
}

#[test]
fn errors_are_limited() {
    let fields: String = (0..1000).map(|field| format!("field{field}: 1\n")).collect();
    assert_eq!(codes(&fields), vec![Code::UnknownField; Budget::default().errors]);
    let actions = "-1.5, ".repeat(1000);
    let text = format!(
        "apiVersion: api.cerbos.dev/v1\nrolePolicy:\n  role: r\n  rules:\n    - {{resource: x, allowActions: [{actions}]}}\n"
    );
    assert_eq!(codes(&text), vec![Code::WrongType; Budget::default().errors]);
}

#[test]
fn files_without_a_document_are_passed_over() {
    for text in ["", "  \n", "# comment\n", "---\n# comment\n"] {
        let source = Source::new("policy.yaml", text);
        assert!(parse_file(&source, &Budget::default()).unwrap().is_none(), "{text:?}");
        assert_eq!(codes(text), [Code::PolicyType], "{text:?}");
        assert!(parse_stream(&source, &Budget::default()).unwrap().is_empty(), "{text:?}");
    }
}

#[test]
fn an_error_in_a_block_scalar_is_found_in_the_file() {
    let rule = rule(
        "      effect: EFFECT_ALLOW\n      condition:\n        match:\n          expr: |-\n            R.attr.a &&\n              \
         R.attr.b\n",
    );
    let Some(ConditionKind::Expr(text)) = rule.condition.map(|condition| condition.kind) else {
        panic!("expr")
    };
    assert_eq!(text.value, "R.attr.a &&\n  R.attr.b");
    let source = Source::new(
        "policy.yaml",
        "apiVersion: api.cerbos.dev/v1\nresourcePolicy:\n  resource: document\n  version: default\n  rules:\n    - actions: \
         [view]\n      effect: EFFECT_ALLOW\n      condition:\n        match:\n          expr: |-\n            R.attr.a &&\n              \
         R.attr.b\n",
    );
    let place = text.locate(Span::new(14, 22));
    assert_eq!(source.slice(place), "R.attr.b");
    assert_eq!(source.position(place.start), Position { line: 12, column: 15 });
    assert_eq!(source.slice(text.place), "expr");
    assert_eq!(source.slice(text.span), "|-\n            R.attr.a &&\n              R.attr.b");
}
