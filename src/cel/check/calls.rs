//! Calls and operators: which overloads of a function the arguments fit.

use super::Checker;
use crate::cel::ast::{Kind, Node, Relation};
use crate::cel::hints::{function_hint, macro_meant, overload_hint, relation_hint};
use crate::cel::lib::{Function, TABLE};
use crate::cel::types::Type;
use crate::text::Span;

impl Checker<'_> {
    #[inline(never)]
    pub(super) fn call(&mut self, node: &mut Node) -> Type {
        let span = node.span;
        let Kind::Call { function, target, args } = &mut node.kind else { return Type::Error };
        let namespaced =
            target.as_deref().and_then(Node::qualified_name).map(|prefix| format!("{prefix}.{function}"));
        let namespaced = namespaced.and_then(|full| Some((TABLE.find(&full)?.1, full)));
        let outer = self.scopes.len();
        if target.is_some() && namespaced.is_none() {
            self.scopes.extend(probable_variables(function, args));
        }
        let mut types: Vec<Type> = args.iter_mut().map(|arg| self.node(arg)).collect();
        self.scopes.truncate(outer);
        if let Some((found, full)) = namespaced {
            *function = full;
            *target = None;
            return self.called(node, found, &types, false);
        }
        let member = target.is_some();
        if let Some(target) = target {
            let ty = self.node(target);
            types.insert(0, ty);
        }
        match TABLE.find(function) {
            Some((_, found)) => self.called(node, found, &types, member),
            None => {
                let message = format!("undeclared reference to '{function}' (in container '')");
                let hint = function_hint(function, types.len());
                self.report(span, message, hint)
            }
        }
    }

    pub(super) fn operator(&mut self, name: &str, args: &[Type], span: Span) -> Type {
        match TABLE.find(name) {
            Some((_, function)) => self.overload(function, args, false, span).0,
            None => Type::Error,
        }
    }

    pub(super) fn relation(&mut self, operator: Relation, args: &[Type; 2], span: Span) -> Type {
        let before = self.issues.len();
        let ty = self.operator(operator.function(), args, span);
        if let (Some(issue), [left, right]) = (self.issues.get_mut(before), args)
            && issue.hint.is_none()
        {
            issue.hint = relation_hint(operator, left, right);
        }
        ty
    }

    fn called(&mut self, node: &mut Node, function: &Function, args: &[Type], member: bool) -> Type {
        let (ty, only) = self.overload(function, args, member, node.span);
        node.overload = only;
        ty
    }

    /// The result of the overloads that the arguments fit; several with unlike results give `dyn`. With it the
    /// number of the one that they fit, if there is but one.
    #[inline(never)]
    fn overload(
        &mut self,
        function: &Function,
        args: &[Type],
        member: bool,
        span: Span,
    ) -> (Type, Option<u8>) {
        let mut result: Option<Type> = None;
        let mut fitting = None;
        for (overload, number) in function.overloads.iter().zip(0..).filter(|(it, _)| it.member == member) {
            let params = [self.inference.fresh(), self.inference.fresh()];
            let expected: Vec<Type> = overload.args.iter().map(|arg| instantiate(arg, &params)).collect();
            if !self.inference.assign_all(args, &expected) {
                continue;
            }
            let found = self.inference.resolved(&instantiate(&overload.result, &params));
            fitting = if result.is_none() { Some(number) } else { None };
            result = Some(match result {
                None => found,
                Some(known) if known == Type::Dyn || known == found => known,
                Some(_) => Type::Dyn,
            });
        }
        match result {
            Some(ty) => (ty, fitting),
            None => (self.no_overload(function.name, args, member, span), None),
        }
    }

    #[inline(never)]
    pub(super) fn no_overload(&mut self, name: &str, args: &[Type], member: bool, span: Span) -> Type {
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
}

/// The variables of a macro whose name is misspelt: that is one mistake, and not one more at each of their uses.
#[inline(never)]
fn probable_variables(function: &str, args: &[Node]) -> Vec<(String, Type)> {
    if TABLE.find(function).is_some() || macro_meant(function).is_none() {
        return Vec::new();
    }
    let names = args.split_last().map_or(&[][..], |(_, names)| names).iter().take(2);
    let names = names.map_while(|arg| match &arg.kind {
        Kind::Ident { name, absolute: false } => Some((name.clone(), Type::Error)),
        _ => None,
    });
    names.collect()
}

/// A signature's type with its parameters replaced by unknowns of this call.
fn instantiate(ty: &Type, params: &[Type; 2]) -> Type {
    match ty {
        Type::Param(index) => params.get(*index as usize).cloned().unwrap_or_default(),
        _ => ty.map_parameters(|inner| instantiate(inner, params)),
    }
}
