//! cel-go's `ext.Lists`.

use std::cmp::Ordering;

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::Declaration;
use crate::cel::{Activation, EvalError, EvalResult, List, Value};

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "slice",
        doc: "The elements from an index up to, and without, another",
        signatures: &["list(A).slice(int, int) -> list(A)"],
        run: slice,
    },
    Declaration {
        name: "flatten",
        doc: "The elements of the lists in a list, to a depth of one or as given",
        signatures: &["list(list(A)).flatten() -> list(A)", "list(dyn).flatten(int) -> list(dyn)"],
        run: flatten,
    },
    Declaration {
        name: "sort",
        doc: "The elements in ascending order",
        signatures: &[
            "list(int).sort() -> list(int)",
            "list(uint).sort() -> list(uint)",
            "list(double).sort() -> list(double)",
            "list(bool).sort() -> list(bool)",
            "list(duration).sort() -> list(duration)",
            "list(timestamp).sort() -> list(timestamp)",
            "list(string).sort() -> list(string)",
            "list(bytes).sort() -> list(bytes)",
        ],
        run: sort,
    },
    Declaration {
        name: "lists.range",
        doc: "The integers from 0 up to, and without, a number",
        signatures: &["lists.range(int) -> list(int)"],
        run: range,
    },
    Declaration {
        name: "reverse",
        doc: "The elements, or the characters, from the last to the first",
        signatures: &["list(A).reverse() -> list(A)", "string.reverse() -> string"],
        run: reverse,
    },
    Declaration {
        name: "distinct",
        doc: "The elements without those that equal an earlier one",
        signatures: &["list(A).distinct() -> list(A)"],
        run: distinct,
    },
];

/// What `lists.range` makes at most: an expression cannot ask for all memory.
const MAX_RANGE: i64 = 1_000_000;

fn finish<'a>(ctx: &Activation<'a>, elements: Vec<'a, Value<'a>>) -> EvalResult<'a> {
    Ok(Value::list(ctx.arena, elements.into_bump_slice()))
}

fn slice<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::List(list), Value::Int(from), Value::Int(to)] = *args else {
        return Err(EvalError::NoSuchOverload);
    };
    let error = |why: std::fmt::Arguments<'_>| {
        EvalError::message(ctx.arena, format_args!("cannot slice({from}, {to}), {why}"))
    };
    if from < 0 || to < 0 {
        return Err(error(format_args!("negative indexes not supported")));
    }
    if from > to {
        return Err(error(format_args!("start index must be less than or equal to end index")));
    }
    // What is longer than memory is longer than the list.
    let end = usize::try_from(to).ok().filter(|end| *end <= list.len());
    let (Some(end), Ok(start)) = (end, usize::try_from(from)) else {
        return Err(error(format_args!("list is length {}", list.len())));
    };
    let mut elements = Vec::with_capacity_in(end - start, ctx.arena);
    elements.extend((start..end).filter_map(|at| list.get(at)));
    finish(ctx, elements)
}

fn flatten<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (list, depth) = match *args {
        [Value::List(list)] => (list, 1),
        [Value::List(list), Value::Int(depth)] => (list, depth),
        _ => {
            let types: std::vec::Vec<_> = args.iter().map(|arg| arg.type_text()).collect();
            let (list, depth) = types.split_first().map_or(("", &[][..]), |(list, depth)| (*list, depth));
            let text = format_args!("no such overload: {list}.flatten({})", depth.join(", "));
            return Err(EvalError::message(ctx.arena, text));
        }
    };
    if depth < 0 {
        return Err(EvalError::Message("level must be non-negative"));
    }
    let mut elements = Vec::new_in(ctx.arena);
    flatten_into(list, depth, &mut elements);
    finish(ctx, elements)
}

fn flatten_into<'a>(list: List<'a>, depth: i64, elements: &mut Vec<'a, Value<'a>>) {
    for element in list.iter() {
        match element {
            Value::List(inner) if depth > 0 => flatten_into(inner, depth - 1, elements),
            other => elements.push(other),
        }
    }
}

/// Whether values can be sorted: all of one kind, and one that has an order.
pub(crate) fn check_sortable<'a>(
    arena: &'a Bump,
    mut keys: impl Iterator<Item = Value<'a>>,
) -> Result<(), EvalError<'a>> {
    let Some(first) = keys.next() else { return Ok(()) };
    let kind = first.type_name();
    if matches!(first.compare(first), Err(EvalError::NoSuchOverload)) {
        return Err(EvalError::Message("list elements must be comparable"));
    }
    match keys.find(|key| key.type_name() != kind) {
        Some(_) => Err(EvalError::message(arena, format_args!("list elements must have the same type"))),
        None => Ok(()),
    }
}

fn sort<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::List(list)] = *args else { return Err(EvalError::NoSuchOverload) };
    check_sortable(ctx.arena, list.iter())?;
    let mut elements = Vec::with_capacity_in(list.len(), ctx.arena);
    elements.extend(list.iter());
    elements.sort_by(|a, b| a.compare(*b).unwrap_or(Ordering::Equal));
    finish(ctx, elements)
}

fn range<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match *args {
        [Value::Int(end)] if end < 0 => Err(EvalError::message(
            ctx.arena,
            format_args!("lists.range: size must be non-negative, got {end}"),
        )),
        [Value::Int(end)] if end > MAX_RANGE => {
            Err(EvalError::message(ctx.arena, format_args!("lists.range({end}) is longer than {MAX_RANGE}")))
        }
        [Value::Int(end)] => {
            let mut elements = Vec::with_capacity_in(usize::try_from(end).unwrap_or(0), ctx.arena);
            elements.extend((0..end).map(Value::Int));
            finish(ctx, elements)
        }
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn reverse<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match *args {
        [Value::List(list)] => {
            let mut elements = Vec::with_capacity_in(list.len(), ctx.arena);
            elements.extend(list.iter().rev());
            finish(ctx, elements)
        }
        [Value::String(text)] => {
            let mut out = bumpalo::collections::String::with_capacity_in(text.len(), ctx.arena);
            out.extend(text.chars().rev());
            Ok(Value::String(out.into_bump_str()))
        }
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn distinct<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::List(list)] = *args else { return Err(EvalError::NoSuchOverload) };
    let mut elements: Vec<'a, Value<'a>> = Vec::new_in(ctx.arena);
    for element in list.iter() {
        if !elements.iter().any(|known| known.equals(element)) {
            elements.push(element);
        }
    }
    finish(ctx, elements)
}
