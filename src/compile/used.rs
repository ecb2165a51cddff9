//! The names that `V` and `C` hold where they are used whole.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::expressions::Expressions;
use super::modules::ModuleScope;
use crate::cel::{Const, Expr, Names};
use crate::policy::{Condition, ConditionKind, Output};

/// The names of a policy as its expressions see them. As in the PDP, `V` and `C` hold only what some expression of
/// the policy (of derived roles: of the one definition) reads by its name, directly or through variables.
pub(super) struct UsedNames<'s, 'p> {
    pub(super) scope: &'s ModuleScope<'p>,
    variables: BTreeSet<u32>,
    constants: BTreeSet<String>,
}

/// What is written of a rule or a derived role, as far as it has expressions.
pub(super) type Written<'p> = (Option<&'p Condition>, Option<&'p Output>);

impl<'s, 'p> UsedNames<'s, 'p> {
    pub(super) fn of(
        scope: &'s ModuleScope<'p>,
        expressions: &mut Expressions,
        written: impl Iterator<Item = Written<'p>>,
    ) -> Self {
        let mut used = Self { scope, variables: BTreeSet::new(), constants: BTreeSet::new() };
        let mut read = |text: &str| {
            expressions.parse(text).iter().for_each(|expr: &Arc<Expr>| used.add(expr));
        };
        for (condition, output) in written {
            if let Some(condition) = condition {
                for_each_text(condition, &mut read);
            }
            let outputs = output.into_iter().flat_map(|it| [&it.rule_activated, &it.condition_not_met]);
            outputs.flatten().for_each(|text| read(&text.value));
        }
        used
    }

    fn add(&mut self, expr: &Expr) {
        let references = expr.evaluated_references();
        self.constants.extend(references.constants.iter().map(|(name, _)| name.clone()));
        for reads in references.variables.iter().filter_map(|(name, _)| self.scope.variable_reads(name)) {
            self.variables.extend(&reads.variables);
            self.constants.extend(reads.constants.iter().cloned());
        }
    }
}

fn for_each_text(condition: &Condition, read: &mut impl FnMut(&str)) {
    match &condition.kind {
        ConditionKind::Expr(text) => read(&text.value),
        ConditionKind::All(inner) | ConditionKind::Any(inner) | ConditionKind::None(inner) => {
            inner.iter().for_each(|condition| for_each_text(condition, read));
        }
    }
}

impl Names for UsedNames<'_, '_> {
    fn variable(&self, name: &str) -> Option<u32> {
        self.scope.variable(name)
    }

    fn constant(&self, name: &str) -> Option<&Const> {
        self.scope.constant(name)
    }

    fn variables(&self) -> Vec<(&str, u32)> {
        let mut all = self.scope.variables();
        all.retain(|(_, slot)| self.variables.contains(slot));
        all
    }

    fn constants(&self) -> Vec<(&str, &Const)> {
        let mut all = self.scope.constants();
        all.retain(|(name, _)| self.constants.contains(*name));
        all
    }
}
