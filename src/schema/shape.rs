//! What a schema promises of the values that it accepts, for the analysis of conditions.

use super::model::{Keyword, Properties, Rest, Schema, SchemaId, SchemaSet, Types};
use crate::cel::risk::{Attribute, Kinds, Step};

/// References can go in circles: so many are followed.
const MAX_DEPTH: u32 = 8;

/// What is promised of one value.
#[derive(Clone, Copy)]
struct Promise {
    kinds: Kinds,
    date_time: bool,
}

const NOTHING: Promise = Promise { kinds: Kinds::JSON, date_time: false };

impl SchemaSet {
    /// What is known of the value at the end of a path, in all that the schema accepts.
    #[must_use]
    pub(crate) fn attribute(&self, root: SchemaId, path: &[Step]) -> Attribute {
        let Some((last, parents)) = path.split_last() else {
            return Attribute { present: true, kinds: Kinds::MAP, date_time: false };
        };
        let mut holders = vec![root];
        for step in parents {
            holders = holders.iter().flat_map(|holder| self.children(*holder, step, MAX_DEPTH)).collect();
        }
        let present = match last {
            Step::Field(name) => holders.iter().any(|holder| self.requires(*holder, name, MAX_DEPTH)),
            Step::Element => false,
        };
        let values = holders.iter().flat_map(|holder| self.children(*holder, last, MAX_DEPTH));
        let promise = values.map(|value| self.promise(value, MAX_DEPTH)).fold(NOTHING, Promise::and);
        Attribute { present, kinds: promise.kinds, date_time: promise.date_time }
    }

    fn schema(&self, id: SchemaId) -> &[Keyword] {
        self.schemas.get(id.0 as usize).map_or(&[], |Schema { keywords, .. }| keywords)
    }

    /// The schemas that a value must satisfy because it must satisfy this one, itself included.
    fn all_of(&self, id: SchemaId, depth: u32) -> Vec<SchemaId> {
        let mut all = vec![id];
        if depth == 0 {
            return all;
        }
        for keyword in self.schema(id) {
            match keyword {
                Keyword::Ref(target) => all.extend(self.all_of(*target, depth - 1)),
                Keyword::AllOf(parts) => {
                    parts.iter().for_each(|part| all.extend(self.all_of(*part, depth - 1)));
                }
                _ => {}
            }
        }
        all
    }

    /// The schemas that what is one step inside of a value must satisfy.
    fn children(&self, id: SchemaId, step: &Step, depth: u32) -> Vec<SchemaId> {
        let mut children = Vec::new();
        for keyword in self.all_of(id, depth).into_iter().flat_map(|id| self.schema(id)) {
            match (keyword, step) {
                (Keyword::Properties(properties), Step::Field(name)) => {
                    children.extend(named(properties, name));
                }
                // Elements with a schema of their own are not told apart from the rest.
                (Keyword::Items { prefix, rest: Rest::Schema(rest) }, Step::Element) if prefix.is_empty() => {
                    children.push(*rest);
                }
                _ => {}
            }
        }
        children
    }

    fn requires(&self, id: SchemaId, name: &str, depth: u32) -> bool {
        self.all_of(id, depth).into_iter().flat_map(|id| self.schema(id)).any(|keyword| match keyword {
            Keyword::Required(names) => names.iter().any(|required| **required == *name),
            Keyword::AnyOf(parts) | Keyword::OneOf(parts) if depth > 0 => {
                parts.iter().all(|part| self.requires(*part, name, depth - 1))
            }
            _ => false,
        })
    }

    fn promise(&self, id: SchemaId, depth: u32) -> Promise {
        let keywords = self.all_of(id, depth).into_iter().flat_map(|id| self.schema(id));
        keywords.map(|keyword| self.promise_of(keyword, depth)).fold(NOTHING, Promise::and)
    }

    fn promise_of(&self, keyword: &Keyword, depth: u32) -> Promise {
        match keyword {
            Keyword::Never => Promise { kinds: Kinds::NEVER, ..NOTHING },
            Keyword::Type { allowed, .. } => Promise { kinds: kinds(*allowed), ..NOTHING },
            Keyword::Const { value, .. } => Promise { kinds: Kinds::of_const(value), ..NOTHING },
            Keyword::Enum { values, .. } => {
                let kinds = values.iter().map(Kinds::of_const).fold(Kinds::NEVER, |all, kind| all | kind);
                Promise { kinds, ..NOTHING }
            }
            Keyword::Format { name, .. } => Promise { date_time: **name == *"date-time", ..NOTHING },
            Keyword::AnyOf(parts) | Keyword::OneOf(parts) if depth > 0 => {
                let parts = parts.iter().map(|part| self.promise(*part, depth - 1));
                parts.reduce(Promise::or).unwrap_or(NOTHING)
            }
            _ => NOTHING,
        }
    }
}

impl Promise {
    fn and(self, other: Self) -> Self {
        Self { kinds: self.kinds.and(other.kinds), date_time: self.date_time || other.date_time }
    }

    fn or(self, other: Self) -> Self {
        Self { kinds: self.kinds | other.kinds, date_time: self.date_time && other.date_time }
    }
}

fn named(properties: &Properties, name: &str) -> Option<SchemaId> {
    let known = properties.named.iter().find(|(known, _)| **known == *name);
    known.map(|(_, schema)| *schema)
}

fn kinds(types: Types) -> Kinds {
    Types::NAMES.into_iter().filter(|name| types.has(name)).fold(Kinds::NEVER, |all, name| {
        all | match name {
            "null" => Kinds::NULL,
            "boolean" => Kinds::BOOL,
            "object" => Kinds::MAP,
            "array" => Kinds::LIST,
            "string" => Kinds::STRING,
            _ => Kinds::DOUBLE,
        }
    })
}
