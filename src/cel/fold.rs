//! Constant folding: what does not depend on the request or the clock is evaluated once. A part whose
//! evaluation fails is left as it is, so that the error shows where and when it matters.

use bumpalo::Bump;

use super::Const;
use super::activation::{Activation, Principal, Resource};
use super::ast::{Kind, Node, Relation};
use super::lower::Lowering;
use super::places::{Scopes, for_each_child_scoped};
use super::program::NoNames;
use super::types::Type;

/// Folded values larger than this are not kept: a short text can make a long list.
const MAX_SIZE: usize = 1_000;

/// Replaces the constant parts of a checked tree by their values.
pub(crate) fn fold(node: &mut Node) {
    // A literal of a message is none of cel-go's constants, though what it is an argument of may become one.
    let is_message = matches!(node.kind, Kind::Message { .. });
    if !is_message && is_constant(node, &mut Scopes::new()) {
        forget_overloads(node);
        if reduce(node) {
            return;
        }
    }
    node.for_each_child_mut(fold);
    prune(node);
    reduce_call(node);
}

/// A constant is of the type that it has, whatever was inferred of it before it was known.
fn forget_overloads(node: &mut Node) {
    node.overload = None;
    node.for_each_child_mut(forget_overloads);
}

/// Evaluates a call whose arguments have become constants, which it may be while the whole is not: in the body of
/// a macro, or where an error elsewhere keeps the whole from being one.
fn reduce_call(node: &mut Node) {
    let literal = |node: &Node| matches!(node.kind, Kind::Literal(_));
    let constant = match &node.kind {
        Kind::Call { target, args, .. } => target.as_deref().into_iter().chain(args).all(literal),
        Kind::Relation { left, right, .. } => literal(left) && literal(right),
        Kind::List(elements) => elements.iter().all(|element| !element.optional && literal(&element.value)),
        _ => false,
    };
    if constant && is_constant(node, &mut Scopes::new()) {
        reduce(node);
    }
}

/// Whether a node depends on nothing but itself: `own` are the macro variables that it declares.
fn is_constant(node: &Node, own: &mut Scopes) -> bool {
    match &node.kind {
        Kind::Ident { name, absolute } => !absolute && own.contains(name),
        Kind::Call { function, .. } if matches!(function.as_str(), "now" | "timeSince") => false,
        _ => {
            let mut constant = true;
            for_each_child_scoped(node, own, |child, own| {
                constant = constant && is_constant(child, own);
            });
            constant
        }
    }
}

/// `false`: the value is an error, or none that can be kept.
fn reduce(node: &mut Node) -> bool {
    if matches!(node.kind, Kind::Literal(_)) {
        return true;
    }
    let program = Lowering::lower(node, &NoNames);
    let arena = Bump::new();
    let (principal, resource) = (Principal::default(), Resource::default());
    let value = program.eval(&Activation::new(&arena, &principal, &resource));
    let folded = value.ok().and_then(Const::from_value).filter(|value| size(value) <= MAX_SIZE);
    let Some(value) = folded else { return false };
    node.kind = Kind::Literal(value);
    true
}

fn size(value: &Const) -> usize {
    match value {
        Const::List(list) => 1 + list.elements().iter().map(size).sum::<usize>(),
        Const::Map(map) => {
            1 + map.entries().iter().map(|(key, value)| size(key) + size(value)).sum::<usize>()
        }
        Const::String(text) => 1 + text.len() / 100,
        _ => 1,
    }
}

/// Drops operands that cannot change the result.
fn prune(node: &mut Node) {
    let decisive = match &node.kind {
        Kind::And(_) => false,
        Kind::Or(_) => true,
        Kind::Conditional { .. } => return prune_conditional(node),
        Kind::Relation { operator: Relation::In, .. } => return prune_in(node),
        Kind::Bind { .. } => return prune_bind(node),
        _ => return,
    };
    let (Kind::And(terms) | Kind::Or(terms)) = &mut node.kind else { return };
    let constant = |term: &Node, value: bool| term.kind == Kind::Literal(Const::Bool(value));
    if terms.iter().any(|term| constant(term, decisive)) {
        node.kind = Kind::Literal(Const::Bool(decisive));
        return;
    }
    terms.retain(|term| !constant(term, !decisive));
    match terms.as_mut_slice() {
        [] => node.kind = Kind::Literal(Const::Bool(!decisive)),
        // A term that is no bool must keep failing as an operand of `&&`.
        [only] if only.ty == Type::Bool => {
            let only = std::mem::replace(only, Node::new(Kind::Literal(Const::Null), node.span));
            *node = only;
        }
        _ => {}
    }
}

fn prune_conditional(node: &mut Node) {
    let Kind::Conditional { condition, yes, no } = &mut node.kind else { return };
    let Kind::Literal(Const::Bool(decided)) = condition.kind else { return };
    let chosen = if decided { yes } else { no };
    let chosen = std::mem::replace(&mut **chosen, Node::new(Kind::Literal(Const::Null), node.span));
    let ty = std::mem::take(&mut node.ty);
    *node = chosen;
    node.ty = ty;
}

/// What is bound is evaluated where it is read: not at all where the body is a constant.
fn prune_bind(node: &mut Node) {
    let Kind::Bind { body, .. } = &node.kind else { return };
    if let Kind::Literal(value) = &body.kind {
        node.kind = Kind::Literal(value.clone());
    }
}

/// A constant that is among the constant elements of a list is in it, whatever the others are: not even their
/// errors count, as in cel-go.
fn prune_in(node: &mut Node) {
    let Kind::Relation { left, right, .. } = &node.kind else { return };
    let (Kind::Literal(needle), Kind::List(elements)) = (&left.kind, &right.kind) else { return };
    let is_scalar = !matches!(needle, Const::List(_) | Const::Map(_));
    let found = elements.iter().any(|element| match &element.value.kind {
        Kind::Literal(value) => !element.optional && value.value().equals(needle.value()),
        _ => false,
    });
    if is_scalar && found {
        node.kind = Kind::Literal(Const::Bool(true));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cel::Expr;

    fn folded(text: &str) -> Node {
        match Expr::parse(text) {
            Ok(expr) => expr.root().clone(),
            Err(issues) => panic!("{text}: {issues:?}"),
        }
    }

    #[test]
    fn constants_are_evaluated() {
        let cases = [
            ("1 + 2 * 3", Const::Int(7)),
            ("[1, 2].map(x, x + 1)", Const::list(vec![Const::Int(2), Const::Int(3)])),
            ("false && P.id == ''", Const::Bool(false)),
            ("P.id == '' || true", Const::Bool(true)),
            ("true ? 'a' : P.id", Const::string("a")),
            ("cel.bind(x, 2, x * x)", Const::Int(4)),
            ("1 in [P.attr.x, 1.0]", Const::Bool(true)),
            ("cel.bind(x, int('a'), cel.bind(y, P.id, 3))", Const::Int(3)),
        ];
        for (text, value) in cases {
            assert_eq!(folded(text).kind, Kind::Literal(value), "{text}");
        }
    }

    #[test]
    fn parts_are_folded_where_the_whole_is_not_constant() {
        let Kind::Relation { right, .. } = folded("P.attr.x in ['a' + 'b']").kind else {
            panic!("no relation")
        };
        assert_eq!(right.kind, Kind::Literal(Const::list(vec![Const::string("ab")])));
        assert!(matches!(folded("true && P.id == 'x'").kind, Kind::Relation { .. }));
    }

    #[test]
    fn errors_and_the_clock_stay() {
        for text in [
            "1 / 0 == 1",
            "now() == now()",
            "timestamp('2020-01-01T00:00:00Z').timeSince() == duration('1s')",
        ] {
            assert!(!matches!(folded(text).kind, Kind::Literal(_)), "{text}");
        }
        assert!(matches!(folded("true && dyn(P.attr.x)").kind, Kind::And(_)));
    }
}
