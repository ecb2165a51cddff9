//! The operators. Comparison, equality, `in` and the logical operators are operations of the evaluator;
//! they stand here for their signatures.

use super::Declaration;
use crate::cel::native::go_type;
use crate::cel::{Activation, Duration, EvalError, EvalResult, List, Opaque, Value};

/// The ordering operators have the same signatures.
macro_rules! ordering {
    ($name:literal, $doc:literal) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[
                concat!($name, "(bool, bool) -> bool"),
                concat!($name, "(int, int) -> bool"),
                concat!($name, "(int, double) -> bool"),
                concat!($name, "(int, uint) -> bool"),
                concat!($name, "(uint, uint) -> bool"),
                concat!($name, "(uint, double) -> bool"),
                concat!($name, "(uint, int) -> bool"),
                concat!($name, "(double, double) -> bool"),
                concat!($name, "(double, int) -> bool"),
                concat!($name, "(double, uint) -> bool"),
                concat!($name, "(string, string) -> bool"),
                concat!($name, "(bytes, bytes) -> bool"),
                concat!($name, "(timestamp, timestamp) -> bool"),
                concat!($name, "(duration, duration) -> bool"),
            ],
            run: evaluated,
        }
    };
}

/// Signatures stand in the order of cel-go's: an operand about which nothing is known gets the first type that fits.
pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "_+_",
        doc: "Adds numbers and times; joins strings, bytes and lists",
        signatures: &[
            "_+_(bytes, bytes) -> bytes",
            "_+_(double, double) -> double",
            "_+_(duration, duration) -> duration",
            "_+_(duration, timestamp) -> timestamp",
            "_+_(timestamp, duration) -> timestamp",
            "_+_(int, int) -> int",
            "_+_(list(A), list(A)) -> list(A)",
            "_+_(string, string) -> string",
            "_+_(uint, uint) -> uint",
        ],
        run: add,
    },
    Declaration {
        name: "_-_",
        doc: "Subtracts numbers and times",
        signatures: &[
            "_-_(double, double) -> double",
            "_-_(duration, duration) -> duration",
            "_-_(int, int) -> int",
            "_-_(timestamp, duration) -> timestamp",
            "_-_(timestamp, timestamp) -> duration",
            "_-_(uint, uint) -> uint",
        ],
        run: subtract,
    },
    Declaration {
        name: "_*_",
        doc: "Multiplies numbers",
        signatures: &["_*_(double, double) -> double", "_*_(int, int) -> int", "_*_(uint, uint) -> uint"],
        run: multiply,
    },
    Declaration {
        name: "_/_",
        doc: "Divides numbers; integers are rounded towards zero",
        signatures: &["_/_(double, double) -> double", "_/_(int, int) -> int", "_/_(uint, uint) -> uint"],
        run: divide,
    },
    Declaration {
        name: "_%_",
        doc: "The remainder of a division of integers",
        signatures: &["_%_(int, int) -> int", "_%_(uint, uint) -> uint"],
        run: modulo,
    },
    Declaration {
        name: "-_",
        doc: "Changes the sign of a number",
        signatures: &["-_(double) -> double", "-_(int) -> int"],
        run: negate,
    },
    Declaration {
        name: "size",
        doc: "The number of characters, bytes, elements, entries or segments",
        signatures: &[
            "size(bytes) -> int",
            "size(list(A)) -> int",
            "size(map(A, B)) -> int",
            "size(string) -> int",
            "bytes.size() -> int",
            "list(A).size() -> int",
            "map(A, B).size() -> int",
            "string.size() -> int",
            "hierarchy.size() -> int",
        ],
        run: size_of,
    },
    Declaration {
        name: "_[_]",
        doc: "An element of a list by its index from 0, or the value of a key",
        signatures: &[
            "_[_](list(A), int) -> A",
            "_[_](map(A, B), A) -> B",
            "_[_](optional(list(A)), int) -> optional(A)",
            "_[_](optional(map(A, B)), A) -> optional(B)",
            "_[_](hierarchy, int) -> string",
        ],
        run: |ctx, args| match args {
            [operand, at] => index(ctx, *operand, *at),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "_[?_]",
        doc: "An element of a list or the value of a key, if there is one",
        signatures: &[
            "_[?_](list(A), int) -> optional(A)",
            "_[?_](optional(list(A)), int) -> optional(A)",
            "_[?_](map(A, B), A) -> optional(B)",
            "_[?_](optional(map(A, B)), A) -> optional(B)",
        ],
        run: evaluated,
    },
    Declaration { name: "!_", doc: "Negates a condition", signatures: &["!_(bool) -> bool"], run: evaluated },
    Declaration {
        name: "_?_:_",
        doc: "One of two values, as a condition decides",
        signatures: &["_?_:_(bool, A, A) -> A"],
        run: evaluated,
    },
    Declaration { name: "_==_", doc: "Equality", signatures: &["_==_(A, A) -> bool"], run: evaluated },
    Declaration { name: "_!=_", doc: "Inequality", signatures: &["_!=_(A, A) -> bool"], run: evaluated },
    Declaration {
        name: "@in",
        doc: "Whether a list has an element, or a map a key",
        signatures: &["@in(A, list(A)) -> bool", "@in(A, map(A, B)) -> bool"],
        run: evaluated,
    },
    ordering!("_<_", "Less"),
    ordering!("_<=_", "Less or equal"),
    ordering!("_>_", "Greater"),
    ordering!("_>=_", "Greater or equal"),
];

/// An operator that the evaluator carries out itself, because it may not need all of its operands.
fn evaluated<'a>(_: &Activation<'a>, _: &[Value<'a>]) -> EvalResult<'a> {
    Err(EvalError::NoSuchOverload)
}

fn int<'a>(result: Option<i64>) -> EvalResult<'a> {
    result.map(Value::Int).ok_or(EvalError::IntOverflow)
}

fn uint<'a>(result: Option<u64>) -> EvalResult<'a> {
    result.map(Value::UInt).ok_or(EvalError::UintOverflow)
}

fn duration<'a>(nanos: Option<i64>) -> EvalResult<'a> {
    nanos.map(|nanos| Value::Duration(Duration::from_nanos(nanos))).ok_or(EvalError::IntOverflow)
}

fn add<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [Value::Int(a), Value::Int(b)] => int(a.checked_add(*b)),
        [Value::UInt(a), Value::UInt(b)] => uint(a.checked_add(*b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a + b)),
        [Value::String(a), Value::String(b)] => {
            let mut text = bumpalo::collections::String::with_capacity_in(a.len() + b.len(), ctx.arena);
            text.push_str(a);
            text.push_str(b);
            Ok(Value::String(text.into_bump_str()))
        }
        [Value::Bytes(a), Value::Bytes(b)] => {
            let joined = a.iter().chain(b.iter()).copied();
            let mut bytes = bumpalo::collections::Vec::with_capacity_in(a.len() + b.len(), ctx.arena);
            bytes.extend(joined);
            Ok(Value::Bytes(bytes.into_bump_slice()))
        }
        [Value::List(a), Value::List(b)] => Ok(concat(ctx, *a, *b)),
        [Value::Duration(a), Value::Duration(b)] => duration(a.nanos().checked_add(b.nanos())),
        [Value::Timestamp(at), Value::Duration(by)] | [Value::Duration(by), Value::Timestamp(at)] => {
            at.checked_add(*by).map(Value::Timestamp).ok_or(EvalError::TimestampOverflow)
        }
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn concat<'a>(ctx: &Activation<'a>, a: List<'a>, b: List<'a>) -> Value<'a> {
    let mut elements = bumpalo::collections::Vec::with_capacity_in(a.len() + b.len(), ctx.arena);
    elements.extend(a.iter().chain(b.iter()));
    Value::list(ctx.arena, elements.into_bump_slice())
}

fn subtract<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [Value::Int(a), Value::Int(b)] => int(a.checked_sub(*b)),
        [Value::UInt(a), Value::UInt(b)] => uint(a.checked_sub(*b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a - b)),
        [Value::Duration(a), Value::Duration(b)] => duration(a.nanos().checked_sub(b.nanos())),
        [Value::Timestamp(at), Value::Duration(by)] => {
            let back = by.nanos().checked_neg().map(Duration::from_nanos);
            let moved = back.and_then(|by| at.checked_add(by));
            moved.map(Value::Timestamp).ok_or(EvalError::TimestampOverflow)
        }
        [Value::Timestamp(later), Value::Timestamp(earlier)] => {
            later.checked_since(*earlier).map(Value::Duration).ok_or(EvalError::IntOverflow)
        }
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn multiply<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [Value::Int(a), Value::Int(b)] => int(a.checked_mul(*b)),
        [Value::UInt(a), Value::UInt(b)] => uint(a.checked_mul(*b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a * b)),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn divide<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [Value::Int(_), Value::Int(0)] | [Value::UInt(_), Value::UInt(0)] => Err(EvalError::DivisionByZero),
        [Value::Int(a), Value::Int(b)] => int(a.checked_div(*b)),
        [Value::UInt(a), Value::UInt(b)] => uint(a.checked_div(*b)),
        [Value::Double(a), Value::Double(b)] => Ok(Value::Double(a / b)),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn modulo<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [Value::Int(_), Value::Int(0)] | [Value::UInt(_), Value::UInt(0)] => Err(EvalError::ModulusByZero),
        [Value::Int(a), Value::Int(b)] => int(a.checked_rem(*b)),
        [Value::UInt(a), Value::UInt(b)] => uint(a.checked_rem(*b)),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn negate<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [Value::Int(a)] => int(a.checked_neg()),
        [Value::Double(a)] => Ok(Value::Double(-a)),
        [Value::Duration(a)] => duration(a.nanos().checked_neg()),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn size_of<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let size = match args {
        [Value::String(text)] => text.chars().count(),
        [Value::Bytes(bytes)] => bytes.len(),
        [Value::List(list)] => list.len(),
        [Value::Map(map)] => map.len(),
        [Value::Opaque(Opaque::Hierarchy(segments))] => segments.len(),
        _ => return Err(EvalError::NoSuchOverload),
    };
    Ok(Value::Int(i64::try_from(size).unwrap_or(i64::MAX)))
}

/// `operand[at]`
pub(crate) fn index<'a>(ctx: &Activation<'a>, operand: Value<'a>, at: Value<'a>) -> EvalResult<'a> {
    match operand {
        Value::Map(map) => map.find(at).ok_or_else(|| no_key(ctx, at)),
        Value::List(list) => element(ctx, list, at)?.ok_or_else(|| match at {
            Value::Double(_) => {
                let at = super::go_text(at);
                EvalError::message(ctx.arena, format_args!("index out of bounds: {at}"))
            }
            _ => EvalError::IndexOutOfBounds(list_index(ctx, at).unwrap_or_default()),
        }),
        Value::Optional(None) => Ok(operand),
        Value::Optional(Some(inner)) => index_optional(ctx, *inner, at),
        Value::Opaque(Opaque::Hierarchy(segments)) => {
            let Value::Int(position) = at else { return Err(unsupported_index(ctx, at, "")) };
            let segment = usize::try_from(position).ok().and_then(|at| segments.get(at));
            segment.ok_or(EvalError::Message("index out of range"))
        }
        Value::Message(_) => match at {
            Value::String(name) => Err(EvalError::message(ctx.arena, format_args!("no such field '{name}'"))),
            _ => Err(EvalError::NoSuchOverload),
        },
        _ => Err(no_key(ctx, at)),
    }
}

/// `operand[?at]`: what is not there is no error.
pub(crate) fn index_optional<'a>(ctx: &Activation<'a>, operand: Value<'a>, at: Value<'a>) -> EvalResult<'a> {
    match operand {
        Value::Optional(Some(inner)) => index_optional(ctx, *inner, at),
        Value::Optional(None) => Ok(operand),
        Value::List(list) => {
            Ok(Value::Optional(element(ctx, list, at)?.map(|value| &*ctx.arena.alloc(value))))
        }
        _ => match index(ctx, operand, at) {
            Ok(value) => Ok(Value::some(ctx.arena, value)),
            Err(EvalError::NoSuchKey(_)) => Ok(Value::Optional(None)),
            Err(error) => Err(error),
        },
    }
}

fn element<'a>(
    ctx: &Activation<'a>,
    list: List<'a>,
    at: Value<'a>,
) -> Result<Option<Value<'a>>, EvalError<'a>> {
    Ok(usize::try_from(list_index(ctx, at)?).ok().and_then(|at| list.get(at)))
}

/// What may stand between brackets, whatever stands before them.
pub(crate) fn is_index(at: Value<'_>) -> bool {
    matches!(at, Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Double(_) | Value::String(_))
}

#[cold]
fn no_key<'a>(ctx: &Activation<'a>, at: Value<'a>) -> EvalError<'a> {
    if !is_index(at) {
        return unsupported_index(ctx, at, "");
    }
    let key = match at {
        Value::Double(_) => super::go_text(at),
        _ => super::display(at),
    };
    EvalError::NoSuchKey(ctx.arena.alloc_str(&key))
}

/// The error of a value that is no index; `of` ends the sentence.
#[cold]
fn unsupported_index<'a>(ctx: &Activation<'a>, at: Value<'a>, of: &str) -> EvalError<'a> {
    if is_index(at) {
        let kind = at.type_name();
        return EvalError::message(ctx.arena, format_args!("unsupported index type '{kind}'{of}"));
    }
    EvalError::message(ctx.arena, format_args!("invalid qualifier type: {}", go_type(at)))
}

/// An index is an integer, or a double that is one.
#[expect(clippy::cast_possible_truncation, reason = "a double with a fraction or out of range is refused")]
fn list_index<'a>(ctx: &Activation<'a>, at: Value<'a>) -> Result<i64, EvalError<'a>> {
    let unsupported = || {
        let value = super::go_text(at);
        EvalError::message(ctx.arena, format_args!("unsupported index value {value} in list"))
    };
    match at {
        Value::Int(at) => Ok(at),
        Value::UInt(at) => i64::try_from(at).map_err(|_| unsupported()),
        #[expect(clippy::float_cmp, reason = "the double is an index only if it is exactly an integer")]
        Value::Double(at) if at as i64 as f64 == at => Ok(at as i64),
        Value::Double(_) => Err(unsupported()),
        _ => Err(unsupported_index(ctx, at, " in list")),
    }
}
