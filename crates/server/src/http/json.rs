//! The JSON of requests, as protobuf maps it: `null` is the same as absent, and nothing is said twice.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::status::Status;

/// Fields whose values are the caller's: there `null` is a value.
const VALUES: [&str; 4] = ["attr", "properties", "context", "annotations"];

/// Reads a request.
pub(super) fn read<Q: DeserializeOwned>(text: &[u8]) -> Result<Q, Status> {
    serde_json::from_slice::<Unique>(text).map_err(|error| refuse(&error))?;
    // Few clients send `null` for what is not there.
    serde_json::from_slice(text).or_else(|error| without_nulls(text).ok_or_else(|| refuse(&error)))
}

fn without_nulls<Q: DeserializeOwned>(text: &[u8]) -> Option<Q> {
    let mut value: Value = serde_json::from_slice(text).ok()?;
    if !value.is_object() {
        return None;
    }
    remove_nulls(&mut value);
    serde_json::from_value(value).ok()
}

fn remove_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            let messages = fields.iter_mut().filter(|(name, _)| !VALUES.contains(&name.as_str()));
            messages.for_each(|(_, value)| remove_nulls(value));
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_nulls),
        _ => {}
    }
}

fn refuse(error: &serde_json::Error) -> Status {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    Status::invalid(format!("proto: (line {}:{}): {text}", error.line(), error.column()))
}

/// A text in which no object has a key twice. Who has checked it before may have taken the other value.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Unique {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        let mut keys = Keys::default();
        while let Some(Key(key)) = map.next_key()? {
            if keys.has(&key) {
                return Err(de::Error::custom(format_args!("duplicate map key {key:?}")));
            }
            keys.add(key);
            map.next_value::<Self>()?;
        }
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}

/// A key, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Up to this many keys, each is compared with each.
const COMPARE: usize = 16;

/// The keys of an object so far.
#[derive(Default)]
struct Keys<'a> {
    few: Vec<Cow<'a, str>>,
    many: HashSet<Cow<'a, str>>,
}

impl<'a> Keys<'a> {
    fn has(&self, key: &str) -> bool {
        self.few.iter().any(|known| known == key) || self.many.contains(key)
    }

    fn add(&mut self, key: Cow<'a, str>) {
        if self.few.len() < COMPARE {
            self.few.push(key);
        } else {
            self.many.insert(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::proto::cerbos::request::v1::CheckResourcesRequest;

    fn read(text: &str) -> Result<CheckResourcesRequest, String> {
        super::read(text.as_bytes()).map_err(|status| status.message)
    }

    #[test]
    fn null_is_absent_but_in_values() {
        let request = read(
            r#"{"principal":{"id":"a","roles":null,"attr":{"x":null}},"resources":null,"auxData":null}"#,
        )
        .unwrap();
        let principal = request.principal.unwrap();
        assert!(principal.roles.is_empty());
        assert!(principal.attr.contains_key("x"));
    }

    #[test]
    fn nothing_is_said_twice() {
        let many: String = (0..40).map(|number| format!("\"k{number}\":0,")).collect();
        for text in [
            r#"{"requestId":"a","requestId":"b"}"#.to_owned(),
            r#"{"principal":{"attr":{"a":1,"a":2}}}"#.to_owned(),
            r#"{"principal":{"attr":{"a":{"b":[{"c":1,"c":1}]}}}}"#.to_owned(),
            format!(r#"{{"principal":{{"attr":{{{many}"k39":1}}}}}}"#),
        ] {
            assert!(read(&text).unwrap_err().contains("duplicate map key"), "{text}");
        }
    }
}
