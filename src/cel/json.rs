//! JSON in and out, as Cerbos reads attributes and writes outputs.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, SerializeMap, SerializeSeq};
use serde::{Deserializer, Serialize, Serializer};

use super::activation::scope_value;
use super::lib::base64_text;
use super::native::refusal;
use super::{Map, Message, Value};

/// Deepest nesting of an attribute.
const MAX_DEPTH: u8 = 100;

/// Reads a JSON value into an arena. Every number is a double; of fields with one name the last counts;
/// strings without escapes are borrowed from the input.
#[derive(Clone, Copy)]
pub struct ValueSeed<'a> {
    arena: &'a Bump,
    depth: u8,
}

impl<'a> ValueSeed<'a> {
    /// A reader into an arena.
    #[must_use]
    pub fn new(arena: &'a Bump) -> Self {
        Self { arena, depth: 0 }
    }

    fn inner<E: de::Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl fmt::Debug for ValueSeed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValueSeed").finish_non_exhaustive()
    }
}

impl<'de: 'a, 'a> DeserializeSeed<'de> for ValueSeed<'a> {
    type Value = Value<'a>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value<'a>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for ValueSeed<'a> {
    type Value = Value<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value<'a>, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value<'a>, E> {
        Ok(Value::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of attributes are doubles")]
    fn visit_i64<E>(self, value: i64) -> Result<Value<'a>, E> {
        Ok(Value::Double(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "numbers of attributes are doubles")]
    fn visit_u64<E>(self, value: u64) -> Result<Value<'a>, E> {
        Ok(Value::Double(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value<'a>, E> {
        Ok(Value::Double(value))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'a>, E> {
        Ok(Value::String(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'a>, E> {
        Ok(Value::String(self.arena.alloc_str(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value<'a>, A::Error> {
        let inner = self.inner()?;
        let mut elements = Vec::new_in(self.arena);
        while let Some(element) = access.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::list(self.arena, elements.into_bump_slice()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value<'a>, A::Error> {
        let inner = self.inner()?;
        let mut fields = Vec::new_in(self.arena);
        while let Some(name) = access.next_key_seed(NameSeed(self.arena))? {
            fields.push((name, access.next_value_seed(inner)?));
        }
        Ok(Value::Map(Map::of_fields(self.arena, &fields)))
    }
}

struct NameSeed<'a>(&'a Bump);

impl<'de: 'a, 'a> DeserializeSeed<'de> for NameSeed<'a> {
    type Value = &'a str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<&'a str, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de: 'a, 'a> Visitor<'de> for NameSeed<'a> {
    type Value = &'a str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<&'a str, E> {
        Ok(text)
    }

    fn visit_str<E>(self, text: &str) -> Result<&'a str, E> {
        Ok(self.0.alloc_str(text))
    }
}

/// Up to here every integer is a double of its own.
const EXACT: u64 = 9_007_199_254_740_991;

/// A value on its way out, as Cerbos writes outputs: integers that no double holds as text, timestamps as RFC 3339,
/// durations as seconds (`3.5s`), bytes as base64. Keys that are no strings, NaN, the infinities,
/// `optional.none()`, types and the kinds of function libraries are errors.
#[derive(Clone, Copy, Debug)]
pub struct Json<'a>(pub Value<'a>);

impl Serialize for Json<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(value),
            Value::Int(value) if value.unsigned_abs() <= EXACT => serializer.serialize_i64(value),
            Value::Int(value) => serializer.collect_str(&value),
            Value::UInt(value) if value <= EXACT => serializer.serialize_u64(value),
            Value::UInt(value) => serializer.collect_str(&value),
            Value::Double(value) => number(value, serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.serialize_str(&base64_text(bytes)),
            Value::Timestamp(value) => serializer.collect_str(&value),
            Value::Duration(value) => serializer.collect_str(&value),
            Value::List(list) => {
                let mut out = serializer.serialize_seq(Some(list.len()))?;
                list.iter().try_for_each(|element| out.serialize_element(&Json(element)))?;
                out.end()
            }
            Value::Map(map) => fields(map, serializer),
            Value::Optional(Some(value)) => Json(*value).serialize(serializer),
            Value::Message(message) => self::message(message, serializer),
            Value::Type(_) | Value::Optional(None) | Value::Opaque(_) => {
                Err(ser::Error::custom(refusal(self.0, JSON_VALUE)))
            }
        }
    }
}

/// How cel-go calls what outputs are made of.
const JSON_VALUE: &str = "*structpb.Value";
const JSON_KEY: &str = "string";

/// A value as it is after a way through JSON: numbers are doubles, what JSON has no kind for is text.
pub(crate) fn normalized<'a>(arena: &'a Bump, value: Value<'a>) -> Result<Value<'a>, String> {
    Ok(match value {
        Value::Null | Value::Bool(_) | Value::Double(_) | Value::String(_) => value,
        Value::Optional(Some(value)) => normalized(arena, *value)?,
        Value::List(list) => {
            let mut elements = Vec::with_capacity_in(list.len(), arena);
            for element in list.iter() {
                elements.push(normalized(arena, element)?);
            }
            Value::list(arena, elements.into_bump_slice())
        }
        Value::Map(map) => {
            let mut fields = Vec::with_capacity_in(map.len(), arena);
            for (key, value) in map.iter() {
                let Value::String(name) = key else { return Err(refusal(key, JSON_KEY)) };
                fields.push((name, normalized(arena, value)?));
            }
            Value::Map(Map::of_fields(arena, &fields))
        }
        _ => {
            let text = serde_json::to_string(&Json(value)).map_err(|error| error.to_string())?;
            let text: &str = arena.alloc_str(&text);
            let seed = ValueSeed::new(arena);
            let read = seed.deserialize(&mut serde_json::Deserializer::from_str(text));
            read.map_err(|error| error.to_string())?
        }
    })
}

/// Integers are written without a fraction, as protobuf's JSON does.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "exact here"
)]
fn number<S: Serializer>(value: f64, serializer: S) -> Result<S::Ok, S::Error> {
    if !value.is_finite() {
        return Err(ser::Error::custom("NaN and infinity have no JSON form"));
    }
    let negative_zero = value == 0.0 && value.is_sign_negative();
    if value.trunc() == value && value.abs() <= EXACT as f64 && !negative_zero {
        return serializer.serialize_i64(value as i64);
    }
    serializer.serialize_f64(value)
}

fn fields<S: Serializer>(map: Map<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut out = serializer.serialize_map(Some(map.len()))?;
    for (key, value) in map.iter() {
        match key {
            Value::String(name) => out.serialize_entry(name, &Json(value))?,
            other => return Err(ser::Error::custom(refusal(other, JSON_KEY))),
        }
    }
    out.end()
}

/// The request as protobuf's JSON has it: names in lowerCamelCase and in order, unset fields left out.
fn message<S: Serializer>(message: Message<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut out = serializer.serialize_map(None)?;
    match message {
        Message::Request(request) => {
            if let Some(aux_data) = request.aux_data {
                out.serialize_entry("auxData", &Json(Value::Message(Message::AuxData(aux_data))))?;
            }
            out.serialize_entry("principal", &Json(Value::Message(Message::Principal(request.principal))))?;
            out.serialize_entry("resource", &Json(Value::Message(Message::Resource(request.resource))))?;
        }
        Message::Principal(principal) => {
            field(&mut out, "attr", Value::Map(principal.attr))?;
            field(&mut out, "id", Value::String(principal.id))?;
            field(&mut out, "policyVersion", Value::String(principal.policy_version))?;
            if !principal.roles.is_empty() {
                out.serialize_entry("roles", principal.roles)?;
            }
            field(&mut out, "scope", Value::String(scope_value(principal.scope)))?;
        }
        Message::Resource(resource) => {
            field(&mut out, "attr", Value::Map(resource.attr))?;
            field(&mut out, "id", Value::String(resource.id))?;
            field(&mut out, "kind", Value::String(resource.kind))?;
            field(&mut out, "policyVersion", Value::String(resource.policy_version))?;
            field(&mut out, "scope", Value::String(scope_value(resource.scope)))?;
        }
        Message::AuxData(aux_data) => {
            field(&mut out, "jwt", Value::Map(aux_data.jwt))?;
            if !aux_data.jwts.is_empty() {
                out.serialize_entry("jwts", &Tokens(aux_data.jwts))?;
            }
        }
        Message::Jwt(claims) => field(&mut out, "claims", Value::Map(*claims))?,
        Message::Runtime([]) => {}
        Message::Runtime(roles) => out.serialize_entry("effectiveDerivedRoles", *roles)?,
    }
    out.end()
}

/// Claims by the name of their token, each in a message of its own.
struct Tokens<'a>(Map<'a>);

impl Serialize for Tokens<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_map(Some(self.0.len()))?;
        for (name, claims) in self.0.iter() {
            match claims {
                Value::Map(claims) => {
                    out.serialize_entry(&Json(name), &Json(Value::Message(Message::Jwt(&claims))))?;
                }
                other => out.serialize_entry(&Json(name), &Json(other))?,
            }
        }
        out.end()
    }
}

fn field<M: SerializeMap>(out: &mut M, name: &str, value: Value<'_>) -> Result<(), M::Error> {
    if value.is_zero() { Ok(()) } else { out.serialize_entry(name, &Json(value)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::{Duration, Timestamp};

    fn read<'a>(arena: &'a Bump, text: &'a str) -> Result<Value<'a>, serde_json::Error> {
        ValueSeed::new(arena).deserialize(&mut serde_json::Deserializer::from_str(text))
    }

    #[test]
    fn reads_and_writes_json() -> Result<(), serde_json::Error> {
        let arena = Bump::new();
        let value = read(&arena, r#"{"b":[1,2.5,"x\n",null,true],"a":{},"b2":-3,"a":1}"#)?;
        assert_eq!(serde_json::to_string(&Json(value))?, r#"{"a":1,"b":[1,2.5,"x\n",null,true],"b2":-3}"#);
        Ok(())
    }

    #[test]
    fn numbers_are_doubles() -> Result<(), serde_json::Error> {
        let arena = Bump::new();
        assert!(matches!(read(&arena, "1")?, Value::Double(_)));
        assert!(serde_json::to_string(&Json(Value::Double(f64::NAN))).is_err());
        Ok(())
    }

    #[test]
    fn nesting_is_bounded() {
        let arena = Bump::new();
        let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
        assert!(read(&arena, &deep).is_err());
        assert!(read(&arena, &deep[1..201]).is_ok());
    }

    #[test]
    fn kinds_that_json_does_not_have() -> Result<(), serde_json::Error> {
        let arena = Bump::new();
        let list = [
            Value::Bytes(b"foo"),
            Value::Timestamp(Timestamp::new(1, 500_000_000).unwrap_or_default()),
            Value::Duration(Duration::from_nanos(3_500_000_000)),
            Value::Map(Map::of_entries(&arena, &[(Value::String("a"), Value::UInt(2))])),
        ];
        let text = serde_json::to_string(&Json(Value::list(&arena, &list)))?;
        assert_eq!(text, r#"["Zm9v","1970-01-01T00:00:01.5Z","3.5s",{"a":2}]"#);
        let large = [Value::Int(i64::MIN), Value::UInt(1 << 53), Value::Int((1 << 53) - 1)];
        let text = serde_json::to_string(&Json(Value::list(&arena, &large)))?;
        assert_eq!(text, r#"["-9223372036854775808","9007199254740992",9007199254740991]"#);
        assert!(serde_json::to_string(&Json(Value::Optional(None))).is_err());
        let fractions = Map::of_entries(&arena, &[(Value::Double(1.5), Value::Null)]);
        assert!(serde_json::to_string(&Json(Value::Map(fractions))).is_err());
        Ok(())
    }
}
