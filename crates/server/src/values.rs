//! Values between the wire and the engine.

use bumpalo::Bump;
use bumpalo::collections::Vec;
use orthrus::cel::{Json, Map, Value};
use pbjson_types::value::Kind;

/// Attributes as the engine reads them. Nothing is copied but the lists of what they hold.
pub(crate) fn attributes<'a>(
    fields: impl ExactSizeIterator<Item = (&'a String, &'a pbjson_types::Value)>,
    arena: &'a Bump,
) -> Map<'a> {
    let mut read = Vec::with_capacity_in(fields.len(), arena);
    read.extend(fields.map(|(name, value)| (name.as_str(), attribute(value, arena))));
    Map::of_sorted_fields(read.into_bump_slice())
}

fn attribute<'a>(value: &'a pbjson_types::Value, arena: &'a Bump) -> Value<'a> {
    match &value.kind {
        None | Some(Kind::NullValue(_)) => Value::Null,
        Some(Kind::BoolValue(value)) => Value::Bool(*value),
        Some(Kind::NumberValue(value)) => Value::Double(*value),
        Some(Kind::StringValue(text)) => Value::String(text),
        Some(Kind::ListValue(list)) => {
            let mut elements = Vec::with_capacity_in(list.values.len(), arena);
            elements.extend(list.values.iter().map(|value| attribute(value, arena)));
            Value::list(arena, elements.into_bump_slice())
        }
        Some(Kind::StructValue(fields)) => {
            let mut read = Vec::with_capacity_in(fields.fields.len(), arena);
            read.extend(fields.fields.iter().map(|(name, value)| (name.as_str(), attribute(value, arena))));
            Value::Map(Map::of_fields(arena, &read))
        }
    }
}

/// What an output expression gave, as Cerbos writes it. A value that JSON cannot hold is an error of its output.
pub(crate) fn output(value: Value<'_>) -> Result<pbjson_types::Value, String> {
    serde_json::to_value(Json(value)).map(from_json).map_err(|error| error.to_string())
}

/// JSON as protobuf has it.
pub(crate) fn from_json(json: serde_json::Value) -> pbjson_types::Value {
    use serde_json::Value as Json;
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(value) => Kind::BoolValue(value),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or(f64::NAN)),
        Json::String(text) => Kind::StringValue(text),
        Json::Array(elements) => {
            Kind::ListValue(pbjson_types::ListValue { values: elements.into_iter().map(from_json).collect() })
        }
        Json::Object(fields) => Kind::StructValue(pbjson_types::Struct {
            fields: fields.into_iter().map(|(name, value)| (name, from_json(value))).collect(),
        }),
    };
    pbjson_types::Value { kind: Some(kind) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn null_is_a_value() {
        let value = from_json(json!({ "list": [null, 1] }));
        let Some(Kind::StructValue(fields)) = value.kind else { panic!("it is an object") };
        let Some(Kind::ListValue(list)) = &fields.fields["list"].kind else { panic!("it is a list") };
        assert_eq!(list.values[0].kind, Some(Kind::NullValue(0)));
    }
}
