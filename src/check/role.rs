//! What role policies take away from a role: all that they do not allow.

use std::cell::Cell;

use bumpalo::collections::Vec;

use super::decision::{OutputEntry, RuleOutcome, TraceEntry};
use super::evaluate::{Evaluator, Memo};
use super::resource::{ResourceStep, RoleSet};
use super::{Unanswerable, Verdict, emit, unanswerable};
use crate::cel::RuntimeRoles;
use crate::policy::Effect;
use crate::table::{RolePolicy, RoleRule};

/// Denies what a role policy of the scope withholds from the role. A role policy never allows by itself.
///
/// It is asked only where the scope has any rule at all for the role and the kind, as in the PDP.
pub(super) fn rules_say<'a>(
    step: &ResourceStep<'a>,
    roles: &'a RoleSet<'a>,
    action: &'a str,
    runtime: RuntimeRoles<'a>,
    evaluator: &Evaluator<'a>,
    outputs: &mut Vec<'a, OutputEntry<'a>>,
) -> Result<Verdict<'a>, Unanswerable<'a>> {
    if step.role_policies.is_empty() || !step.has_rules_for(roles) {
        return Ok(Verdict::Nothing);
    }
    let policies = roles
        .symbols()
        .filter_map(|symbol| step.role_policies.iter().find(|(policy, _)| policy.role == symbol));
    let asked = Asked { step, roles, action, runtime, evaluator };
    for (policy, memos) in policies.clone() {
        if asked.denies(policy, memos, outputs)? {
            if evaluator.is_strict() {
                // An error denies the action, and a denial only the role. In the PDP that comes first which happens to stand
                // first in its table, another one after each start; here the error does, which denies more.
                for (policy, memos) in policies {
                    for (number, rule, memo) in asked.candidates(policy, memos) {
                        asked.is_denied_by(policy, number, rule, memo)?;
                    }
                }
            }
            return Ok(Verdict::Deny(Some(&policy.key)));
        }
    }
    Ok(Verdict::Nothing)
}

/// What role policies are asked about.
struct Asked<'s, 'a> {
    step: &'s ResourceStep<'a>,
    roles: &'a RoleSet<'a>,
    action: &'a str,
    runtime: RuntimeRoles<'a>,
    evaluator: &'s Evaluator<'a>,
}

impl<'a> Asked<'_, 'a> {
    /// Whether a policy denies: by the condition of a rule about the action, or because it has no such rule.
    fn denies(
        &self,
        policy: &'a RolePolicy,
        memos: &'a [Cell<Memo>],
        outputs: &mut Vec<'a, OutputEntry<'a>>,
    ) -> Result<bool, Unanswerable<'a>> {
        let mut named = false;
        for (number, rule, memo) in self.candidates(policy, memos) {
            named = true;
            let denied = self.is_denied_by(policy, number, rule, memo)?;
            if let Some(output) = &rule.output {
                let activation = self.evaluator.scope(policy.module, &policy.uses, self.runtime);
                emit(outputs, output, !denied, (&policy.key, &rule.name, self.action), &activation);
            }
            let effect = if denied { Effect::Deny } else { Effect::Allow };
            self.trace(policy, Some((number, rule)), RuleOutcome::Activated(effect));
            if denied {
                return Ok(true);
            }
        }
        if !named {
            self.trace(policy, None, RuleOutcome::Activated(Effect::Deny));
        }
        Ok(!named)
    }

    /// The rules about the action, with their numbers from 1 on and what the request remembers of them.
    fn candidates(
        &self,
        policy: &'a RolePolicy,
        memos: &'a [Cell<Memo>],
    ) -> impl Iterator<Item = (usize, &'a RoleRule, &'a Cell<Memo>)> {
        let about_action = |rule: &RoleRule| {
            rule.resource.matches(self.step.kind)
                && rule.allow_actions.iter().any(|allowed| allowed.matches(self.action))
        };
        (1..)
            .zip(policy.rules.iter().zip(memos))
            .filter(move |(_, (rule, _))| about_action(rule))
            .map(|(number, (rule, memo))| (number, rule, memo))
    }

    fn is_denied_by(
        &self,
        policy: &'a RolePolicy,
        number: usize,
        rule: &'a RoleRule,
        memo: &Cell<Memo>,
    ) -> Result<bool, Unanswerable<'a>> {
        let Some(denial) = &rule.denial else { return Ok(false) };
        if memo.get() == Memo::Unknown {
            let activation = self.evaluator.scope(policy.module, &policy.uses, self.runtime);
            let satisfied = self.evaluator.satisfies(Some(denial), &activation).inspect_err(|_| {
                self.trace(policy, Some((number, rule)), RuleOutcome::Errored);
            });
            memo.set(satisfied.map_err(unanswerable(&policy.key))?.into());
        }
        Ok(memo.get() == Memo::Satisfied)
    }

    fn trace(&self, policy: &'a RolePolicy, rule: Option<(usize, &'a RoleRule)>, outcome: RuleOutcome) {
        self.evaluator.trace(|| TraceEntry {
            action: self.action,
            policy: &policy.key,
            scope: self.step.scope.name,
            rule: rule.map_or("", |(_, rule)| &rule.name),
            number: rule.map_or(0, |(number, _)| number),
            role: self.roles.name,
            outcome,
            derived_role: None,
            condition: rule.and_then(|(_, rule)| rule.denial.as_ref()).map(|denial| {
                let activation = self.evaluator.scope(policy.module, &policy.uses, self.runtime);
                self.evaluator.explain(denial, &activation)
            }),
        });
    }
}
