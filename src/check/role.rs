//! What role policies take away from a role: all that they do not allow.

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
        let mut named = false;
        for (number, (rule, memo)) in (1..).zip(policy.rules.iter().zip(*memos)) {
            let about_kind = rule.resource.matches(step.kind);
            if !about_kind || !rule.allow_actions.iter().any(|allowed| allowed.matches(action)) {
                continue;
            }
            named = true;
            let activation = evaluator.scope(policy.module, &policy.uses, runtime);
            let denied = match &rule.denial {
                None => false,
                Some(denial) => {
                    if memo.get() == Memo::Unknown {
                        let satisfied = evaluator.satisfies(Some(denial), &activation);
                        let satisfied =
                            satisfied.inspect_err(|_| trace(Some((number, rule)), RuleOutcome::Errored));
                        memo.set(satisfied.map_err(unanswerable(&policy.key))?.into());
                    }
                    memo.get() == Memo::Satisfied
                }
            };
            if let Some(output) = &rule.output {
                emit(outputs, output, !denied, (&policy.key, &rule.name, action), &activation);
            }
            let effect = if denied { Effect::Deny } else { Effect::Allow };
            trace(Some((number, rule)), RuleOutcome::Activated(effect));
            if denied {
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
