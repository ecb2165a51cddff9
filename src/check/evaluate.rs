//! Evaluating the expressions of rules for one request: each variable, condition and derived role once.

use std::cell::{Cell, RefCell};

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::Detail;
use super::decision::{EvaluationError, TraceEntry};
use crate::cel::{Activation, EvalError, Resource, RuntimeRoles, Value, Variables};
use crate::table::{Condition, Expression, ModuleId, RuleTable};

/// An expression raised an error, and the mode is strict.
pub(super) struct Raised;

/// What a request remembers of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Memo {
    Unknown,
    Satisfied,
    NotSatisfied,
}

impl From<bool> for Memo {
    fn from(satisfied: bool) -> Self {
        if satisfied { Self::Satisfied } else { Self::NotSatisfied }
    }
}

/// Room for the memos of a policy.
pub(super) fn memos(arena: &Bump, count: usize) -> &[Cell<Memo>] {
    arena.alloc_slice_fill_with(count, |_| Cell::new(Memo::Unknown))
}

/// Makes memos those of another resource.
pub(super) fn forget(memos: &[Cell<Memo>]) {
    memos.iter().for_each(|memo| memo.set(Memo::Unknown));
}

/// Evaluates expressions against one principal and resource.
pub(super) struct Evaluator<'a> {
    table: &'a RuleTable,
    base: Activation<'a>,
    strict: bool,
    /// Variables of the modules touched so far, and whether those that fail read as null; a request touches a
    /// handful.
    modules: RefCell<Vec<'a, ((ModuleId, bool), Variables<'a>)>>,
    errors: Option<RefCell<Vec<'a, EvaluationError<'a>>>>,
    trace: Option<RefCell<Vec<'a, TraceEntry<'a>>>>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(table: &'a RuleTable, base: Activation<'a>, strict: bool, detail: Detail) -> Self {
        let modules = RefCell::new(Vec::new_in(base.arena));
        let mut evaluator = Self { table, strict, modules, errors: None, trace: None, base };
        evaluator.record_anew(detail);
        evaluator
    }

    fn record_anew(&mut self, detail: Detail) {
        self.errors = detail.evaluation_errors.then(|| RefCell::new(Vec::new_in(self.base.arena)));
        self.trace = detail.trace.then(|| RefCell::new(Vec::new_in(self.base.arena)));
    }

    /// Evaluates against another resource from now on.
    pub(super) fn turn_to(&mut self, resource: &'a Resource<'a>, detail: Detail) {
        self.base.resource = resource;
        self.modules.get_mut().clear();
        self.record_anew(detail);
    }

    pub(super) fn arena(&self) -> &'a Bump {
        self.base.arena
    }

    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// Whether errors are recorded. Then variables that a rule may read are evaluated even where a
    /// short-circuit would skip them, as the PDP does, so that the same errors are reported.
    pub(super) fn records_errors(&self) -> bool {
        self.errors.is_some()
    }

    /// Whether an expression that raises an error leaves no trace but "not satisfied".
    pub(super) fn ignores_errors(&self) -> bool {
        !self.strict && self.errors.is_none()
    }

    fn variables(&self, module: ModuleId, null_for_failed: bool) -> Variables<'a> {
        let mut modules = self.modules.borrow_mut();
        let key = (module, null_for_failed);
        if let Some((_, variables)) = modules.iter().find(|(known, _)| *known == key) {
            return *variables;
        }
        let programs = self.table.modules.get(module.0 as usize).map_or(&[][..], |module| &module.programs);
        let mut variables = self.base.variables.beside(self.base.arena, programs);
        if null_for_failed {
            variables = variables.with_null_for_failed();
        }
        modules.push((key, variables));
        variables
    }

    /// What the conditions of derived roles are evaluated in for `runtime.effectiveDerivedRoles`. As in the PDP, a
    /// variable that cannot be evaluated is null there, unless the mode is strict, while in rules it is not set.
    pub(super) fn scope_of_derived_role(&self, module: ModuleId, uses: &[u32]) -> Activation<'a> {
        self.activation(self.variables(module, !self.strict && !uses.is_empty()), module, uses, Ok(&[]))
    }

    /// What expressions of a module are evaluated in.
    pub(super) fn scope(&self, module: ModuleId, uses: &[u32], roles: RuntimeRoles<'a>) -> Activation<'a> {
        self.activation(self.variables(module, false), module, uses, roles)
    }

    fn activation(
        &self,
        variables: Variables<'a>,
        module: ModuleId,
        uses: &[u32],
        roles: RuntimeRoles<'a>,
    ) -> Activation<'a> {
        let mut activation = self.base;
        activation.variables = variables;
        activation.effective_derived_roles = roles;
        if self.records_errors() {
            self.evaluate_variables(module, uses, &activation);
        }
        activation
    }

    fn evaluate_variables(&self, module: ModuleId, uses: &[u32], activation: &Activation<'a>) {
        let Some(texts) = self.table.modules.get(module.0 as usize).map(|module| &module.texts) else {
            return;
        };
        for slot in uses {
            if let (Err(error), Some(text)) =
                (activation.variables.get(*slot, activation), texts.get(*slot as usize))
            {
                self.record(text, error);
            }
        }
    }

    /// Whether a condition holds. A raised error is not satisfied, and in strict mode the end.
    pub(super) fn satisfies(
        &self,
        condition: Option<&'a Condition>,
        activation: &Activation<'a>,
    ) -> Result<bool, Raised> {
        match condition {
            None => Ok(true),
            Some(Condition::Expr(expression)) => self.holds(expression, activation),
            Some(Condition::All(all)) => self.any_is(all, false, activation).map(|found| !found),
            Some(Condition::Any(any)) => self.any_is(any, true, activation),
            Some(Condition::None(none)) => self.any_is(none, true, activation).map(|found| !found),
        }
    }

    fn any_is(
        &self,
        conditions: &'a [Condition],
        wanted: bool,
        activation: &Activation<'a>,
    ) -> Result<bool, Raised> {
        for condition in conditions {
            if self.satisfies(Some(condition), activation)? == wanted {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn holds(&self, expression: &'a Expression, activation: &Activation<'a>) -> Result<bool, Raised> {
        match expression.program.eval(activation) {
            Ok(value) => Ok(is_true(value)),
            Err(error) => {
                self.record(&expression.text, error);
                if self.strict { Err(Raised) } else { Ok(false) }
            }
        }
    }

    fn record(&self, expression: &'a str, error: EvalError<'a>) {
        if let Some(errors) = &self.errors {
            errors.borrow_mut().push(EvaluationError { expression, error });
        }
    }

    /// Notes that a rule was looked at, where that is asked for.
    pub(super) fn trace(&self, entry: impl FnOnce() -> TraceEntry<'a>) {
        if let Some(trace) = &self.trace {
            trace.borrow_mut().push(entry());
        }
    }

    /// The rules that were looked at.
    pub(super) fn take_trace(&mut self) -> &'a [TraceEntry<'a>] {
        self.trace.take().map_or(&[], |trace| trace.into_inner().into_bump_slice())
    }

    /// The recorded errors: each expression once, in order.
    pub(super) fn take_errors(&mut self) -> &'a [EvaluationError<'a>] {
        let Some(errors) = self.errors.take() else { return &[] };
        let mut errors = errors.into_inner();
        errors.sort_by_key(|error| error.expression);
        errors.dedup_by_key(|error| error.expression);
        errors.into_bump_slice()
    }
}

/// Whether a condition with this value is satisfied: an optional counts as what it holds.
pub(super) fn is_true(value: Value<'_>) -> bool {
    match value {
        Value::Bool(value) => value,
        Value::Optional(Some(inner)) => is_true(*inner),
        _ => false,
    }
}
