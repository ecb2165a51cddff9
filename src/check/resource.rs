//! Rules that resource policies have for one kind, and the derived roles that they bring.

use std::cell::Cell;

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::decision::{MatchedPolicy, OutputEntry, RoleTrace, RuleOutcome, TraceEntry};
use super::evaluate::{Evaluator, Memo, Raised, forget, memos};
use super::explain::ConditionNode;
use super::scopes::{ScopeStep, climb};
use super::{Detail, Unanswerable, Verdict, emit, unanswerable};
use crate::cel::{Activation, EvalError, RuntimeRoles};
use crate::policy::{Effect, Kind};
use crate::table::{
    AttributeSchemas, Candidate, DerivedRole, ResourcePolicy, ResourceRule, RoleMatcher, RolePolicy, Row,
    RuleTable, Symbol, Symbols,
};

/// A role of the principal with all that it inherits from.
pub(super) struct RoleSet<'a> {
    symbols: &'a Symbols,
    pub(super) name: &'a str,
    own: Option<Symbol>,
    parents: &'a [Symbol],
}

impl<'a> RoleSet<'a> {
    pub(super) fn symbols(&self) -> impl Iterator<Item = Symbol> + Clone + use<'a> {
        self.own.into_iter().chain(self.parents.iter().copied())
    }

    fn matches(&self, role: &RoleMatcher) -> bool {
        match role {
            RoleMatcher::Any => true,
            RoleMatcher::Named(symbol) => self.own == Some(*symbol) || self.parents.contains(symbol),
            RoleMatcher::Glob(glob) => {
                glob.matches(self.name)
                    || self.parents.iter().any(|parent| glob.matches(self.symbols.name(*parent)))
            }
        }
    }
}

/// The resource's policies from the requested scope to the root.
pub(super) struct ResourceChain<'a> {
    pub(super) steps: &'a [ResourceStep<'a>],
    pub(super) roles: &'a [RoleSet<'a>],
    /// Whether any policy of the version is about the kind in these scopes.
    pub(super) exists: bool,
    kind: &'a str,
    version: &'a str,
    derive_always: bool,
}

pub(super) struct ResourceStep<'a> {
    pub(super) scope: ScopeStep<'a>,
    pub(super) kind: &'a str,
    pub(super) role_policies: &'a [(&'a RolePolicy, &'a [Cell<Memo>])],
    policy: Option<Memoised<'a>>,
    derived: Cell<Option<Derived<'a>>>,
}

/// The derived roles of a scope.
#[derive(Clone, Copy)]
struct Derived<'a> {
    /// As expressions see them: an error where not all could be found out.
    runtime: RuntimeRoles<'a>,
    held: &'a [&'a str],
}

/// A resource policy with what the request knows of its conditions.
struct Memoised<'a> {
    policy: &'a ResourcePolicy,
    rows: &'a [Cell<Memo>],
    derived_roles: &'a [Cell<Memo>],
    /// What its rules are evaluated in, once one is.
    activation: Cell<Option<&'a Activation<'a>>>,
}

/// Whether a row of a rule applies.
enum Applies {
    /// Role and condition fit.
    Yes,
    /// The role fits, the condition does not.
    No,
    /// The derived role is not held: the row has nothing to say.
    Silent,
}

impl<'a> ResourceChain<'a> {
    #[allow(clippy::too_many_arguments, reason = "called once; each is a separate fact of the request")]
    pub(super) fn new(
        table: &'a RuleTable,
        evaluator: &Evaluator<'a>,
        roles: &'a [&'a str],
        kind: &'a str,
        version: &'a str,
        scope: &'a str,
        lenient: bool,
        detail: Detail,
    ) -> Self {
        let arena = evaluator.arena();
        let scopes = climb(table, arena, scope, lenient, |scope| scope.resources);
        let version_symbol = table.symbols.get(version);
        let kind_symbol = table.symbols.get(kind);
        let mut steps = Vec::with_capacity_in(scopes.len(), arena);
        steps.extend(scopes.iter().map(|step| {
            ResourceStep {
                scope: *step,
                kind,
                role_policies: role_policies(table, arena, version_symbol, step.symbol),
                policy: version_symbol
                    .zip(kind_symbol)
                    .and_then(|(version, kind)| table.resources.get(&(version, kind, step.symbol)))
                    .map(|policy| Memoised::new(policy, arena)),
                derived: Cell::new(None),
            }
        }));
        let steps = steps.into_bump_slice();
        let scope_symbol = if table.parent_roles.is_empty() { None } else { table.symbols.get(scope) };
        let mut role_sets = Vec::with_capacity_in(roles.len(), arena);
        role_sets.extend(roles.iter().map(|name| {
            let own = table.symbols.get(name);
            let parents = scope_symbol.zip(own).and_then(|of_scope| table.parent_roles.get(&of_scope));
            RoleSet { symbols: &table.symbols, name, own, parents: parents.map_or(&[], |parents| parents) }
        }));
        Self {
            exists: steps.iter().any(ResourceStep::is_about_kind),
            steps,
            roles: role_sets.into_bump_slice(),
            kind,
            version,
            derive_always: detail.metadata || detail.evaluation_errors,
        }
    }

    /// Forgets what is known of conditions.
    pub(super) fn forget(&self) {
        self.steps.iter().for_each(ResourceStep::forget);
    }

    /// The schemas of the innermost scope. As in the PDP there are none where that scope has only policies of
    /// other kinds, whatever its parents say.
    pub(super) fn schemas(&self) -> Option<&'a AttributeSchemas> {
        self.steps.first()?.policy.as_ref()?.policy.schemas.as_deref()
    }

    pub(super) fn matched(&self) -> MatchedPolicy<'a> {
        match self.steps.first().filter(|_| self.exists) {
            Some(step) => MatchedPolicy::Main {
                kind: Kind::Resource,
                name: self.kind,
                version: self.version,
                scope: step.scope.name,
            },
            None => MatchedPolicy::NoMatch,
        }
    }

    /// The derived roles of a scope, as `runtime.effectiveDerivedRoles` shows them to its rules. Left out where
    /// neither a rule nor the answer shows them.
    pub(super) fn derive_roles(
        &self,
        step: &ResourceStep<'a>,
        evaluator: &Evaluator<'a>,
    ) -> RuntimeRoles<'a> {
        let shows = |memoised: &&Memoised<'a>| self.derive_always || memoised.policy.reads_runtime;
        let Some(memoised) = step.policy.as_ref().filter(shows) else { return Ok(&[]) };
        if let Some(derived) = step.derived.get() {
            return derived.runtime;
        }
        let arena = evaluator.arena();
        let mut held = Vec::new_in(arena);
        let mut raised = std::vec::Vec::new();
        for (index, role) in memoised.policy.derived_roles.iter().enumerate() {
            if !self.has_parent_role_of(role) {
                continue;
            }
            let holds = if role.uses.is_empty() {
                memoised.holds_derived_role(index, evaluator)
            } else {
                let activation = evaluator.scope_of_derived_role(role.module, &role.uses);
                evaluator.satisfies(role.condition.as_deref(), &activation)
            };
            match holds {
                Ok(true) => held.push(&*role.name),
                Ok(false) => {}
                Err(Raised) => raised.push(&*role.name),
            }
        }
        let held: &'a [&'a str] = held.into_bump_slice();
        let runtime = if raised.is_empty() {
            Ok(held)
        } else {
            let names = raised.join(", ");
            Err(EvalError::message(
                arena,
                format_args!("failed to compute effective derived roles [{names}]"),
            ))
        };
        step.derived.set(Some(Derived { runtime, held }));
        runtime
    }

    fn has_parent_role_of(&self, role: &DerivedRole) -> bool {
        let fits = |set: &RoleSet<'_>| set.symbols().any(|symbol| role.parent_roles.contains(&symbol));
        role.any_parent || self.roles.iter().any(fits)
    }

    /// All derived roles of the scopes that were visited, sorted.
    pub(super) fn effective_derived_roles(&self, arena: &'a Bump) -> &'a [&'a str] {
        let mut of_steps =
            self.steps.iter().filter_map(|step| step.derived.get()).map(|derived| derived.held);
        match (of_steps.next(), of_steps.next()) {
            (None, _) => &[],
            (Some(only), None) => only,
            (Some(first), Some(second)) => {
                let mut all = Vec::new_in(arena);
                all.extend(first.iter().chain(second).chain(of_steps.flatten()));
                all.sort_unstable();
                all.dedup();
                all.into_bump_slice()
            }
        }
    }

    pub(super) fn rules_say(
        &self,
        step: &ResourceStep<'a>,
        roles: &RoleSet<'a>,
        action: &'a str,
        runtime: RuntimeRoles<'a>,
        evaluator: &Evaluator<'a>,
        outputs: &mut Vec<'a, OutputEntry<'a>>,
    ) -> Result<Verdict<'a>, Unanswerable<'a>> {
        let Some(memoised) = &step.policy else { return Ok(Verdict::Nothing) };
        let policy = memoised.policy;
        let mut verdict = Verdict::Nothing;
        for candidate in memoised.candidates(action) {
            let Some(rule) = policy.rules.get(candidate.rule as usize) else { continue };
            // Once allowed, only a DENY or an output can add anything.
            if allowed_quietly(&verdict, rule, evaluator) {
                continue;
            }
            // Each way in which the action fits puts out again; without an output, once is enough to know.
            let rounds = if rule.output.is_some() { candidate.times } else { 1 };
            let rows = || rule.rows.iter().filter(|row| roles.matches(&row.role));
            for (round, row) in (0..rounds).flat_map(|round| rows().map(move |row| (round, row))) {
                if evaluator.records_errors() {
                    // The PDP evaluates a policy's variables for every row that fits, whatever the row then reads.
                    memoised.activation(runtime, evaluator);
                }
                let applies = memoised.applies(rule, row, runtime, evaluator);
                if round == 0 {
                    evaluator.trace(|| {
                        let (derived_role, condition) = memoised.explain(rule, row, runtime, evaluator);
                        TraceEntry {
                            action,
                            policy: &policy.key,
                            scope: step.scope.name,
                            rule: &rule.name,
                            number: candidate.rule as usize + 1,
                            role: roles.name,
                            outcome: outcome(rule, &applies),
                            derived_role,
                            condition,
                        }
                    });
                }
                let satisfied = match applies.map_err(unanswerable(&policy.key))? {
                    Applies::Silent => continue,
                    Applies::Yes => true,
                    Applies::No => false,
                };
                if let Some(output) = &rule.output {
                    let activation = memoised.activation(runtime, evaluator);
                    emit(outputs, output, satisfied, (&policy.key, &rule.name, action), activation);
                }
                if satisfied && rule.effect == Effect::Deny {
                    return Ok(Verdict::Deny(None));
                }
                if satisfied {
                    verdict = Verdict::Allow;
                }
            }
        }
        Ok(verdict)
    }
}

fn outcome(rule: &ResourceRule, applies: &Result<Applies, Raised>) -> RuleOutcome {
    match applies {
        Ok(Applies::Yes) => RuleOutcome::Activated(rule.effect),
        Ok(Applies::No) => RuleOutcome::ConditionNotMet,
        Ok(Applies::Silent) => RuleOutcome::DerivedRoleNotHeld,
        Err(Raised) => RuleOutcome::Errored,
    }
}

/// Whether a rule has nothing to add: something else allows already, and nobody would notice this rule.
fn allowed_quietly(verdict: &Verdict<'_>, rule: &ResourceRule, evaluator: &Evaluator<'_>) -> bool {
    matches!(verdict, Verdict::Allow)
        && rule.effect == Effect::Allow
        && rule.output.is_none()
        && evaluator.ignores_errors()
}

impl<'a> ResourceStep<'a> {
    fn forget(&self) {
        self.derived.set(None);
        self.role_policies.iter().for_each(|(_, memos)| forget(memos));
        if let Some(memoised) = &self.policy {
            forget(memoised.rows);
            forget(memoised.derived_roles);
            memoised.activation.set(None);
        }
    }

    fn is_about_kind(&self) -> bool {
        let about_kind =
            |policy: &RolePolicy| policy.rules.iter().any(|rule| rule.resource.matches(self.kind));
        self.policy.is_some() || self.role_policies.iter().any(|(policy, _)| about_kind(policy))
    }

    /// Whether the scope has any rule for the role and the kind, whatever its action.
    pub(super) fn has_rules_for(&self, roles: &RoleSet<'_>) -> bool {
        let rows =
            self.policy.iter().flat_map(|memoised| memoised.policy.rules.iter().flat_map(|rule| &rule.rows));
        let is_about = |policy: &RolePolicy| {
            roles.symbols().any(|symbol| symbol == policy.role)
                && policy.rules.iter().any(|rule| rule.resource.matches(self.kind))
        };
        rows.into_iter().any(|row| roles.matches(&row.role))
            || self.role_policies.iter().any(|(policy, _)| is_about(policy))
    }
}

fn role_policies<'a>(
    table: &'a RuleTable,
    arena: &'a Bump,
    version: Option<Symbol>,
    scope: Symbol,
) -> &'a [(&'a RolePolicy, &'a [Cell<Memo>])] {
    if table.roles.is_empty() {
        return &[];
    }
    let Some(policies) = version.and_then(|version| table.roles.get(&(version, scope))) else { return &[] };
    let mut memoised = Vec::with_capacity_in(policies.len(), arena);
    memoised.extend(policies.iter().map(|policy| (policy, memos(arena, policy.rules.len()))));
    memoised.into_bump_slice()
}

impl<'a> Memoised<'a> {
    fn new(policy: &'a ResourcePolicy, arena: &'a Bump) -> Self {
        Self {
            policy,
            rows: memos(arena, policy.memos as usize),
            derived_roles: memos(arena, policy.derived_roles.len()),
            activation: Cell::new(None),
        }
    }

    /// What the rules are evaluated in; `runtime` is the same throughout a request.
    fn activation(&self, runtime: RuntimeRoles<'a>, evaluator: &Evaluator<'a>) -> &'a Activation<'a> {
        self.activation.get().unwrap_or_else(|| {
            let activation = evaluator.scope(self.policy.module, &self.policy.uses, runtime);
            let activation = evaluator.arena().alloc(activation);
            self.activation.set(Some(activation));
            activation
        })
    }

    /// The rules that name the action, in the order of the file.
    fn candidates(&self, action: &'a str) -> impl Iterator<Item = Candidate> + use<'a> {
        let policy = self.policy;
        let listed = policy.actions.get(action);
        let patterns = if listed.is_some() { &[][..] } else { &policy.patterns };
        let matching = patterns.iter().filter(move |(pattern, _)| pattern.matches(action));
        let by_pattern = matching.map(|(_, rule)| Candidate { rule: *rule, times: 1 });
        listed.into_iter().flatten().copied().chain(by_pattern)
    }

    fn applies(
        &self,
        rule: &'a ResourceRule,
        row: &Row,
        runtime: RuntimeRoles<'a>,
        evaluator: &Evaluator<'a>,
    ) -> Result<Applies, Raised> {
        let Some(memo) = self.rows.get(row.memo as usize) else { return Ok(Applies::Silent) };
        match memo.get() {
            Memo::Satisfied => return Ok(Applies::Yes),
            // The PDP keeps one memory for "derived role not held" and "condition not met", so that from its
            // second match on, a rule whose derived role is not held reports `conditionNotMet`.
            Memo::NotSatisfied => return Ok(Applies::No),
            Memo::Unknown => {}
        }
        if let Some(derived_role) = row.derived_role
            && !self.holds_derived_role(derived_role as usize, evaluator)?
        {
            memo.set(Memo::NotSatisfied);
            return Ok(Applies::Silent);
        }
        let satisfied = match &rule.condition {
            None if evaluator.ignores_errors() => true,
            condition => evaluator.satisfies(condition.as_ref(), self.activation(runtime, evaluator))?,
        };
        memo.set(satisfied.into());
        Ok(if satisfied { Applies::Yes } else { Applies::No })
    }

    /// How [`applies`](Self::applies) came to its answer.
    fn explain(
        &self,
        rule: &'a ResourceRule,
        row: &Row,
        runtime: RuntimeRoles<'a>,
        evaluator: &Evaluator<'a>,
    ) -> (Option<RoleTrace<'a>>, Option<ConditionNode<'a>>) {
        let role = row.derived_role.and_then(|index| self.policy.derived_roles.get(index as usize));
        let role = role.map(|role| RoleTrace {
            name: &role.name,
            policy: &role.origin,
            condition: role.condition.as_deref().map(|condition| {
                evaluator.explain(condition, &evaluator.scope(role.module, &role.uses, Ok(&[])))
            }),
        });
        if !evaluator.holds_by(role.and_then(|role| role.condition)) {
            return (role, None);
        }
        let activation = evaluator.scope(self.policy.module, &self.policy.uses, runtime);
        (role, rule.condition.as_ref().map(|condition| evaluator.explain(condition, &activation)))
    }

    fn holds_derived_role(&self, index: usize, evaluator: &Evaluator<'a>) -> Result<bool, Raised> {
        let (Some(role), Some(memo)) = (self.policy.derived_roles.get(index), self.derived_roles.get(index))
        else {
            return Ok(false);
        };
        if memo.get() == Memo::Unknown {
            let activation = evaluator.scope(role.module, &role.uses, Ok(&[]));
            memo.set(evaluator.satisfies(role.condition.as_deref(), &activation)?.into());
        }
        Ok(memo.get() == Memo::Satisfied)
    }
}
