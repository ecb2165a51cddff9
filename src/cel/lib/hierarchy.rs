//! Cerbos' hierarchies: paths of names such as `a.b.c`.

use bumpalo::collections::Vec;

use super::Declaration;
use crate::cel::{Activation, EvalError, EvalResult, List, Opaque, Value};

/// A relation between two hierarchies.
macro_rules! relation {
    ($name:literal, $doc:literal, $holds:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[concat!("hierarchy.", $name, "(hierarchy) -> bool")],
            run: |_, args| match *args {
                [Value::Opaque(Opaque::Hierarchy(a)), Value::Opaque(Opaque::Hierarchy(b))] => {
                    let holds: fn(List<'_>, List<'_>) -> bool = $holds;
                    Ok(Value::Bool(holds(*a, *b)))
                }
                _ => Err(EvalError::NoSuchOverload),
            },
        }
    };
}

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "hierarchy",
        doc: "A path of names, from a list or from a text with a delimiter (a dot)",
        signatures: &[
            "hierarchy(string) -> hierarchy",
            "hierarchy(string, string) -> hierarchy",
            "hierarchy(list(string)) -> hierarchy",
        ],
        run: hierarchy,
    },
    relation!("ancestorOf", "Whether the path is a beginning of another, and shorter", |a, b| {
        a.len() < b.len() && common(a, b) == a.len()
    }),
    relation!("descendentOf", "Whether another path is a beginning of this one, and shorter", |a, b| {
        b.len() < a.len() && common(a, b) == b.len()
    }),
    relation!("immediateParentOf", "Whether another path is this one and one name more", |a, b| {
        a.len() + 1 == b.len() && common(a, b) == a.len()
    }),
    relation!("immediateChildOf", "Whether the path is another one and one name more", |a, b| {
        b.len() + 1 == a.len() && common(a, b) == b.len()
    }),
    relation!("siblingOf", "Whether two paths differ in their last name at most", |a, b| {
        a.len() == b.len() && common(a, b) + 1 >= a.len()
    }),
    relation!("overlaps", "Whether one path is a beginning of the other", |a, b| {
        common(a, b) == a.len().min(b.len())
    }),
    Declaration {
        name: "commonAncestors",
        doc: "The names at the beginning of both paths; the last one of paths of one length does not count",
        signatures: &["hierarchy.commonAncestors(hierarchy) -> hierarchy"],
        run: common_ancestors,
    },
];

fn hierarchy<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (text, delimiter) = match *args {
        [Value::List(list)] => {
            super::strings::all_strings(ctx, list)?;
            return Ok(Value::Opaque(ctx.arena.alloc(Opaque::Hierarchy(list))));
        }
        [Value::String(text)] => (text, "."),
        [Value::String(text), Value::String(delimiter)] => (text, delimiter),
        _ => return Err(EvalError::NoSuchOverload),
    };
    let mut segments = Vec::new_in(ctx.arena);
    if delimiter.is_empty() {
        segments.extend(text.char_indices().map(|(at, char)| &text[at..at + char.len_utf8()]));
    } else {
        segments.extend(text.split(delimiter));
    }
    Ok(made(ctx, segments.into_bump_slice()))
}

fn made<'a>(ctx: &Activation<'a>, segments: &'a [&'a str]) -> Value<'a> {
    let list = List::of_strings(ctx.arena.alloc(segments));
    Value::Opaque(ctx.arena.alloc(Opaque::Hierarchy(list)))
}

/// How many segments at the beginning are the same.
fn common(a: List<'_>, b: List<'_>) -> usize {
    a.iter().zip(b.iter()).take_while(|(a, b)| a.equals(*b)).count()
}

fn common_ancestors<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::Opaque(Opaque::Hierarchy(a)), Value::Opaque(Opaque::Hierarchy(b))] = *args else {
        return Err(EvalError::NoSuchOverload);
    };
    let longest = if a.len() == b.len() { a.len().saturating_sub(1) } else { a.len().min(b.len()) };
    let mut segments = Vec::new_in(ctx.arena);
    for element in a.iter().take(common(*a, *b).min(longest)) {
        if let Value::String(segment) = element {
            segments.push(segment);
        }
    }
    Ok(made(ctx, segments.into_bump_slice()))
}
