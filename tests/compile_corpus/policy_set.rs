//! What policies are compiled to, in the shapes of the corpus: from the outlines of the compiled table.

use std::collections::BTreeMap;

use orthrus::cel::Json;
use orthrus::policy::{Effect, Kind, ScopePermissions};
use orthrus::table::{
    Condition, DerivedRoleOutline, Expression, NamesRead, Output, PolicyOutline, RuleOutline,
};
use serde_json::{Map, Value, json};

/// Compares the policy of a file, with its ancestors, to what the PDP compiles it to.
pub(super) fn compare_compiled(
    outlines: &[PolicyOutline<'_>],
    file: &str,
    golden: Option<Value>,
    names: &Value,
) -> Result<(), String> {
    let main = outlines.iter().find(|outline| outline.file == file);
    let set: Vec<&PolicyOutline<'_>> = main
        .into_iter()
        .flat_map(|main| std::iter::once(main.key).chain(main.ancestors.iter().copied()))
        .filter_map(|key| outlines.iter().find(|outline| outline.key == key))
        .collect();
    if let Some(mut golden) = golden {
        // Which schemas are enforced is compared by the suite of schemas.
        remove_key(&mut golden, "schemas");
        same(&golden, &set_json(&set))?;
    }
    match names.as_array() {
        Some(_) => {
            let ours = set.iter().map(|outline| names_in_scope(outline)).collect();
            same(&sorted(names), &sorted(&ours))
        }
        None => Ok(()),
    }
}

fn same(wanted: &Value, actual: &Value) -> Result<(), String> {
    if wanted == actual { Ok(()) } else { Err(format!("wanted {wanted:#}\ngot {actual:#}")) }
}

fn remove_key(value: &mut Value, key: &str) {
    match value {
        Value::Array(elements) => elements.iter_mut().for_each(|element| remove_key(element, key)),
        Value::Object(fields) => {
            fields.remove(key);
            fields.values_mut().for_each(|field| remove_key(field, key));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The policy set in the JSON of Cerbos' `RunnablePolicySet`.
fn set_json(set: &[&PolicyOutline<'_>]) -> Value {
    let Some(main) = set.first() else { return Value::Null };
    let fqn = fqn(main.key);
    let attributes = |file: &str| json!({ "attributes": { "source": file } });
    let sources: BTreeMap<&str, Value> =
        set.iter().map(|outline| (outline.key, attributes(outline.file))).collect();
    let mut meta = json!({ "fqn": fqn, "version": main.version, "sourceAttributes": sources });
    let (kind, body) = match main.kind {
        Kind::Resource => {
            meta["resource"] = main.name.into();
            (
                "resourcePolicy",
                json!({ "policies": set.iter().map(|it| resource_json(it)).collect::<Value>() }),
            )
        }
        Kind::Principal => {
            meta["principal"] = main.name.into();
            (
                "principalPolicy",
                json!({ "policies": set.iter().map(|it| principal_json(it)).collect::<Value>() }),
            )
        }
        _ => ("rolePolicy", role_json(main)),
    };
    let mut body = body;
    body["meta"] = meta;
    json!({ "fqn": fqn, kind: body, "compilerVersion": 2 })
}

fn fqn(key: &str) -> String {
    format!("cerbos.{key}")
}

fn resource_json(outline: &PolicyOutline<'_>) -> Value {
    let derived_roles: Map<String, Value> =
        outline.derived_roles.iter().map(|role| (role.name.to_owned(), derived_role_json(role))).collect();
    let rule = |rule: &RuleOutline<'_>| {
        present([
            ("name", rule.name.into()),
            ("actions", keys_json(&rule.actions)),
            ("roles", keys_json(&rule.roles)),
            ("derivedRoles", keys_json(&rule.derived_roles)),
            ("effect", effect_json(rule.effect)),
            ("condition", condition_json(rule.condition)),
            ("emitOutput", output_json(rule.output)),
        ])
    };
    let mut json = present([
        ("scope", outline.scope.into()),
        ("scopePermissions", permissions_json(outline.scope_permissions)),
        ("derivedRoles", derived_roles.into()),
        ("rules", outline.rules.iter().map(rule).collect()),
    ]);
    add_names(&mut json, &outline.reads, true);
    json
}

fn derived_role_json(role: &DerivedRoleOutline<'_>) -> Value {
    let mut json = present([
        ("name", role.name.into()),
        ("originFqn", fqn(role.origin).into()),
        ("parentRoles", keys_json(&role.parent_roles)),
        ("condition", condition_json(role.condition)),
    ]);
    add_names(&mut json, &role.reads, true);
    json
}

fn principal_json(outline: &PolicyOutline<'_>) -> Value {
    let mut rules = json!({});
    for rule in &outline.rules {
        let action = present([
            ("action", rule.actions[0].into()),
            ("name", rule.name.into()),
            ("effect", effect_json(rule.effect)),
            ("condition", condition_json(rule.condition)),
            ("emitOutput", output_json(rule.output)),
        ]);
        push(&mut rules[rule.resource.unwrap()]["actionRules"], action);
    }
    let mut json = present([
        ("scope", outline.scope.into()),
        ("scopePermissions", permissions_json(outline.scope_permissions)),
        ("resourceRules", rules),
    ]);
    add_names(&mut json, &outline.reads, true);
    json
}

fn role_json(outline: &PolicyOutline<'_>) -> Value {
    let mut resources = json!({});
    for rule in &outline.rules {
        // Ours is when the rule does not allow.
        let condition = match rule.condition {
            Some(Condition::None(negated)) => negated.first(),
            other => other,
        };
        let resource = rule.resource.unwrap();
        let rule = present([
            ("resource", resource.into()),
            ("allowActions", keys_json(&rule.actions)),
            ("name", rule.name.into()),
            ("condition", condition_json(condition)),
            ("emitOutput", output_json(rule.output)),
        ]);
        push(&mut resources[resource]["rules"], rule);
    }
    let mut json =
        present([("role", outline.name.into()), ("scope", outline.scope.into()), ("resources", resources)]);
    add_names(&mut json, &outline.reads, false);
    json
}

fn push(list: &mut Value, element: Value) {
    match list {
        Value::Array(elements) => elements.push(element),
        _ => *list = json!([element]),
    }
}

/// The fields that are not empty: protojson leaves the others out.
fn present<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let is_present = |value: &Value| {
        !matches!(value, Value::Null) && *value != json!({}) && *value != json!([]) && *value != ""
    };
    fields
        .into_iter()
        .filter(|(_, value)| is_present(value))
        .map(|(name, value)| (name.to_owned(), value))
        .collect::<Map<_, _>>()
        .into()
}

fn keys_json(names: &[&str]) -> Value {
    names.iter().map(|name| ((*name).to_owned(), json!({}))).collect::<Map<_, _>>().into()
}

fn expression_json(text: &str) -> Value {
    json!({ "original": text })
}

fn condition_json(condition: Option<&Condition>) -> Value {
    let all = |conditions: &[Condition]| json!({ "expr": conditions.iter().map(|it| condition_json(Some(it))).collect::<Value>() });
    match condition {
        None => Value::Null,
        Some(Condition::Expr(expression)) => json!({ "expr": expression_json(&expression.text) }),
        Some(Condition::All(conditions)) => json!({ "all": all(conditions) }),
        Some(Condition::Any(conditions)) => json!({ "any": all(conditions) }),
        Some(Condition::None(conditions)) => json!({ "none": all(conditions) }),
    }
}

fn output_json(output: Option<&Output>) -> Value {
    let expression =
        |it: &Option<Expression>| it.as_ref().map_or(Value::Null, |it| expression_json(&it.text));
    output.map_or(Value::Null, |output| {
        let when = [
            ("ruleActivated", expression(&output.rule_activated)),
            ("conditionNotMet", expression(&output.condition_not_met)),
        ];
        json!({ "when": present(when) })
    })
}

fn effect_json(effect: Effect) -> Value {
    match effect {
        Effect::Allow => "EFFECT_ALLOW",
        Effect::Deny => "EFFECT_DENY",
    }
    .into()
}

fn permissions_json(permissions: Option<ScopePermissions>) -> Value {
    match permissions {
        None => Value::Null,
        Some(ScopePermissions::OverrideParent) => "SCOPE_PERMISSIONS_OVERRIDE_PARENT".into(),
        Some(ScopePermissions::RequireParentalConsentForAllows) => {
            "SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS".into()
        }
    }
}

fn add_names(json: &mut Value, reads: &NamesRead<'_>, by_name: bool) {
    if !reads.variables.is_empty() {
        let ordered =
            reads.variables.iter().map(|(name, text)| json!({ "name": name, "expr": expression_json(text) }));
        json["orderedVariables"] = ordered.collect();
        if by_name {
            // The form of old, which the PDP still writes.
            let variables = reads.variables.iter();
            json["variables"] = variables
                .map(|(name, text)| ((*name).to_owned(), expression_json(text)))
                .collect::<Map<_, _>>()
                .into();
        }
    }
    for (name, value) in &reads.constants {
        json["constants"][*name] = serde_json::to_value(Json(value.value())).unwrap();
    }
}

/// The names in the shape of `wantVariables`.
fn names_in_scope(outline: &PolicyOutline<'_>) -> Value {
    let names = |reads: &NamesRead<'_>| {
        let variables: Vec<&str> = reads.variables.iter().map(|(name, _)| *name).collect();
        let constants: Vec<&str> = reads.constants.iter().map(|(name, _)| *name).collect();
        json!({ "variables": variables, "constants": constants })
    };
    let mut json = names(&outline.reads);
    json["scope"] = outline.scope.into();
    json["derivedRoles"] = outline
        .derived_roles
        .iter()
        .map(|role| {
            let mut json = names(&role.reads);
            json["name"] = role.name.into();
            json
        })
        .collect();
    json
}

/// Sorts all lists: none of them has an order.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Array(elements) => {
            let mut elements: Vec<Value> = elements.iter().map(sorted).collect();
            elements.sort_by_key(Value::to_string);
            elements.into()
        }
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), sorted(field))).collect::<Map<_, _>>().into()
        }
        other => other.clone(),
    }
}

/// Compares what is compiled together to what the PDP compiles together.
pub(super) fn compare_units(outlines: &[PolicyOutline<'_>], wanted: &Value) -> Result<(), String> {
    match wanted.as_array() {
        Some(_) => same(&sorted(wanted), &sorted(&outlines.iter().map(unit).collect())),
        None => Ok(()),
    }
}

/// A policy with what it is compiled together with.
fn unit(outline: &PolicyOutline<'_>) -> Value {
    let definitions = std::iter::once(&outline.key).chain(&outline.ancestors).chain(&outline.imports);
    let mut json = json!({
        "mainFqn": fqn(outline.key),
        "definitionFqns": definitions.map(|key| fqn(key)).collect::<Vec<_>>(),
    });
    if !outline.ancestors.is_empty() {
        json["ancestorFqns"] = outline.ancestors.iter().map(|key| fqn(key)).collect();
    }
    json
}
