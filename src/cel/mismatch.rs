//! What cel-go says where no overload fits the arguments. It names the function, except where the first operand
//! is of a type that answers for itself.

use super::ast::Relation;
use super::{Activation, EvalError, Value};

/// The error of a function or operator, by its name in the table.
#[cold]
pub(crate) fn no_such_overload<'a>(ctx: &Activation<'a>, name: &str, args: &[Value<'a>]) -> EvalError<'a> {
    let first = args.first().copied().unwrap_or(Value::Null);
    match name {
        "startsWith" | "endsWith" | "contains" | "matches" => EvalError::NoSuchOverload,
        "_+_" | "_-_" | "_*_" | "_/_" | "_%_" | "-_" | "size" => {
            if answers_for_itself(first) || calculates(first, name) {
                EvalError::NoSuchOverload
            } else {
                EvalError::message(ctx.arena, format_args!("no such overload: {name}"))
            }
        }
        "sort" => EvalError::Message("no such overload: sort"),
        _ => {
            let name = match name {
                "math.greatest" => "math.@max",
                "math.least" => "math.@min",
                other => other,
            };
            let types: Vec<&str> = args.iter().map(|arg| arg.type_name()).collect();
            EvalError::message(ctx.arena, format_args!("no such overload: {name}({})", types.join(", ")))
        }
    }
}

/// The error of an ordering operator.
#[cold]
pub(crate) fn not_ordered<'a>(operator: Relation, left: Value<'_>) -> EvalError<'a> {
    let ordered = answers_for_itself(left)
        || matches!(
            left,
            Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Double(_) | Value::Bytes(_)
        );
    if ordered {
        return EvalError::NoSuchOverload;
    }
    EvalError::Message(match operator {
        Relation::Less => "no such overload: _<_",
        Relation::LessEqual => "no such overload: _<=_",
        Relation::Greater => "no such overload: _>_",
        Relation::GreaterEqual => "no such overload: _>=_",
        Relation::Equal | Relation::NotEqual | Relation::In => return EvalError::NoSuchOverload,
    })
}

/// Types that take calls as receivers.
fn answers_for_itself(value: Value<'_>) -> bool {
    matches!(value, Value::String(_) | Value::Timestamp(_) | Value::Duration(_))
}

/// Whether the type of a left operand has the operator, if not for the right one.
fn calculates(left: Value<'_>, operator: &str) -> bool {
    match left {
        Value::Int(_) | Value::UInt(_) => operator != "size",
        Value::Double(_) => !matches!(operator, "size" | "_%_"),
        Value::Bytes(_) | Value::List(_) => operator == "_+_",
        Value::Bool(_) => operator == "-_",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use bumpalo::Bump;

    use super::*;
    use crate::cel::activation::{Principal, Resource};

    #[test]
    fn names_what_does_not_fit() {
        let arena = Bump::new();
        let (principal, resource) = (Principal::default(), Resource::default());
        let ctx = Activation::new(&arena, &principal, &resource);
        let (null, int, double) = (Value::Null, Value::Int(1), Value::Double(1.0));
        let cases: [(&str, &[Value<'_>], &str); 6] = [
            ("duration", &[double], "no such overload: duration(double)"),
            ("math.least", &[null], "no such overload: math.@min(null_type)"),
            ("_+_", &[null, int], "no such overload: _+_"),
            ("_+_", &[int, null], "no such overload"),
            ("_%_", &[double, int], "no such overload: _%_"),
            ("startsWith", &[null, null], "no such overload"),
        ];
        for (name, args, text) in cases {
            assert_eq!(no_such_overload(&ctx, name, args).to_string(), text);
        }
        assert_eq!(not_ordered(Relation::Less, Value::Null).to_string(), "no such overload: _<_");
        assert_eq!(not_ordered(Relation::Less, Value::Int(1)).to_string(), "no such overload");
    }
}
