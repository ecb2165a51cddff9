//! The evaluator's part that makes lists, maps and messages of their parts.

use bumpalo::Bump;

use super::eval::{Evaluator, Locals};
use super::lib::go_text;
use super::program::Id;
use super::{EvalError, EvalResult, Map, Value, well_known};

impl<'a> Evaluator<'_, 'a> {
    pub(super) fn optional_list(self, pairs: &[Id], locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let mut list = bumpalo::collections::Vec::with_capacity_in(pairs.len() / 2, self.ctx.arena);
        for pair in pairs.chunks_exact(2) {
            match (self.eval(pair[0], locals)?, pair[1]) {
                (value, 0) => list.push(value),
                (Value::Optional(value), _) => list.extend(value.copied()),
                (value, _) => {
                    let value = go_text(value);
                    return Err(EvalError::message(
                        self.ctx.arena,
                        format_args!(
                            "cannot initialize optional list element from non-optional value {value}"
                        ),
                    ));
                }
            }
        }
        Ok(Value::list(self.ctx.arena, list.into_bump_slice()))
    }

    /// The variables that have a value, as a map.
    pub(super) fn variables(self, pairs: &[Id]) -> Value<'a> {
        let arena = self.ctx.arena;
        let mut fields = bumpalo::collections::Vec::with_capacity_in(pairs.len() / 2, arena);
        for pair in pairs.chunks_exact(2) {
            if let Ok(value) = self.ctx.variables.get(pair[0], self.ctx) {
                fields.push((self.name(pair[1]), value));
            }
        }
        Value::Map(Map::of_fields(arena, &fields))
    }

    pub(super) fn message(self, message: u8, triples: &[Id], locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let arena = self.ctx.arena;
        let mut fields = bumpalo::collections::Vec::with_capacity_in(triples.len() / 3, arena);
        for triple in triples.chunks_exact(3) {
            let number = u8::try_from(triple[0]).unwrap_or(u8::MAX);
            match (self.eval(triple[1], locals)?, triple[2]) {
                (value, 0) => fields.push((number, value)),
                (Value::Optional(value), _) => fields.extend(value.map(|value| (number, *value))),
                (value, _) => {
                    return Err(not_optional(arena, well_known::field_name(message, number), value));
                }
            }
        }
        well_known::build(arena, message, &fields)
    }

    pub(super) fn map(self, triples: &[Id], locals: Locals<'_, 'a>) -> EvalResult<'a> {
        let arena = self.ctx.arena;
        let mut entries = bumpalo::collections::Vec::with_capacity_in(triples.len() / 3, arena);
        for triple in triples.chunks_exact(3) {
            let key = self.eval(triple[0], locals)?;
            match (self.eval(triple[1], locals)?, triple[2]) {
                (value, 0) => entries.push((key, value)),
                (Value::Optional(value), _) => entries.extend(value.map(|value| (key, *value))),
                (value, _) => return Err(not_optional(arena, &go_text(key), value)),
            }
        }
        for (key, _) in &entries {
            if !is_key(*key) {
                let kind = key.type_name();
                return Err(EvalError::message(arena, format_args!("unsupported key type: {kind}")));
            }
        }
        Ok(Value::Map(Map::of_entries(arena, &entries)))
    }
}

fn not_optional<'a>(arena: &'a Bump, entry: &str, value: Value<'_>) -> EvalError<'a> {
    let value = go_text(value);
    let text = format_args!("cannot initialize optional entry '{entry}' from non-optional value {value}");
    EvalError::message(arena, text)
}

fn is_key(key: Value<'_>) -> bool {
    matches!(key, Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Double(_) | Value::String(_))
}
