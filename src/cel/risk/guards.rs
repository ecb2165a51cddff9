//! What a guard establishes: the facts that follow from an expression being true, or false.

use super::calls::valid;
use super::facts::Facts;
use super::macros::elements_of;
use super::shape::{Kinds, Shape};
use super::{Analysis, Local, Outcome};
use crate::cel::Const;
use crate::cel::ast::{Comprehension, Kind, Node, Operation, Relation};
use crate::cel::places::{Place, place};

/// What holds if either does; a case that cannot be adds nothing.
fn either(a: Option<Facts>, b: Option<Facts>) -> Option<Facts> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.or(&b)),
        (a, b) => a.or(b),
    }
}

impl<'s> Analysis<'s> {
    /// The facts once the node has this value; none if it cannot have it.
    pub(super) fn assume(&mut self, node: &'s Node, truth: bool, facts: &Facts) -> Option<Facts> {
        if self.is_spent() {
            return Some(facts.clone());
        }
        match &node.kind {
            Kind::Literal(Const::Bool(value)) => (*value == truth).then(|| facts.clone()),
            Kind::Call { function, args, .. } if function == "!_" => {
                self.assume(args.first()?, !truth, facts)
            }
            Kind::Call { function, target: None, args } => {
                Some(self.assume_valid(function, args.first(), truth, facts))
            }
            Kind::And(terms) => self.assume_terms(terms, true, truth, facts),
            Kind::Or(terms) => self.assume_terms(terms, false, truth, facts),
            Kind::Conditional { condition, yes, no } => {
                let when =
                    self.assume(condition, true, facts).and_then(|facts| self.assume(yes, truth, &facts));
                let unless =
                    self.assume(condition, false, facts).and_then(|facts| self.assume(no, truth, &facts));
                either(when, unless)
            }
            Kind::Has { operand, field } => Some(self.assume_has(operand, field, truth, facts)),
            Kind::Relation { operator, left, right } => {
                Some(self.assume_relation(*operator, left, right, truth, facts))
            }
            Kind::Select { operand, field, optional: false }
                if place(operand, &self.scopes) == Some(Place::Variables) =>
            {
                let mut facts = facts.clone();
                if let Some(path) = self.path(node) {
                    facts = facts.with_present(&path);
                }
                let inside = self.inside(field, |analysis, root| analysis.assume(root, truth, &facts));
                inside.unwrap_or(Some(facts))
            }
            Kind::Bind { var, value, body } => {
                self.bind(var, value, facts);
                let assumed = self.assume(body, truth, facts);
                self.leave(1);
                assumed
            }
            Kind::Comprehension(of) if of.operation == Operation::All && truth => {
                Some(self.assume_all(of, facts))
            }
            _ => Some(facts.clone()),
        }
    }

    /// `&&` is true (`||` false) if all terms are, and else one of them is not.
    fn assume_terms(
        &mut self,
        terms: &'s [Node],
        undecided: bool,
        truth: bool,
        facts: &Facts,
    ) -> Option<Facts> {
        let mut all = facts.clone();
        if truth == undecided {
            for term in terms {
                all = self.assume(term, truth, &all)?;
            }
            return Some(all);
        }
        terms.iter().fold(None, |found, term| {
            let one = self.assume(term, truth, facts);
            either(found, one)
        })
    }

    fn assume_has(&mut self, operand: &Node, field: &str, truth: bool, facts: &Facts) -> Facts {
        let Some(path) = self.path(operand).filter(|_| truth) else { return facts.clone() };
        let objects = Kinds::MAP | Kinds::MESSAGE | Kinds::OPTIONAL;
        facts.clone().with_kinds(&path, objects).with_present(&format!("{path}\u{1f}.{field}"))
    }

    /// `isIP(x)` and `isCIDR(x)`: `ip(x)` and `cidr(x)` do not fail.
    fn assume_valid(&mut self, function: &str, arg: Option<&Node>, truth: bool, facts: &Facts) -> Facts {
        let parses: &[&str] = match function {
            "isIP" if truth => &["ip", "ip.isCanonical", "inIPAddrRange", "containsIP"],
            "isCIDR" if truth => &["cidr", "containsCIDR"],
            _ => &[],
        };
        let Some(path) = arg.and_then(|arg| self.path(arg)) else { return facts.clone() };
        parses.iter().fold(facts.clone(), |facts, parse| facts.with_present(&valid(parse, &path)))
    }

    fn assume_relation(
        &mut self,
        operator: Relation,
        left: &'s Node,
        right: &'s Node,
        truth: bool,
        facts: &Facts,
    ) -> Facts {
        let facts = self.assume_len(operator, left, right, truth, facts.clone());
        match (operator, truth) {
            (Relation::Equal, true) | (Relation::NotEqual, false) => {
                let facts = self.assume_equal(left, right, facts);
                self.assume_equal(right, left, facts)
            }
            (Relation::Equal, false) | (Relation::NotEqual, true) => {
                let facts = self.assume_unequal(left, right, facts);
                self.assume_unequal(right, left, facts)
            }
            (Relation::In, true) => self.assume_in(left, right, facts),
            (Relation::In, false) => match (self.typed(left), &right.kind) {
                (Some(path), Kind::Literal(Const::List(types))) => {
                    types.elements().iter().fold(facts, |facts, ty| exclude_type(&path, ty, facts))
                }
                _ => facts,
            },
            _ => facts,
        }
    }

    /// The path whose type a node asks for: `type(path)`.
    fn typed(&self, node: &Node) -> Option<String> {
        match &node.kind {
            Kind::Call { function, target: None, args } if function == "type" => self.path(args.first()?),
            _ => None,
        }
    }

    fn assume_equal(&mut self, node: &'s Node, other: &'s Node, facts: Facts) -> Facts {
        if let (Some(path), Kind::Literal(Const::Type(name))) = (self.typed(node), &other.kind) {
            return facts.with_kinds(&path, Kinds::named(name));
        }
        let Some(path) = self.path(node) else { return facts };
        let kinds = self.visit(other, &facts).shape.kinds.equal_kinds();
        facts.with_kinds(&path, kinds)
    }

    fn assume_unequal(&mut self, node: &Node, other: &Node, facts: Facts) -> Facts {
        match &other.kind {
            Kind::Literal(ty @ Const::Type(_)) => match self.typed(node) {
                Some(path) => exclude_type(&path, ty, facts),
                None => facts,
            },
            Kind::Literal(Const::Null) => match self.path(node) {
                Some(path) => facts.with_kinds(&path, Kinds::ANY.without(Kinds::NULL)),
                None => facts,
            },
            _ => facts,
        }
    }

    fn assume_in(&mut self, left: &'s Node, right: &'s Node, facts: Facts) -> Facts {
        if let (Some(path), Kind::Literal(Const::List(types))) = (self.typed(left), &right.kind) {
            let kinds = types.elements().iter().map(|ty| match ty {
                Const::Type(name) => Kinds::named(name),
                _ => Kinds::NEVER,
            });
            return facts.with_kinds(&path, kinds.fold(Kinds::NEVER, |all, kind| all | kind));
        }
        let container = self.visit(right, &facts).shape;
        let mut facts = facts;
        if let Some(path) = self.path(left).filter(|_| container.kinds == Kinds::LIST) {
            facts = facts.with_kinds(&path, container.inner(self.shapes).kinds.equal_kinds());
        }
        // Of a list this says nothing, and nothing that is read of a list asks for it.
        match self.element_path(right, left) {
            Some(path) if container.kinds.and(Kinds::LIST) == Kinds::NEVER => facts.with_present(&path),
            Some(path) if matches!(left.kind, Kind::Literal(Const::String(_))) => facts.with_present(&path),
            _ => facts,
        }
    }

    /// `size(list) > 0` and the like.
    fn assume_len(
        &mut self,
        operator: Relation,
        left: &Node,
        right: &Node,
        truth: bool,
        facts: Facts,
    ) -> Facts {
        let Kind::Call { function, target, args } = &left.kind else { return facts };
        let Kind::Literal(Const::Int(bound)) = right.kind else { return facts };
        let measured = target.as_deref().or(args.first()).filter(|_| function == "size");
        let Some(path) = measured.and_then(|list| self.path(list)) else { return facts };
        let len = match (operator, truth) {
            (Relation::Greater, true) | (Relation::LessEqual, false) => bound.saturating_add(1),
            (Relation::GreaterEqual | Relation::Equal, true)
            | (Relation::Less | Relation::NotEqual, false) => bound,
            (Relation::NotEqual, true) | (Relation::Equal, false) if bound == 0 => 1,
            _ => return facts,
        };
        facts.with_min_len(&path, usize::try_from(len).unwrap_or(0))
    }

    /// What holds for the elements of a list that all satisfy a predicate.
    fn assume_all(&mut self, of: &'s Comprehension, facts: &Facts) -> Facts {
        let Some(path) = self.path(&of.range) else { return facts.clone() };
        let elements = elements_of(&path, of.var2.is_some());
        let mut element = |name: &str, path: String| {
            self.scopes.push(name.to_owned());
            self.locals.push(Local { path, outcome: Outcome::safe(Shape::unknown(Kinds::ANY)) });
        };
        let names = match &of.var2 {
            Some(value) => {
                element(&of.var, format!("{elements} key"));
                element(value, elements.clone());
                2
            }
            None => {
                element(&of.var, elements.clone());
                1
            }
        };
        let assumed = self.assume(&of.body, true, facts);
        self.leave(names);
        match assumed {
            Some(assumed) => facts.clone().with_kinds(&elements, assumed.of(Some(&elements)).kinds),
            None => facts.clone(),
        }
    }
}

fn exclude_type(path: &str, ty: &Const, facts: Facts) -> Facts {
    match ty {
        Const::Type(name) => facts.with_kinds(path, Kinds::ANY.without(Kinds::named(name))),
        _ => facts,
    }
}
