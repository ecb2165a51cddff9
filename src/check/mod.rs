//! `RuleTable × request → Decision`.
//!
//! For each action: the principal's own policies first, then the policies of the resource. Within those, role by
//! role, from the innermost scope to the root. In a scope, a satisfied DENY ends the role with a denial; a
//! satisfied ALLOW ends it with an allowance where the scope overrides its parents, and lets the parents decide
//! where it needs their consent. The first role that is allowed allows the action. What nothing allows is denied.

mod decision;
mod evaluate;
mod explain;
mod principal;
mod resource;
mod role;
mod schemas;
mod scopes;

use std::borrow::Cow;
use std::cell::Cell;

use bumpalo::Bump;
use bumpalo::collections::Vec;

pub use decision::{
    ActionDecision, AttributeSource, Decision, EvaluationError, MatchedPolicy, OutputEntry, RoleTrace,
    RuleOutcome, TraceEntry, ValidationError,
};
pub use explain::{ConditionNode, NodeKind, NodeOutcome};

use crate::cel::{Activation, AuxData, Map, Principal, Resource, Timestamp, Variables};
use crate::policy::{Effect, ScopePermissions, sanitize};
use crate::schema::Enforcement;
use crate::table::{Output, RuleTable};
use crate::text::same;
use evaluate::{Evaluator, Raised};
use principal::PrincipalChain;
use resource::ResourceChain;

/// How the engine reads requests, as the PDP's configuration names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Policy version of requests that name none.
    pub default_policy_version: String,
    /// Scope of requests that name none.
    pub default_scope: String,
    /// Whether a request for a scope without policies falls back to the nearest parent that has some.
    pub lenient_scope_search: bool,
    /// Whether an expression that raises an error denies the action, instead of counting as not satisfied.
    pub strict_evaluation: bool,
    /// What becomes of requests whose attributes a schema refuses.
    pub schema_enforcement: Enforcement,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            default_policy_version: "default".to_owned(),
            default_scope: String::new(),
            lenient_scope_search: false,
            strict_evaluation: false,
            schema_enforcement: Enforcement::None,
        }
    }
}

/// What to find out besides effects and outputs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Detail {
    /// Effective derived roles.
    pub metadata: bool,
    /// Expressions that raised errors.
    pub evaluation_errors: bool,
    /// Which rules were looked at, what each said, and why.
    pub trace: bool,
}

/// Who asks, with all that expressions can see beside the resource.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Who asks.
    pub principal: &'a Principal<'a>,
    /// Claims that came with the request.
    pub aux_data: Option<&'a AuxData<'a>>,
    /// Values that every expression can read as `globals`.
    pub globals: Map<'a>,
    /// The instant that `now()` gives.
    pub now: Timestamp,
    /// Set when an expression asks for that instant.
    pub now_was_read: Option<&'a Cell<bool>>,
}

/// Decides one resource after the other. All that is made on the way lives in the arena.
pub struct Checker<'a> {
    table: &'a RuleTable,
    options: &'a Options,
    detail: Detail,
    context: Context<'a>,
    arena: &'a Bump,
    /// The check of the last resource: one of the same kind, version and scope goes the same way.
    last: Option<Check<'a>>,
}

impl<'a> Checker<'a> {
    /// Of one request.
    #[must_use]
    pub fn new(
        table: &'a RuleTable,
        options: &'a Options,
        detail: Detail,
        context: Context<'a>,
        arena: &'a Bump,
    ) -> Self {
        Self { table, options, detail, context, arena, last: None }
    }

    /// Decides every action on a resource; no action may stand twice.
    pub fn check(&mut self, resource: &'a Resource<'a>, actions: &'a [&'a str]) -> Decision<'a> {
        let check = match &mut self.last {
            Some(check) if check.is_for(resource) => {
                check.turn_to(resource, self.detail);
                check
            }
            last => last.insert(Check::new(
                self.table,
                self.options,
                self.detail,
                &self.context,
                resource,
                self.arena,
            )),
        };
        let validation_errors = match check.resource.schemas() {
            Some(schemas) => {
                let attributes = (self.context.principal.attr, resource.attr);
                schemas::validate(&self.table.schemas, schemas, attributes, actions, self.arena)
            }
            None => &[],
        };
        if !validation_errors.is_empty() && self.options.schema_enforcement == Enforcement::Reject {
            return check.reject(actions, validation_errors);
        }
        Decision { validation_errors, ..check.run(actions) }
    }
}

/// The answer of one kind of policy for one role.
#[derive(Clone, Copy)]
struct Outcome<'a> {
    effect: Option<Effect>,
    policy: MatchedPolicy<'a>,
    scope: &'a str,
}

/// What the rules of one scope say.
#[derive(Clone, Copy)]
enum Verdict<'a> {
    /// A DENY is satisfied; with the policy to name, where it is not the main one.
    Deny(Option<&'a str>),
    Allow,
    Nothing,
}

/// Rules of a scope could not be evaluated, in strict mode; with the policy that holds them.
struct Unanswerable<'a>(&'a str);

struct Check<'a> {
    of: &'a Resource<'a>,
    evaluator: Evaluator<'a>,
    principal: PrincipalChain<'a>,
    resource: ResourceChain<'a>,
    outputs: Vec<'a, OutputEntry<'a>>,
}

impl<'a> Check<'a> {
    fn new(
        table: &'a RuleTable,
        options: &'a Options,
        detail: Detail,
        context: &Context<'a>,
        resource: &'a Resource<'a>,
        arena: &'a Bump,
    ) -> Self {
        let principal = context.principal;
        let activation = Activation {
            arena,
            principal,
            resource,
            aux_data: context.aux_data,
            globals: context.globals,
            now: context.now,
            now_was_read: context.now_was_read,
            effective_derived_roles: Ok(&[]),
            variables: Variables::new_in(arena, &[]),
        };
        let evaluator = Evaluator::new(table, activation, options.strict_evaluation, detail);
        let kind = match sanitize(resource.kind) {
            Cow::Borrowed(kind) => kind,
            Cow::Owned(kind) => arena.alloc_str(&kind),
        };
        let version_of = |version: &'a str| {
            if version.is_empty() { options.default_policy_version.as_str() } else { version }
        };
        let scope_of = |scope: &'a str| {
            let scope = if scope.is_empty() { options.default_scope.as_str() } else { scope };
            scope.strip_prefix('.').unwrap_or(scope)
        };
        let versions = (version_of(principal.policy_version), version_of(resource.policy_version));
        let principal_scope = scope_of(principal.scope);
        let resource_scope = scope_of(resource.scope);
        let lenient = options.lenient_scope_search;
        Self {
            of: resource,
            principal: PrincipalChain::new(
                table,
                arena,
                principal.id,
                kind,
                versions,
                principal_scope,
                lenient,
            ),
            resource: ResourceChain::new(
                table,
                &evaluator,
                principal.roles,
                kind,
                versions.1,
                resource_scope,
                lenient,
                detail,
            ),
            outputs: Vec::new_in(arena),
            evaluator,
        }
    }

    /// Whether a resource is looked up by the same names as the last one.
    fn is_for(&self, resource: &Resource<'_>) -> bool {
        same(self.of.kind, resource.kind)
            && same(self.of.policy_version, resource.policy_version)
            && same(self.of.scope, resource.scope)
    }

    /// Forgets what hangs on the last resource.
    fn turn_to(&mut self, resource: &'a Resource<'a>, detail: Detail) {
        self.of = resource;
        self.evaluator.turn_to(resource, detail);
        self.principal.forget();
        self.resource.forget();
    }

    /// Denies everything, without asking any rule.
    fn reject(&self, actions: &'a [&'a str], validation_errors: &'a [ValidationError<'a>]) -> Decision<'a> {
        let denied = Outcome::deny(self.resource.matched(), "");
        let mut decided = Vec::with_capacity_in(actions.len(), self.evaluator.arena());
        decided.extend(actions.iter().map(|_| ActionDecision::from(denied)));
        Decision { actions: decided.into_bump_slice(), validation_errors, ..Decision::default() }
    }

    fn run(&mut self, actions: &'a [&'a str]) -> Decision<'a> {
        let arena = self.evaluator.arena();
        let mut decided = Vec::with_capacity_in(actions.len(), arena);
        for action in actions {
            let answerable = self.principal.exists || self.resource.exists;
            decided.push(if answerable {
                self.decide(action)
            } else {
                Outcome::nothing(MatchedPolicy::NoMatch).into()
            });
        }
        Decision {
            actions: decided.into_bump_slice(),
            effective_derived_roles: self.resource.effective_derived_roles(arena),
            outputs: std::mem::replace(&mut self.outputs, Vec::new_in(arena)).into_bump_slice(),
            trace: self.evaluator.take_trace(),
            validation_errors: &[],
            evaluation_errors: self.evaluator.take_errors(),
        }
    }

    fn decide(&mut self, action: &'a str) -> ActionDecision<'a> {
        match self.by_principal(action) {
            Ok(Some(outcome)) => outcome.into(),
            Ok(None) => self.by_resource(action).unwrap_or_else(|denied| denied).into(),
            Err(denied) => denied.into(),
        }
    }

    /// The answer of the principal's own policies, if they have one.
    fn by_principal(&mut self, action: &'a str) -> Result<Option<Outcome<'a>>, Outcome<'a>> {
        let mut outcome = Outcome::nothing(self.principal.matched());
        let mut has_allow = false;
        for step in self.principal.steps {
            let verdict = self
                .principal
                .rules_say(step, action, &self.evaluator, &mut self.outputs)
                .map_err(|Unanswerable(policy)| Outcome::deny(MatchedPolicy::Key(policy), step.scope.name))?;
            if outcome.settle(verdict, &mut has_allow, step.scope.name, step.scope.scope.permissions) {
                break;
            }
        }
        Ok(outcome.effect.is_some().then_some(outcome))
    }

    /// The answer of the resource's policies: that of the first role that is allowed, else of the first denied.
    fn by_resource(&mut self, action: &'a str) -> Result<Outcome<'a>, Outcome<'a>> {
        let mut best = Outcome::nothing(MatchedPolicy::NoMatch);
        for role in self.resource.roles {
            let outcome = self.by_role(role, action)?;
            if best.effect.is_none() || outcome.effect == Some(Effect::Allow) {
                best = outcome;
            }
            if best.effect == Some(Effect::Allow) {
                break;
            }
        }
        Ok(best)
    }

    fn by_role(
        &mut self,
        role: &'a resource::RoleSet<'a>,
        action: &'a str,
    ) -> Result<Outcome<'a>, Outcome<'a>> {
        let mut outcome = Outcome::nothing(self.resource.matched());
        let mut has_allow = false;
        for step in self.resource.steps {
            let unanswerable =
                |Unanswerable(policy)| Outcome::deny(MatchedPolicy::Key(policy), step.scope.name);
            let roles = self.resource.derive_roles(step, &self.evaluator);
            let denied = role::rules_say(step, role, action, roles, &self.evaluator, &mut self.outputs)
                .map_err(unanswerable)?;
            let verdict = match denied {
                Verdict::Deny(_) => denied,
                Verdict::Allow | Verdict::Nothing => self
                    .resource
                    .rules_say(step, role, action, roles, &self.evaluator, &mut self.outputs)
                    .map_err(unanswerable)?,
            };
            if outcome.settle(verdict, &mut has_allow, step.scope.name, step.scope.scope.permissions) {
                break;
            }
        }
        Ok(outcome)
    }
}

impl<'a> Outcome<'a> {
    fn nothing(policy: MatchedPolicy<'a>) -> Self {
        Self { effect: None, policy, scope: "" }
    }

    fn deny(policy: MatchedPolicy<'a>, scope: &'a str) -> Self {
        Self { effect: Some(Effect::Deny), policy, scope }
    }

    /// Takes in what the rules of a scope say; true when no parent scope is to be asked.
    fn settle(
        &mut self,
        verdict: Verdict<'a>,
        has_allow: &mut bool,
        scope: &'a str,
        permissions: Option<ScopePermissions>,
    ) -> bool {
        match verdict {
            Verdict::Deny(policy) => {
                *self = Self::deny(policy.map_or(self.policy, MatchedPolicy::Key), scope);
                return true;
            }
            Verdict::Allow => *has_allow = true,
            Verdict::Nothing => {}
        }
        match permissions {
            Some(ScopePermissions::OverrideParent) if *has_allow => {
                self.effect = Some(Effect::Allow);
                self.scope = scope;
                true
            }
            Some(ScopePermissions::RequireParentalConsentForAllows) => {
                *has_allow = false;
                false
            }
            _ => false,
        }
    }
}

impl<'a> From<Outcome<'a>> for ActionDecision<'a> {
    fn from(outcome: Outcome<'a>) -> Self {
        Self { effect: outcome.effect.unwrap_or(Effect::Deny), policy: outcome.policy, scope: outcome.scope }
    }
}

/// Evaluates what a rule reports.
fn emit<'a>(
    outputs: &mut Vec<'a, OutputEntry<'a>>,
    output: &'a Output,
    activated: bool,
    (policy, rule, action): (&'a str, &'a str, &'a str),
    activation: &Activation<'a>,
) {
    let expression = if activated { &output.rule_activated } else { &output.condition_not_met };
    if let Some(expression) = expression {
        outputs.push(OutputEntry { policy, rule, action, value: expression.program.eval(activation) });
    }
}

/// In strict mode, a rule that cannot be evaluated leaves its action without an answer.
fn unanswerable<'a>(policy: &'a str) -> impl Fn(Raised) -> Unanswerable<'a> {
    move |Raised| Unanswerable(policy)
}
