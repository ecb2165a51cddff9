//! Functions of strings: those of the standard library and of cel-go's `ext.Strings`. Positions count
//! characters from 0.

use bumpalo::collections::{String, Vec};

use super::Declaration;
use crate::cel::native::refusal;
use crate::cel::{Activation, EvalError, EvalResult, List, Value};

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "contains",
        doc: "Whether a string contains another",
        signatures: &["string.contains(string) -> bool"],
        run: |_, args| test(args, |text, part| text.contains(part)),
    },
    Declaration {
        name: "startsWith",
        doc: "Whether a string starts with another",
        signatures: &["string.startsWith(string) -> bool"],
        run: |_, args| test(args, |text, part| text.starts_with(part)),
    },
    Declaration {
        name: "endsWith",
        doc: "Whether a string ends with another",
        signatures: &["string.endsWith(string) -> bool"],
        run: |_, args| test(args, |text, part| text.ends_with(part)),
    },
    Declaration {
        name: "charAt",
        doc: "The character at a position; empty at the end",
        signatures: &["string.charAt(int) -> string"],
        run: char_at,
    },
    Declaration {
        name: "indexOf",
        doc: "The first position of a string in another, from a position on; -1 if there is none",
        signatures: &["string.indexOf(string) -> int", "string.indexOf(string, int) -> int"],
        run: index_of,
    },
    Declaration {
        name: "lastIndexOf",
        doc: "The last position of a string in another, up to a position; -1 if there is none",
        signatures: &["string.lastIndexOf(string) -> int", "string.lastIndexOf(string, int) -> int"],
        run: last_index_of,
    },
    Declaration {
        name: "join",
        doc: "The strings of a list in one, with a separator between them",
        signatures: &["list(string).join() -> string", "list(string).join(string) -> string"],
        run: join,
    },
    Declaration {
        name: "split",
        doc: "The parts between separators, at most so many",
        signatures: &["string.split(string) -> list(string)", "string.split(string, int) -> list(string)"],
        run: split,
    },
    Declaration {
        name: "replace",
        doc: "The text with one string replaced by another, at most so many times",
        signatures: &[
            "string.replace(string, string) -> string",
            "string.replace(string, string, int) -> string",
        ],
        run: replace,
    },
    Declaration {
        name: "substring",
        doc: "The characters from a position on, up to another",
        signatures: &["string.substring(int) -> string", "string.substring(int, int) -> string"],
        run: substring,
    },
    Declaration {
        name: "trim",
        doc: "The text without white space at its ends",
        signatures: &["string.trim() -> string"],
        run: |_, args| match args {
            [Value::String(text)] => Ok(Value::String(text.trim())),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "lowerAscii",
        doc: "The text with A to Z in lower case",
        signatures: &["string.lowerAscii() -> string"],
        run: |ctx, args| mapped(ctx, args, |char| char.to_ascii_lowercase()),
    },
    Declaration {
        name: "upperAscii",
        doc: "The text with a to z in upper case",
        signatures: &["string.upperAscii() -> string"],
        run: |ctx, args| mapped(ctx, args, |char| char.to_ascii_uppercase()),
    },
    Declaration {
        name: "strings.quote",
        doc: "The text in quotes, with escapes where it needs them",
        signatures: &["strings.quote(string) -> string"],
        run: quote,
    },
];

fn test<'a>(args: &[Value<'a>], holds: fn(&str, &str) -> bool) -> EvalResult<'a> {
    match args {
        [Value::String(text), Value::String(part)] => Ok(Value::Bool(holds(text, part))),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn mapped<'a>(ctx: &Activation<'a>, args: &[Value<'a>], map: fn(char) -> char) -> EvalResult<'a> {
    match args {
        [Value::String(text)] => {
            let mut out = String::with_capacity_in(text.len(), ctx.arena);
            out.extend(text.chars().map(map));
            Ok(Value::String(out.into_bump_str()))
        }
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn out_of_range<'a>(ctx: &Activation<'a>, position: i64) -> EvalError<'a> {
    EvalError::message(ctx.arena, format_args!("index out of range: {position}"))
}

/// The byte offset of a position; the position after the last character is the text's length.
fn offset(text: &str, position: i64) -> Option<usize> {
    let position = usize::try_from(position).ok()?;
    let ends = std::iter::once(text.len());
    text.char_indices().map(|(offset, _)| offset).chain(ends).nth(position)
}

fn position(text: &str, offset: usize) -> Value<'static> {
    let chars = text.get(..offset).map_or(0, |before| before.chars().count());
    Value::Int(i64::try_from(chars).unwrap_or(i64::MAX))
}

fn char_at<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::String(text), Value::Int(at)] = *args else { return Err(EvalError::NoSuchOverload) };
    let start = offset(text, at).ok_or_else(|| out_of_range(ctx, at))?;
    let len = text[start..].chars().next().map_or(0, char::len_utf8);
    Ok(Value::String(&text[start..start + len]))
}

fn index_of<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (text, part, from) = match *args {
        [Value::String(text), Value::String(part)] => (text, part, 0),
        [Value::String(text), Value::String(part), Value::Int(from)] => (text, part, from),
        _ => return Err(EvalError::NoSuchOverload),
    };
    if from < 0 {
        return Err(out_of_range(ctx, from));
    }
    // The empty text is found where the search begins, at the end if that is behind it.
    let start = offset(text, from).or(part.is_empty().then_some(text.len()));
    let found = start.and_then(|start| Some(start + text[start..].find(part)?));
    Ok(found.map_or(Value::Int(-1), |at| position(text, at)))
}

fn last_index_of<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (text, part, upto) = match *args {
        [Value::String(text), Value::String(part)] => (text, part, i64::MAX),
        [Value::String(text), Value::String(part), Value::Int(upto)] => (text, part, upto),
        _ => return Err(EvalError::NoSuchOverload),
    };
    if upto < 0 {
        return Err(out_of_range(ctx, upto));
    }
    // The part may start at the position, so the text that is searched ends with the part after it. As in Go,
    // nothing is found from the end of the text on.
    let mut last = match offset(text, upto) {
        Some(start) if start == text.len() && args.len() == 3 && !part.is_empty() => {
            return Ok(Value::Int(-1));
        }
        Some(start) => text.len().min(start + part.len()),
        None if args.len() == 3 && !part.is_empty() => return Ok(Value::Int(-1)),
        None => text.len(),
    };
    while !text.is_char_boundary(last) {
        last -= 1;
    }
    let found = text[..last].rfind(part);
    Ok(found.map_or(Value::Int(-1), |at| position(text, at)))
}

fn join<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (list, separator) = match *args {
        [Value::List(list)] => (list, ""),
        [Value::List(list), Value::String(separator)] => (list, separator),
        _ => return Err(EvalError::NoSuchOverload),
    };
    let mut out = String::new_in(ctx.arena);
    for (at, element) in list.iter().enumerate() {
        match element {
            Value::String(text) => {
                if at > 0 {
                    out.push_str(separator);
                }
                out.push_str(text);
            }
            _ if at == 0 => return Err(EvalError::NoSuchOverload),
            other => {
                let other = super::go_text(other);
                return Err(EvalError::message(ctx.arena, format_args!("join: invalid input: {other}")));
            }
        }
    }
    Ok(Value::String(out.into_bump_str()))
}

/// Whether a list that shall hold strings does. As in cel-go the first element tells its type, and so decides
/// whether it is an argument of the function at all.
pub(super) fn all_strings<'a>(ctx: &Activation<'a>, list: List<'a>) -> Result<(), EvalError<'a>> {
    match list.iter().enumerate().find(|(_, element)| !matches!(element, Value::String(_))) {
        None => Ok(()),
        Some((0, _)) => Err(EvalError::NoSuchOverload),
        Some((_, other)) => {
            let why = refusal(other, "string");
            Err(EvalError::message(ctx.arena, format_args!("failed to convert list to string slice: {why}")))
        }
    }
}

/// The most parts or replacements that a count allows: a negative one does not limit.
fn limit(count: i64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn split<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (text, separator, limit) = match *args {
        [Value::String(text), Value::String(separator)] => (text, separator, usize::MAX),
        [Value::String(text), Value::String(separator), Value::Int(count)] => (text, separator, limit(count)),
        _ => return Err(EvalError::NoSuchOverload),
    };
    let mut parts = Vec::new_in(ctx.arena);
    if limit == 0 {
    } else if separator.is_empty() {
        let mut rest = text;
        while let Some(char) = rest.chars().next() {
            let len = if parts.len() + 1 == limit { rest.len() } else { char.len_utf8() };
            parts.push(Value::String(&rest[..len]));
            rest = &rest[len..];
        }
    } else {
        parts.extend(text.splitn(limit, separator).map(Value::String));
    }
    Ok(Value::list(ctx.arena, parts.into_bump_slice()))
}

fn replace<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (text, from, to, limit) = match *args {
        [Value::String(text), Value::String(from), Value::String(to)] => (text, from, to, usize::MAX),
        [Value::String(text), Value::String(from), Value::String(to), Value::Int(count)] => {
            (text, from, to, limit(count))
        }
        _ => return Err(EvalError::NoSuchOverload),
    };
    let mut out = String::with_capacity_in(text.len(), ctx.arena);
    let mut rest = 0;
    for (at, found) in text.match_indices(from).take(limit) {
        out.push_str(&text[rest..at]);
        out.push_str(to);
        rest = at + found.len();
    }
    out.push_str(&text[rest..]);
    Ok(Value::String(out.into_bump_str()))
}

fn substring<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (text, from, to) = match *args {
        [Value::String(text), Value::Int(from)] => (text, from, None),
        [Value::String(text), Value::Int(from), Value::Int(to)] => (text, from, Some(to)),
        _ => return Err(EvalError::NoSuchOverload),
    };
    if let Some(to) = to
        && from > to
    {
        let text = format_args!("invalid substring range. start: {from}, end: {to}");
        return Err(EvalError::message(ctx.arena, text));
    }
    let start = offset(text, from).ok_or_else(|| out_of_range(ctx, from))?;
    let end = match to {
        Some(to) => offset(text, to).ok_or_else(|| out_of_range(ctx, to))?,
        None => text.len(),
    };
    Ok(Value::String(&text[start..end]))
}

fn quote<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::String(text)] = *args else { return Err(EvalError::NoSuchOverload) };
    let mut out = String::with_capacity_in(text.len() + 2, ctx.arena);
    out.push('"');
    for char in text.chars() {
        match char {
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            _ => out.push(char),
        }
    }
    out.push('"');
    Ok(Value::String(out.into_bump_str()))
}
