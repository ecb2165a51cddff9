//! Rules that principal policies have for one principal and resource kind.

use std::cell::Cell;

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::decision::{MatchedPolicy, OutputEntry, RuleOutcome, TraceEntry};
use super::evaluate::{Evaluator, Memo, forget, memos};
use super::scopes::{ScopeStep, climb};
use super::{Unanswerable, Verdict, emit, unanswerable};
use crate::policy::{Effect, Kind};
use crate::table::{PrincipalPolicy, RuleTable};

/// The principal's policies from the requested scope to the root.
pub(super) struct PrincipalChain<'a> {
    pub(super) steps: &'a [PrincipalStep<'a>],
    /// Whether any principal, not just this one, has a policy of the version in these scopes.
    pub(super) exists: bool,
    kind: &'a str,
    id: &'a str,
    version: &'a str,
}

pub(super) struct PrincipalStep<'a> {
    pub(super) scope: ScopeStep<'a>,
    policy: Option<(&'a PrincipalPolicy, &'a [Cell<Memo>])>,
}

impl<'a> PrincipalChain<'a> {
    /// `versions` are the principal's and the resource's. As in the PDP, rules are looked up by the version of
    /// the resource, while the principal's version tells which policy the answer is attributed to.
    pub(super) fn new(
        table: &'a RuleTable,
        arena: &'a Bump,
        id: &'a str,
        kind: &'a str,
        versions: (&'a str, &'a str),
        scope: &'a str,
        lenient: bool,
    ) -> Self {
        if table.principals.is_empty() {
            return Self { steps: &[], exists: false, kind, id, version: versions.0 };
        }
        let rules_version = table.symbols.get(versions.1);
        let name = table.symbols.get(id);
        let scopes = climb(table, arena, scope, lenient, |scope| scope.principals);
        let mut steps = Vec::with_capacity_in(scopes.len(), arena);
        steps.extend(scopes.iter().map(|step| {
            let identity = rules_version.zip(name).map(|(version, name)| (version, name, step.symbol));
            let policy = identity.and_then(|identity| table.principals.get(&identity));
            PrincipalStep {
                scope: *step,
                policy: policy.map(|policy| (policy, memos(arena, policy.rules.len()))),
            }
        }));
        let exists = table.symbols.get(versions.0).is_some_and(|version| {
            scopes.iter().any(|step| table.principal_scopes.contains(&(version, step.symbol)))
        });
        Self { steps: steps.into_bump_slice(), exists, kind, id, version: versions.0 }
    }

    /// Forgets what is known of conditions.
    pub(super) fn forget(&self) {
        self.steps.iter().filter_map(|step| step.policy).for_each(|(_, memos)| forget(memos));
    }

    pub(super) fn matched(&self) -> MatchedPolicy<'a> {
        match self.steps.first().filter(|_| self.exists) {
            Some(step) => MatchedPolicy::Main {
                kind: Kind::Principal,
                name: self.id,
                version: self.version,
                scope: step.scope.name,
            },
            None => MatchedPolicy::NoMatch,
        }
    }

    pub(super) fn rules_say(
        &self,
        step: &PrincipalStep<'a>,
        action: &'a str,
        evaluator: &Evaluator<'a>,
        outputs: &mut Vec<'a, OutputEntry<'a>>,
    ) -> Result<Verdict<'a>, Unanswerable<'a>> {
        let Some((policy, memos)) = step.policy else { return Ok(Verdict::Nothing) };
        let mut verdict = Verdict::Nothing;
        for (number, (rule, memo)) in (1..).zip(policy.rules.iter().zip(memos)) {
            if !rule.resource.matches(self.kind) || !rule.action.matches(action) {
                continue;
            }
            let activation = evaluator.scope(policy.module, &policy.uses, Ok(&[]));
            let trace = |outcome| {
                evaluator.trace(|| TraceEntry {
                    action,
                    policy: &policy.key,
                    scope: step.scope.name,
                    rule: &rule.name,
                    number,
                    role: "",
                    outcome,
                    derived_role: None,
                    condition: rule.condition.as_ref().map(|it| evaluator.explain(it, &activation)),
                });
            };
            if memo.get() == Memo::Unknown {
                let satisfied = evaluator.satisfies(rule.condition.as_ref(), &activation);
                let satisfied = satisfied.inspect_err(|_| trace(RuleOutcome::Errored));
                memo.set(satisfied.map_err(unanswerable(&policy.key))?.into());
            }
            let satisfied = memo.get() == Memo::Satisfied;
            trace(if satisfied { RuleOutcome::Activated(rule.effect) } else { RuleOutcome::ConditionNotMet });
            if let Some(output) = &rule.output {
                emit(outputs, output, satisfied, (&policy.key, &rule.name, action), &activation);
            }
            match rule.effect {
                Effect::Deny if satisfied => return Ok(Verdict::Deny(None)),
                Effect::Allow if satisfied => verdict = Verdict::Allow,
                Effect::Allow | Effect::Deny => {}
            }
        }
        Ok(verdict)
    }
}
