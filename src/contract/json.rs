//! JSON values of requests.

use bumpalo::Bump;
use serde::de::DeserializeSeed;

use crate::cel::{Value, ValueSeed};

/// Reads one JSON value that is the whole text.
pub(super) fn read<'a>(text: &'a str, arena: &'a Bump) -> Result<Value<'a>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = ValueSeed::new(arena).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(value)
}
