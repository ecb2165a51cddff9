//! Fields by their names, and whether they are there.

use crate::cel::{Activation, EvalError, EvalResult, Message, Value};

/// `operand.name`
pub(super) fn select<'a>(ctx: &Activation<'a>, operand: Value<'a>, name: &'a str) -> EvalResult<'a> {
    match operand {
        Value::Map(map) => map.get(name).ok_or(EvalError::NoSuchKey(name)),
        Value::Message(message) => message
            .field(ctx.arena, name)
            .ok_or_else(|| EvalError::message(ctx.arena, format_args!("no such field '{name}'"))),
        Value::Optional(_) => select_optional(ctx, operand, name),
        Value::List(_) => Err(NO_FIELD_OF_LIST),
        _ => Err(EvalError::NoSuchKey(name)),
    }
}

/// A field is asked for by its name, and a list has but numbers.
const NO_FIELD_OF_LIST: EvalError<'static> = EvalError::Message("unsupported index type 'string' in list");

/// `operand.?name`
pub(super) fn select_optional<'a>(ctx: &Activation<'a>, operand: Value<'a>, name: &str) -> EvalResult<'a> {
    Ok(match operand {
        Value::Optional(Some(inner)) => return select_optional(ctx, *inner, name),
        Value::Map(map) => Value::Optional(map.get(name).map(|value| &*ctx.arena.alloc(value))),
        Value::Message(message) if has_field(ctx, message, name) => {
            Value::Optional(message.field(ctx.arena, name).map(|value| &*ctx.arena.alloc(value)))
        }
        Value::List(_) => return Err(NO_FIELD_OF_LIST),
        _ => Value::Optional(None),
    })
}

/// `has(operand.name)`
pub(super) fn has<'a>(ctx: &Activation<'a>, operand: Value<'a>, name: &str) -> Result<bool, EvalError<'a>> {
    match operand {
        Value::Map(map) => Ok(map.get(name).is_some()),
        Value::Message(message) => Ok(has_field(ctx, message, name)),
        Value::Optional(Some(inner)) => has(ctx, *inner, name),
        Value::List(_) => Err(NO_FIELD_OF_LIST),
        _ => Ok(false),
    }
}

/// Whether a field is set, which in proto3 is to differ from its default.
fn has_field<'a>(ctx: &Activation<'a>, message: Message<'a>, name: &str) -> bool {
    match (message, name) {
        (Message::Request(request), "auxData" | "aux_data") => request.aux_data.is_some(),
        (Message::Runtime(_), _) => true,
        _ => match message.field(ctx.arena, name) {
            Some(Value::Message(_)) => true,
            Some(value) => !value.is_zero(),
            None => false,
        },
    }
}
