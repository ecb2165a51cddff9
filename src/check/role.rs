//! What role policies take away from a role: all that they do not allow.

use std::cell::Cell;

use bumpalo::collections::Vec;

use super::decision::{OutputEntry, RuleOutcome, TraceEntry};
use super::evaluate::{Evaluator, Memo};
use super::resource::{ResourceStep, RoleSet};
use super::{Unanswerable, Verdict, emit, unanswerable};
use crate::cel::RuntimeRoles;
use crate::policy::Effect;
use crate::table::RoleRule;

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
    for symbol in roles.symbols() {
        let Some((policy, memos)) = step.role_policies.iter().find(|(policy, _)| policy.role == symbol)
        else {
            continue;
        };
        let trace = |rule: Option<(usize, &'a RoleRule)>, outcome| {
            evaluator.trace(|| TraceEntry {
                action,
                policy: &policy.key,
                scope: step.scope.name,
                rule: rule.map_or("", |(_, rule)| &rule.name),
                number: rule.map_or(0, |(number, _)| number),
                role: roles.name,
                outcome,
                derived_role: None,
                condition: rule.and_then(|(_, rule)| rule.denial.as_ref()).map(|denial| {
                    evaluator.explain(denial, &evaluator.scope(policy.module, &policy.uses, runtime))
                }),
            });
        };
        let about_action = |rule: &RoleRule| {
            rule.resource.matches(step.kind)
                && rule.allow_actions.iter().any(|allowed| allowed.matches(action))
        };
        let mut candidates =
            (1..).zip(policy.rules.iter().zip(*memos)).filter(|(_, (rule, _))| about_action(rule));
        let denies = |number, rule: &'a RoleRule, memo: &Cell<Memo>| {
            let Some(denial) = &rule.denial else { return Ok(false) };
            if memo.get() == Memo::Unknown {
                let activation = evaluator.scope(policy.module, &policy.uses, runtime);
                let satisfied = evaluator.satisfies(Some(denial), &activation);
                let satisfied = satisfied.inspect_err(|_| trace(Some((number, rule)), RuleOutcome::Errored));
                memo.set(satisfied.map_err(unanswerable(&policy.key))?.into());
            }
            Ok(memo.get() == Memo::Satisfied)
        };
        let mut named = false;
        while let Some((number, (rule, memo))) = candidates.next() {
            named = true;
            let denied = denies(number, rule, memo)?;
            if let Some(output) = &rule.output {
                let activation = evaluator.scope(policy.module, &policy.uses, runtime);
                emit(outputs, output, !denied, (&policy.key, &rule.name, action), &activation);
            }
            let effect = if denied { Effect::Deny } else { Effect::Allow };
            trace(Some((number, rule)), RuleOutcome::Activated(effect));
            if denied {
                if evaluator.is_strict() {
                    // An error denies the action, and a denial only the role. In the PDP that comes first which happens to
                    // stand first in its table, another one after each start; here the error does, which denies more.
                    for (number, (rule, memo)) in candidates {
                        denies(number, rule, memo)?;
                    }
                }
                return Ok(Verdict::Deny(Some(&policy.key)));
            }
        }
        if !named {
            trace(None, RuleOutcome::Activated(Effect::Deny));
            return Ok(Verdict::Deny(Some(&policy.key)));
        }
    }
    Ok(Verdict::Nothing)
}
