//! Optional values.

use super::Declaration;
use crate::cel::{EvalError, Value};

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "optional.of",
        doc: "An optional with a value",
        signatures: &["optional.of(A) -> optional(A)"],
        run: |ctx, args| match *args {
            [value] => Ok(Value::some(ctx.arena, value)),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "optional.ofNonZeroValue",
        doc: "An optional with a value, or without one if the value is empty, zero, false or null",
        signatures: &["optional.ofNonZeroValue(A) -> optional(A)"],
        run: |ctx, args| match *args {
            // An optional is never empty itself, whatever it holds.
            [value @ Value::Optional(_)] => Ok(Value::some(ctx.arena, value)),
            [value] if value.is_zero() => Ok(Value::Optional(None)),
            [value] => Ok(Value::some(ctx.arena, value)),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "optional.none",
        doc: "An optional without a value",
        signatures: &["optional.none() -> optional(A)"],
        run: |_, _| Ok(Value::Optional(None)),
    },
    Declaration {
        name: "hasValue",
        doc: "Whether the optional has a value",
        signatures: &["optional(A).hasValue() -> bool"],
        run: |_, args| match *args {
            [Value::Optional(value)] => Ok(Value::Bool(value.is_some())),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "value",
        doc: "The optional's value; without one, an error",
        signatures: &["optional(A).value() -> A"],
        run: |_, args| match *args {
            [Value::Optional(Some(value))] => Ok(*value),
            [Value::Optional(None)] => Err(EvalError::Message("optional.none() dereference")),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "or",
        doc: "The optional, or without a value, another",
        signatures: &["optional(A).or(optional(A)) -> optional(A)"],
        run: |_, args| match *args {
            [Value::Optional(None), other] => Ok(other),
            [value @ Value::Optional(Some(_)), _] => Ok(value),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "orValue",
        doc: "The optional's value, or without one, another value",
        signatures: &["optional(A).orValue(A) -> A"],
        run: |_, args| match *args {
            [Value::Optional(value), other] => Ok(value.copied().unwrap_or(other)),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "first",
        doc: "The first element, if there is one",
        signatures: &["list(A).first() -> optional(A)"],
        run: |ctx, args| match *args {
            [Value::List(list)] => Ok(Value::Optional(list.get(0).map(|value| &*ctx.arena.alloc(value)))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "last",
        doc: "The last element, if there is one",
        signatures: &["list(A).last() -> optional(A)"],
        run: |ctx, args| match *args {
            [Value::List(list)] => {
                let last = list.len().checked_sub(1).and_then(|last| list.get(last));
                Ok(Value::Optional(last.map(|value| &*ctx.arena.alloc(value))))
            }
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "optional.unwrap",
        doc: "The values of those optionals of a list that have one",
        signatures: &["optional.unwrap(list(optional(A))) -> list(A)"],
        run: unwrap,
    },
    Declaration {
        name: "unwrapOpt",
        doc: "The values of those optionals of a list that have one",
        signatures: &["list(optional(A)).unwrapOpt() -> list(A)"],
        run: unwrap,
    },
];

fn unwrap<'a>(ctx: &crate::cel::Activation<'a>, args: &[Value<'a>]) -> crate::cel::EvalResult<'a> {
    let [Value::List(list)] = *args else { return Err(EvalError::NoSuchOverload) };
    let mut values = bumpalo::collections::Vec::new_in(ctx.arena);
    for (at, element) in list.iter().enumerate() {
        match element {
            Value::Optional(value) => values.extend(value.copied()),
            _ if at == 0 => return Err(EvalError::NoSuchOverload),
            _ => {
                let element = super::go_text(element);
                return Err(EvalError::message(ctx.arena, format_args!("value {element} is not optional")));
            }
        }
    }
    Ok(Value::list(ctx.arena, values.into_bump_slice()))
}
