//! Value × schema → what the schema refuses.
//!
//! Told are the innermost reasons: of `anyOf` those of all its schemas, not that it failed. Paths are JSON pointers,
//! percent-encoded, and `/` for the whole.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec;
use serde::de::DeserializeSeed;

use super::context::{At, Evaluated, Path, Scope};
use super::model::{Additional, Content, Keyword, Properties, Resource, Rest, Schema, SchemaId, SchemaSet};
use super::quote::single;
use crate::cel::{List, Map, Value, ValueSeed, base64_bytes};

/// Deepest nesting of schemas in the course of a validation.
pub(super) const MAX_DEPTH: u32 = 300;

/// A part of the attributes that a schema refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Violation<'a> {
    /// Where in the attributes.
    pub path: &'a str,
    /// What is wrong there.
    pub message: &'a str,
    /// The keyword that refuses it; empty for the schema `false`.
    pub keyword: &'static str,
}

impl SchemaSet {
    /// Validates attributes. Empty where the schema accepts them.
    pub fn validate<'a>(
        &self,
        schema: SchemaId,
        attributes: Map<'a>,
        arena: &'a Bump,
    ) -> &'a [Violation<'a>] {
        if self.accepts(schema, Value::Map(attributes), 0) == Some(true) {
            return &[];
        }
        let mut validator = Validator { set: self, arena, violations: Vec::new_in(arena), quiet: 0 };
        let scope = Scope { resource: u32::MAX, outer: None };
        let at = At { path: &Path::Root, scope: &scope, depth: 0 };
        validator.check(schema, Value::Map(attributes), at);
        validator.violations.into_bump_slice()
    }
}

pub(super) struct Validator<'s, 'a> {
    set: &'s SchemaSet,
    arena: &'a Bump,
    violations: Vec<'a, Violation<'a>>,
    /// Above zero, nobody will read what is wrong.
    quiet: u32,
}

impl<'s, 'a> Validator<'s, 'a> {
    /// Whether a schema accepts a value. If not, violations tell why.
    fn check(&mut self, id: SchemaId, value: Value<'a>, at: At<'_>) -> bool {
        self.evaluate(id, value, at).0
    }

    fn evaluate(&mut self, id: SchemaId, value: Value<'a>, at: At<'_>) -> (bool, Evaluated<'a>) {
        let set = self.set;
        let count = match value {
            Value::Map(map) if set.tracks_evaluation => map.len(),
            Value::List(list) if set.tracks_evaluation => list.len(),
            _ => 0,
        };
        let mut evaluated = Evaluated::none_of(count, self.arena);
        let Some(schema) = set.schemas.get(id.0 as usize) else { return (true, evaluated) };
        if at.depth >= MAX_DEPTH {
            return (self.fail(at, "", format_args!("nested too deeply to be validated")), evaluated);
        }
        let valid = if at.scope.resource == schema.resource {
            self.demand(schema, value, At { depth: at.depth + 1, ..at }, &mut evaluated)
        } else {
            let scope = Scope { resource: schema.resource, outer: Some(at.scope) };
            let at = At { path: at.path, scope: &scope, depth: at.depth + 1 };
            self.demand(schema, value, at, &mut evaluated)
        };
        (valid, evaluated)
    }

    fn demand(
        &mut self,
        schema: &'s Schema,
        value: Value<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> bool {
        let mut valid = true;
        for keyword in &schema.keywords {
            if !self.keyword(keyword, value, at, evaluated) {
                valid = false;
                // What has the wrong type has nothing else wrong with it.
                if matches!(keyword, Keyword::Never | Keyword::Type { .. }) {
                    break;
                }
            }
        }
        valid
    }

    fn keyword(
        &mut self,
        keyword: &'s Keyword,
        value: Value<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> bool {
        match keyword.fits(value) {
            Some(true) => true,
            Some(false) => self.refuse(keyword, value, at),
            None => match value {
                Value::Map(map) => self.object(keyword, map, at, evaluated),
                Value::List(list) => self.array(keyword, list, at, evaluated),
                Value::String(text) => self.string(keyword, text, at),
                _ => None,
            }
            .unwrap_or_else(|| self.in_place(keyword, value, at, evaluated)),
        }
    }

    /// Whether the parts of an object are as a keyword demands them; none for keywords about other things.
    fn object(
        &mut self,
        keyword: &'s Keyword,
        map: Map<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> Option<bool> {
        Some(match keyword {
            Keyword::Properties(properties) => self.properties(properties, map, at, evaluated),
            Keyword::PropertyNames(schema) => self.each(fields(map), at, |this, (name, _), path, at| {
                this.check(*schema, Value::String(name), at.part(&Path::Field(path, name)))
            }),
            Keyword::DependentSchema { name, schema } if map.get(name).is_some() => {
                self.also(*schema, Value::Map(map), at, evaluated)
            }
            Keyword::UnevaluatedProperties(schema) => {
                let valid =
                    self.each(fields(map).enumerate(), at, |this, (index, (name, value)), path, at| {
                        evaluated.has(index) || this.check(*schema, value, at.part(&Path::Field(path, name)))
                    });
                evaluated.mark_all();
                valid
            }
            _ => return None,
        })
    }

    fn properties(
        &mut self,
        properties: &'s Properties,
        map: Map<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> bool {
        let mut forbidden: std::vec::Vec<String> = std::vec::Vec::new();
        let mut valid = self.each(fields(map).enumerate(), at, |this, (index, (name, value)), path, at| {
            let mut valid = true;
            let mut is_known = false;
            let at = at.part(path);
            let path = Path::Field(path, name);
            if let Some(found) = properties.find(name) {
                is_known = true;
                valid &= this.check(properties.named[found].1, value, at.part(&path));
            }
            for (pattern, schema) in &properties.patterns {
                if pattern.is_match(name) {
                    is_known = true;
                    valid &= this.check(*schema, value, at.part(&path));
                }
            }
            match properties.additional {
                _ if is_known => evaluated.mark(index),
                Additional::Forbidden => forbidden.push(single(name)),
                Additional::Schema(schema) => valid &= this.check(schema, value, at.part(&path)),
                Additional::Unsaid | Additional::Allowed => {}
            }
            valid
        });
        if !matches!(properties.additional, Additional::Unsaid) {
            evaluated.mark_all();
        }
        if !forbidden.is_empty() {
            let message = format_args!("additionalProperties {} not allowed", forbidden.join(", "));
            valid = self.fail(at, "additionalProperties", message);
        }
        valid
    }

    /// Whether the items of a list are as a keyword demands them; none for keywords about other things.
    fn array(
        &mut self,
        keyword: &'s Keyword,
        list: List<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> Option<bool> {
        Some(match keyword {
            Keyword::Items { prefix, rest } => self.items(prefix, *rest, list, at, evaluated),
            Keyword::Contains { schema, min, max, evaluates } => {
                let mark = if *evaluates { Some(evaluated) } else { None };
                self.contains(*schema, (*min, *max), list, at, mark)
            }
            Keyword::UnevaluatedItems(schema) => {
                let valid = self.each(list.iter().enumerate(), at, |this, (index, item), path, at| {
                    evaluated.has(index) || this.check(*schema, item, at.part(&Path::Index(path, index)))
                });
                evaluated.mark_all();
                valid
            }
            _ => return None,
        })
    }

    fn items(
        &mut self,
        prefix: &'s [SchemaId],
        rest: Rest,
        list: List<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> bool {
        let mut valid = self.each(list.iter().enumerate(), at, |this, (index, item), path, at| {
            let schema = match (prefix.get(index), rest) {
                (Some(schema), _) => *schema,
                (None, Rest::Schema(schema)) => schema,
                (None, Rest::Unsaid | Rest::Allowed | Rest::Forbidden) => return true,
            };
            evaluated.mark(index);
            this.check(schema, item, at.part(&Path::Index(path, index)))
        });
        match rest {
            Rest::Allowed => evaluated.mark_all(),
            Rest::Forbidden if list.len() > prefix.len() => {
                let (allowed, found) = (prefix.len(), list.len());
                let message = format_args!("only {allowed} items are allowed, but found {found} items");
                valid = self.fail(at, "additionalItems", message);
            }
            Rest::Unsaid | Rest::Forbidden | Rest::Schema(_) => {}
        }
        valid
    }

    fn contains(
        &mut self,
        schema: SchemaId,
        (min, max): (u64, Option<u64>),
        list: List<'a>,
        at: At<'_>,
        mut evaluated: Option<&mut Evaluated<'a>>,
    ) -> bool {
        let before = self.violations.len();
        let mut matched = 0;
        for (index, item) in list.iter().enumerate() {
            if self.check(schema, item, at.part(&Path::Index(at.path, index))) {
                matched += 1;
                if let Some(evaluated) = evaluated.as_deref_mut() {
                    evaluated.mark(index);
                }
            }
        }
        let mut valid = true;
        if matched >= min {
            self.violations.truncate(before);
        } else if self.violations.len() == before {
            valid = self.fail(at, "minContains", format_args!("valid must be >= {min}, but got {matched}"));
        } else {
            valid = false;
        }
        if let Some(max) = max.filter(|max| matched > *max) {
            valid = self.fail(at, "maxContains", format_args!("valid must be <= {max}, but got {matched}"));
        }
        valid
    }

    /// Whether what a string contains is as a keyword demands it; none for keywords about other things.
    fn string(&mut self, keyword: &'s Keyword, text: &'a str, at: At<'_>) -> Option<bool> {
        match keyword {
            Keyword::Content(content) => Some(self.content(content, text, at)),
            _ => None,
        }
    }

    fn content(&mut self, content: &'s Content, text: &'a str, at: At<'_>) -> bool {
        let bytes: &'a [u8] = if content.base64 {
            let text = text.replace(['\r', '\n'], "");
            match base64_bytes(&text).filter(|_| text.len().is_multiple_of(4)) {
                Some(bytes) => self.arena.alloc_slice_copy(&bytes),
                None => return self.fail(at, "contentEncoding", format_args!("value is not base64 encoded")),
            }
        } else {
            text.as_bytes()
        };
        if content.opaque || !(content.json || content.schema.is_some()) {
            return true;
        }
        let mut deserializer = serde_json::Deserializer::from_slice(bytes);
        let value = ValueSeed::new(self.arena).deserialize(&mut deserializer);
        let Ok(value) = value.and_then(|value| deserializer.end().map(|()| value)) else {
            let message = format_args!("value is not of mediatype 'application/json'");
            let valid = !content.json || self.fail(at, "contentMediaType", message);
            let is_unread = content.schema.is_some();
            return !is_unread && valid
                || self.fail(at, "contentSchema", format_args!("value is not valid json"));
        };
        content.schema.is_none_or(|schema| self.check(schema, value, at))
    }

    /// Keywords that apply other schemas to the same value; keywords about other types are content with it.
    fn in_place(
        &mut self,
        keyword: &'s Keyword,
        value: Value<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> bool {
        let before = self.violations.len();
        match keyword {
            Keyword::Ref(schema) => self.also(*schema, value, at, evaluated),
            Keyword::DynamicRef { target, anchor } => {
                let schema = anchor.as_deref().and_then(|anchor| self.dynamic_anchor(at.scope, anchor));
                self.also(schema.unwrap_or(*target), value, at, evaluated)
            }
            Keyword::RecursiveRef { target, to_anchor } => {
                let outermost = if *to_anchor { self.recursive_anchor(at.scope) } else { None };
                self.also(outermost.unwrap_or(*target), value, at, evaluated)
            }
            Keyword::Not(schema) => {
                !self.accepts(*schema, value, at, evaluated)
                    || self.fail(at, "not", format_args!("not failed"))
            }
            Keyword::AllOf(schemas) => {
                let mut valid = true;
                for schema in schemas {
                    valid &= self.also(*schema, value, at, evaluated);
                }
                valid
            }
            Keyword::AnyOf(schemas) => {
                let mut valid = false;
                for schema in schemas {
                    valid |= self.also(*schema, value, at, evaluated);
                    if valid && !self.set.tracks_evaluation {
                        break;
                    }
                }
                if valid {
                    self.violations.truncate(before);
                }
                valid
            }
            Keyword::OneOf(schemas) => {
                let mut matched = None;
                for (index, schema) in schemas.iter().enumerate() {
                    if !self.also(*schema, value, at, evaluated) {
                        continue;
                    }
                    self.violations.truncate(before);
                    if let Some(first) = matched.replace(index) {
                        let message = format_args!("valid against schemas at indexes {first} and {index}");
                        return self.fail(at, "oneOf", message);
                    }
                }
                if matched.is_some() {
                    self.violations.truncate(before);
                }
                matched.is_some()
            }
            Keyword::If { condition, then, otherwise } => {
                let next = if self.accepts(*condition, value, at, evaluated) { then } else { otherwise };
                next.is_none_or(|schema| self.also(schema, value, at, evaluated))
            }
            _ => true,
        }
    }

    /// Checks the value against another schema as well. What that looks at counts as looked at if it accepts.
    fn also(
        &mut self,
        schema: SchemaId,
        value: Value<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> bool {
        let (valid, by_it) = self.evaluate(schema, value, at);
        if valid {
            evaluated.merge(&by_it);
        }
        valid
    }

    /// [`Validator::also`] without telling why not.
    fn accepts(
        &mut self,
        schema: SchemaId,
        value: Value<'a>,
        at: At<'_>,
        evaluated: &mut Evaluated<'a>,
    ) -> bool {
        self.quiet += 1;
        let valid = self.also(schema, value, at, evaluated);
        self.quiet -= 1;
        valid
    }

    /// The schema of the outermost resource that has the dynamic anchor.
    fn dynamic_anchor(&self, scope: &Scope<'_>, anchor: &str) -> Option<SchemaId> {
        let anchors = |resource: &'s Resource| {
            resource.dynamic_anchors.iter().find(|(name, _)| **name == *anchor).map(|(_, schema)| *schema)
        };
        self.outermost(scope, anchors)
    }

    fn recursive_anchor(&self, scope: &Scope<'_>) -> Option<SchemaId> {
        self.outermost(scope, |resource| resource.recursive_anchor)
    }

    fn outermost(
        &self,
        scope: &Scope<'_>,
        find: impl Fn(&'s Resource) -> Option<SchemaId>,
    ) -> Option<SchemaId> {
        let mut found = None;
        let mut next = Some(scope);
        while let Some(scope) = next {
            found = self.set.resources.get(scope.resource as usize).and_then(&find).or(found);
            next = scope.outer;
        }
        found
    }

    /// Checks each of some things, and goes on after one that fails.
    fn each<T>(
        &mut self,
        things: impl Iterator<Item = T>,
        at: At<'_>,
        mut check: impl FnMut(&mut Self, T, &Path<'_>, At<'_>) -> bool,
    ) -> bool {
        let mut valid = true;
        for thing in things {
            valid &= check(self, thing, at.path, at);
        }
        valid
    }

    /// Tells what is wrong; always false.
    pub(super) fn fail(&mut self, at: At<'_>, keyword: &'static str, message: fmt::Arguments<'_>) -> bool {
        if self.quiet == 0 {
            let path = bumpalo::format!(in self.arena, "{}", at.path).into_bump_str();
            let message = bumpalo::format!(in self.arena, "{}", message).into_bump_str();
            self.violations.push(Violation { path, message, keyword });
        }
        false
    }
}

/// The fields of an object, in the order of their names.
pub(super) fn fields<'a>(map: Map<'a>) -> impl Iterator<Item = (&'a str, Value<'a>)> {
    map.iter().filter_map(|(key, value)| match key {
        Value::String(name) => Some((name, value)),
        _ => None,
    })
}
