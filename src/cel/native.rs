//! What the PDP says of a value that cannot become the native one that is wanted.

use super::{Message, Opaque, Value};

/// The words for a value that cannot become a `target`, which is named as cel-go names it (`string`,
/// `int64`, `*structpb.Value`).
pub(crate) fn refusal(value: Value<'_>, target: &str) -> String {
    let from = match value {
        Value::Int(_) | Value::UInt(_) => {
            return format!("unsupported type conversion from '{}' to {target}", value.type_name());
        }
        Value::String(_) => return format!("unsupported native conversion from string to '{target}'"),
        Value::Type(_) => return "type conversion not supported for 'type'".to_owned(),
        Value::Optional(Some(inner)) => return refusal(*inner, target),
        Value::Optional(None) => return "optional.none() dereference".to_owned(),
        Value::Opaque(opaque) => return opaque_refusal(opaque, target),
        Value::Null => "'null_type'",
        Value::Bool(_) => "bool",
        Value::Double(_) => "Double",
        Value::Bytes(_) => "Bytes",
        Value::List(_) => "list",
        Value::Map(_) => "map",
        Value::Timestamp(_) => "'Timestamp'",
        Value::Duration(_) => "'Duration'",
        Value::Message(message) => {
            return format!("type conversion error from '{}' to '{target}'", go_message(message));
        }
    };
    format!("type conversion error from {from} to '{target}'")
}

fn opaque_refusal(opaque: &Opaque<'_>, target: &str) -> String {
    let from = match opaque {
        Opaque::Ip(_) | Opaque::Cidr(_) => return format!("unsupported type conversion to '{target}'"),
        Opaque::Hierarchy(_) => "hierarchy",
        Opaque::SpiffeId(_) => "SPIFFEID",
        Opaque::SpiffeTrustDomain(_) => "SPIFFETrustDomain",
        Opaque::SpiffeMatcher(_) => "SPIFFEMatcher",
    };
    format!("unsupported native conversion from {from} to '{target}'")
}

/// The Go type of a part of the request.
pub(super) fn go_message(message: Message<'_>) -> &'static str {
    match message {
        Message::Request(_) => "*enginev1.Request",
        Message::Principal(_) => "*enginev1.Request_Principal",
        Message::Resource(_) => "*enginev1.Request_Resource",
        Message::AuxData(_) => "*enginev1.AuxData",
        Message::Jwt(_) => "*enginev1.AuxData_JWT",
        Message::Runtime(_) => "*enginev1.Runtime",
    }
}

/// The name that the type of a value has in the source of cel-go and Cerbos, which some messages show.
pub(crate) fn go_type(value: Value<'_>) -> &'static str {
    match value {
        Value::Null => "types.Null",
        Value::Bool(_) => "types.Bool",
        Value::Int(_) => "types.Int",
        Value::UInt(_) => "types.Uint",
        Value::Double(_) => "types.Double",
        Value::String(_) => "types.String",
        Value::Bytes(_) => "types.Bytes",
        Value::Timestamp(_) => "types.Timestamp",
        Value::Duration(_) => "types.Duration",
        Value::List(_) => "*types.baseList",
        Value::Map(_) => "*types.baseMap",
        Value::Type(_) => "*types.Type",
        Value::Optional(_) => "*types.Optional",
        Value::Message(_) => "*types.protoMessageObject",
        Value::Opaque(opaque) => match opaque {
            Opaque::Ip(_) => "ext.IP",
            Opaque::Cidr(_) => "ext.CIDR",
            Opaque::Hierarchy(_) => "types.Hierarchy",
            Opaque::SpiffeId(_) => "types.SPIFFEID",
            Opaque::SpiffeTrustDomain(_) => "types.SPIFFETrustDomain",
            Opaque::SpiffeMatcher(_) => "types.SPIFFEMatcher",
        },
    }
}
