//! Why an answer is as it is: the rules that were looked at, and what came of each expression of their conditions.

use orthrus::cel::Json;
use orthrus::check::{
    AttributeSource, ConditionNode, Decision, NodeKind, NodeOutcome, RoleTrace, RuleOutcome, TraceEntry,
};
use orthrus::text::Position;
use serde::Serialize;
use serde_json::Value;

use super::RulePlaces;
use super::places::WrittenCondition;
use super::results::effect_name;

/// A rule that was looked at, an expression that raised an error, or attributes that a schema refuses.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// A rule.
    #[serde(rename_all = "camelCase")]
    Rule {
        /// Key of the policy.
        policy: String,
        /// Name of the rule; empty where a role policy has no rule for the action.
        rule: String,
        /// Scope of the policy.
        scope: String,
        /// The role of the principal by which the rule was found; empty in principal policies.
        role: String,
        /// What it said: `EFFECT_ALLOW`, `EFFECT_DENY`, `conditionNotMet`, `derivedRoleNotHeld` or `error`.
        outcome: &'static str,
        /// Where it is written.
        #[serde(skip_serializing_if = "Option::is_none")]
        place: Option<Place>,
        /// The derived role that it needs, where it was found by one.
        #[serde(skip_serializing_if = "Option::is_none")]
        derived_role: Option<Box<RoleStep>>,
        /// What came of its condition, where it has one and it was evaluated.
        #[serde(skip_serializing_if = "Option::is_none")]
        condition: Option<Box<ConditionStep>>,
    },
    /// Attributes, for which everything is denied without looking at any rule.
    Refusal {
        /// Whose: `SOURCE_PRINCIPAL` or `SOURCE_RESOURCE`.
        source: &'static str,
        /// Where in them, as a JSON pointer.
        path: String,
        /// What the schema says.
        message: String,
    },
    /// An expression that is in none of these conditions: that of a variable, or of an output.
    Error {
        /// Its text.
        expression: String,
        /// What it raised.
        error: String,
    },
}

/// A derived role that a rule needs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RoleStep {
    /// Its name.
    pub name: String,
    /// Key of the policy that defines it.
    pub policy: String,
    /// Where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// What came of its condition, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<ConditionStep>,
}

/// A node of a condition as it is written, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ConditionStep {
    /// `expr`, `all`, `any` or `none`.
    pub kind: &'static str,
    /// The text of an expression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: NodeValue,
    /// Where it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The nodes below `all`, `any` and `none`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub of: Vec<ConditionStep>,
}

/// What came of a node of a condition. In JSON it is one of these fields, and none for a node that is undecided.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NodeValue {
    /// It holds where the value is `true`.
    Value {
        /// What the expression gave, or whether the node holds.
        value: Value,
    },
    /// An expression raised an error.
    Error {
        /// The error.
        error: String,
    },
    /// It was not evaluated, because others had decided before; or not to the end, because a part raised an error in strict
    /// mode.
    Undecided {},
}

/// Where something is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl Place {
    pub(super) fn new(file: &str, position: Position) -> Self {
        Self { file: file.to_owned(), line: position.line, column: position.column }
    }
}

/// The rules that were looked at for an action, other expressions that raised errors, and what schemas refuse.
pub(super) fn trace(action: &str, decision: &Decision<'_>, places: &RulePlaces) -> Vec<Step> {
    let entries = decision.trace.iter().filter(|entry| entry.action == action);
    let mut steps: Vec<Step> = entries.map(|entry| rule_step(entry, places)).collect();
    let errors = decision
        .evaluation_errors
        .iter()
        .map(|error| Step::Error { expression: error.expression.to_owned(), error: error.error.to_string() });
    let errors: Vec<Step> = errors.filter(|error| !steps.iter().any(|step| step.shows(error))).collect();
    steps.extend(errors);
    steps.extend(decision.validation_errors.iter().map(|refused| Step::Refusal {
        source: match refused.source {
            AttributeSource::Principal => "SOURCE_PRINCIPAL",
            AttributeSource::Resource => "SOURCE_RESOURCE",
        },
        path: refused.path.to_owned(),
        message: refused.message.to_owned(),
    }));
    steps
}

impl Step {
    /// Whether a condition of this rule shows the error of the expression.
    fn shows(&self, error: &Self) -> bool {
        let (Self::Rule { derived_role, condition, .. }, Self::Error { expression, .. }) = (self, error)
        else {
            return false;
        };
        let of_role = derived_role.as_ref().and_then(|role| role.condition.as_ref());
        condition.as_deref().into_iter().chain(of_role).any(|condition| condition.shows_error_of(expression))
    }
}

impl ConditionStep {
    fn shows_error_of(&self, expression: &str) -> bool {
        let is_it =
            matches!(self.outcome, NodeValue::Error { .. }) && self.expression.as_deref() == Some(expression);
        is_it || self.of.iter().any(|node| node.shows_error_of(expression))
    }
}

fn rule_step(entry: &TraceEntry<'_>, places: &RulePlaces) -> Step {
    let written = places.rule(entry.policy, entry.number);
    let is_negated = written.is_some_and(|written| written.is_negated);
    let condition = entry.condition.as_ref().map(|node| if is_negated { negated(node) } else { node });
    Step::Rule {
        policy: entry.policy.to_owned(),
        rule: entry.rule.to_owned(),
        scope: entry.scope.to_owned(),
        role: entry.role.to_owned(),
        outcome: match entry.outcome {
            RuleOutcome::Activated(effect) => effect_name(effect),
            RuleOutcome::ConditionNotMet => "conditionNotMet",
            RuleOutcome::DerivedRoleNotHeld => "derivedRoleNotHeld",
            RuleOutcome::Errored => "error",
        },
        place: written.map(|written| written.place.clone()),
        derived_role: entry.derived_role.as_ref().map(|role| Box::new(role_step(role, places))),
        condition: condition.map(|node| {
            Box::new(condition_step(node, written.and_then(|written| written.condition.as_ref())))
        }),
    }
}

/// The condition as it is written, of a node that the table has as its negation.
fn negated<'n>(node: &'n ConditionNode<'n>) -> &'n ConditionNode<'n> {
    match node.kind {
        NodeKind::None([written]) => written,
        NodeKind::None(_) | NodeKind::Expr(_) | NodeKind::All(_) | NodeKind::Any(_) => node,
    }
}

fn role_step(role: &RoleTrace<'_>, places: &RulePlaces) -> RoleStep {
    let written = places.derived_role(role.policy, role.name);
    let condition = written.and_then(|written| written.condition.as_ref());
    RoleStep {
        name: role.name.to_owned(),
        policy: role.policy.to_owned(),
        place: written.map(|written| written.place.clone()),
        condition: role.condition.as_ref().map(|node| condition_step(node, condition)),
    }
}

fn condition_step(node: &ConditionNode<'_>, written: Option<&WrittenCondition>) -> ConditionStep {
    let (kind, expression, of) = match node.kind {
        NodeKind::Expr(text) => ("expr", Some(text.to_owned()), &[][..]),
        NodeKind::All(of) => ("all", None, of),
        NodeKind::Any(of) => ("any", None, of),
        NodeKind::None(of) => ("none", None, of),
    };
    let below = |index: usize| written.and_then(|written| written.of.get(index));
    ConditionStep {
        kind,
        expression,
        outcome: match &node.outcome {
            NodeOutcome::Holds(holds) => NodeValue::Value { value: (*holds).into() },
            NodeOutcome::Value(value) => match serde_json::to_value(Json(*value)) {
                Ok(value) => NodeValue::Value { value },
                Err(error) => NodeValue::Error { error: error.to_string() },
            },
            NodeOutcome::Error(error) => NodeValue::Error { error: error.to_string() },
            NodeOutcome::Undecided => NodeValue::Undecided {},
        },
        place: written.map(|written| written.place.clone()),
        of: of.iter().enumerate().map(|(index, node)| condition_step(node, below(index))).collect(),
    }
}
