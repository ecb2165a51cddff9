//! Cases of the PDP's engine: `CheckInput`s, and the `CheckOutput`s that they should come to.

use std::collections::BTreeSet;

use bumpalo::Bump;
use orthrus::Engine;
use orthrus::cel::Timestamp;
use orthrus::check::Detail;
use orthrus::contract::{CheckResourcesRequest, ResultEntry};
use orthrus::policy::Effect;
use serde_json::{Value, json};

/// Decides the inputs of a case, and compares.
pub(crate) fn run_case(engine: &Engine, case: &Value) -> Result<(), String> {
    let inputs = case["inputs"].as_array().unwrap();
    let outputs = case["wantOutputs"].as_array().unwrap();
    for (input, wanted) in inputs.iter().zip(outputs) {
        let actual = check(engine, input);
        let wanted = normalise_output(wanted);
        if actual != wanted {
            return Err(format!("{}\nwanted {wanted:#}\ngot {actual:#}", case["description"]));
        }
    }
    Ok(())
}

/// A `CheckInput` of the corpus, decided and written as a `CheckOutput`.
pub(crate) fn check(engine: &Engine, input: &Value) -> Value {
    let aux_data = input.get("auxData").or_else(|| input.get("aux_data")).cloned().unwrap_or(Value::Null);
    let request = json!({
        "includeMeta": true,
        "principal": input["principal"],
        "resources": [{"resource": input["resource"], "actions": input["actions"]}],
        "auxData": aux_data,
    })
    .to_string();
    let arena = Bump::new();
    let request = CheckResourcesRequest::from_json(&request, &arena).unwrap();
    let detail = Detail { metadata: true, evaluation_errors: true, ..Detail::default() };
    let now = Timestamp::new(1_700_000_000, 0).unwrap();
    let decisions = engine.check_resources(&request, now, detail, &arena);
    let (entry, decision) = (&request.resources[0], &decisions[0]);
    let details =
        serde_json::to_value(ResultEntry { entry, decision, include_meta: true, audit: None }).unwrap();
    let actions = entry.actions.iter().zip(decision.actions).map(|(action, decided)| {
        let effect = if decided.effect == Effect::Allow { "EFFECT_ALLOW" } else { "EFFECT_DENY" };
        let wanted = json!({"effect": effect, "policy": decided.policy.to_string(), "scope": decided.scope});
        ((*action).to_owned(), wanted)
    });
    let errors = decision.evaluation_errors.iter().map(|error| error.expression);
    normalise_output(&json!({
        "actions": actions.collect::<serde_json::Map<_, _>>(),
        "effectiveDerivedRoles": details["meta"]["effectiveDerivedRoles"],
        "outputs": details["outputs"],
        "validationErrors": details["validationErrors"],
        "evaluationErrors": errors.map(|text| json!({"celError": {"expression": text}})).collect::<Vec<_>>(),
    }))
}

/// The parts that are compared, with defaults filled in and sets sorted. Messages of errors are cel-go's own.
fn normalise_output(output: &Value) -> Value {
    let field =
        |names: [&str; 2]| names.iter().find_map(|name| output.get(*name)).cloned().unwrap_or_default();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let actions = output["actions"].as_object().unwrap().iter().map(|(action, decided)| {
        let text = |name: &str| decided[name].as_str().unwrap_or_default().to_owned();
        (action.clone(), json!([text("effect"), text("policy"), text("scope")]))
    });
    let mut roles = list(&field(["effectiveDerivedRoles", "effective_derived_roles"]));
    roles.sort_by_key(Value::to_string);
    let mut outputs = list(&output["outputs"]);
    outputs.iter_mut().for_each(numbers_to_doubles);
    outputs.sort_by_key(|entry| (entry["src"].to_string(), entry["action"].to_string(), entry.to_string()));
    let mut validation_errors = list(&field(["validationErrors", "validation_errors"]));
    validation_errors.sort_by_key(Value::to_string);
    let errors = list(&field(["evaluationErrors", "evaluation_errors"]));
    let errors: BTreeSet<String> = errors
        .iter()
        .filter_map(|error| error["celError"]["expression"].as_str().map(str::to_owned))
        .collect();
    json!({
        "actions": actions.collect::<serde_json::Map<_, _>>(),
        "effectiveDerivedRoles": roles,
        "outputs": outputs,
        "validationErrors": validation_errors,
        "evaluationErrors": errors,
    })
}

fn numbers_to_doubles(value: &mut Value) {
    match value {
        Value::Number(number) => *value = number.as_f64().into(),
        Value::Array(elements) => elements.iter_mut().for_each(numbers_to_doubles),
        Value::Object(fields) => fields.values_mut().for_each(numbers_to_doubles),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
