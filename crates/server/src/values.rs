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
    let json = serde_json::to_value(Json(value)).map_err(|error| error.to_string())?;
    serde_json::from_value(json).map_err(|error| error.to_string())
}
