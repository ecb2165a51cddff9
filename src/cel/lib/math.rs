//! cel-go's `ext.Math`.

use std::cmp::Ordering;

use super::Declaration;
use crate::cel::{Activation, EvalError, EvalResult, Value};

/// The greatest or least of one value, two values, or a list.
macro_rules! extreme {
    ($name:literal, $full:literal, $doc:literal, $order:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[
                concat!($name, "(double) -> double"),
                concat!($name, "(int) -> int"),
                concat!($name, "(uint) -> uint"),
                concat!($name, "(double, double) -> double"),
                concat!($name, "(int, int) -> int"),
                concat!($name, "(uint, uint) -> uint"),
                concat!($name, "(int, uint) -> dyn"),
                concat!($name, "(int, double) -> dyn"),
                concat!($name, "(double, int) -> dyn"),
                concat!($name, "(double, uint) -> dyn"),
                concat!($name, "(uint, int) -> dyn"),
                concat!($name, "(uint, double) -> dyn"),
                concat!($name, "(list(double)) -> double"),
                concat!($name, "(list(int)) -> int"),
                concat!($name, "(list(uint)) -> uint"),
            ],
            run: |ctx, args| extreme(ctx, args, $full, $order),
        }
    };
}

/// A function of one double.
macro_rules! rounding {
    ($name:literal, $doc:literal, $round:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[concat!($name, "(double) -> double")],
            run: |_, args| match *args {
                [Value::Double(value)] => {
                    let round: fn(f64) -> f64 = $round;
                    Ok(Value::Double(round(value)))
                }
                _ => Err(EvalError::NoSuchOverload),
            },
        }
    };
}

/// A test of one double.
macro_rules! test {
    ($name:literal, $doc:literal, $test:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[concat!($name, "(double) -> bool")],
            run: |_, args| match *args {
                [Value::Double(value)] => Ok(Value::Bool($test(value))),
                _ => Err(EvalError::NoSuchOverload),
            },
        }
    };
}

/// An operation on the bits of two integers.
macro_rules! bitwise {
    ($name:literal, $doc:literal, $operator:tt) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[concat!($name, "(int, int) -> int"), concat!($name, "(uint, uint) -> uint")],
            run: |_, args| match *args {
                [Value::Int(a), Value::Int(b)] => Ok(Value::Int(a $operator b)),
                [Value::UInt(a), Value::UInt(b)] => Ok(Value::UInt(a $operator b)),
                _ => Err(EvalError::NoSuchOverload),
            },
        }
    };
}

pub(super) const FUNCTIONS: &[Declaration] = &[
    extreme!("math.greatest", "math.@max", "The greatest of numbers", Ordering::Greater),
    extreme!("math.least", "math.@min", "The least of numbers", Ordering::Less),
    rounding!("math.ceil", "The number rounded up", f64::ceil),
    rounding!("math.floor", "The number rounded down", f64::floor),
    rounding!("math.round", "The number rounded to the nearest, halves away from zero", f64::round),
    rounding!("math.trunc", "The number rounded towards zero", f64::trunc),
    test!("math.isInf", "Whether a number is infinite", f64::is_infinite),
    test!("math.isNaN", "Whether a number is NaN", f64::is_nan),
    test!("math.isFinite", "Whether a number is neither infinite nor NaN", f64::is_finite),
    Declaration {
        name: "math.abs",
        doc: "The number without its sign",
        signatures: &["math.abs(double) -> double", "math.abs(int) -> int", "math.abs(uint) -> uint"],
        run: |_, args| match *args {
            [Value::Double(value)] => Ok(Value::Double(value.abs())),
            [Value::Int(value)] => value.checked_abs().map(Value::Int).ok_or(EvalError::IntOverflow),
            [value @ Value::UInt(_)] => Ok(value),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "math.sign",
        doc: "-1, 0 or 1, as the number is negative, zero or positive",
        signatures: &["math.sign(double) -> double", "math.sign(int) -> int", "math.sign(uint) -> uint"],
        run: |_, args| match *args {
            [Value::Double(value)] if value.is_nan() || value == 0.0 => Ok(Value::Double(value)),
            [Value::Double(value)] => Ok(Value::Double(value.signum())),
            [Value::Int(value)] => Ok(Value::Int(value.signum())),
            [Value::UInt(value)] => Ok(Value::UInt(value.min(1))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "math.sqrt",
        doc: "The square root",
        signatures: &["math.sqrt(double) -> double", "math.sqrt(int) -> double", "math.sqrt(uint) -> double"],
        run: sqrt,
    },
    bitwise!("math.bitAnd", "The bits that both numbers have", &),
    bitwise!("math.bitOr", "The bits that either number has", |),
    bitwise!("math.bitXor", "The bits that one of the numbers has", ^),
    Declaration {
        name: "math.bitNot",
        doc: "The bits that the number does not have",
        signatures: &["math.bitNot(int) -> int", "math.bitNot(uint) -> uint"],
        run: |_, args| match *args {
            [Value::Int(value)] => Ok(Value::Int(!value)),
            [Value::UInt(value)] => Ok(Value::UInt(!value)),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "math.bitShiftLeft",
        doc: "The bits moved up by so many places",
        signatures: &["math.bitShiftLeft(int, int) -> int", "math.bitShiftLeft(uint, int) -> uint"],
        run: |ctx, args| shift(ctx, args, "math.bitShiftLeft", u64::checked_shl),
    },
    Declaration {
        name: "math.bitShiftRight",
        doc: "The bits moved down by so many places; zeros come in at the top",
        signatures: &["math.bitShiftRight(int, int) -> int", "math.bitShiftRight(uint, int) -> uint"],
        run: |ctx, args| shift(ctx, args, "math.bitShiftRight", u64::checked_shr),
    },
];

fn extreme<'a>(ctx: &Activation<'a>, args: &[Value<'a>], name: &str, order: Ordering) -> EvalResult<'a> {
    let pick = |best: Value<'a>, next: Value<'a>| match next.compare(best) {
        Ok(found) => Ok(if found == order { next } else { best }),
        Err(EvalError::NanOrdering) => {
            Err(EvalError::message(ctx.arena, format_args!("NaN values cannot be ordered: {name}")))
        }
        Err(error) => Err(error),
    };
    let found = match *args {
        [Value::List(list)] => {
            let mut elements = list.iter();
            let Some(first) = elements.next() else {
                return Err(EvalError::message(
                    ctx.arena,
                    format_args!("{name}(list) argument must not be empty"),
                ));
            };
            // As in cel-go the first element tells the type of the list, and so whether it is an argument at all.
            if !matches!(first, Value::Int(_) | Value::UInt(_) | Value::Double(_)) {
                return Err(EvalError::NoSuchOverload);
            }
            let found = elements.try_fold(first, pick);
            if found.is_err() {
                return Err(EvalError::message(ctx.arena, format_args!("no such overload: {name}")));
            }
            found?
        }
        [value] => value,
        [a, b] => pick(a, b)?,
        _ => return Err(EvalError::NoSuchOverload),
    };
    match found {
        Value::Int(_) | Value::UInt(_) | Value::Double(_) => Ok(found),
        _ => Err(EvalError::NoSuchOverload),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a double is the nearest to the integer")]
fn sqrt<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let value = match *args {
        [Value::Double(value)] => value,
        [Value::Int(value)] => value as f64,
        [Value::UInt(value)] => value as f64,
        _ => return Err(EvalError::NoSuchOverload),
    };
    Ok(Value::Double(value.sqrt()))
}

fn shift<'a>(
    ctx: &Activation<'a>,
    args: &[Value<'a>],
    name: &str,
    shift: fn(u64, u32) -> Option<u64>,
) -> EvalResult<'a> {
    let (bits, by) = match *args {
        [Value::Int(value), Value::Int(by)] => (value.cast_unsigned(), by),
        [Value::UInt(value), Value::Int(by)] => (value, by),
        _ => return Err(EvalError::NoSuchOverload),
    };
    if by < 0 {
        return Err(EvalError::message(ctx.arena, format_args!("{name}() negative offset: {by}")));
    }
    let moved = u32::try_from(by).ok().and_then(|by| shift(bits, by)).unwrap_or(0);
    Ok(match args {
        [Value::Int(_), ..] => Value::Int(moved.cast_signed()),
        _ => Value::UInt(moved),
    })
}
