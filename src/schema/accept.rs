//! Whether a schema accepts a value, without telling why not: what nearly every check asks, at a fraction of the cost.
//!
//! What hangs on more than the value is left to the validator: dynamic references, what other schemas left unevaluated,
//! the content of strings, and values that are nested too deeply.

use super::model::{Additional, Keyword, Properties, Rest, SchemaId, SchemaSet};
use super::validate::{MAX_DEPTH, fields};
use crate::cel::{List, Map, Value};

impl SchemaSet {
    /// Whether the schema accepts the value; none where only the validator can tell.
    pub(super) fn accepts(&self, id: SchemaId, value: Value<'_>, depth: u32) -> Option<bool> {
        if depth >= MAX_DEPTH {
            return None;
        }
        let keywords = self.schemas.get(id.0 as usize).map_or(&[][..], |schema| &schema.keywords);
        for keyword in keywords {
            let accepts = match keyword.fits(value) {
                Some(fits) => fits,
                None => self.keyword_accepts(keyword, value, depth + 1)?,
            };
            if !accepts {
                return Some(false);
            }
        }
        Some(true)
    }

    fn keyword_accepts(&self, keyword: &Keyword, value: Value<'_>, depth: u32) -> Option<bool> {
        match (keyword, value) {
            (Keyword::Properties(properties), Value::Map(map)) => {
                self.properties_accept(properties, map, depth)
            }
            (Keyword::PropertyNames(schema), Value::Map(map)) => {
                all(fields(map), |(name, _)| self.accepts(*schema, Value::String(name), depth))
            }
            (Keyword::DependentSchema { name, schema }, Value::Map(map)) => match map.get(name) {
                Some(_) => self.accepts(*schema, value, depth),
                None => Some(true),
            },
            (Keyword::Items { prefix, rest }, Value::List(list)) => {
                self.items_accept(prefix, *rest, list, depth)
            }
            (Keyword::Contains { schema, min, max, .. }, Value::List(list)) => {
                let matched = count(list.iter(), |item| self.accepts(*schema, item, depth))?;
                Some(matched >= *min && max.is_none_or(|max| matched <= max))
            }
            (Keyword::Ref(schema), _) => self.accepts(*schema, value, depth),
            (Keyword::Not(schema), _) => self.accepts(*schema, value, depth).map(|accepts| !accepts),
            (Keyword::AllOf(schemas), _) => all(schemas.iter(), |schema| self.accepts(*schema, value, depth)),
            (Keyword::AnyOf(schemas), _) => {
                let none = all(schemas.iter(), |schema| Some(!self.accepts(*schema, value, depth)?))?;
                Some(!none)
            }
            (Keyword::OneOf(schemas), _) => {
                Some(count(schemas.iter(), |schema| self.accepts(*schema, value, depth))? == 1)
            }
            (Keyword::If { condition, then, otherwise }, _) => {
                let next = if self.accepts(*condition, value, depth)? { then } else { otherwise };
                next.map_or(Some(true), |schema| self.accepts(schema, value, depth))
            }
            (
                Keyword::Content(_)
                | Keyword::DynamicRef { .. }
                | Keyword::RecursiveRef { .. }
                | Keyword::UnevaluatedProperties(_)
                | Keyword::UnevaluatedItems(_),
                _,
            ) => None,
            // Keywords about other types.
            _ => Some(true),
        }
    }

    fn properties_accept(&self, properties: &Properties, map: Map<'_>, depth: u32) -> Option<bool> {
        let mut next = 0;
        all(fields(map), |(name, value)| {
            let mut is_known = false;
            if let Some(place) = properties.place(name, next) {
                is_known = true;
                next = place + 1;
                if !self.accepts(properties.named[place].1, value, depth)? {
                    return Some(false);
                }
            }
            for (pattern, schema) in &properties.patterns {
                if pattern.is_match(name) {
                    is_known = true;
                    if !self.accepts(*schema, value, depth)? {
                        return Some(false);
                    }
                }
            }
            match properties.additional {
                Additional::Forbidden => Some(is_known),
                Additional::Schema(schema) if !is_known => self.accepts(schema, value, depth),
                Additional::Schema(_) | Additional::Unsaid | Additional::Allowed => Some(true),
            }
        })
    }

    fn items_accept(&self, prefix: &[SchemaId], rest: Rest, list: List<'_>, depth: u32) -> Option<bool> {
        if matches!(rest, Rest::Forbidden) && list.len() > prefix.len() {
            return Some(false);
        }
        all(list.iter().enumerate(), |(index, item)| match (prefix.get(index), rest) {
            (Some(schema), _) => self.accepts(*schema, item, depth),
            (None, Rest::Schema(schema)) => self.accepts(schema, item, depth),
            (None, Rest::Unsaid | Rest::Allowed | Rest::Forbidden) => Some(true),
        })
    }
}

impl Properties {
    /// The place of a name among the named ones. Fields of attributes are sorted as well, so that the name is mostly
    /// the one that is expected next.
    fn place(&self, name: &str, expected: usize) -> Option<usize> {
        match self.named.get(expected) {
            Some((next, _)) if **next == *name => Some(expected),
            _ => self.find(name),
        }
    }
}

/// Whether all of some things are accepted, as far as that can be told.
fn all<T>(things: impl Iterator<Item = T>, mut accepts: impl FnMut(T) -> Option<bool>) -> Option<bool> {
    for thing in things {
        if !accepts(thing)? {
            return Some(false);
        }
    }
    Some(true)
}

/// How many of some things are accepted, as far as that can be told.
fn count<T>(things: impl Iterator<Item = T>, mut accepts: impl FnMut(T) -> Option<bool>) -> Option<u64> {
    let mut accepted = 0;
    for thing in things {
        accepted += u64::from(accepts(thing)?);
    }
    Some(accepted)
}
