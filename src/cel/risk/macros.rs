//! The macros over ranges.

use super::shape::{Kinds, Shape};
use super::{Analysis, Facts, Outcome, calls};
use crate::cel::Type;
use crate::cel::ast::{Comprehension, Operation};

impl<'s> Analysis<'s> {
    /// Brings the variables of a macro into scope; `elements` names what is known of all elements.
    pub(super) fn enter_elements(&mut self, of: &Comprehension, range: &Shape, elements: Kinds) -> usize {
        let mut key = Shape::never();
        let mut value = Shape::never();
        if range.kinds.and(Kinds::LIST) != Kinds::NEVER {
            key = key.or(Shape::unknown(Kinds::INT));
            value = value.or(range.inner(self.shapes).narrowed(elements));
        }
        if range.kinds.and(Kinds::MAP) != Kinds::NEVER {
            let keys = match &of.range.ty {
                Type::Map(keys, _) => Shape::of_type(keys),
                _ => Shape::unknown(Kinds::STRING),
            };
            if of.var2.is_some() {
                key = key.or(keys);
                value = value.or(range.inner(self.shapes).narrowed(elements));
            } else {
                value = value.or(keys);
            }
        }
        if let Some(var2) = &of.var2 {
            self.enter(&of.var, None, Outcome::safe(key));
            self.enter(var2, None, Outcome::safe(value));
            2
        } else {
            self.enter(&of.var, None, Outcome::safe(value));
            1
        }
    }

    pub(super) fn comprehension(&mut self, of: &'s Comprehension, facts: &Facts) -> Outcome {
        let range = self.visit(&of.range, facts);
        let iterable = Kinds::LIST | Kinds::MAP;
        let risk = range.risk.or_else(|| self.must_be(&of.range, range.shape.kinds, iterable));
        let elements = self
            .path(&of.range)
            .map_or(Kinds::ANY, |path| facts.of(Some(&elements_of(&path, of.var2.is_some()))).kinds);
        let names = self.enter_elements(of, &range.shape, elements);
        let outcome = self.over_elements(of, facts);
        self.leave(names);
        Outcome { risk: risk.or(outcome.risk), shape: outcome.shape }
    }

    fn over_elements(&mut self, of: &'s Comprehension, facts: &Facts) -> Outcome {
        let risk = of.filter.as_ref().and_then(|filter| self.truth(filter, facts));
        let passing = match &of.filter {
            Some(filter) => self.assume(filter, true, facts),
            None => Some(facts.clone()),
        };
        let Some(facts) = passing else { return Outcome::of_kind(Kinds::LIST | Kinds::MAP).with(risk) };
        let body = self.visit(&of.body, &facts);
        let kinds = body.shape.kinds;
        let needed = match of.operation {
            Operation::All | Operation::Exists | Operation::ExistsOne | Operation::Filter => Kinds::BOOL,
            Operation::TransformMapEntry => Kinds::MAP,
            Operation::Map | Operation::TransformList | Operation::TransformMap | Operation::SortBy => {
                Kinds::ANY
            }
        };
        let mut risk = risk.or(body.risk).or_else(|| self.must_be(&of.body, kinds, needed));
        let shape = match of.operation {
            Operation::All | Operation::Exists | Operation::ExistsOne => Shape::unknown(Kinds::BOOL),
            Operation::Filter => {
                let passing = self.assume(&of.body, true, &facts).unwrap_or_default();
                let element = self.locals.last().map_or_else(Shape::never, |local| {
                    local.outcome.shape.clone().narrowed(passing.of(Some(&local.path)).kinds)
                });
                Shape::container(Kinds::LIST, element)
            }
            Operation::Map | Operation::TransformList => Shape::container(Kinds::LIST, body.shape),
            Operation::TransformMap => Shape::container(Kinds::MAP, body.shape),
            Operation::TransformMapEntry => {
                risk = risk.or_else(|| Some(self.at(&of.body, "may give one key twice")));
                Shape::container(Kinds::MAP, body.shape.inner(self.shapes))
            }
            Operation::SortBy => {
                if kinds.each().count() != 1 || !calls::is_ordered(kinds, kinds) {
                    risk = risk.or_else(|| Some(self.at(&of.body, "may give keys that have no order")));
                }
                let element =
                    self.locals.last().map_or_else(Shape::never, |local| local.outcome.shape.clone());
                Shape::container(Kinds::LIST, element)
            }
        };
        Outcome::safe(shape).with(risk)
    }
}

/// The path of what is known of everything that a macro runs over: of a map, the keys or, `paired`, the values.
pub(super) fn elements_of(path: &str, paired: bool) -> String {
    format!("{path}\u{1f}[{}]", if paired { "*, *" } else { "*" })
}
