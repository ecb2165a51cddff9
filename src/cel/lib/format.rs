//! Text of values: `format`, and values in messages.

use std::fmt::Write;

use super::Declaration;
use crate::cel::types::Type;
use crate::cel::{Activation, EvalError, EvalResult, List, Opaque, Value};
use crate::text::Span;

pub(super) const FUNCTIONS: &[Declaration] = &[Declaration {
    name: "format",
    doc: "The text with `%s %d %f %e %b %o %x %X %%` replaced by the elements of a list",
    signatures: &["string.format(list(dyn)) -> string"],
    run: format,
}];

/// Digits after the point at most.
const MAX_PRECISION: usize = 100;
/// Digits after the point where the template does not say.
const DEFAULT_PRECISION: usize = 6;

/// A value in a message: strings without quotes.
pub(crate) fn display(value: Value<'_>) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

/// A value as Go prints it in some messages: null is a number there.
pub(crate) fn go_text(value: Value<'_>) -> String {
    match value {
        Value::Null => "0".to_owned(),
        Value::Timestamp(value) => value.to_string(),
        Value::Double(double) => super::conversions::double_text(double),
        _ => display(value),
    }
}

/// A value as `%s` writes it.
fn write_value(out: &mut String, value: Value<'_>) {
    // Writing to a string does not fail.
    let _ = match value {
        Value::Null => out.write_str("null"),
        Value::Bool(value) => write!(out, "{value}"),
        Value::Int(value) => write!(out, "{value}"),
        Value::UInt(value) => write!(out, "{value}"),
        Value::Double(value) => out.write_str(&plain_double(value)),
        Value::String(text) | Value::Type(text) => out.write_str(text),
        Value::Bytes(bytes) => out.write_str(&String::from_utf8_lossy(bytes)),
        Value::Timestamp(value) => write!(out, "{}", value.in_utc()),
        Value::Duration(value) => write!(out, "{value}"),
        Value::List(list) => {
            write_sequence(out, list);
            Ok(())
        }
        Value::Map(map) => {
            let mut entries: Vec<(String, Value<'_>)> =
                map.iter().map(|(key, value)| (display(key), value)).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            out.push('{');
            for (at, (key, value)) in entries.into_iter().enumerate() {
                out.push_str(if at > 0 { ", " } else { "" });
                out.push_str(&key);
                out.push_str(": ");
                write_value(out, value);
            }
            out.write_char('}')
        }
        Value::Optional(Some(value)) => {
            out.push_str("optional.of(");
            write_value(out, *value);
            out.write_char(')')
        }
        Value::Optional(None) => out.write_str("optional.none()"),
        Value::Message(message) => out.write_str(message.type_name()),
        Value::Opaque(Opaque::Ip(ip)) => write!(out, "{ip}"),
        Value::Opaque(Opaque::Cidr(cidr)) => write!(out, "{cidr}"),
        Value::Opaque(Opaque::Hierarchy(segments)) => {
            write_sequence(out, *segments);
            Ok(())
        }
        Value::Opaque(Opaque::SpiffeId(text) | Opaque::SpiffeTrustDomain(text)) => out.write_str(text),
        Value::Opaque(Opaque::SpiffeMatcher(_)) => out.write_str(value.type_name()),
    };
}

fn write_sequence(out: &mut String, list: List<'_>) {
    out.push('[');
    for (at, element) in list.iter().enumerate() {
        out.push_str(if at > 0 { ", " } else { "" });
        write_value(out, element);
    }
    out.push(']');
}

/// A double in `%s`: without an exponent, and the special values in words.
fn plain_double(value: f64) -> String {
    special(value).map_or_else(|| format!("{value}"), str::to_owned)
}

fn special(value: f64) -> Option<&'static str> {
    if value.is_nan() {
        Some("NaN")
    } else if value == f64::INFINITY {
        Some("Infinity")
    } else if value == f64::NEG_INFINITY {
        Some("-Infinity")
    } else {
        None
    }
}

/// A part of a template.
enum Part<'t> {
    Text(&'t str),
    Clause(Clause),
}

#[derive(Clone, Copy)]
struct Clause {
    kind: char,
    precision: Option<usize>,
}

/// Splits a template at its clauses.
fn parts(template: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find('%') {
        parts.push(Part::Text(&rest[..at]));
        let clause = &rest[at + 1..];
        if let Some(after) = clause.strip_prefix('%') {
            parts.push(Part::Text("%"));
            rest = after;
            continue;
        }
        let (precision, kind) = match clause.strip_prefix('.') {
            Some(digits) => {
                let len = digits.bytes().take_while(u8::is_ascii_digit).count();
                let (precise, kind) = digits.split_at(len);
                (Some(precision(precise, kind.is_empty())?), kind)
            }
            None => (None, clause),
        };
        let Some(char) = kind.chars().next() else {
            return Err("unexpected end of string".to_owned());
        };
        if !"sdfebxXo".contains(char) {
            return Err(format!(
                "could not parse formatting clause: unrecognized formatting clause \"{char}\""
            ));
        }
        parts.push(Part::Clause(Clause { kind: char, precision }));
        rest = &kind[char.len_utf8()..];
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// The precision that a clause names; `digits` stand behind its point, and the template may end with them.
fn precision(digits: &str, ends: bool) -> Result<usize, String> {
    let wrong =
        |why: String| format!("could not parse formatting clause: error while parsing precision: {why}");
    if ends {
        return Err(wrong("could not find end of precision specifier".to_owned()));
    }
    // As wide as the PDP's, whatever the machine: what is out of range is told otherwise than what is too much.
    let number: u64 = digits.parse().map_err(|_| {
        let why = if digits.is_empty() { "invalid syntax" } else { "value out of range" };
        wrong(format!("error while converting precision to integer: strconv.Atoi: parsing {digits:?}: {why}"))
    })?;
    usize::try_from(number)
        .ok()
        .filter(|number| *number <= MAX_PRECISION)
        .ok_or_else(|| wrong(format!("precision {number} exceeds maximum allowed precision {MAX_PRECISION}")))
}

fn format<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::String(template), Value::List(list)] = *args else { return Err(EvalError::NoSuchOverload) };
    match formatted(template, list) {
        Ok(text) => Ok(Value::String(ctx.arena.alloc_str(&text))),
        Err(message) => Err(EvalError::message(ctx.arena, format_args!("{message}"))),
    }
}

fn formatted(template: &str, list: List<'_>) -> Result<String, String> {
    let mut out = String::with_capacity(template.len());
    let mut elements = list.iter().enumerate();
    for part in parts(template)? {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Clause(clause) => {
                let (_, value) =
                    elements.next().ok_or_else(|| format!("index {} out of range", list.len()))?;
                clause.write(&mut out, value)?;
            }
        }
    }
    Ok(out)
}

impl Clause {
    fn write(self, out: &mut String, value: Value<'_>) -> Result<(), String> {
        match self.kind {
            's' => match unwritable(value) {
                Some(kind) => return Err(self.refused(kind)),
                None => write_value(out, value),
            },
            'd' => match value {
                Value::Int(_) | Value::UInt(_) | Value::Double(_) => write_value(out, value),
                _ => return Err(self.refused(value.type_name())),
            },
            'f' | 'e' => self.write_double(out, value)?,
            _ => self.write_base(out, value)?,
        }
        Ok(())
    }

    /// The error for a value that the clause does not take, in cel-go's words.
    fn refused(self, kind: &str) -> String {
        let rule = match self.kind {
            's' => {
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, \
                 durations, and timestamps"
            }
            'd' => "decimal clause can only be used on ints, uints, and doubles",
            'f' => "fixed-point clause can only be used on ints, uints, and doubles",
            'e' => "scientific clause can only be used on ints, uints, and doubles",
            'b' => "only ints, uints, and bools can be formatted as binary",
            'o' => "octal clause can only be used on ints and uints",
            _ => "only ints, uints, bytes, and strings can be formatted as hex",
        };
        format!("error during formatting: {rule}, was given {kind}")
    }

    #[expect(clippy::cast_precision_loss, reason = "a fixed-point clause writes a double")]
    fn write_double(self, out: &mut String, value: Value<'_>) -> Result<(), String> {
        let number = match value {
            Value::Double(value) => value,
            Value::Int(value) => value as f64,
            Value::UInt(value) => value as f64,
            Value::String("NaN") => f64::NAN,
            Value::String("Infinity") => f64::INFINITY,
            Value::String("-Infinity") => f64::NEG_INFINITY,
            _ => return Err(self.refused(value.type_name())),
        };
        let precision = self.precision.unwrap_or(DEFAULT_PRECISION);
        if let Some(word) = special(number) {
            out.push_str(word);
        } else if self.kind == 'f' {
            let _ = write!(out, "{number:.precision$}");
        } else {
            let text = format!("{number:.precision$e}");
            let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
            let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
            let _ = write!(out, "{mantissa}e{sign}{digits:0>2}");
        }
        Ok(())
    }

    /// `%b %o %x %X`
    fn write_base(self, out: &mut String, value: Value<'_>) -> Result<(), String> {
        let (sign, magnitude) = match value {
            Value::Int(value) => (if value < 0 { "-" } else { "" }, value.unsigned_abs()),
            Value::UInt(value) => ("", value),
            Value::Bool(value) if self.kind == 'b' => ("", u64::from(value)),
            Value::String(text) if "xX".contains(self.kind) => return self.write_hex(out, text.as_bytes()),
            Value::Bytes(bytes) if "xX".contains(self.kind) => return self.write_hex(out, bytes),
            _ => return Err(self.refused(value.type_name())),
        };
        out.push_str(sign);
        let _ = match self.kind {
            'b' => write!(out, "{magnitude:b}"),
            'o' => write!(out, "{magnitude:o}"),
            'x' => write!(out, "{magnitude:x}"),
            _ => write!(out, "{magnitude:X}"),
        };
        Ok(())
    }

    fn write_hex(self, out: &mut String, bytes: &[u8]) -> Result<(), String> {
        for byte in bytes {
            let _ = if self.kind == 'x' { write!(out, "{byte:02x}") } else { write!(out, "{byte:02X}") };
        }
        Ok(())
    }

    /// Whether a value of a type can be written, as far as the type says.
    fn accepts(self, ty: &Type) -> bool {
        match (self.kind, ty) {
            (_, Type::Dyn | Type::Error | Type::Param(_)) => true,
            (_, Type::Wrapper(inner)) => self.accepts(inner),
            ('s', _) => !matches!(ty, Type::Message(_) | Type::Opaque(_) | Type::Optional(_)),
            ('d', _) => matches!(ty, Type::Int | Type::UInt | Type::Double),
            ('f' | 'e', _) => matches!(ty, Type::Int | Type::UInt | Type::Double),
            ('b', _) => matches!(ty, Type::Int | Type::UInt | Type::Bool),
            ('o', _) => matches!(ty, Type::Int | Type::UInt),
            _ => matches!(ty, Type::Int | Type::UInt | Type::String | Type::Bytes),
        }
    }
}

/// The type of what `%s` does not take: optionals, messages and kinds of libraries, not even inside of others.
fn unwritable(value: Value<'_>) -> Option<&'static str> {
    match value {
        Value::List(list) => list.iter().find_map(unwritable),
        Value::Map(map) => map.iter().find_map(|(_, value)| unwritable(value)),
        Value::Optional(_) | Value::Message(_) | Value::Opaque(_) => Some(value.type_name()),
        _ => None,
    }
}

/// What is wrong with a template and the types of its arguments, both known before evaluation.
pub(crate) fn format_call(template: &str, at: Span, args: &[(&Type, Span)]) -> Option<(Span, String)> {
    let parts = match parts(template) {
        Ok(parts) => parts,
        Err(message) => return Some((at, message)),
    };
    let mut rest = args.iter();
    for part in parts {
        let Part::Clause(clause) = part else { continue };
        match rest.next() {
            None => return Some((at, format!("index {} out of range", args.len()))),
            Some((ty, span)) if !clause.accepts(ty) => {
                let text = match ty {
                    Type::Null => "null_type".to_owned(),
                    Type::Timestamp => "google.protobuf.Timestamp".to_owned(),
                    Type::Duration => "google.protobuf.Duration".to_owned(),
                    Type::Wrapper(inner) => inner.to_string(),
                    _ => ty.to_string(),
                };
                let kind = text.split('(').next().unwrap_or_default();
                return Some((*span, clause.refused(kind)));
            }
            Some(_) => {}
        }
    }
    let expected = args.len() - rest.len();
    if let Some((_, span)) = rest.next() {
        let given = args.len();
        let message =
            format!("too many arguments supplied to string.format (expected {expected}, got {given})");
        return Some((*span, message));
    }
    None
}
