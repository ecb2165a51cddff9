//! What is said of a call whose arguments fit no signature. cel-go has three forms: which one it takes depends
//! on how the function is bound and on what kind of value comes first.

use bumpalo::Bump;

use crate::cel::{EvalError, Opaque, Value};

/// The kinds of value that cel-go asks to carry out a function by themselves; they refuse without its name.
fn receives(value: Value<'_>) -> bool {
    match value {
        Value::String(_) | Value::Timestamp(_) | Value::Duration(_) => true,
        Value::Opaque(opaque) => !matches!(opaque, Opaque::Ip(_) | Opaque::Cidr(_)),
        _ => false,
    }
}

/// The functions that are bound to a kind of value, not to a signature.
const BOUND_TO_KINDS: [&str; 15] = [
    "size",
    "matches",
    "sort",
    "ancestorOf",
    "descendentOf",
    "immediateParentOf",
    "immediateChildOf",
    "siblingOf",
    "overlaps",
    "commonAncestors",
    "isMemberOf",
    "path",
    "trustDomain",
    "name",
    "matchesID",
];

/// Whether a function fits a first argument as far as its kind goes; none for functions bound to signatures.
fn fits_kind(name: &str, first: Value<'_>) -> Option<bool> {
    Some(match name {
        "contains" | "startsWith" | "endsWith" => true,
        "-_" => matches!(first, Value::Bool(_) | Value::Int(_) | Value::Double(_)),
        "_+_" => matches!(
            first,
            Value::Int(_) | Value::UInt(_) | Value::Double(_) | Value::Bytes(_) | Value::List(_)
        ),
        "_-_" | "_*_" | "_/_" => matches!(first, Value::Int(_) | Value::UInt(_) | Value::Double(_)),
        "_%_" => matches!(first, Value::Int(_) | Value::UInt(_)),
        name if BOUND_TO_KINDS.contains(&name) => false,
        _ => return None,
    })
}

/// Whether a function is bound to its signatures one by one: which of them is called is decided by the types that
/// are known before evaluation, and another never stands in for it.
pub(super) fn tells_signatures(name: &str) -> bool {
    fits_kind(name, Value::Null).is_none()
}

/// The error of a call, the receiver being the first argument.
pub(super) fn no_overload<'a>(arena: &'a Bump, name: &str, args: &[Value<'a>]) -> EvalError<'a> {
    let first = args.first().copied().unwrap_or(Value::Null);
    let Some(fits) = fits_kind(name, first) else {
        let types: Vec<&str> = args.iter().map(|arg| arg.type_name()).collect();
        let name = match name {
            "math.greatest" => "math.@max",
            "math.least" => "math.@min",
            _ => name,
        };
        return EvalError::message(arena, format_args!("no such overload: {name}({})", types.join(", ")));
    };
    if fits || receives(first) {
        EvalError::NoSuchOverload
    } else {
        EvalError::message(arena, format_args!("no such overload: {name}"))
    }
}

/// The error of a comparison whose left operand has no order; `named` is the error that names the operator.
pub(crate) fn unordered(left: Value<'_>, named: &'static str) -> EvalError<'static> {
    match left {
        Value::Opaque(Opaque::SpiffeId(_)) => EvalError::Message(
            "internal error: interface conversion: types.SPIFFEID is not traits.Comparer: missing method Compare",
        ),
        _ if receives(left) => EvalError::NoSuchOverload,
        _ => EvalError::Message(named),
    }
}
