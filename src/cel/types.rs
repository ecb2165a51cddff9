//! Static types.

use std::fmt;

use super::Value;

/// The type of an expression, as far as it is known before evaluation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Type {
    /// Known at evaluation only.
    #[default]
    Dyn,
    /// What an expression with a mistake has, so that the mistake is reported once.
    Error,
    /// `null`
    Null,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `uint`
    UInt,
    /// `double`
    Double,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Duration`
    Duration,
    /// `list(T)`
    List(Box<Type>),
    /// `map(K, V)`
    Map(Box<Type>, Box<Type>),
    /// A scalar that may be null, such as `google.protobuf.Int64Value`: `wrapper(int)`
    Wrapper(Box<Type>),
    /// The type of a type.
    Type(Box<Type>),
    /// `optional_type(T)`
    Optional(Box<Type>),
    /// A kind that a function library brings, by its name.
    Opaque(&'static str),
    /// The request or a part of it.
    Message(MessageType),
    /// A type parameter: of a signature, or one that inference has to find.
    Param(u32),
}

/// The messages that an expression can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// `request`
    Request,
    /// `P`
    Principal,
    /// `R`
    Resource,
    /// `request.auxData`
    AuxData,
    /// An element of `request.auxData.jwts`
    Jwt,
    /// `runtime`
    Runtime,
    /// `V`, `C`, `G`: any field name, dynamic
    Variables,
}

/// Library kinds by the name that signatures use.
const OPAQUE: [(&str, &str); 6] = [
    ("ip", "net.IP"),
    ("cidr", "net.CIDR"),
    ("hierarchy", "cerbos.lib.hierarchy"),
    ("spiffe_id", "cerbos.lib.spiffeID"),
    ("spiffe_trust_domain", "cerbos.lib.spiffeTrustDomain"),
    ("spiffe_matcher", "cerbos.lib.spiffeMatcher"),
];

impl Type {
    /// `list(element)`
    #[must_use]
    pub fn list(element: Type) -> Self {
        Self::List(Box::new(element))
    }

    /// `map(key, value)`
    #[must_use]
    pub fn map(key: Type, value: Type) -> Self {
        Self::Map(Box::new(key), Box::new(value))
    }

    /// `optional_type(element)`
    #[must_use]
    pub fn optional(element: Type) -> Self {
        Self::Optional(Box::new(element))
    }

    pub(crate) fn is_dyn_or_error(&self) -> bool {
        matches!(self, Self::Dyn | Self::Error)
    }

    /// The types that stand inside this one.
    pub(crate) fn parameters(&self) -> impl Iterator<Item = &Type> {
        let (first, second) = match self {
            Self::List(inner) | Self::Type(inner) | Self::Optional(inner) | Self::Wrapper(inner) => {
                (Some(&**inner), None)
            }
            Self::Map(key, value) => (Some(&**key), Some(&**value)),
            _ => (None, None),
        };
        first.into_iter().chain(second)
    }

    /// The type with every inner type replaced.
    pub(crate) fn map_parameters(&self, mut replace: impl FnMut(&Type) -> Type) -> Type {
        match self {
            Self::List(inner) => Self::list(replace(inner)),
            Self::Optional(inner) => Self::optional(replace(inner)),
            Self::Wrapper(inner) => Self::Wrapper(Box::new(replace(inner))),
            Self::Type(inner) => Self::Type(Box::new(replace(inner))),
            Self::Map(key, value) => Self::map(replace(key), replace(value)),
            _ => self.clone(),
        }
    }

    /// Whether a value is of the type, as far as cel-go looks: of a list at the first element, of a map at the first
    /// entry.
    pub(crate) fn has(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Dyn | Self::Error | Self::Param(_), _)
            | (Self::Null, Value::Null)
            | (Self::Bool, Value::Bool(_))
            | (Self::Int, Value::Int(_))
            | (Self::UInt, Value::UInt(_))
            | (Self::Double, Value::Double(_))
            | (Self::String, Value::String(_))
            | (Self::Bytes, Value::Bytes(_))
            | (Self::Timestamp, Value::Timestamp(_))
            | (Self::Duration, Value::Duration(_))
            | (Self::Type(_), Value::Type(_))
            | (Self::Optional(_), Value::Optional(None)) => true,
            (Self::Wrapper(inner), value) => matches!(value, Value::Null) || inner.has(value),
            (Self::Optional(inner), Value::Optional(Some(value))) => inner.has(*value),
            (Self::List(element), Value::List(list)) => list.get(0).is_none_or(|first| element.has(first)),
            (Self::Map(key, value), Value::Map(map)) => {
                map.entry(0).is_none_or(|(first, of)| key.has(first) && value.has(of))
            }
            (Self::Message(message), Value::Message(_)) => message.name() == value.type_name(),
            (Self::Opaque(_), Value::Opaque(_)) => Self::named(value.type_name()).as_ref() == Some(self),
            _ => false,
        }
    }

    /// The type that a name means in an expression: `int`, `google.protobuf.Timestamp`, `net.IP`…
    pub(crate) fn named(name: &str) -> Option<Type> {
        Some(match name {
            "bool" => Self::Bool,
            "int" => Self::Int,
            "uint" => Self::UInt,
            "double" => Self::Double,
            "string" => Self::String,
            "bytes" => Self::Bytes,
            "null_type" => Self::Null,
            "list" => Self::list(Self::Dyn),
            "map" => Self::map(Self::Dyn, Self::Dyn),
            "type" => Self::Type(Box::new(Self::Dyn)),
            "optional_type" => Self::optional(Self::Dyn),
            "google.protobuf.Timestamp" => Self::Timestamp,
            "google.protobuf.Duration" => Self::Duration,
            _ => match MessageType::ALL.into_iter().find(|message| message.name() == name) {
                Some(message) => Self::Message(message),
                None => Self::Opaque(OPAQUE.iter().find(|(_, full)| *full == name)?.1),
            },
        })
    }

    /// Reads a type as the function table writes it: `list(A)`, `map(string, dyn)`, `ip`.
    pub(crate) fn parse_signature(text: &str) -> Option<Type> {
        let text = text.trim();
        if let Some((outer, inner)) = text.split_once('(') {
            let inner = inner.strip_suffix(')')?;
            return Some(match outer {
                "list" => Self::list(Self::parse_signature(inner)?),
                "optional" => Self::optional(Self::parse_signature(inner)?),
                "type" => Self::Type(Box::new(Self::parse_signature(inner)?)),
                "map" => {
                    let (key, value) = inner.split_once(',')?;
                    Self::map(Self::parse_signature(key)?, Self::parse_signature(value)?)
                }
                _ => return None,
            });
        }
        Some(match text {
            "dyn" => Self::Dyn,
            "A" => Self::Param(0),
            "B" => Self::Param(1),
            "timestamp" => Self::Timestamp,
            "duration" => Self::Duration,
            "bool" | "int" | "uint" | "double" | "string" | "bytes" => Self::named(text)?,
            _ => Self::Opaque(OPAQUE.iter().find(|(short, _)| *short == text)?.1),
        })
    }
}

/// As cel-go writes types in its messages.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn => f.write_str("dyn"),
            Self::Error => f.write_str("!error!"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::UInt => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Wrapper(inner) => write!(f, "wrapper({inner})"),
            Self::Type(inner) => write!(f, "type({inner})"),
            Self::Optional(inner) => write!(f, "optional_type({inner})"),
            Self::Opaque(name) => f.write_str(name),
            Self::Message(message) => f.write_str(message.name()),
            Self::Param(index) => write!(f, "_var{index}"),
        }
    }
}

impl MessageType {
    const ALL: [Self; 7] = [
        Self::Request,
        Self::Principal,
        Self::Resource,
        Self::AuxData,
        Self::Jwt,
        Self::Runtime,
        Self::Variables,
    ];

    /// The protobuf name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Request => "cerbos.engine.v1.Request",
            Self::Principal => "cerbos.engine.v1.Request.Principal",
            Self::Resource => "cerbos.engine.v1.Request.Resource",
            Self::AuxData => "cerbos.engine.v1.AuxData",
            Self::Jwt => "cerbos.engine.v1.AuxData.JWT",
            Self::Runtime => "cerbos.engine.v1.Runtime",
            Self::Variables => "cerbos.Variables",
        }
    }

    /// The names of the fields in both spellings; empty where any name is one.
    #[must_use]
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Request => &["principal", "resource", "auxData", "aux_data"],
            Self::Principal => &["id", "roles", "attr", "policyVersion", "policy_version", "scope"],
            Self::Resource => &["kind", "id", "attr", "policyVersion", "policy_version", "scope"],
            Self::AuxData => &["jwt", "jwts"],
            Self::Jwt => &["claims"],
            Self::Runtime => &["effectiveDerivedRoles", "effective_derived_roles"],
            Self::Variables => &[],
        }
    }

    /// The type of a field.
    #[must_use]
    pub fn field(self, name: &str) -> Option<Type> {
        if self == Self::Variables {
            return Some(Type::Dyn);
        }
        self.fields().contains(&name).then(|| match (self, name) {
            (Self::Request, "principal") => Type::Message(Self::Principal),
            (Self::Request, "resource") => Type::Message(Self::Resource),
            (Self::Request, _) => Type::Message(Self::AuxData),
            (Self::AuxData, "jwts") => Type::map(Type::String, Type::Message(Self::Jwt)),
            (_, "attr" | "jwt" | "claims") => Type::map(Type::String, Type::Dyn),
            (_, "roles") | (Self::Runtime, _) => Type::list(Type::String),
            _ => Type::String,
        })
    }
}
