//! Macros: the types of their variables, and of what they give.

use super::Checker;
use crate::cel::ast::{Comprehension, Node, Operation};
use crate::cel::types::Type;
use crate::text::Span;

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

impl Checker<'_> {
    #[inline(never)]
    pub(super) fn optional_map(
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

    /// A condition by which a macro keeps elements; the macros are written with `? :`, between values of one type.
    fn expect_condition(&mut self, ty: &Type, values: Type, span: Span) {
        if !self.inference.assign(ty, &Type::Bool) {
            self.no_overload("_?_:_", &[ty.clone(), values.clone(), values], false, span);
            self.hint("the macro keeps elements by this condition: it must be a bool".to_owned());
        }
    }

    #[inline(never)]
    pub(super) fn comprehension(&mut self, comprehension: &mut Comprehension) -> Type {
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
                match (key, fits) {
                    // One overload says nothing of the elements of a range of unknown type; several that fit agree
                    // on nothing.
                    (Type::Dyn, 1) => Type::list(self.inference.fresh()),
                    (Type::Dyn, 2..) => Type::Dyn,
                    _ => list,
                }
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
