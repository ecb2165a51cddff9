//! Calls of functions: which arguments a function takes, and on which it fails.

use bumpalo::Bump;

use super::shape::{Kinds, Shape};
use super::{Analysis, Outcome, Risk};
use crate::cel::activation::{Activation, Principal, Resource};
use crate::cel::ast::Node;
use crate::cel::lib::{FAILURES, MAX_ARGS, On, Overload, TABLE};
use crate::cel::risk::facts::Facts;
use crate::cel::{Const, Duration, Timestamp, Type, Value};

/// The kinds that have an order, each with those that it can be compared with.
const ORDERED: [Kinds; 6] =
    [Kinds::NUMBER, Kinds::STRING, Kinds::BOOL, Kinds::BYTES, Kinds::TIMESTAMP, Kinds::DURATION];

/// Whether all values of the one kinds can be ordered with all of the other.
pub(super) fn is_ordered(a: Kinds, b: Kinds) -> bool {
    ORDERED.iter().any(|class| (a | b).within(*class))
}

/// What values of some kinds can be ordered with.
pub(super) fn ordered_with(kinds: Kinds) -> Kinds {
    ORDERED.into_iter().find(|class| kinds.within(*class)).unwrap_or(Kinds::NEVER)
}

impl<'s> Analysis<'s> {
    pub(super) fn call(
        &mut self,
        node: &'s Node,
        function: &str,
        target: Option<&'s Node>,
        args: &'s [Node],
        facts: &Facts,
    ) -> Outcome {
        let nodes: Vec<&'s Node> = target.into_iter().chain(args).collect();
        let mut risk = None;
        let mut shapes = Vec::with_capacity(nodes.len());
        for node in &nodes {
            let outcome = self.visit(node, facts);
            risk = risk.or(outcome.risk);
            shapes.push(outcome.shape);
        }
        let outcome = match function {
            "!_" => Outcome::of_kind(Kinds::BOOL).with(
                nodes
                    .first()
                    .zip(shapes.first())
                    .and_then(|(node, shape)| self.must_be(node, shape.kinds, Kinds::BOOL)),
            ),
            "dyn" => Outcome::safe(shapes.pop().unwrap_or_else(Shape::never)),
            "type" => Outcome::of_kind(Kinds::TYPE),
            "now" => Outcome::safe(Shape::clock()),
            _ => self.function(node, function, target.is_some(), &nodes, &shapes, facts),
        };
        Outcome { risk: risk.or(outcome.risk), shape: outcome.shape }
    }

    fn function(
        &mut self,
        node: &'s Node,
        name: &str,
        member: bool,
        nodes: &[&'s Node],
        shapes: &[Shape],
        facts: &Facts,
    ) -> Outcome {
        if let Some(known) = run(name, member, shapes, shapes) {
            return match known {
                Ok(shape) => Outcome::safe(shape),
                Err(()) => Outcome::safe(Shape::of_type(&node.ty)).with(Some(self.at(node, "always fails"))),
            };
        }
        let Some((_, function)) = TABLE.find(name) else { return Outcome::safe(Shape::of_type(&node.ty)) };
        let overloads: Vec<&Overload> = function
            .overloads
            .iter()
            .zip(0..)
            .filter(|(_, number)| {
                node.overload.is_none_or(|only| only == *number || !function.is_selective(only))
            })
            .map(|(overload, _)| overload)
            .filter(|overload| overload.member == member && overload.args.len() == nodes.len())
            .collect();
        let mut results = Vec::new();
        let mismatch = self.mismatch(&overloads, 0, shapes, &mut results);
        let risk = mismatch.and_then(|(at, needed)| {
            nodes.get(at).zip(shapes.get(at)).map(|(node, shape)| self.argument(name, node, shape, needed))
        });
        let risk = risk.or_else(|| self.failure(node, name, member, nodes, shapes, facts));
        let shape = results.into_iter().map(|ty| self.result(name, ty, shapes)).reduce(Shape::or);
        Outcome::safe(shape.unwrap_or_else(|| Shape::of_type(&node.ty))).with(risk)
    }

    fn argument(&self, name: &str, node: &Node, shape: &Shape, needed: Kinds) -> Risk {
        match self.must_be(node, shape.kinds, needed) {
            Some(risk) if needed.describe().is_some() => risk,
            Some(_) => {
                self.at(node, &format!("may be of a type that `{}` does not take", name.trim_matches('_')))
            }
            None => self.at(node, "may hold elements of another type"),
        }
    }

    /// The number of the first argument that fits no overload in some case, with what would fit; where there is
    /// none, all results that are possible.
    fn mismatch<'o>(
        &self,
        overloads: &[&'o Overload],
        at: usize,
        shapes: &[Shape],
        results: &mut Vec<&'o Type>,
    ) -> Option<(usize, Kinds)> {
        let Some(shape) = shapes.get(at) else {
            results.extend(overloads.first().map(|overload| &overload.result));
            return None;
        };
        for kind in shape.kinds.each() {
            let fits = |overload: &&&'o Overload| {
                overload.args.get(at).is_some_and(|ty| self.accepts(ty, kind, shape))
            };
            let fitting: Vec<&Overload> = overloads.iter().filter(fits).copied().collect();
            if fitting.is_empty() {
                let taken = overloads.iter().filter_map(|overload| overload.args.get(at)).map(Kinds::of_type);
                return Some((at, taken.fold(Kinds::NEVER, |all, kinds| all | kinds)));
            }
            if let Some(found) = self.mismatch(&fitting, at + 1, shapes, results) {
                return Some(found);
            }
        }
        None
    }

    fn accepts(&self, ty: &Type, kind: Kinds, shape: &Shape) -> bool {
        match ty {
            Type::List(element) if kind == Kinds::LIST => match &**element {
                // Lists of lists are flattened as far as they are lists.
                Type::Dyn | Type::Param(_) | Type::List(_) => true,
                element => shape.inner(self.shapes).kinds.within(Kinds::of_type(element)),
            },
            ty => kind.within(Kinds::of_type(ty)),
        }
    }

    /// What an overload gives, with what is known of its type parameters.
    fn result(&self, name: &str, ty: &Type, shapes: &[Shape]) -> Shape {
        let element = || {
            let elements = shapes.iter().filter(|shape| shape.kinds.and(Kinds::LIST) != Kinds::NEVER);
            elements.map(|list| list.inner(self.shapes)).reduce(Shape::or)
        };
        let found = match (name, ty) {
            ("optional.of" | "optional.ofNonZeroValue", _) => {
                shapes.first().map(|value| Shape::container(Kinds::OPTIONAL, value.clone()))
            }
            ("or", _) => shapes.iter().cloned().reduce(Shape::or),
            ("orValue", _) => shapes
                .first()
                .map(|optional| optional.inner(self.shapes))
                .into_iter()
                .chain(shapes.get(1).cloned())
                .reduce(Shape::or),
            ("value", _) => shapes.first().map(|optional| optional.inner(self.shapes)),
            (_, Type::List(inner)) if is_open(inner) => {
                element().map(|inner| Shape::container(Kinds::LIST, inner))
            }
            (_, Type::Optional(inner)) if is_open(inner) => {
                element().map(|inner| Shape::container(Kinds::OPTIONAL, inner))
            }
            _ => None,
        };
        found.unwrap_or_else(|| Shape::of_type(ty))
    }

    /// The risk that a function fails on arguments of the right types.
    fn failure(
        &mut self,
        node: &'s Node,
        name: &str,
        member: bool,
        nodes: &[&'s Node],
        shapes: &[Shape],
        facts: &Facts,
    ) -> Option<Risk> {
        let failures = FAILURES.iter().filter(|failure| failure.function == name);
        let failing = failures.into_iter().find(|failure| {
            let (at, kinds) = match failure.on {
                On::All => return true,
                On::Text(at) => (at, Kinds::STRING),
                On::Number(at) => (at, Kinds::NUMBER),
                On::Whole(at) => (at, Kinds::INT | Kinds::UINT),
                On::Bytes(at) => (at, Kinds::BYTES),
                On::Time(at) => (at, Kinds::TIMESTAMP | Kinds::DURATION),
                On::List(at) => (at, Kinds::LIST),
            };
            let Some(shape) = shapes.get(at).filter(|shape| shape.kinds.and(kinds) != Kinds::NEVER) else {
                return false;
            };
            let is_known_text = name == "timestamp" && shape.is_date_time();
            let is_guarded = nodes
                .get(at)
                .and_then(|node| self.path(node))
                .is_some_and(|path| facts.of(Some(&valid(name, &path))).present);
            !is_known_text && !is_guarded && !succeeds_with(name, member, at, shapes)
        })?;
        Some(self.at(node, failing.why))
    }
}

/// The path of the fact that a function does not fail on a value.
pub(super) fn valid(function: &str, path: &str) -> String {
    format!("{path}\u{1f}{function}()")
}

fn is_open(ty: &Type) -> bool {
    matches!(ty, Type::Param(_) | Type::Dyn)
}

/// Whether a call succeeds whose argument `at` is known, with the others at their simplest.
fn succeeds_with(name: &str, member: bool, at: usize, shapes: &[Shape]) -> bool {
    let decides = |shape: &&Shape| shape.constant().is_some() || shape.is_clock();
    let Some(decisive) = shapes.get(at).filter(decides) else { return false };
    if let Some(parser) = parser(name, at) {
        let decisive = std::slice::from_ref(decisive);
        return matches!(run(parser, false, decisive, decisive), Some(Ok(_)));
    }
    let simple: Option<Vec<Shape>> = shapes
        .iter()
        .enumerate()
        .map(|(number, shape)| if number == at { Some(shape.clone()) } else { simplest(shape) })
        .collect();
    simple.is_some_and(|simple| matches!(run(name, member, &simple, shapes), Some(Ok(_))))
}

/// The function that reads an argument as this one does, where others could fail as well.
fn parser(name: &str, at: usize) -> Option<&'static str> {
    Some(match (name, at) {
        ("inIPAddrRange", 0) | ("containsIP", 1) => "ip",
        ("inIPAddrRange", 1) | ("containsCIDR", 1) => "cidr",
        ("matchesID", 1) => "spiffeID",
        _ => return None,
    })
}

/// The simplest value of a shape: none where there are several kinds.
fn simplest(shape: &Shape) -> Option<Shape> {
    if shape.constant().is_some() || shape.is_clock() {
        return Some(shape.clone());
    }
    let value = match shape.kinds {
        Kinds::STRING => Const::string(""),
        Kinds::INT => Const::Int(0),
        Kinds::UINT => Const::UInt(0),
        Kinds::DOUBLE => Const::Double(0.0),
        Kinds::TIMESTAMP => Const::Timestamp(Timestamp::default()),
        Kinds::DURATION => Const::Duration(Duration::default()),
        _ => return None,
    };
    Some(Shape::of_const(&value))
}

/// Runs a function on known arguments; none if one is not known.
fn run(name: &str, member: bool, shapes: &[Shape], written: &[Shape]) -> Option<Result<Shape, ()>> {
    let clock = Const::Timestamp(Timestamp::default());
    let known: Option<Vec<&Const>> =
        shapes.iter().map(|shape| if shape.is_clock() { Some(&clock) } else { shape.constant() }).collect();
    let known = known.filter(|known| known.len() <= MAX_ARGS)?;
    let (index, _) = TABLE.find(name)?;
    let run = TABLE.run(index, member)?;
    let arena = Bump::new();
    let (principal, resource) = (Principal::default(), Resource::default());
    let activation = Activation::new(&arena, &principal, &resource);
    let values: Vec<_> = known.into_iter().map(Const::value).collect();
    let depends_on_clock = name == "timeSince" || written.iter().any(Shape::is_clock);
    match (run(&activation, &values), depends_on_clock) {
        (Ok(Value::Timestamp(_)), true) => Some(Ok(Shape::clock())),
        (Ok(value), true) => {
            Const::from_value(value).map(|value| Ok(Shape::unknown(Kinds::of_const(&value))))
        }
        (Err(_), true) => None,
        (Ok(value), false) => Some(Ok(Const::from_value(value)
            .map_or_else(|| Shape::unknown(Kinds::OPAQUE), |value| Shape::of_const(&value)))),
        (Err(_), false) => Some(Err(())),
    }
}
