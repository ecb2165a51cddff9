//! Expressions of policies: parsed and checked once for each distinct text.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::used::UsedNames;
use crate::cel::{Expr, Issue, Program, References};
use crate::policy::{Condition as Tree, ConditionKind, Output as Reports, Policy, Text};
use crate::table::{AttributesRead, Condition, Expression, Output};
use crate::text::{Code, Diagnostic, Diagnostics};

type Checked = Result<Arc<Expr>, Arc<[Issue]>>;

/// Every expression text of a set, compiled as far as it does not depend on where it stands.
#[derive(Default)]
pub(super) struct Expressions {
    checked: FxHashMap<Arc<str>, Checked>,
    /// Programs of expressions without variables and constants: they are the same everywhere.
    programs: FxHashMap<Arc<str>, Arc<Program>>,
}

impl Expressions {
    /// Parses and checks; on failure the issues are reported where the text stands.
    pub(super) fn check(
        &mut self,
        policy: &Policy,
        text: &Text,
        diagnostics: &mut Diagnostics,
    ) -> Option<Arc<Expr>> {
        match self.checked(&text.value) {
            Ok(expr) => Some(expr),
            Err(issues) => {
                diagnostics.extend(issues.iter().map(|issue| report(policy, text, issue)));
                None
            }
        }
    }

    /// A text as an expression, if it is one.
    pub(super) fn parse(&mut self, text: &str) -> Option<Arc<Expr>> {
        self.checked(text).ok()
    }

    fn checked(&mut self, text: &str) -> Checked {
        if let Some(checked) = self.checked.get(text) {
            return checked.clone();
        }
        let checked = Expr::parse(text).map(Arc::new).map_err(Arc::from);
        self.checked.insert(text.into(), checked.clone());
        checked
    }

    /// Whether a checked text can be evaluated at all; what keeps it from that is reported. The PDP would pass over
    /// a rule with such a condition, a DENY rule too: what to allow cannot depend on it.
    pub(super) fn can_begin(&self, policy: &Policy, text: &Text, diagnostics: &mut Diagnostics) -> bool {
        match self.known(&text.value).and_then(Expr::failure) {
            Some(issue) => {
                let issue =
                    Issue { message: format!("this always fails: {}", issue.message), ..issue.clone() };
                diagnostics.push(report(policy, text, &issue));
                false
            }
            None => true,
        }
    }

    /// A text that was checked, and is right.
    pub(super) fn known(&self, text: &str) -> Option<&Expr> {
        self.checked.get(text).and_then(|checked| checked.as_deref().ok())
    }

    fn program(&mut self, expr: &Expr, text: &str, names: &UsedNames<'_, '_>) -> Expression {
        let references = expr.references();
        let shareable =
            references.variables.is_empty() && references.constants.is_empty() && !references.whole_names;
        if let Some((key, program)) = self.programs.get_key_value(text).filter(|_| shareable) {
            return Expression { text: Arc::clone(key), program: Arc::clone(program) };
        }
        let key: Arc<str> =
            self.checked.get_key_value(text).map_or_else(|| text.into(), |(key, _)| Arc::clone(key));
        let program = Arc::new(Program::lower(expr, names));
        if shareable {
            self.programs.insert(Arc::clone(&key), Arc::clone(&program));
        }
        Expression { text: key, program }
    }

    /// The text as the table keeps it: one copy for all policies.
    pub(super) fn shared_text(&self, text: &str) -> Arc<str> {
        self.checked.get_key_value(text).map_or_else(|| text.into(), |(key, _)| Arc::clone(key))
    }
}

/// What the expressions of a rule, or of a whole policy, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Reads {
    /// Slots of variables, those read through others included, ascending.
    pub(super) variables: Vec<u32>,
    /// Names of constants, in the same manner.
    pub(super) constants: BTreeSet<String>,
    pub(super) runtime: bool,
    pub(super) attributes: AttributesRead,
}

impl Reads {
    /// Adds what another has.
    pub(super) fn merge(&mut self, other: &Self) {
        self.variables.extend_from_slice(&other.variables);
        self.variables.sort_unstable();
        self.variables.dedup();
        self.constants.extend(other.constants.iter().cloned());
        self.runtime |= other.runtime;
        self.attributes.merge(&other.attributes);
    }
}

/// Compiles the expressions of one policy.
pub(super) struct Compiler<'c, 'p> {
    pub(super) policy: &'p Policy,
    pub(super) names: &'c UsedNames<'c, 'p>,
    pub(super) expressions: &'c mut Expressions,
    pub(super) diagnostics: &'c mut Diagnostics,
    pub(super) reads: Reads,
}

impl Compiler<'_, '_> {
    fn expression(&mut self, text: &Text) -> Option<Expression> {
        let expr = self.expressions.check(self.policy, text, self.diagnostics)?;
        let references = expr.references();
        let defined = self.names.scope.check_references(self.policy, text, references, self.diagnostics);
        self.read(references);
        defined.then(|| self.expressions.program(&expr, &text.value, self.names))
    }

    fn read(&mut self, references: &References) {
        self.reads.runtime |= references.runtime;
        self.reads.attributes.add(references);
        self.reads.constants.extend(references.constants.iter().map(|(name, _)| name.clone()));
        for (name, _) in &references.variables {
            let through = self.names.scope.variable_reads(name);
            through.into_iter().for_each(|through| self.reads.merge(through));
        }
    }

    /// Compiles a condition tree; none where an expression of it is wrong, which has then been reported.
    pub(super) fn condition(&mut self, tree: &Tree) -> Option<Condition> {
        match &tree.kind {
            ConditionKind::Expr(text) => {
                let expression = self.expression(text)?;
                let begins = self.expressions.can_begin(self.policy, text, self.diagnostics);
                begins.then_some(Condition::Expr(expression))
            }
            ConditionKind::All(trees) => self.conditions(trees).map(Condition::All),
            ConditionKind::Any(trees) => self.conditions(trees).map(Condition::Any),
            ConditionKind::None(trees) => self.conditions(trees).map(Condition::None),
        }
    }

    fn conditions(&mut self, trees: &[Tree]) -> Option<Box<[Condition]>> {
        // All are compiled before any failure counts, so that every mistake is reported.
        let conditions: Vec<_> = trees.iter().map(|tree| self.condition(tree)).collect();
        conditions.into_iter().collect()
    }

    /// Compiles what a rule reports.
    pub(super) fn output(&mut self, reports: &Reports) -> Output {
        if reports.rule_activated.is_none() && reports.condition_not_met.is_none() {
            let message = "an output needs at least one expression";
            self.diagnostics.push(
                Diagnostic::error(Code::EmptyOutput, &self.policy.source, reports.span, message)
                    .with_hint("add `when.ruleActivated` or `when.conditionNotMet`, or remove `output`"),
            );
        }
        if let Some(superseded) = &reports.superseded {
            self.expression(superseded);
        }
        Output {
            rule_activated: reports.rule_activated.as_ref().and_then(|text| self.expression(text)),
            condition_not_met: reports.condition_not_met.as_ref().and_then(|text| self.expression(text)),
        }
    }
}

fn report(policy: &Policy, text: &Text, issue: &Issue) -> Diagnostic {
    let diagnostic =
        Diagnostic::error(issue.code, &policy.source, text.locate(issue.span), issue.message.clone());
    match &issue.hint {
        Some(hint) => diagnostic.with_hint(hint.clone()),
        None => diagnostic,
    }
}
