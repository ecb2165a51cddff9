//! Conversions between types.

use std::fmt::Write;

use super::{Declaration, go_float};
use crate::cel::{Activation, Duration, EvalError, EvalResult, Opaque, Timestamp, TimestampError, Value};

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "int",
        doc: "Converts to an integer: doubles are cut, timestamps give Unix seconds, durations nanoseconds",
        signatures: &[
            "int(int) -> int",
            "int(double) -> int",
            "int(duration) -> int",
            "int(string) -> int",
            "int(timestamp) -> int",
            "int(uint) -> int",
        ],
        run: to_int,
    },
    Declaration {
        name: "uint",
        doc: "Converts to an unsigned integer",
        signatures: &[
            "uint(uint) -> uint",
            "uint(double) -> uint",
            "uint(int) -> uint",
            "uint(string) -> uint",
        ],
        run: to_uint,
    },
    Declaration {
        name: "double",
        doc: "Converts to a double",
        signatures: &[
            "double(double) -> double",
            "double(int) -> double",
            "double(string) -> double",
            "double(uint) -> double",
        ],
        run: to_double,
    },
    Declaration {
        name: "string",
        doc: "Converts to text",
        signatures: &[
            "string(string) -> string",
            "string(bool) -> string",
            "string(bytes) -> string",
            "string(double) -> string",
            "string(duration) -> string",
            "string(int) -> string",
            "string(timestamp) -> string",
            "string(uint) -> string",
            "string(ip) -> string",
            "string(cidr) -> string",
        ],
        run: to_string,
    },
    Declaration {
        name: "bytes",
        doc: "The UTF-8 bytes of a string",
        signatures: &["bytes(bytes) -> bytes", "bytes(string) -> bytes"],
        run: |_, args| match args {
            [value @ Value::Bytes(_)] => Ok(*value),
            [Value::String(text)] => Ok(Value::Bytes(text.as_bytes())),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "bool",
        doc: "Converts from text: `true`, `t`, `1` and `false`, `f`, `0`, in any usual case",
        signatures: &["bool(bool) -> bool", "bool(string) -> bool"],
        run: to_bool,
    },
    Declaration {
        name: "timestamp",
        doc: "Reads an instant: RFC 3339, or Unix seconds",
        signatures: &[
            "timestamp(timestamp) -> timestamp",
            "timestamp(int) -> timestamp",
            "timestamp(string) -> timestamp",
        ],
        run: to_timestamp,
    },
    Declaration {
        name: "duration",
        doc: "Reads a span of time, such as `1h30m`",
        signatures: &["duration(duration) -> duration", "duration(string) -> duration"],
        run: to_duration,
    },
    Declaration {
        name: "type",
        doc: "The type of a value",
        signatures: &["type(A) -> type(A)"],
        run: |_, args| {
            args.first().map(|value| Value::Type(value.type_name())).ok_or(EvalError::NoSuchOverload)
        },
    },
    Declaration {
        name: "dyn",
        doc: "The same value, of a type that only evaluation knows",
        signatures: &["dyn(A) -> dyn"],
        run: identity,
    },
    Declaration { name: "id", doc: "The same value", signatures: &["id(dyn) -> dyn"], run: identity },
];

pub(super) fn identity<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    args.first().copied().ok_or(EvalError::NoSuchOverload)
}

#[expect(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn to_int<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [value @ Value::Int(_)] => Ok(*value),
        // The bounds themselves are refused, as in cel-go: as doubles they are not exact.
        [Value::Double(value)]
            if *value > -9_223_372_036_854_775_808.0 && *value < 9_223_372_036_854_775_807.0 =>
        {
            Ok(Value::Int(*value as i64))
        }
        [Value::Double(_)] => Err(EvalError::IntOverflow),
        [Value::Duration(value)] => Ok(Value::Int(value.nanos())),
        [Value::Timestamp(value)] => Ok(Value::Int(value.seconds())),
        [Value::UInt(value)] => i64::try_from(*value).map(Value::Int).map_err(|_| EvalError::IntOverflow),
        [Value::String(text)] => text
            .parse()
            .map(Value::Int)
            .map_err(|_| EvalError::Message("type conversion error from 'string' to 'int'")),
        _ => Err(EvalError::NoSuchOverload),
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked before")]
fn to_uint<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [value @ Value::UInt(_)] => Ok(*value),
        [Value::Double(value)] if *value >= 0.0 && *value < 18_446_744_073_709_551_615.0 => {
            Ok(Value::UInt(*value as u64))
        }
        [Value::Double(_)] => Err(EvalError::UintOverflow),
        [Value::Int(value)] => u64::try_from(*value).map(Value::UInt).map_err(|_| EvalError::UintOverflow),
        [Value::String(text)] => match text.parse() {
            Ok(value) if !text.starts_with('+') => Ok(Value::UInt(value)),
            _ => Err(EvalError::Message("type conversion error from 'string' to 'uint'")),
        },
        _ => Err(EvalError::NoSuchOverload),
    }
}

const NO_DOUBLE: EvalError<'static> = EvalError::Message("type conversion error from 'string' to 'double'");

#[expect(clippy::cast_precision_loss, reason = "a double is the nearest to the integer")]
fn to_double<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [value @ Value::Double(_)] => Ok(*value),
        [Value::Int(value)] => Ok(Value::Double(*value as f64)),
        [Value::UInt(value)] => Ok(Value::Double(*value as f64)),
        [Value::String(text)] => go_float::parse(text).map(Value::Double).ok_or(NO_DOUBLE),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn to_bool<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [value @ Value::Bool(_)] => Ok(*value),
        [Value::String("1" | "t" | "T" | "true" | "TRUE" | "True")] => Ok(Value::Bool(true)),
        [Value::String("0" | "f" | "F" | "false" | "FALSE" | "False")] => Ok(Value::Bool(false)),
        [Value::String(_)] => Err(EvalError::Message("type conversion error from 'string' to 'bool'")),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn to_string<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let mut out = bumpalo::collections::String::new_in(ctx.arena);
    // Writing to a string does not fail.
    let _ = match args {
        [value @ Value::String(_)] => return Ok(*value),
        [Value::Bytes(bytes)] => {
            let text = std::str::from_utf8(bytes).map(Value::String);
            return text.map_err(|_| EvalError::Message("invalid UTF-8 in bytes, cannot convert to string"));
        }
        [Value::Bool(value)] => write!(out, "{value}"),
        [Value::Int(value)] => write!(out, "{value}"),
        [Value::UInt(value)] => write!(out, "{value}"),
        [Value::Double(value)] => out.write_str(&double_text(*value)),
        [Value::Duration(value)] => write!(out, "{value}"),
        [Value::Timestamp(value)] => write!(out, "{value}"),
        [Value::Opaque(Opaque::Ip(ip))] => write!(out, "{ip}"),
        [Value::Opaque(Opaque::Cidr(cidr))] => write!(out, "{cidr}"),
        _ => return Err(EvalError::NoSuchOverload),
    };
    Ok(Value::String(out.into_bump_str()))
}

fn to_timestamp<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [value @ Value::Timestamp(_)] => Ok(*value),
        [Value::Int(seconds)] => {
            Timestamp::new(*seconds, 0).map(Value::Timestamp).ok_or(EvalError::TimestampOverflow)
        }
        [Value::String(text)] => Timestamp::parse(text).map(Value::Timestamp).map_err(|error| match error {
            TimestampError::OutOfRange => EvalError::TimestampOverflow,
            TimestampError::Malformed => {
                EvalError::message(ctx.arena, format_args!("invalid RFC 3339 timestamp {text:?}"))
            }
            TimestampError::NoSuchTime => {
                EvalError::Message("type conversion error from 'string' to 'google.protobuf.Timestamp'")
            }
        }),
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn to_duration<'a>(_: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match args {
        [value @ Value::Duration(_)] => Ok(*value),
        [Value::String(text)] => Duration::parse(text)
            .map(Value::Duration)
            .ok_or(EvalError::Message("type conversion error from 'string' to 'google.protobuf.Duration'")),
        _ => Err(EvalError::NoSuchOverload),
    }
}

/// The text of a double as Go's `%g` writes it: the shortest digits that read back as the same number, with
/// an exponent below 1e-4 and from 1e6 on.
pub(crate) fn double_text(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 {
        return if value.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    // Rust's `{:e}` gives the same shortest digits: `-1.25e3`.
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_read_as_go_writes_them() {
        let cases = [
            (1.0, "1"),
            (-0.0045, "-0.0045"),
            (123.456, "123.456"),
            (999_999.0, "999999"),
            (1e6, "1e+06"),
            (1_234_567.5, "1.2345675e+06"),
            (0.00001, "1e-05"),
            (100_000.0, "100000"),
            (12_345_678.9, "1.23456789e+07"),
            (6.02214e23, "6.02214e+23"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Inf"),
        ];
        for (value, text) in cases {
            assert_eq!(double_text(value), text);
        }
    }
}
