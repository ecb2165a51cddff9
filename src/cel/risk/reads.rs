//! Names, fields and indexes.

use super::shape::{Kinds, Shape};
use super::{Analysis, Outcome, Risk};
use crate::cel::Const;
use crate::cel::ast::{Kind, Node};
use crate::cel::places::{Place, place};
use crate::cel::risk::facts::Facts;

impl<'s> Analysis<'s> {
    /// How a part of the request or a local is written in facts; none for computed values.
    pub(super) fn path(&self, node: &Node) -> Option<String> {
        if let Some(place) = place(node, &self.scopes) {
            let root = match place {
                Place::Request => "Request",
                Place::Principal => "P",
                Place::Resource => "R",
                Place::PrincipalAttr => "P\u{1f}.attr",
                Place::ResourceAttr => "R\u{1f}.attr",
                Place::AuxData => "Request\u{1f}.auxData",
                Place::Runtime => "Runtime",
                Place::Variables => "V",
                Place::Constants => "C",
                Place::Globals => "G",
            };
            return Some(root.to_owned());
        }
        match &node.kind {
            Kind::Ident { name, absolute: false } => {
                let at = self.scopes.iter().rposition(|local| local == name)?;
                self.locals.get(at).map(|local| local.path.clone())
            }
            Kind::Select { operand, field, optional: false } => {
                Some(format!("{}\u{1f}.{field}", self.path(operand)?))
            }
            Kind::Index { operand, index, optional: false } => self.element_path(operand, index),
            Kind::Call { function, target: None, args } if function == "dyn" => self.path(args.first()?),
            _ => None,
        }
    }

    /// The path of `operand[index]`.
    pub(super) fn element_path(&self, operand: &Node, index: &Node) -> Option<String> {
        let operand = self.path(operand)?;
        match &index.kind {
            Kind::Literal(Const::String(name)) => Some(format!("{operand}\u{1f}.{name}")),
            Kind::Literal(Const::Int(at)) => Some(format!("{operand}\u{1f}[{at}]")),
            // A path has separators of its own: the brackets tell where the one inside ends.
            _ => Some(format!("{operand}\u{1f}[\u{1e}{}\u{1e}]", self.path(index)?)),
        }
    }

    pub(super) fn ident(&mut self, node: &'s Node, facts: &Facts) -> Outcome {
        if let Some(place) = place(node, &self.scopes) {
            return Outcome::safe(self.whole(node, place));
        }
        let Kind::Ident { name, absolute: false } = &node.kind else {
            return Outcome::safe(Shape::of_type(&node.ty));
        };
        let Some(local) =
            self.scopes.iter().rposition(|local| local == name).and_then(|at| self.locals.get(at))
        else {
            return Outcome::safe(Shape::of_type(&node.ty));
        };
        let fact = facts.of(Some(&local.path));
        let shape = local.outcome.shape.clone().narrowed(fact.kinds);
        let risk = local.outcome.risk.as_ref().filter(|_| !fact.present);
        Outcome::safe(shape).with(risk.map(|risk| Risk { span: node.span, ..risk.clone() }))
    }

    pub(super) fn select(
        &mut self,
        node: &'s Node,
        operand: &'s Node,
        field: &'s str,
        optional: bool,
        facts: &Facts,
    ) -> Outcome {
        if let Some(place) = place(node, &self.scopes) {
            return Outcome::safe(self.whole(node, place));
        }
        if let Some(found) = self.named(node, operand, field, facts).filter(|_| !optional) {
            return found;
        }
        let of = self.visit(operand, facts);
        self.read_field(node, operand, of, field, optional, facts)
    }

    /// A variable, constant or global.
    fn named(&mut self, node: &'s Node, operand: &'s Node, name: &'s str, facts: &Facts) -> Option<Outcome> {
        Some(match place(operand, &self.scopes)? {
            Place::Variables => self.variable(node, name, facts),
            Place::Constants => {
                let value = self.shapes.constant(name);
                Outcome::safe(value.map_or_else(|| Shape::unknown(Kinds::ANY), Shape::of_const))
            }
            Place::Globals => self.global(node, name, facts),
            _ => return None,
        })
    }

    /// A field by its name, as `.name` or `["name"]`.
    fn read_field(
        &mut self,
        node: &'s Node,
        operand: &'s Node,
        of: Outcome,
        field: &str,
        optional: bool,
        facts: &Facts,
    ) -> Outcome {
        let kinds = of.shape.kinds;
        let (present, mut shape) = of.shape.field(field, self.shapes);
        if optional {
            let list = self.may_be_list(operand, &of.shape);
            if kinds == Kinds::OPTIONAL {
                shape = of.shape.inner(self.shapes).field(field, self.shapes).1;
            }
            return Outcome::safe(Shape::container(Kinds::OPTIONAL, shape)).with(of.risk).with(list);
        }
        if kinds == Kinds::OPTIONAL {
            let list = self.may_be_list(operand, &of.shape);
            let of = of.with(list);
            let (_, field) = of.shape.inner(self.shapes).field(field, self.shapes);
            return Outcome::safe(Shape::container(Kinds::OPTIONAL, field)).with(of.risk);
        }
        let outcome = Outcome::safe(Shape::never()).with(of.risk);
        let outcome = outcome.with(self.must_be_object(operand, kinds));
        let fact = facts.of(self.path(node).as_deref());
        shape = shape.narrowed(fact.kinds);
        let missing = (!present && !fact.present).then(|| self.at(node, "may be missing"));
        Outcome { shape, ..outcome.with(missing) }
    }

    /// The risk of asking a list for a field: unlike other kinds it does not just lack it.
    pub(super) fn may_be_list(&self, node: &Node, shape: &Shape) -> Option<Risk> {
        let kinds = if shape.kinds == Kinds::OPTIONAL { shape.inner(self.shapes).kinds } else { shape.kinds };
        (kinds.and(Kinds::LIST) != Kinds::NEVER).then(|| self.at(node, "may be a list"))
    }

    fn must_be_object(&self, node: &Node, kinds: Kinds) -> Option<Risk> {
        let objects = Kinds::MAP | Kinds::MESSAGE | Kinds::OPTIONAL;
        if kinds.within(objects) { None } else { self.must_be(node, kinds, Kinds::MAP) }
    }

    pub(super) fn index(
        &mut self,
        node: &'s Node,
        operand: &'s Node,
        index: &'s Node,
        optional: bool,
        facts: &Facts,
    ) -> Outcome {
        let of = self.visit(operand, facts);
        let at = self.visit(index, facts);
        if let Some(Const::String(name)) = at.shape.constant() {
            let name = name.clone();
            return self.read_field(node, operand, of.with(at.risk), &name, optional, facts);
        }
        let kinds = of.shape.kinds;
        let inner = of.shape.inner(self.shapes);
        let outcome = Outcome::safe(Shape::never()).with(of.risk).with(at.risk);
        if optional || kinds == Kinds::OPTIONAL {
            let inner = if kinds == Kinds::OPTIONAL { inner.inner(self.shapes) } else { inner };
            let no_index = (kinds.and(Kinds::LIST) != Kinds::NEVER)
                .then(|| self.must_be(index, at.shape.kinds, Kinds::INT | Kinds::UINT))
                .flatten();
            return Outcome { shape: Shape::container(Kinds::OPTIONAL, inner), ..outcome.with(no_index) };
        }
        let outcome = outcome.with(self.must_be(operand, kinds, Kinds::LIST | Kinds::MAP | Kinds::OPAQUE));
        let path = self.element_path(operand, index);
        let fact = facts.of(path.as_deref());
        let missing = if kinds == Kinds::LIST {
            let len = facts.of(self.path(operand).as_deref()).min_len.max(of.shape.min_len());
            let is_inside = match at.shape.constant() {
                Some(Const::Int(at)) => usize::try_from(*at).is_ok_and(|at| at < len),
                _ => false,
            };
            (!is_inside).then(|| self.at(node, "may be beyond the end of the list"))
        } else if kinds == Kinds::MAP {
            (!fact.present).then(|| self.at(node, "may be missing"))
        } else {
            Some(self.at(node, "may be missing"))
        };
        Outcome { shape: inner.narrowed(fact.kinds), ..outcome.with(missing) }
    }

    fn global(&mut self, node: &'s Node, name: &str, facts: &Facts) -> Outcome {
        if let Some(value) = self.shapes.global(name) {
            return Outcome::safe(Shape::of_const(value));
        }
        let fact = facts.of(self.path(node).as_deref());
        let missing = (!fact.present).then(|| self.at(node, "may be missing"));
        Outcome::safe(Shape::unknown(Kinds::JSON.and(fact.kinds))).with(missing)
    }

    fn variable(&mut self, node: &'s Node, name: &'s str, facts: &Facts) -> Outcome {
        let fact = facts.of(self.path(node).as_deref());
        let plain = match self.variables.get(name) {
            Some(known) => known.clone(),
            None => {
                let outcome = self.inside(name, |analysis, root| analysis.visit(root, &Facts::default()));
                let outcome = outcome.unwrap_or_else(|| Outcome::of_kind(Kinds::ANY));
                self.variables.insert(name, outcome.clone());
                outcome
            }
        };
        let is_plain = plain.risk.is_none() || fact.present;
        let found = if is_plain {
            Outcome::safe(plain.shape)
        } else {
            self.inside(name, |analysis, root| analysis.visit(root, facts)).unwrap_or(plain)
        };
        let risk = found.risk.map(|risk| Risk {
            span: node.span,
            what: format!("the variable `{}` may raise: {}", self.quote(node), risk.what),
        });
        Outcome::safe(found.shape.narrowed(fact.kinds)).with(risk)
    }

    /// Visits the expression of a variable, in which no local is seen. None for a variable that is not defined, or
    /// that is being visited: a circle, which has been reported.
    pub(super) fn inside<T>(
        &mut self,
        name: &'s str,
        visit: impl FnOnce(&mut Self, &'s Node) -> T,
    ) -> Option<T> {
        let expr = self.shapes.variable(name)?;
        if self.open.contains(&name) {
            return None;
        }
        let outer = (
            std::mem::replace(&mut self.text, expr.text()),
            std::mem::take(&mut self.scopes),
            std::mem::take(&mut self.locals),
        );
        self.open.push(name);
        let visited = visit(self, expr.root());
        self.open.pop();
        (self.text, self.scopes, self.locals) = outer;
        Some(visited)
    }
}
