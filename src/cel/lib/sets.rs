//! Lists as sets: Cerbos' own functions and cel-go's `ext.Sets`.

use super::Declaration;
use crate::cel::{Activation, EvalError, EvalResult, List, Value};

/// A check of two lists, as a function and as a member.
macro_rules! set_check {
    ($name:literal, $doc:literal, $check:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[
                concat!($name, "(list(A), list(A)) -> bool"),
                concat!("list(A).", $name, "(list(A)) -> bool"),
            ],
            run: |_, args| check(args, $check),
        }
    };
}

/// A check of two lists in the name space `sets`.
macro_rules! sets_check {
    ($name:literal, $doc:literal, $check:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[concat!($name, "(list(A), list(A)) -> bool")],
            run: |_, args| check(args, $check),
        }
    };
}

/// An operation on two lists, as a function and as a member.
macro_rules! set_operation {
    ($name:literal, $doc:literal, $run:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[
                concat!($name, "(list(A), list(A)) -> list(A)"),
                concat!("list(A).", $name, "(list(A)) -> list(A)"),
            ],
            run: $run,
        }
    };
}

pub(super) const FUNCTIONS: &[Declaration] = &[
    set_check!("hasIntersection", "Whether two lists have an element in common", intersects),
    set_check!("has_intersection", "The former name of `hasIntersection`", intersects),
    set_check!("isSubset", "Whether every element of the first list is in the second", is_subset),
    set_check!("is_subset", "The former name of `isSubset`", is_subset),
    set_operation!(
        "intersect",
        "The elements that two lists have in common, in the order of the shorter one",
        intersect
    ),
    set_operation!("except", "The elements of the first list that are not in the second", except),
    sets_check!("sets.contains", "Whether every element of the second list is in the first", |a, b| {
        is_subset(b, a)
    }),
    sets_check!("sets.equivalent", "Whether two lists have the same elements", |a, b| {
        is_subset(a, b) && is_subset(b, a)
    }),
    sets_check!("sets.intersects", "Whether two lists have an element in common", intersects),
];

fn check<'a>(args: &[Value<'a>], holds: fn(List<'_>, List<'_>) -> bool) -> EvalResult<'a> {
    match *args {
        [Value::List(a), Value::List(b)] => Ok(Value::Bool(holds(a, b))),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn intersects(a: List<'_>, b: List<'_>) -> bool {
    a.iter().any(|element| b.contains(element))
}

fn is_subset(part: List<'_>, whole: List<'_>) -> bool {
    part.iter().all(|element| whole.contains(element))
}

fn select<'a>(ctx: &Activation<'a>, from: List<'a>, keep: impl Fn(Value<'a>) -> bool) -> Value<'a> {
    let mut kept = bumpalo::collections::Vec::new_in(ctx.arena);
    kept.extend(from.iter().filter(|element| keep(*element)));
    Value::list(ctx.arena, kept.into_bump_slice())
}

fn intersect<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::List(a), Value::List(b)] = *args else { return Err(EvalError::NoSuchOverload) };
    let (shorter, longer) = if a.len() > b.len() { (b, a) } else { (a, b) };
    Ok(select(ctx, shorter, |element| longer.contains(element)))
}

fn except<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::List(a), Value::List(b)] = *args else { return Err(EvalError::NoSuchOverload) };
    Ok(select(ctx, a, |element| !b.contains(element)))
}
