//! What a check answers.

use super::explain::ConditionNode;
use crate::cel::{EvalError, Value};
use crate::policy::{Effect, Kind};

/// The answer for one resource.
#[derive(Clone, Copy, Debug, Default)]
pub struct Decision<'a> {
    /// One entry an action, in the order of the request.
    pub actions: &'a [ActionDecision<'a>],
    /// Derived roles that the principal has for this resource, sorted. Filled when
    /// [`Detail::metadata`](super::Detail) asks for it.
    pub effective_derived_roles: &'a [&'a str],
    /// What rules reported, in the order of actions and rules.
    pub outputs: &'a [OutputEntry<'a>],
    /// What schemas refuse in the attributes; under `reject` the reason for every denial.
    pub validation_errors: &'a [ValidationError<'a>],
    /// Expressions that raised an error, each once, sorted by expression. Filled when
    /// [`Detail::evaluation_errors`](super::Detail) asks for it.
    pub evaluation_errors: &'a [EvaluationError<'a>],
    /// The rules that were looked at, in that order. What was decided before a rule's turn came is not looked at
    /// further, and has no entry. Filled when [`Detail::trace`](super::Detail) asks for it.
    pub trace: &'a [TraceEntry<'a>],
}

/// The answer for one action.
#[derive(Clone, Copy, Debug)]
pub struct ActionDecision<'a> {
    /// Allowed or not.
    pub effect: Effect,
    /// The policy that the answer is attributed to.
    pub policy: MatchedPolicy<'a>,
    /// The scope in which the answer was found.
    pub scope: &'a str,
}

/// The policy that an answer is attributed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchedPolicy<'a> {
    /// No policy is about this request.
    NoMatch,
    /// The policies of a kind: shown by the name and version of the request and the innermost scope that exists.
    Main {
        /// Principal or resource.
        kind: Kind,
        /// Principal id or resource kind.
        name: &'a str,
        /// Policy version.
        version: &'a str,
        /// Scope.
        scope: &'a str,
    },
    /// One policy by its key.
    Key(&'a str),
}

/// What a rule reported.
#[derive(Clone, Copy, Debug)]
pub struct OutputEntry<'a> {
    /// Key of the policy.
    pub policy: &'a str,
    /// Name of the rule. The source shown is `policy#rule`.
    pub rule: &'a str,
    /// The action that was decided.
    pub action: &'a str,
    /// What the output expression gave.
    pub value: Result<Value<'a>, EvalError<'a>>,
}

/// An expression that raised an error, and was therefore not satisfied.
#[derive(Clone, Copy, Debug)]
pub struct EvaluationError<'a> {
    /// The text in the policy.
    pub expression: &'a str,
    /// What went wrong.
    pub error: EvalError<'a>,
}

/// A rule that was looked at for an action.
#[derive(Clone, Copy, Debug)]
pub struct TraceEntry<'a> {
    /// The action to be decided.
    pub action: &'a str,
    /// Key of the policy.
    pub policy: &'a str,
    /// Its scope.
    pub scope: &'a str,
    /// Name of the rule. Empty for a rule of a role policy without a name, and where a role policy denies because
    /// none of its rules allows the action.
    pub rule: &'a str,
    /// Number of the rule in the compiled policy, from 1; 0 where it is no rule that denies but the lack of one.
    pub number: usize,
    /// The role of the principal by which the rule was found; empty in principal policies.
    pub role: &'a str,
    /// What the rule said.
    pub outcome: RuleOutcome,
    /// The derived role that the rule needs, where it was found by one.
    pub derived_role: Option<RoleTrace<'a>>,
    /// How the condition of the rule came to its outcome, where it has one and it was evaluated. That of a rule of a role
    /// policy is negated, and so is that of an ALLOW in a scope that needs parental consent: when it holds, the rule denies.
    pub condition: Option<ConditionNode<'a>>,
}

/// A derived role that a rule needs.
#[derive(Clone, Copy, Debug)]
pub struct RoleTrace<'a> {
    /// Its name.
    pub name: &'a str,
    /// Key of the policy that defines it.
    pub policy: &'a str,
    /// How its condition came to its outcome, where it has one.
    pub condition: Option<ConditionNode<'a>>,
}

/// What a rule says of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleOutcome {
    /// It takes effect. In a scope that needs parental consent, a conditional ALLOW acts as a DENY of those who do
    /// not meet its condition.
    Activated(Effect),
    /// Its condition is not satisfied.
    ConditionNotMet,
    /// The principal does not hold its derived role.
    DerivedRoleNotHeld,
    /// It could not be evaluated, in strict mode: the action is denied.
    Errored,
}

/// Whose attributes a schema refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttributeSource {
    /// The principal's.
    Principal,
    /// The resource's.
    Resource,
}

/// A part of the attributes that a schema refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ValidationError<'a> {
    /// Whose attributes.
    pub source: AttributeSource,
    /// Where in them: a JSON pointer, or `/` for the whole.
    pub path: &'a str,
    /// What is wrong there.
    pub message: &'a str,
}
