//! The type checker: names, fields and overloads are resolved as cel-go's checker does, with its messages.

mod calls;
mod macros;

use super::ast::{Element, Entry, Field, Kind, Node};
use super::hints::{field_hint, message_hint, name_hint};
use super::infer::Inference;
use super::parser::did_you_mean;
use super::types::{MessageType, Type};
use super::{Const, Declarations, Issue, well_known};
use crate::text::{Code, Span};

/// The names that every expression can use.
const ROOTS: [(&str, MessageType); 10] = [
    ("request", MessageType::Request),
    ("P", MessageType::Principal),
    ("R", MessageType::Resource),
    ("runtime", MessageType::Runtime),
    ("variables", MessageType::Variables),
    ("V", MessageType::Variables),
    ("constants", MessageType::Variables),
    ("C", MessageType::Variables),
    ("globals", MessageType::Variables),
    ("G", MessageType::Variables),
];

/// Gives every node its type and resolves qualified names; what is wrong is returned, in the order of the text.
pub(crate) fn check(node: &mut Node, declarations: &Declarations) -> Vec<Issue> {
    let mut checker =
        Checker { declarations, scopes: Vec::new(), inference: Inference::default(), issues: Vec::new() };
    checker.node(node);
    checker.settle(node);
    checker.issues.sort_by_key(|issue| issue.span);
    checker.issues
}

/// What a node does not always need is kept out of the frames of the recursion (`inline(never)`).
struct Checker<'d> {
    declarations: &'d Declarations,
    /// The variables of the macros around the current node, innermost last.
    scopes: Vec<(String, Type)>,
    inference: Inference,
    issues: Vec<Issue>,
}

impl Checker<'_> {
    fn report(&mut self, span: Span, message: String, hint: Option<String>) -> Type {
        self.issues.push(Issue { code: Code::ExpressionType, span, message, hint });
        Type::Error
    }

    fn node(&mut self, node: &mut Node) -> Type {
        let ty = self.type_of(node);
        node.ty = ty.clone();
        ty
    }

    /// Replaces what inference found, once the whole expression is known.
    fn settle(&self, node: &mut Node) {
        node.ty = self.inference.settled(&node.ty);
        node.for_each_child_mut(|child| self.settle(child));
    }

    fn type_of(&mut self, node: &mut Node) -> Type {
        let span = node.span;
        match &mut node.kind {
            Kind::Literal(value) => literal_type(value),
            Kind::Ident { .. } => self.ident(node),
            Kind::Select { .. } => self.select(node),
            Kind::Has { operand, field } => {
                let operand = self.node(operand);
                self.field(&operand, field, span);
                Type::Bool
            }
            Kind::Index { operand, index, optional } => {
                let name = if *optional { "_[?_]" } else { "_[_]" };
                let args = [self.node(operand), self.node(index)];
                self.operator(name, &args, span)
            }
            Kind::Call { .. } => self.call(node),
            Kind::Relation { operator, left, right } => {
                let (operator, args) = (*operator, [self.node(left), self.node(right)]);
                self.relation(operator, &args, span)
            }
            Kind::And(terms) | Kind::Or(terms) => {
                let types: Vec<Type> = terms.iter_mut().map(|term| self.node(term)).collect();
                for (term, ty) in terms.iter().zip(&types) {
                    self.expect_bool(ty, term.span);
                }
                Type::Bool
            }
            Kind::Conditional { condition, yes, no } => {
                let args = [self.node(condition), self.node(yes), self.node(no)];
                self.operator("_?_:_", &args, span)
            }
            Kind::List(elements) => self.list(elements),
            Kind::Map(entries) => self.map(entries),
            Kind::Message { name, fields } => self.message(name, fields, span),
            Kind::Comprehension(comprehension) => self.comprehension(comprehension),
            Kind::Bind { var, value, body } => {
                let value = self.node(value);
                self.scoped([(var.clone(), value)], |checker| checker.node(body))
            }
            Kind::OptionalMap { target, var, body, flat } => {
                self.optional_map(target, var, body, *flat, span)
            }
        }
    }

    #[inline(never)]
    fn list(&mut self, elements: &mut [Element]) -> Type {
        let mut joined = None;
        for element in elements {
            let ty = self.node(&mut element.value);
            let ty = if element.optional { self.unwrap_optional(ty, element.value.span) } else { ty };
            joined = Some(self.join(joined, ty));
        }
        Type::list(joined.unwrap_or_else(|| self.inference.fresh()))
    }

    #[inline(never)]
    fn map(&mut self, entries: &mut [Entry]) -> Type {
        let (mut keys, mut values) = (None, None);
        for entry in entries {
            let key = self.node(&mut entry.key);
            let value = self.node(&mut entry.value);
            let value = if entry.optional { self.unwrap_optional(value, entry.value.span) } else { value };
            keys = Some(self.join(keys, key));
            values = Some(self.join(values, value));
        }
        let keys = keys.unwrap_or_else(|| self.inference.fresh());
        Type::map(keys, values.unwrap_or_else(|| self.inference.fresh()))
    }

    #[inline(never)]
    fn message(&mut self, name: &str, fields: &mut [Field], span: Span) -> Type {
        let types: Vec<Type> = fields.iter_mut().map(|field| self.node(&mut field.value)).collect();
        let Some((_, message)) = well_known::find(name) else {
            let text = match Type::named(name) {
                Some(Type::Message(_)) | None => {
                    format!("undeclared reference to '{name}' (in container '')")
                }
                Some(_) => format!("'{name}' is not a message type"),
            };
            return self.report(span, text, Some(message_hint(name)));
        };
        for (field, ty) in fields.iter().zip(types) {
            let span = field.value.span;
            let ty = if field.optional { self.unwrap_optional(ty, span) } else { ty };
            let Some((_, known)) = message.field(&field.name) else {
                let hint = did_you_mean(&field.name, message.fields.iter().map(|known| known.name));
                self.report(span, format!("undefined field '{}'", field.name), hint);
                continue;
            };
            if !self.inference.assign(&known.ty(), &ty) {
                let (expected, found) = (known.ty(), self.inference.settled(&ty));
                let text = format!(
                    "expected type of field '{}' is '{expected}' but provided type is '{found}'",
                    field.name
                );
                self.report(span, text, None);
            }
        }
        message.ty()
    }

    /// Says more of what was reported last.
    fn hint(&mut self, hint: String) {
        if let Some(issue) = self.issues.last_mut() {
            issue.hint = Some(hint);
        }
    }

    fn scoped<const N: usize, T>(
        &mut self,
        vars: [(String, Type); N],
        step: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.scopes.extend(vars);
        let result = step(self);
        self.scopes.truncate(self.scopes.len() - N);
        result
    }

    fn local(&self, name: &str) -> Option<&Type> {
        self.scopes.iter().rev().find(|(known, _)| known == name).map(|(_, ty)| ty)
    }

    #[inline(never)]
    fn ident(&mut self, node: &mut Node) -> Type {
        let Kind::Ident { name, absolute } = &node.kind else { return Type::Error };
        if !absolute && let Some(ty) = self.local(name) {
            return ty.clone();
        }
        let name = name.clone();
        if let Some(ty) = self.global(&name, node) {
            return ty;
        }
        let absolute = matches!(node.kind, Kind::Ident { absolute: true, .. });
        let dot = if absolute { "." } else { "" };
        let message = format!("undeclared reference to '{dot}{name}' (in container '')");
        let locals = self.scopes.iter().map(|(name, _)| name.as_str());
        let hint = name_hint(&name, ROOTS.iter().map(|(root, _)| *root).chain(locals));
        self.report(node.span, message, hint)
    }

    /// A root, a declared identifier or the name of a type. The latter two become what they stand for.
    fn global(&self, name: &str, node: &mut Node) -> Option<Type> {
        if let Some(ty) = self.declarations.get(name) {
            let root = Node::new(Kind::Ident { name: "C".to_owned(), absolute: true }, node.span);
            node.kind = Kind::Select { operand: Box::new(root), field: name.to_owned(), optional: false };
            return Some(ty.clone());
        }
        if let Some((_, message)) = ROOTS.iter().find(|(root, _)| *root == name) {
            return Some(Type::Message(*message));
        }
        if name == well_known::NULL_VALUE {
            node.kind = Kind::Literal(Const::Int(0));
            return Some(Type::Int);
        }
        let ty = Type::named(name)?;
        node.kind = Kind::Literal(Const::Type(name.into()));
        Some(Type::Type(Box::new(ty)))
    }

    #[inline(never)]
    fn select(&mut self, node: &mut Node) -> Type {
        if let Some(name) = node.qualified_name()
            && name.split('.').next().is_none_or(|root| self.local(root).is_none())
            && let Some(ty) = self.global(&name, node)
        {
            return ty;
        }
        let span = node.span;
        let Kind::Select { operand, field, optional } = &mut node.kind else { return Type::Error };
        let operand_type = self.node(operand);
        let is_optional = *optional;
        let of_optional = matches!(self.inference.resolved(&operand_type), Type::Optional(_));
        let ty = self.field(&operand_type, field, span);
        if is_optional && !of_optional { Type::optional(ty) } else { ty }
    }

    /// The type of a field; a field of an optional is an optional.
    fn field(&mut self, operand: &Type, field: &str, span: Span) -> Type {
        let operand = self.inference.resolved(operand);
        match operand {
            Type::Optional(inner) => match self.field(&inner, field, span) {
                Type::Error => Type::Error,
                field => Type::optional(field),
            },
            Type::Map(_, value) => *value,
            Type::Message(message) => match message.field(field) {
                Some(ty) => ty,
                None => {
                    let hint = field_hint(message, field);
                    self.report(span, format!("undefined field '{field}'"), hint)
                }
            },
            Type::Param(_) => {
                self.inference.assign(&Type::Dyn, &operand);
                Type::Dyn
            }
            Type::Dyn | Type::Error => Type::Dyn,
            _ => self.report(span, format!("type '{operand}' does not support field selection"), None),
        }
    }

    #[inline(never)]
    fn mismatch(&mut self, expected: &Type, found: &Type, span: Span) -> Type {
        let (expected, found) = (self.inference.settled(expected), self.inference.settled(found));
        self.report(span, format!("expected type '{expected}' but found '{found}'"), None)
    }

    fn expect_bool(&mut self, ty: &Type, span: Span) {
        if !self.inference.assign(ty, &Type::Bool) {
            self.mismatch(&Type::Bool, ty, span);
        }
    }

    fn unwrap_optional(&mut self, ty: Type, span: Span) -> Type {
        match self.inference.resolved(&ty) {
            Type::Optional(inner) => *inner,
            Type::Dyn | Type::Error => ty,
            other => {
                self.mismatch(&Type::optional(other.clone()), &other, span);
                other
            }
        }
    }

    /// The common type of the elements of a literal; unlike elements make it `dyn`.
    fn join(&mut self, previous: Option<Type>, current: Type) -> Type {
        match previous {
            None => current,
            Some(previous) if self.inference.assign(&previous, &current) => {
                Inference::most_general(previous, current)
            }
            Some(_) => Type::Dyn,
        }
    }
}

fn literal_type(value: &Const) -> Type {
    match value {
        Const::Null => Type::Null,
        Const::Bool(_) => Type::Bool,
        Const::Int(_) => Type::Int,
        Const::UInt(_) => Type::UInt,
        Const::Double(_) => Type::Double,
        Const::String(_) => Type::String,
        Const::Bytes(_) => Type::Bytes,
        Const::List(_) => Type::list(Type::Dyn),
        Const::Map(_) => Type::map(Type::Dyn, Type::Dyn),
        Const::Timestamp(_) => Type::Timestamp,
        Const::Duration(_) => Type::Duration,
        Const::Type(_) => Type::Type(Box::new(Type::Dyn)),
    }
}
