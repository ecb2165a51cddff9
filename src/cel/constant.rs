//! Constants: owned values, part of a program, seen as [`Value`]s without copying.

use super::{Duration, List, Map, Timestamp, Value};

/// An owned value.
#[derive(Clone, Debug, PartialEq)]
pub enum Const {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// `1`
    Int(i64),
    /// `1u`
    UInt(u64),
    /// `1.0`
    Double(f64),
    /// `"text"`
    String(Box<str>),
    /// `b"bytes"`
    Bytes(Box<[u8]>),
    /// `[…]`
    List(ConstList),
    /// `{…}`
    Map(ConstMap),
    /// An instant.
    Timestamp(Timestamp),
    /// A span of time.
    Duration(Duration),
    /// The name of a type.
    Type(Box<str>),
}

/// The elements of a constant list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConstList(Box<[Const]>);

impl ConstList {
    /// The elements in order.
    #[must_use]
    pub fn elements(&self) -> &[Const] {
        &self.0
    }
}

/// The entries of a constant map. Where all keys are strings they stand in the order of their bytes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConstMap {
    entries: Box<[(Const, Const)]>,
    /// Whether all keys are strings, sorted.
    sorted: bool,
}

impl ConstMap {
    /// The entries.
    #[must_use]
    pub fn entries(&self) -> &[(Const, Const)] {
        &self.entries
    }

    /// The value of a string key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Const> {
        let key = |(key, _): &(Const, Const)| match key {
            Const::String(key) => Some(&**key == name),
            _ => None,
        };
        if self.sorted && self.entries.len() > 8 {
            let order = |(key, _): &(Const, Const)| match key {
                Const::String(key) => (**key).cmp(name),
                _ => std::cmp::Ordering::Less,
            };
            return self.entries.binary_search_by(order).ok().map(|index| &self.entries[index].1);
        }
        self.entries.iter().find(|entry| key(entry) == Some(true)).map(|(_, value)| value)
    }
}

impl Const {
    /// A list.
    #[must_use]
    pub fn list(elements: Vec<Const>) -> Self {
        Self::List(ConstList(elements.into()))
    }

    /// A map. Of entries with the same string key the last one counts.
    #[must_use]
    pub fn map(mut entries: Vec<(Const, Const)>) -> Self {
        let sorted = entries.iter().all(|(key, _)| matches!(key, Const::String(_)));
        if sorted {
            let name = |(key, _): &(Const, Const)| match key {
                Const::String(key) => key.clone(),
                _ => Box::default(),
            };
            entries.reverse();
            entries.sort_by_cached_key(name);
            entries.dedup_by(|later, kept| later.0 == kept.0);
        }
        Self::Map(ConstMap { entries: entries.into(), sorted })
    }

    /// A string.
    #[must_use]
    pub fn string(text: impl Into<Box<str>>) -> Self {
        Self::String(text.into())
    }

    /// The same value, borrowed.
    #[must_use]
    pub fn value(&self) -> Value<'_> {
        match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(*value),
            Self::Int(value) => Value::Int(*value),
            Self::UInt(value) => Value::UInt(*value),
            Self::Double(value) => Value::Double(*value),
            Self::String(text) => Value::String(text),
            Self::Bytes(bytes) => Value::Bytes(bytes),
            Self::List(list) => Value::List(List::of_consts(list)),
            Self::Map(map) => Value::Map(Map::of_consts(map)),
            Self::Timestamp(value) => Value::Timestamp(*value),
            Self::Duration(value) => Value::Duration(*value),
            Self::Type(name) => Value::Type(name),
        }
    }

    /// An owned copy of a value; `None` for kinds that no constant can be (optionals, messages, opaque kinds).
    #[must_use]
    pub fn from_value(value: Value<'_>) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(value) => Self::Bool(value),
            Value::Int(value) => Self::Int(value),
            Value::UInt(value) => Self::UInt(value),
            Value::Double(value) => Self::Double(value),
            Value::String(text) => Self::string(text),
            Value::Bytes(bytes) => Self::Bytes(bytes.into()),
            Value::List(list) => Self::list(list.iter().map(Self::from_value).collect::<Option<_>>()?),
            Value::Map(map) => {
                let entry = |(key, value)| Some((Self::from_value(key)?, Self::from_value(value)?));
                Self::map(map.iter().map(entry).collect::<Option<_>>()?)
            }
            Value::Timestamp(value) => Self::Timestamp(value),
            Value::Duration(value) => Self::Duration(value),
            Value::Type(name) => Self::Type(name.into()),
            Value::Optional(_) | Value::Message(_) | Value::Opaque(_) => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn maps_sort_string_keys_and_keep_the_last_of_equal_ones() {
        let entry = |key: &str, value| (Const::string(key), Const::Int(value));
        let map = Const::map(vec![entry("b", 1), entry("a", 2), entry("b", 3)]);
        assert_eq!(map, Const::map(vec![entry("a", 2), entry("b", 3)]));
        assert_eq!(Const::from_value(map.value()), Some(map));
    }
}
