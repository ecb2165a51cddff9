//! Claims by their types. What is of another type is refused: a string must not pass for a list of what it contains, nor a
//! list for the name in it.

use std::fmt::Display;

use serde_json::{Map, Value};

use super::MappingError;

/// Whether it is not there: providers write `null` and nothing for the same thing.
pub(super) fn is_absent(value: Option<&Value>) -> bool {
    value.is_none_or(Value::is_null)
}

/// A string that may be absent; one with nothing in it is.
pub(super) fn text(value: Option<&Value>, what: impl Display) -> Result<Option<&str>, MappingError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(other) => Err(wrong_type(&what, "a string", other)),
    }
}

/// A string that is there; else the claims are not what they are taken for.
pub(super) fn id<'v>(value: Option<&'v Value>, what: &str) -> Result<&'v str, MappingError> {
    text(value, what)?.ok_or_else(|| MappingError::invalid(format!("{what} is missing")))
}

/// The strings of a list that may be absent.
pub(super) fn texts(value: Option<&Value>, what: &str) -> Result<Vec<String>, MappingError> {
    let items = match value {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(items)) => items,
        Some(other) => return Err(wrong_type(&what, "a list", other)),
    };
    let texts = items.iter().enumerate().map(|(index, item)| {
        let text = text(Some(item), format_args!("{what}[{index}]"))?;
        Ok(text.map(str::to_owned))
    });
    texts.filter_map(Result::transpose).collect()
}

/// An object that may be absent.
pub(super) fn record<'v>(
    value: Option<&'v Value>,
    what: &str,
) -> Result<Option<&'v Map<String, Value>>, MappingError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(record)) => Ok(Some(record)),
        Some(other) => Err(wrong_type(&what, "an object", other)),
    }
}

/// What it is, without telling it: it may be a secret.
fn wrong_type(what: &dyn Display, expected: &str, got: &Value) -> MappingError {
    let kind = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    };
    MappingError::invalid(format!("{what} must be {expected}, and is {kind}"))
}
