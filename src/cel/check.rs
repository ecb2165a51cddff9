//! The type checker: names, fields and overloads are resolved as cel-go's checker does, with its messages.

use super::ast::{Comprehension, Element, Entry, Field, Kind, Node, Operation, Relation};
use super::hints::{field_hint, function_hint, message_hint, name_hint, overload_hint, relation_hint};
use super::infer::Inference;
use super::lib::{Function, TABLE};
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

    #[inline(never)]
    fn optional_map(
        &mut self,
        target: &mut Node,
        var: &str,
        body: &mut Node,
        flat: bool,
        span: Span,
    ) -> Type {
        let target = self.node(target);
        let element = self.inference.fresh();
        let optional = Type::optional(element.clone());
        if !self.inference.assign(&target, &optional) {
            // The macros are written with both functions.
            self.no_overload("hasValue", std::slice::from_ref(&target), true, span);
            let ty = self.no_overload("value", &[target], true, span);
            let name = if flat { "optFlatMap" } else { "optMap" };
            self.hint(format!("`{name}` is a macro of optionals, such as `optional.of(x)` and `x.?field`"));
            return ty;
        }
        let element = self.inference.resolved(&element);
        let body_type = self.scoped([(var.to_owned(), element)], |checker| checker.node(body));
        if !flat {
            return Type::optional(body_type);
        }
        let result = Type::optional(self.inference.fresh());
        if self.inference.assign(&body_type, &result) {
            return self.inference.resolved(&result);
        }
        let ty = self.no_overload("_?_:_", &[Type::Bool, body_type, result], false, body.span);
        self.hint("what `optFlatMap` gives must be an optional; with `optMap` it becomes one".to_owned());
        ty
    }

    /// Says more of what was reported last.
    fn hint(&mut self, hint: String) {
        if let Some(issue) = self.issues.last_mut() {
            issue.hint = Some(hint);
        }
    }

    /// A condition by which a macro keeps elements; the macros are written with `? :`, between values of one type.
    fn expect_condition(&mut self, ty: &Type, values: Type, span: Span) {
        if !self.inference.assign(ty, &Type::Bool) {
            self.no_overload("_?_:_", &[ty.clone(), values.clone(), values], false, span);
            self.hint("the macro keeps elements by this condition: it must be a bool".to_owned());
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
    fn call(&mut self, node: &mut Node) -> Type {
        let span = node.span;
        let Kind::Call { function, target, args } = &mut node.kind else { return Type::Error };
        let mut types: Vec<Type> = args.iter_mut().map(|arg| self.node(arg)).collect();
        let namespaced =
            target.as_deref().and_then(Node::qualified_name).map(|prefix| format!("{prefix}.{function}"));
        if let Some(full) = namespaced
            && let Some((_, found)) = TABLE.find(&full)
        {
            *function = full;
            *target = None;
            return self.overload(found, &types, false, span);
        }
        let member = target.is_some();
        if let Some(target) = target {
            let ty = self.node(target);
            types.insert(0, ty);
        }
        match TABLE.find(function) {
            Some((_, found)) => self.overload(found, &types, member, span),
            None => {
                let message = format!("undeclared reference to '{function}' (in container '')");
                let hint = function_hint(function, types.len());
                self.report(span, message, hint)
            }
        }
    }

    fn operator(&mut self, name: &str, args: &[Type], span: Span) -> Type {
        match TABLE.find(name) {
            Some((_, function)) => self.overload(function, args, false, span),
            None => Type::Error,
        }
    }

    fn relation(&mut self, operator: Relation, args: &[Type; 2], span: Span) -> Type {
        let before = self.issues.len();
        let ty = self.operator(operator.function(), args, span);
        if let (Some(issue), [left, right]) = (self.issues.get_mut(before), args)
            && issue.hint.is_none()
        {
            issue.hint = relation_hint(operator, left, right);
        }
        ty
    }

    /// The result of the overloads that the arguments fit; several with unlike results give `dyn`.
    #[inline(never)]
    fn overload(&mut self, function: &Function, args: &[Type], member: bool, span: Span) -> Type {
        let mut result: Option<Type> = None;
        for overload in function.overloads.iter().filter(|overload| overload.member == member) {
            let params = [self.inference.fresh(), self.inference.fresh()];
            let expected: Vec<Type> = overload.args.iter().map(|arg| instantiate(arg, &params)).collect();
            if !self.inference.assign_all(args, &expected) {
                continue;
            }
            let found = self.inference.resolved(&instantiate(&overload.result, &params));
            result = Some(match result {
                None => found,
                Some(known) if known == Type::Dyn || known == found => known,
                Some(_) => Type::Dyn,
            });
        }
        result.unwrap_or_else(|| self.no_overload(function.name, args, member, span))
    }

    #[inline(never)]
    fn no_overload(&mut self, name: &str, args: &[Type], member: bool, span: Span) -> Type {
        let args: Vec<Type> = args.iter().map(|arg| self.inference.settled(arg)).collect();
        let texts: Vec<String> = args.iter().map(Type::to_string).collect();
        let signature = match texts.split_first() {
            Some((receiver, rest)) if member => format!("{receiver}.({})", rest.join(", ")),
            _ => format!("({})", texts.join(", ")),
        };
        let hint = overload_hint(name, &args, member);
        // In cel-go these are macros of functions that expressions cannot name.
        let name = match name {
            "math.greatest" => "math.@max",
            "math.least" => "math.@min",
            _ => name,
        };
        self.report(span, format!("found no matching overload for '{name}' applied to '{signature}'"), hint)
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

    #[inline(never)]
    fn comprehension(&mut self, comprehension: &mut Comprehension) -> Type {
        let range = self.node(&mut comprehension.range);
        let range = self.inference.resolved(&range);
        let paired = comprehension.var2.is_some();
        let (key, element) = match range {
            Type::List(element) if paired => (Type::Int, *element),
            Type::List(element) => (Type::Int, *element),
            Type::Map(key, value) if paired => (*key, *value),
            Type::Map(key, _) => (Type::Dyn, *key),
            Type::Dyn | Type::Error | Type::Param(_) => {
                self.inference.assign(&Type::Dyn, &range);
                (Type::Dyn, Type::Dyn)
            }
            _ => {
                let message = format!(
                    "expression of type '{range}' cannot be range of a comprehension (must be list, map, or dynamic)"
                );
                (Type::Error, self.report(comprehension.range.span, message, None))
            }
        };
        let Comprehension { var, var2, filter, body, operation, .. } = comprehension;
        let vars = match var2 {
            Some(var2) => [(var.clone(), key.clone()), (var2.clone(), element.clone())],
            None => [(String::new(), Type::Error), (var.clone(), element.clone())],
        };
        self.scoped(vars, |checker| {
            let condition = filter.as_mut().map(|filter| (checker.node(filter), filter.span));
            let ty = checker.node(body);
            let result = checker.comprehension_result(*operation, key, element, ty, body.span);
            if let Some((ty, span)) = condition {
                checker.expect_condition(&ty, result.clone(), span);
            }
            result
        })
    }

    fn comprehension_result(
        &mut self,
        operation: Operation,
        key: Type,
        element: Type,
        body: Type,
        span: Span,
    ) -> Type {
        match operation {
            Operation::All | Operation::Exists => {
                self.expect_bool(&body, span);
                Type::Bool
            }
            Operation::ExistsOne => {
                self.expect_condition(&body, Type::Int, span);
                Type::Bool
            }
            Operation::Filter => {
                let list = Type::list(element);
                self.expect_condition(&body, list.clone(), span);
                list
            }
            Operation::Map | Operation::TransformList => Type::list(body),
            Operation::TransformMap => Type::map(key, body),
            Operation::SortBy => {
                let list = Type::list(element);
                // As overloads one after the other, so that the first one tells what an unknown key is.
                let fits = SORTABLE.iter().filter(|key| self.inference.assign(&body, key)).count();
                if fits == 0 {
                    let args = [list.clone(), Type::list(body)];
                    self.no_overload("@sortByAssociatedKeys", &args, true, span);
                    self.hint("lists are sorted by numbers, strings, bytes, booleans and times".to_owned());
                }
                // Overloads that all fit a range of unknown type agree on nothing.
                if fits > 1 && key == Type::Dyn { Type::Dyn } else { list }
            }
            Operation::TransformMapEntry => {
                let entry = Type::map(self.inference.fresh(), self.inference.fresh());
                if self.inference.assign(&body, &entry) {
                    return self.inference.resolved(&entry);
                }
                let ty = self.no_overload("cel.@mapInsert", &[entry, body], false, span);
                self.hint("each step gives a map, such as `{key: value}`".to_owned());
                ty
            }
        }
    }
}

/// What a list can be sorted by, in the order of cel-go's overloads.
const SORTABLE: [Type; 8] = [
    Type::Int,
    Type::UInt,
    Type::Double,
    Type::Bool,
    Type::Duration,
    Type::Timestamp,
    Type::String,
    Type::Bytes,
];

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

/// A signature's type with its parameters replaced by unknowns of this call.
fn instantiate(ty: &Type, params: &[Type; 2]) -> Type {
    match ty {
        Type::Param(index) => params.get(*index as usize).cloned().unwrap_or_default(),
        _ => ty.map_parameters(|inner| instantiate(inner, params)),
    }
}
