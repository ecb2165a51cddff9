//! Keywords that demand something of a value alone, without other schemas.

use super::model::{Keyword, Types};
use super::number::Decimal;
use super::order::first_repetition;
use crate::cel::{List, Map, Value};

impl Keyword {
    /// Whether the value is as the keyword demands it; keywords about other types are content with it. None for
    /// keywords that apply other schemas.
    pub(super) fn fits(&self, value: Value<'_>) -> Option<bool> {
        Some(match self {
            Self::Never => false,
            Self::Type { allowed, .. } => allowed.meets(Types::of(value)),
            Self::Const { value: constant, .. } => constant.value().equals(value),
            Self::Enum { values, .. } => values.iter().any(|constant| constant.value().equals(value)),

            Self::MinProperties(min) => map(value).is_none_or(|map| map.len() as u64 >= *min),
            Self::MaxProperties(max) => map(value).is_none_or(|map| map.len() as u64 <= *max),
            Self::Required(names) => map(value).is_none_or(|map| has_all(map, names)),
            Self::DependentRequired { name, required } => {
                map(value).is_none_or(|map| map.get(name).is_none() || has_all(map, required))
            }

            Self::MinItems(min) => list(value).is_none_or(|list| list.len() as u64 >= *min),
            Self::MaxItems(max) => list(value).is_none_or(|list| list.len() as u64 <= *max),
            Self::UniqueItems => list(value).is_none_or(|list| first_repetition(list).is_none()),

            Self::Format { is_valid, .. } => text(value).is_none_or(is_valid),
            Self::MinLength(min) => text(value).is_none_or(|text| length(text) >= *min),
            Self::MaxLength(max) => text(value).is_none_or(|text| length(text) <= *max),
            Self::Pattern { regex, .. } => text(value).is_none_or(|text| regex.is_match(text)),

            Self::Minimum(limit) => number(value).is_none_or(|number| number >= *limit),
            Self::ExclusiveMinimum(limit) => number(value).is_none_or(|number| number > *limit),
            Self::Maximum(limit) => number(value).is_none_or(|number| number <= *limit),
            Self::ExclusiveMaximum(limit) => number(value).is_none_or(|number| number < *limit),
            Self::MultipleOf { factor, decimal } => {
                number(value).is_none_or(|number| is_multiple(number, *factor, *decimal))
            }

            _ => return None,
        })
    }
}

impl Types {
    /// The types that a value has: a whole number is an integer as well.
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Double(number) if number.fract() == 0.0 => Self::NUMBER.with(Self::INTEGER),
            Value::Double(_) => Self::NUMBER,
            Value::String(_) => Self::STRING,
            Value::List(_) => Self::ARRAY,
            // Attributes are JSON: there is nothing else.
            _ => Self::OBJECT,
        }
    }
}

fn has_all(map: Map<'_>, names: &[Box<str>]) -> bool {
    names.iter().all(|name| map.get(name).is_some())
}

/// Below it, doubles count whole numbers exactly.
const WHOLE: f64 = 9_007_199_254_740_992.0;

fn is_multiple(number: f64, factor: f64, decimal: Decimal) -> bool {
    if number.abs() < WHOLE && factor < WHOLE && number.fract() == 0.0 && factor.fract() == 0.0 {
        return number % factor == 0.0;
    }
    Decimal::of(number).is_some_and(|number| number.is_multiple_of(decimal))
}

/// In characters.
pub(super) fn length(text: &str) -> u64 {
    text.chars().count() as u64
}

fn map(value: Value<'_>) -> Option<Map<'_>> {
    if let Value::Map(map) = value { Some(map) } else { None }
}

fn list(value: Value<'_>) -> Option<List<'_>> {
    if let Value::List(list) = value { Some(list) } else { None }
}

fn text(value: Value<'_>) -> Option<&str> {
    if let Value::String(text) = value { Some(text) } else { None }
}

fn number(value: Value<'_>) -> Option<f64> {
    if let Value::Double(number) = value { Some(number) } else { None }
}
