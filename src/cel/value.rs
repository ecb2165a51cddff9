//! Values: small, `Copy`, and borrowed from the request, the program or the arena of the evaluation.

use std::cmp::Ordering;

use bumpalo::Bump;

use super::activation::Message;
use super::constant::{ConstList, ConstMap};
use super::opaque::Opaque;
use super::{Const, Duration, EvalError, Timestamp};
use crate::text::same;

/// A CEL value.
#[derive(Clone, Copy, Debug)]
pub enum Value<'a> {
    /// `null`
    Null,
    /// `bool`
    Bool(bool),
    /// `int`
    Int(i64),
    /// `uint`
    UInt(u64),
    /// `double`: what every number of an attribute is
    Double(f64),
    /// `string`
    String(&'a str),
    /// `bytes`
    Bytes(&'a [u8]),
    /// `list`
    List(List<'a>),
    /// `map`
    Map(Map<'a>),
    /// `google.protobuf.Timestamp`
    Timestamp(Timestamp),
    /// `google.protobuf.Duration`
    Duration(Duration),
    /// A type, by its name.
    Type(&'a str),
    /// `optional_type`
    Optional(Option<&'a Value<'a>>),
    /// The request or a part of it.
    Message(Message<'a>),
    /// A kind that a function library brings.
    Opaque(&'a Opaque<'a>),
}

// Programs pass values around in registers and small arrays; a larger value would be felt everywhere.
const _: () = assert!(size_of::<Value<'_>>() == 24);

impl<'a> Value<'a> {
    /// The name of the value's type, as `type(x)` shows it.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Null => "null_type",
            Self::Bool(_) => "bool",
            Self::Int(_) => "int",
            Self::UInt(_) => "uint",
            Self::Double(_) => "double",
            Self::String(_) => "string",
            Self::Bytes(_) => "bytes",
            Self::List(_) => "list",
            Self::Map(_) => "map",
            Self::Timestamp(_) => "google.protobuf.Timestamp",
            Self::Duration(_) => "google.protobuf.Duration",
            Self::Type(_) => "type",
            Self::Optional(_) => "optional_type",
            Self::Message(message) => message.type_name(),
            Self::Opaque(opaque) => opaque.type_name(),
        }
    }

    /// CEL's `==`: numbers by their mathematical value, values of unlike types are unequal, NaN equals nothing.
    #[must_use]
    #[inline]
    pub fn equals(self, other: Value<'_>) -> bool {
        match (self, other) {
            (Self::String(a), Value::String(b)) => same(a, b),
            _ => self.equals_any(other),
        }
    }

    fn equals_any(self, other: Value<'_>) -> bool {
        match (self, other) {
            (Self::String(a), Value::String(b)) | (Self::Type(a), Value::Type(b)) => same(a, b),
            (Self::Null, Value::Null) => true,
            (Self::Bool(a), Value::Bool(b)) => a == b,
            (Self::Bytes(a), Value::Bytes(b)) => a == b,
            (Self::List(a), Value::List(b)) => a.equals(b),
            (Self::Map(a), Value::Map(b)) => a.equals(b),
            (Self::Timestamp(a), Value::Timestamp(b)) => a == b,
            (Self::Duration(a), Value::Duration(b)) => a == b,
            (Self::Optional(a), Value::Optional(b)) => match (a, b) {
                (Some(a), Some(b)) => a.equals(*b),
                (None, None) => true,
                _ => false,
            },
            (Self::Message(a), Value::Message(b)) => a.equals(b),
            (Self::Opaque(a), b) => a.equals(b),
            (a, b) => compare_numbers(a, b) == Some(Ordering::Equal),
        }
    }

    /// The order of two values of one kind; numbers compare across kinds.
    ///
    /// # Errors
    /// Kinds without an order, and NaN.
    pub fn compare<'e>(self, other: Value<'_>) -> Result<Ordering, EvalError<'e>> {
        Ok(match (self, other) {
            (Self::String(a), Value::String(b)) => a.cmp(b),
            (Self::Bool(a), Value::Bool(b)) => a.cmp(&b),
            (Self::Bytes(a), Value::Bytes(b)) => a.cmp(b),
            (Self::Timestamp(a), Value::Timestamp(b)) => a.cmp(&b),
            (Self::Duration(a), Value::Duration(b)) => a.cmp(&b),
            (a, b) if a.is_number() && b.is_number() => {
                return compare_numbers(a, b).ok_or(EvalError::NanOrdering);
            }
            _ => return Err(EvalError::NoSuchOverload),
        })
    }

    fn is_number(self) -> bool {
        matches!(self, Self::Int(_) | Self::UInt(_) | Self::Double(_))
    }

    /// Whether the value is the zero of its type: what `optional.ofNonZeroValue` turns into none.
    #[must_use]
    pub fn is_zero(self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(value) => !value,
            Self::Int(value) => value == 0,
            Self::UInt(value) => value == 0,
            Self::Double(value) => value == 0.0,
            Self::String(text) => text.is_empty(),
            Self::Bytes(bytes) => bytes.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Map(map) => map.is_empty(),
            // Go's zero time, which is not the epoch of Unix.
            Self::Timestamp(value) => value == Timestamp::MIN,
            Self::Duration(value) => value == Duration::default(),
            Self::Optional(value) => value.is_none(),
            Self::Type(_) | Self::Message(_) | Self::Opaque(_) => false,
        }
    }

    /// The name of the type with its parameters, as some of cel-go's errors have it.
    pub(crate) fn type_text(self) -> &'static str {
        match self {
            Self::List(_) => "list(dyn)",
            Self::Map(_) => "map(dyn, dyn)",
            Self::Optional(_) => "optional_type(dyn)",
            _ => self.type_name(),
        }
    }

    /// A list whose elements are already in the arena.
    #[must_use]
    pub fn list(arena: &'a Bump, elements: &'a [Value<'a>]) -> Self {
        Self::List(List::of_values(arena.alloc(elements)))
    }

    /// An optional that holds a value.
    #[must_use]
    pub fn some(arena: &'a Bump, value: Value<'a>) -> Self {
        Self::Optional(Some(arena.alloc(value)))
    }
}

/// Equality of tests and of constants' tables; [`Value::equals`] is CEL's own.
impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.equals(*other)
    }
}

/// `None` when either side is no number or NaN.
fn compare_numbers(a: Value<'_>, b: Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Int(a), Value::Int(b)) => Some(a.cmp(&b)),
        (Value::UInt(a), Value::UInt(b)) => Some(a.cmp(&b)),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(&b),
        (Value::Int(a), Value::UInt(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (Value::UInt(a), Value::Int(b)) => Some(i128::from(a).cmp(&i128::from(b))),
        (Value::Double(a), b) => compare_double(a, b),
        (a, Value::Double(b)) => compare_double(b, a).map(Ordering::reverse),
        _ => None,
    }
}

/// Outside the integer's range the double decides; inside, the integer is rounded to a double as cel-go does.
#[expect(clippy::cast_precision_loss, reason = "the rounding is the defined behaviour")]
fn compare_double(double: f64, integer: Value<'_>) -> Option<Ordering> {
    let (low, high, rounded) = match integer {
        Value::Int(integer) => (i64::MIN as f64, i64::MAX as f64, integer as f64),
        Value::UInt(integer) => (0.0, u64::MAX as f64, integer as f64),
        _ => return None,
    };
    if double < low {
        Some(Ordering::Less)
    } else if double > high {
        Some(Ordering::Greater)
    } else {
        double.partial_cmp(&rounded)
    }
}

/// A list: of values, of strings, or of a program's constants.
#[derive(Clone, Copy, Debug)]
pub struct List<'a>(ListRepr<'a>);

/// Thin references keep [`Value`] at 24 bytes.
#[derive(Clone, Copy, Debug)]
enum ListRepr<'a> {
    Values(&'a &'a [Value<'a>]),
    Strings(&'a &'a [&'a str]),
    Consts(&'a ConstList),
}

impl<'a> List<'a> {
    /// The empty list.
    pub const EMPTY: List<'static> = List(ListRepr::Values(&(&[] as &[Value<'static>])));

    /// A list of values.
    #[must_use]
    pub fn of_values(elements: &'a &'a [Value<'a>]) -> Self {
        Self(ListRepr::Values(elements))
    }

    /// A list of strings, such as a principal's roles.
    #[must_use]
    pub fn of_strings(elements: &'a &'a [&'a str]) -> Self {
        Self(ListRepr::Strings(elements))
    }

    pub(crate) fn of_consts(elements: &'a ConstList) -> Self {
        Self(ListRepr::Consts(elements))
    }

    /// Number of elements.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            ListRepr::Values(elements) => elements.len(),
            ListRepr::Strings(elements) => elements.len(),
            ListRepr::Consts(elements) => elements.elements().len(),
        }
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The element at an index from 0.
    #[must_use]
    pub fn get(self, index: usize) -> Option<Value<'a>> {
        match self.0 {
            ListRepr::Values(elements) => elements.get(index).copied(),
            ListRepr::Strings(elements) => elements.get(index).map(|text| Value::String(text)),
            ListRepr::Consts(elements) => elements.elements().get(index).map(Const::value),
        }
    }

    /// The elements in order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = Value<'a>> + DoubleEndedIterator + 'a {
        (0..self.len()).map(move |index| self.get(index).unwrap_or(Value::Null))
    }

    /// Whether an element equals the value.
    #[must_use]
    pub fn contains(self, value: Value<'_>) -> bool {
        match (self.0, value) {
            (ListRepr::Values(elements), Value::String(text)) => {
                elements.iter().any(|element| matches!(element, Value::String(element) if *element == text))
            }
            (ListRepr::Strings(elements), Value::String(text)) => elements.contains(&text),
            _ => self.iter().any(|element| element.equals(value)),
        }
    }

    fn equals(self, other: List<'_>) -> bool {
        self.len() == other.len() && self.iter().zip(other.iter()).all(|(a, b)| a.equals(b))
    }
}

/// Whether a key that is looked for is the `known` one: as integers of either kind, or exactly.
fn finds(key: Value<'_>, known: Value<'_>) -> bool {
    let integer_for_double = matches!((key, known), (Value::Int(_) | Value::UInt(_), Value::Double(_)));
    !integer_for_double && known.equals(key)
}

/// Whether two keys of a literal are the same entry: only keys of one kind are.
fn same_key(a: Value<'_>, b: Value<'_>) -> bool {
    a.type_name() == b.type_name() && a.equals(b)
}

/// A map. Maps with string keys only are sorted by key; others keep the order in which they were written.
#[derive(Clone, Copy, Debug)]
pub struct Map<'a>(MapRepr<'a>);

#[derive(Clone, Copy, Debug)]
enum MapRepr<'a> {
    /// Sorted by key, each key once.
    Fields(&'a [(&'a str, Value<'a>)]),
    Entries(&'a [(Value<'a>, Value<'a>)]),
    Consts(&'a ConstMap),
}

/// Up to this many fields are looked through one by one.
const LINEAR_SCAN: usize = 8;

impl Default for Map<'_> {
    fn default() -> Self {
        Self::EMPTY
    }
}

impl<'a> Map<'a> {
    /// The empty map.
    pub const EMPTY: Map<'static> = Map(MapRepr::Fields(&[]));

    /// A map with string keys, from fields in any order; of fields with one name the last counts.
    #[must_use]
    pub fn of_fields(arena: &'a Bump, fields: &[(&'a str, Value<'a>)]) -> Self {
        let mut sorted = bumpalo::collections::Vec::with_capacity_in(fields.len(), arena);
        sorted.extend(fields.iter().rev().copied());
        sorted.sort_by_key(|(name, _)| *name);
        sorted.dedup_by_key(|(name, _)| *name);
        Self(MapRepr::Fields(sorted.into_bump_slice()))
    }

    /// A map with string keys, from fields sorted by name, each name once. Costs nothing; where the
    /// fields are not sorted, lookups may miss.
    #[must_use]
    pub fn of_sorted_fields(fields: &'a [(&'a str, Value<'a>)]) -> Self {
        Self(MapRepr::Fields(fields))
    }

    /// A map with any keys; of equal keys the last counts.
    #[must_use]
    pub fn of_entries(arena: &'a Bump, entries: &[(Value<'a>, Value<'a>)]) -> Self {
        let mut fields = bumpalo::collections::Vec::with_capacity_in(entries.len(), arena);
        for (key, value) in entries {
            match key {
                Value::String(name) => fields.push((*name, *value)),
                _ => break,
            }
        }
        if fields.len() == entries.len() {
            return Self::of_fields(arena, &fields);
        }
        let mut kept: bumpalo::collections::Vec<'a, (Value<'a>, Value<'a>)> =
            bumpalo::collections::Vec::with_capacity_in(entries.len(), arena);
        for (key, value) in entries {
            match kept.iter_mut().find(|(known, _)| same_key(*known, *key)) {
                Some(known) => known.1 = *value,
                None => kept.push((*key, *value)),
            }
        }
        Self(MapRepr::Entries(kept.into_bump_slice()))
    }

    pub(crate) fn of_consts(map: &'a ConstMap) -> Self {
        Self(MapRepr::Consts(map))
    }

    /// Number of entries.
    #[must_use]
    pub fn len(self) -> usize {
        match self.0 {
            MapRepr::Fields(fields) => fields.len(),
            MapRepr::Entries(entries) => entries.len(),
            MapRepr::Consts(map) => map.entries().len(),
        }
    }

    /// Whether there is no entry.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value of a string key.
    #[must_use]
    #[inline]
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        match self.0 {
            MapRepr::Fields(fields) if fields.len() <= LINEAR_SCAN => {
                fields.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
            }
            MapRepr::Fields(fields) => {
                let index = fields.binary_search_by(|(key, _)| (*key).cmp(name)).ok()?;
                fields.get(index).map(|(_, value)| *value)
            }
            MapRepr::Entries(_) => self.find(Value::String(name)),
            MapRepr::Consts(map) => map.get(name).map(Const::value),
        }
    }

    /// The value of any key. A double finds an equal integer, but no integer finds a double.
    #[must_use]
    pub fn find(self, key: Value<'_>) -> Option<Value<'a>> {
        match (self.0, key) {
            (MapRepr::Fields(_) | MapRepr::Consts(_), Value::String(name)) => self.get(name),
            (MapRepr::Fields(_), _) => None,
            (MapRepr::Entries(entries), _) => {
                entries.iter().find(|(known, _)| finds(key, *known)).map(|(_, value)| *value)
            }
            (MapRepr::Consts(map), _) => {
                let found = map.entries().iter().find(|(known, _)| finds(key, known.value()));
                found.map(|(_, value)| value.value())
            }
        }
    }

    /// The entry at a position of the map's order.
    #[must_use]
    pub fn entry(self, index: usize) -> Option<(Value<'a>, Value<'a>)> {
        match self.0 {
            MapRepr::Fields(fields) => fields.get(index).map(|(key, value)| (Value::String(key), *value)),
            MapRepr::Entries(entries) => entries.get(index).copied(),
            MapRepr::Consts(map) => map.entries().get(index).map(|(key, value)| (key.value(), value.value())),
        }
    }

    /// The entries in the map's order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (Value<'a>, Value<'a>)> + 'a {
        (0..self.len()).map(move |index| self.entry(index).unwrap_or((Value::Null, Value::Null)))
    }

    fn equals(self, other: Map<'_>) -> bool {
        self.len() == other.len()
            && self.iter().all(|(key, value)| other.find(key).is_some_and(|found| value.equals(found)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_across_kinds() {
        assert!(Value::Int(1).equals(Value::Double(1.0)));
        assert!(Value::UInt(1).equals(Value::Int(1)));
        assert!(!Value::Int(-1).equals(Value::UInt(u64::MAX)));
        assert!(!Value::Double(f64::NAN).equals(Value::Double(f64::NAN)));
        assert!(!Value::Bool(true).equals(Value::Int(1)));
        assert_eq!(Value::Int(1).compare(Value::Double(1.5)), Ok(Ordering::Less));
        assert_eq!(Value::UInt(u64::MAX).compare(Value::Double(-1.0)), Ok(Ordering::Greater));
        assert_eq!(Value::Double(f64::NAN).compare(Value::Int(1)), Err(EvalError::NanOrdering));
        assert_eq!(Value::Null.compare(Value::Null), Err(EvalError::NoSuchOverload));
    }

    #[test]
    fn maps_find_fields_whatever_their_number() {
        let arena = Bump::new();
        let names: Vec<String> = (0..20).map(|n| format!("k{n}")).collect();
        let fields: Vec<_> = names.iter().zip(0..).map(|(name, n)| (name.as_str(), Value::Int(n))).collect();
        for count in [0, 1, LINEAR_SCAN, LINEAR_SCAN + 1, 20] {
            let map = Map::of_fields(&arena, &fields[..count]);
            for (index, (name, value)) in fields.iter().enumerate() {
                assert_eq!(map.get(name).is_some_and(|found| found.equals(*value)), index < count);
            }
        }
        let twice = Map::of_fields(&arena, &[("a", Value::Int(1)), ("a", Value::Int(2))]);
        assert_eq!((twice.len(), twice.get("a")), (1, Some(Value::Int(2))));
    }

    #[test]
    fn keys_of_other_kinds_are_found_by_value() {
        let arena = Bump::new();
        let map = Map::of_entries(&arena, &[(Value::Int(1), Value::Null), (Value::String("a"), Value::Null)]);
        assert!(map.find(Value::Double(1.0)).is_some());
        assert!(map.get("a").is_some());
        assert!(map.find(Value::Bool(true)).is_none());
    }
}
