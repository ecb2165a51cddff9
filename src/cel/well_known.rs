//! Literals of protobuf's well-known messages, such as `google.protobuf.Int32Value{value: 1}`. None of them
//! is a message once it is built: a wrapper is the value in it, a `Struct` is a map.

use bumpalo::Bump;

use super::native::refusal;
use super::types::Type;
use super::{Duration, EvalError, EvalResult, List, Map, Opaque, Timestamp, Value, json};

/// A message that a literal can name.
pub(crate) struct WellKnown {
    /// The name below `google.protobuf`.
    name: &'static str,
    pub(crate) fields: &'static [Field],
    /// What a literal becomes.
    kind: Kind,
}

pub(crate) struct Field {
    pub(crate) name: &'static str,
    holds: Holds,
}

/// What a field takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Bool,
    Int32,
    Int64,
    UInt32,
    UInt64,
    Float,
    Double,
    String,
    Bytes,
    /// `NullValue`, an enumeration.
    Null,
    /// A `Struct`.
    Fields,
    /// A `ListValue`.
    List,
    /// A repeated field.
    Elements,
    /// A map field.
    Entries,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// A scalar that may be null where types are checked.
    Wrapper,
    Value,
    Struct,
    ListValue,
    Timestamp,
    Duration,
}

const fn wrapper(name: &'static str, fields: &'static [Field]) -> WellKnown {
    WellKnown { name, fields, kind: Kind::Wrapper }
}

const fn field(name: &'static str, holds: Holds) -> Field {
    Field { name, holds }
}

const TIME: &[Field] = &[field("seconds", Holds::Int64), field("nanos", Holds::Int32)];

static MESSAGES: [WellKnown; 14] = [
    wrapper("BoolValue", &[field("value", Holds::Bool)]),
    wrapper("BytesValue", &[field("value", Holds::Bytes)]),
    wrapper("DoubleValue", &[field("value", Holds::Double)]),
    wrapper("FloatValue", &[field("value", Holds::Float)]),
    wrapper("Int32Value", &[field("value", Holds::Int32)]),
    wrapper("Int64Value", &[field("value", Holds::Int64)]),
    wrapper("StringValue", &[field("value", Holds::String)]),
    wrapper("UInt32Value", &[field("value", Holds::UInt32)]),
    wrapper("UInt64Value", &[field("value", Holds::UInt64)]),
    WellKnown {
        name: "Value",
        fields: &[
            field("null_value", Holds::Null),
            field("number_value", Holds::Double),
            field("string_value", Holds::String),
            field("bool_value", Holds::Bool),
            field("struct_value", Holds::Fields),
            field("list_value", Holds::List),
        ],
        kind: Kind::Value,
    },
    WellKnown { name: "Struct", fields: &[field("fields", Holds::Entries)], kind: Kind::Struct },
    WellKnown { name: "ListValue", fields: &[field("values", Holds::Elements)], kind: Kind::ListValue },
    WellKnown { name: "Timestamp", fields: TIME, kind: Kind::Timestamp },
    WellKnown { name: "Duration", fields: TIME, kind: Kind::Duration },
];

/// The one constant of `google.protobuf.NullValue`, which is 0.
pub(crate) const NULL_VALUE: &str = "google.protobuf.NullValue.NULL_VALUE";

/// The message of a name, and its number in the table.
pub(crate) fn find(name: &str) -> Option<(u8, &'static WellKnown)> {
    let name = name.strip_prefix("google.protobuf.")?;
    (0..).zip(&MESSAGES).find(|(_, message)| message.name == name)
}

/// The name of the field with a number of a message; empty if there is none.
pub(crate) fn field_name(message: u8, field: u8) -> &'static str {
    let field = MESSAGES.get(usize::from(message)).and_then(|message| message.fields.get(usize::from(field)));
    field.map_or("", |field| field.name)
}

/// The names of all messages.
pub(crate) fn names() -> impl Iterator<Item = String> {
    MESSAGES.iter().map(|message| format!("google.protobuf.{}", message.name))
}

impl WellKnown {
    /// The static type of a literal.
    pub(crate) fn ty(&self) -> Type {
        match (self.kind, self.fields) {
            (Kind::Wrapper, [value]) => Type::Wrapper(Box::new(value.ty())),
            (Kind::Struct, _) => Holds::Entries.ty(),
            (Kind::ListValue, _) => Holds::Elements.ty(),
            (Kind::Timestamp, _) => Type::Timestamp,
            (Kind::Duration, _) => Type::Duration,
            _ => Type::Dyn,
        }
    }

    /// The number of a field.
    pub(crate) fn field(&self, name: &str) -> Option<(u8, &Field)> {
        (0..).zip(self.fields).find(|(_, field)| field.name == name)
    }
}

impl Field {
    /// The static type of what the field takes.
    pub(crate) fn ty(&self) -> Type {
        self.holds.ty()
    }
}

impl Holds {
    fn ty(self) -> Type {
        match self {
            Self::Bool => Type::Bool,
            Self::Int32 | Self::Int64 | Self::Null => Type::Int,
            Self::UInt32 | Self::UInt64 => Type::UInt,
            Self::Float | Self::Double => Type::Double,
            Self::String => Type::String,
            Self::Bytes => Type::Bytes,
            Self::Fields | Self::Entries => Type::map(Type::String, Type::Dyn),
            Self::List | Self::Elements => Type::list(Type::Dyn),
        }
    }

    /// The name of the native type, as cel-go's errors have it.
    fn native(self) -> &'static str {
        match self {
            Self::Bool => "bool",
            Self::Int32 => "int32",
            Self::Int64 => "int64",
            Self::UInt32 => "uint32",
            Self::UInt64 => "uint64",
            Self::Float => "float32",
            Self::Double => "float64",
            Self::String => "string",
            Self::Bytes => "[]uint8",
            Self::Null => "protoreflect.EnumNumber",
            Self::Fields | Self::Entries => "*structpb.Struct",
            Self::List | Self::Elements => "*structpb.ListValue",
        }
    }

    fn zero(self) -> Value<'static> {
        match self {
            Self::Bool => Value::Bool(false),
            Self::Int32 | Self::Int64 => Value::Int(0),
            Self::UInt32 | Self::UInt64 => Value::UInt(0),
            Self::Float | Self::Double => Value::Double(0.0),
            Self::String => Value::String(""),
            Self::Bytes => Value::Bytes(&[]),
            Self::Null => Value::Null,
            Self::Fields | Self::Entries => Value::Map(Map::EMPTY),
            Self::List | Self::Elements => Value::List(List::EMPTY),
        }
    }

    /// A value as the field keeps it, or why it cannot.
    #[expect(clippy::cast_possible_truncation, reason = "a float keeps what it can of a double")]
    fn convert<'a>(self, arena: &'a Bump, value: Value<'a>) -> Result<Value<'a>, String> {
        match (self, value) {
            (Self::Int32, Value::Int(number)) if i32::try_from(number).is_err() => {
                Err("integer overflow".to_owned())
            }
            (Self::UInt32, Value::UInt(number)) if u32::try_from(number).is_err() => {
                Err("unsigned integer overflow".to_owned())
            }
            (Self::Float, Value::Double(number)) => Ok(Value::Double(f64::from(number as f32))),
            (Self::Null, Value::Int(_)) => Ok(Value::Null),
            (Self::Bool, Value::Bool(_))
            | (Self::Int32 | Self::Int64, Value::Int(_))
            | (Self::UInt32 | Self::UInt64, Value::UInt(_))
            | (Self::Double, Value::Double(_))
            | (Self::String, Value::String(_))
            | (Self::Bytes, Value::Bytes(_)) => Ok(value),
            (Self::Fields | Self::Entries, Value::Map(_)) | (Self::List | Self::Elements, Value::List(_)) => {
                json::normalized(arena, value)
            }
            (_, Value::Optional(Some(inner))) => self.convert(arena, *inner),
            // What `id()` of a trust domain gives is none of the texts that the types say it is.
            (Self::String, Value::Opaque(Opaque::SpiffeId(text) | Opaque::SpiffeTrustDomain(text))) => {
                Ok(Value::String(text))
            }
            _ => Err(refusal(value, self.native())),
        }
    }

    /// Whether a list can be given to a repeated field, a map to a map field; other fields convert.
    fn is_collection_for(self, value: Value<'_>) -> bool {
        match self {
            Self::Entries => matches!(value, Value::Map(_)),
            Self::Elements => matches!(value, Value::List(_)),
            _ => true,
        }
    }
}

/// Builds the message with a number of the table from fields by their numbers; of one that is set twice,
/// and of the alternatives of `Value`, the last counts.
pub(crate) fn build<'a>(arena: &'a Bump, message: u8, given: &[(u8, Value<'a>)]) -> EvalResult<'a> {
    let message = MESSAGES.get(usize::from(message)).ok_or(EvalError::NoSuchOverload)?;
    let mut values = [Value::Null; 2];
    for (value, field) in values.iter_mut().zip(message.fields) {
        *value = field.holds.zero();
    }
    let mut last = Value::Null;
    for (number, value) in given {
        let number = usize::from(*number);
        let Some(field) = message.fields.get(number) else { continue };
        last = message.set(arena, field, *value)?;
        if let Some(slot) = values.get_mut(number) {
            *slot = last;
        }
    }
    match (message.kind, values) {
        (Kind::Value, _) => Ok(last),
        (Kind::Timestamp, [Value::Int(seconds), Value::Int(nanos)]) => timestamp(seconds, nanos),
        (Kind::Duration, [Value::Int(seconds), Value::Int(nanos)]) => {
            // Spans that are too long for nanoseconds end at the longest, as in Go.
            let nanos = seconds.saturating_mul(NANOS).saturating_add(nanos);
            Ok(Value::Duration(Duration::from_nanos(nanos)))
        }
        (_, [value, _]) => Ok(value),
    }
}

const NANOS: i64 = 1_000_000_000;

fn timestamp<'a>(seconds: i64, nanos: i64) -> EvalResult<'a> {
    let whole = seconds.checked_add(nanos.div_euclid(NANOS));
    let nanos = u32::try_from(nanos.rem_euclid(NANOS)).ok();
    let at = whole.zip(nanos).and_then(|(seconds, nanos)| Timestamp::new(seconds, nanos));
    at.map(Value::Timestamp).ok_or(EvalError::TimestampOverflow)
}

impl WellKnown {
    fn set<'a>(&self, arena: &'a Bump, field: &Field, value: Value<'a>) -> EvalResult<'a> {
        let name = format_args!("google.protobuf.{}.{}", self.name, field.name).to_string();
        if !field.holds.is_collection_for(value) {
            let kind = value.type_text();
            return Err(EvalError::message(arena, format_args!("unsupported field type for {name}: {kind}")));
        }
        field.holds.convert(arena, value).map_err(|reason| {
            EvalError::message(
                arena,
                format_args!("field type conversion error for {name} value type: {reason}"),
            )
        })
    }
}
