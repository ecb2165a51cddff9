//! Whether an expression can raise an error, and where: an analysis of the checked tree.
//!
//! Each node is visited with the [`Facts`] that guards around it have established, and yields a shape: the kinds that
//! its value can have, and where they come from. A term of `&&` may use what all other terms establish, on whichever
//! side they stand, because one that is false absorbs the error of the others; the same holds for `||`. What is not
//! known counts as possible, so that the answer "cannot raise" can be relied on.

mod calls;
mod facts;
mod guards;
mod macros;
mod reads;
mod shape;

use std::collections::HashMap;

use super::ast::{Kind, Node, Relation};
use super::places::{Place, Scopes, place};
use super::{Const, Expr};
use crate::text::Span;

pub use facts::Facts;
pub use shape::Kinds;
use shape::Shape;

/// Why an expression can raise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The first part that can, in the expression's text.
    pub span: Span,
    /// Why it can, in one sentence.
    pub what: String,
}

/// Who has an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// The principal.
    Principal,
    /// The resource.
    Resource,
}

/// A step into an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// To a field of an object.
    Field(String),
    /// To any element of a list.
    Element,
}

/// What is known of an attribute, or a part of one, before any request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Whether it is there whenever what holds it is an object.
    pub present: bool,
    /// The kinds of value that it can have.
    pub kinds: Kinds,
    /// Whether its strings are timestamps of RFC 3339.
    pub date_time: bool,
}

impl Attribute {
    /// Of which nothing is known.
    pub const UNKNOWN: Self = Self { present: false, kinds: Kinds::JSON, date_time: false };
}

/// What an expression stands on.
pub trait Shapes {
    /// What is known of an attribute, by the steps to it.
    fn attribute(&self, of: Bearer, path: &[Step]) -> Attribute;

    /// The expression that a variable stands for.
    fn variable(&self, name: &str) -> Option<&Expr>;

    /// The value of a constant.
    fn constant(&self, name: &str) -> Option<&Const>;

    /// The value of a global.
    fn global(&self, name: &str) -> Option<&Const>;
}

/// The first part of an expression that can raise; none if no request makes it raise.
#[must_use]
pub fn risk(expr: &Expr, shapes: &dyn Shapes) -> Option<Risk> {
    Analysis::new(shapes).risk(expr, &Facts::default())
}

/// The analysis of the expressions that share variables, constants and schemas.
pub struct Analysis<'s> {
    shapes: &'s dyn Shapes,
    /// The text of the expression that is visited.
    text: &'s str,
    scopes: Scopes,
    locals: Vec<Local>,
    /// What variables are without any guard.
    variables: HashMap<&'s str, Outcome>,
    /// Variables that are being visited.
    open: Vec<&'s str>,
    next_local: u32,
    steps: u32,
}

/// A variable of a macro or `cel.bind`.
struct Local {
    path: String,
    outcome: Outcome,
}

/// What a visit finds.
#[derive(Clone)]
struct Outcome {
    risk: Option<Risk>,
    shape: Shape,
}

impl Outcome {
    fn safe(shape: Shape) -> Self {
        Self { risk: None, shape }
    }

    fn of_kind(kinds: Kinds) -> Self {
        Self::safe(Shape::unknown(kinds))
    }

    fn with(mut self, risk: Option<Risk>) -> Self {
        self.risk = self.risk.or(risk);
        self
    }
}

/// An analysis gives up after so many visits of nodes. Ordinary expressions need some hundreds.
const MAX_STEPS: u32 = 100_000;

impl<'s> Analysis<'s> {
    /// An analysis with what expressions stand on.
    #[must_use]
    pub fn new(shapes: &'s dyn Shapes) -> Self {
        Self {
            shapes,
            text: "",
            scopes: Scopes::new(),
            locals: Vec::new(),
            variables: HashMap::new(),
            open: Vec::new(),
            next_local: 0,
            steps: 0,
        }
    }

    /// The first part of an expression that can raise where the facts hold.
    pub fn risk(&mut self, expr: &'s Expr, facts: &Facts) -> Option<Risk> {
        self.text = expr.text();
        self.visit(expr.root(), facts).risk
    }

    /// What holds as well once the expression is true; none if it cannot be.
    pub fn satisfied(&mut self, expr: &'s Expr, facts: &Facts) -> Option<Facts> {
        self.text = expr.text();
        self.assume(expr.root(), true, facts)
    }

    /// What holds as well once the expression is not true, be it that it raises; none if it always is true.
    pub fn unsatisfied(&mut self, expr: &'s Expr, facts: &Facts) -> Option<Facts> {
        self.text = expr.text();
        let outcome = self.visit(expr.root(), facts);
        if outcome.risk.is_some() || !outcome.shape.kinds.within(Kinds::BOOL) {
            return Some(facts.clone());
        }
        self.assume(expr.root(), false, facts)
    }

    /// Whether the analysis has become too long.
    fn is_spent(&mut self) -> bool {
        self.steps += 1;
        self.steps > MAX_STEPS
    }

    fn visit(&mut self, node: &'s Node, facts: &Facts) -> Outcome {
        if self.is_spent() {
            let what = "the expression is too large to be shown free of errors".to_owned();
            return Outcome::of_kind(Kinds::ANY).with(Some(Risk { span: node.span, what }));
        }
        match &node.kind {
            Kind::Literal(value) => Outcome::safe(Shape::of_const(value)),
            Kind::Ident { .. } => self.ident(node, facts),
            Kind::Select { operand, field, optional } => self.select(node, operand, field, *optional, facts),
            Kind::Has { operand, .. } => {
                let outcome = Outcome::of_kind(Kinds::BOOL);
                if place(operand, &self.scopes).is_some() {
                    return outcome;
                }
                let of = self.visit(operand, facts);
                outcome.with(of.risk).with(self.may_be_list(operand, &of.shape))
            }
            Kind::Index { operand, index, optional } => self.index(node, operand, index, *optional, facts),
            Kind::Call { function, target, args } => {
                self.call(node, function, target.as_deref(), args, facts)
            }
            Kind::Relation { operator, left, right } => self.relation(*operator, left, right, facts),
            Kind::And(terms) => self.logical(terms, true, facts),
            Kind::Or(terms) => self.logical(terms, false, facts),
            Kind::Conditional { condition, yes, no } => self.conditional(condition, yes, no, facts),
            Kind::List(elements) => {
                let mut inner = Shape::never();
                let mut risk = None;
                for element in elements {
                    let outcome = self.element(&element.value, element.optional, facts);
                    risk = risk.or(outcome.risk);
                    inner = inner.or(outcome.shape);
                }
                Outcome::safe(Shape::container(Kinds::LIST, inner)).with(risk)
            }
            Kind::Map(entries) => {
                let mut inner = Shape::never();
                let mut risk = None;
                for entry in entries {
                    let key = self.visit(&entry.key, facts);
                    risk = risk.or(key.risk);
                    let keys = Kinds::BOOL | Kinds::NUMBER | Kinds::STRING;
                    risk = risk.or_else(|| self.must_be(&entry.key, key.shape.kinds, keys));
                    let value = self.element(&entry.value, entry.optional, facts);
                    risk = risk.or(value.risk);
                    inner = inner.or(value.shape);
                }
                Outcome::safe(Shape::container(Kinds::MAP, inner)).with(risk)
            }
            Kind::Message { fields, .. } => {
                let mut risk = None;
                for field in fields {
                    risk = risk.or(self.element(&field.value, field.optional, facts).risk);
                }
                // One whose fields are known is a constant by now.
                let refused = self.at(node, "fails on values that its fields do not take");
                Outcome::safe(Shape::of_type(&node.ty)).with(risk).with(Some(refused))
            }
            Kind::Comprehension(comprehension) => self.comprehension(comprehension, facts),
            Kind::Bind { var, value, body } => {
                self.bind(var, value, facts);
                let outcome = self.visit(body, facts);
                self.leave(1);
                outcome
            }
            Kind::OptionalMap { target, var, body, flat } => {
                let target_outcome = self.visit(target, facts);
                let risk = target_outcome
                    .risk
                    .or_else(|| self.must_be(target, target_outcome.shape.kinds, Kinds::OPTIONAL));
                let inner = target_outcome.shape.inner(self.shapes);
                self.enter(var, None, Outcome::safe(inner));
                let mapped = self.visit(body, facts);
                self.leave(1);
                let shape =
                    if *flat { mapped.shape } else { Shape::container(Kinds::OPTIONAL, mapped.shape) };
                Outcome::safe(shape).with(risk).with(mapped.risk)
            }
        }
    }

    /// The text of a node, on one line.
    fn quote(&self, node: &Node) -> String {
        /// What is longer is cut.
        const MAX_QUOTE: usize = 60;
        let text = self.text.get(node.span.range()).unwrap_or_default();
        let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if let Some((at, _)) = line.char_indices().nth(MAX_QUOTE) {
            line.truncate(at);
            line.push('…');
        }
        line
    }

    fn at(&self, node: &Node, why: &str) -> Risk {
        Risk { span: node.span, what: format!("`{}` {why}", self.quote(node)) }
    }

    /// The risk that a value is of another kind than is needed.
    fn must_be(&self, node: &Node, kinds: Kinds, needed: Kinds) -> Option<Risk> {
        if kinds.within(needed) {
            return None;
        }
        Some(match needed.describe() {
            Some(names) => self.at(node, &format!("may be no {names}")),
            None => self.at(node, "may be of a type that is not allowed here"),
        })
    }

    /// `&&` (where `undecided` is true) and `||` (where it is false).
    fn logical(&mut self, terms: &'s [Node], undecided: bool, facts: &Facts) -> Outcome {
        let risk = settle(
            self,
            terms,
            facts,
            |analysis, term, facts| analysis.truth(term, facts),
            |analysis, term, facts| analysis.assume(term, undecided, facts),
        );
        Outcome::of_kind(Kinds::BOOL).with(risk)
    }

    /// The risk of a node that has to be a boolean.
    fn truth(&mut self, node: &'s Node, facts: &Facts) -> Option<Risk> {
        let outcome = self.visit(node, facts);
        outcome.risk.or_else(|| self.must_be(node, outcome.shape.kinds, Kinds::BOOL))
    }

    fn conditional(&mut self, condition: &'s Node, yes: &'s Node, no: &'s Node, facts: &Facts) -> Outcome {
        let mut outcome = Outcome::safe(Shape::never()).with(self.truth(condition, facts));
        for (branch, truth) in [(yes, true), (no, false)] {
            if let Some(facts) = self.assume(condition, truth, facts) {
                let chosen = self.visit(branch, &facts);
                outcome =
                    Outcome { risk: outcome.risk.or(chosen.risk), shape: outcome.shape.or(chosen.shape) };
            }
        }
        outcome
    }

    /// An element of a list or map literal.
    fn element(&mut self, node: &'s Node, optional: bool, facts: &Facts) -> Outcome {
        let outcome = self.visit(node, facts);
        if !optional {
            return outcome;
        }
        let risk = self.must_be(node, outcome.shape.kinds, Kinds::OPTIONAL);
        Outcome { risk: outcome.risk.or(risk), shape: outcome.shape.inner(self.shapes) }
    }

    /// Brings a name into scope.
    fn enter(&mut self, name: &str, path: Option<String>, outcome: Outcome) {
        self.next_local += 1;
        let path = path.unwrap_or_else(|| format!("local {}", self.next_local));
        self.scopes.push(name.to_owned());
        self.locals.push(Local { path, outcome });
    }

    fn leave(&mut self, names: usize) {
        self.scopes.truncate(self.scopes.len().saturating_sub(names));
        self.locals.truncate(self.locals.len().saturating_sub(names));
    }

    /// Brings the name of `cel.bind` into scope: another name for what it stands for. An error of that shows where
    /// the name is read.
    fn bind(&mut self, name: &str, value: &'s Node, facts: &Facts) {
        let path = self.path(value);
        let outcome = self.visit(value, facts);
        self.enter(name, path, outcome);
    }

    fn relation(&mut self, operator: Relation, left: &'s Node, right: &'s Node, facts: &Facts) -> Outcome {
        let (first, second) = (self.visit(left, facts), self.visit(right, facts));
        let (a, b) = (first.shape.kinds, second.shape.kinds);
        let outcome = Outcome::of_kind(Kinds::BOOL).with(first.risk).with(second.risk);
        let mismatch = match operator {
            Relation::Equal | Relation::NotEqual => None,
            Relation::In => self.must_be(right, b, Kinds::LIST | Kinds::MAP),
            _ if calls::is_ordered(a, b) => None,
            _ => {
                // The side that says more is what the other has to fit.
                let (blamed, its, other) =
                    if a.each().count() >= b.each().count() { (left, a, b) } else { (right, b, a) };
                let needed = calls::ordered_with(other);
                self.must_be(blamed, its, needed).or_else(|| Some(self.at(blamed, "may have no order")))
            }
        };
        outcome.with(mismatch)
    }

    /// The place that a name stands for, as a shape.
    fn whole(&self, node: &Node, place: Place) -> Shape {
        match place {
            Place::PrincipalAttr => Shape::attributes(Bearer::Principal),
            Place::ResourceAttr => Shape::attributes(Bearer::Resource),
            Place::Variables | Place::Constants | Place::Globals => {
                Shape::container(Kinds::MAP, Shape::unknown(Kinds::ANY))
            }
            _ => Shape::of_type(&node.ty),
        }
    }
}

/// The risk of terms of which one alone can decide the whole. In some order each must be safe on the facts that follow
/// from those before it not deciding: then one decides, or none of them raises.
pub fn settle<C, T, R>(
    context: &mut C,
    terms: impl IntoIterator<Item = T>,
    facts: &Facts,
    mut risk: impl FnMut(&mut C, &T, &Facts) -> Option<R>,
    mut undecided: impl FnMut(&mut C, &T, &Facts) -> Option<Facts>,
) -> Option<R> {
    let mut facts = facts.clone();
    let mut left: Vec<T> = terms.into_iter().collect();
    loop {
        let before = left.len();
        let mut first = None;
        let mut unsafe_terms = Vec::with_capacity(before);
        for term in left {
            match risk(context, &term, &facts) {
                None => facts = undecided(context, &term, &facts)?,
                Some(found) => {
                    first = first.or(Some(found));
                    unsafe_terms.push(term);
                }
            }
        }
        if unsafe_terms.is_empty() || unsafe_terms.len() == before {
            return first;
        }
        left = unsafe_terms;
    }
}
