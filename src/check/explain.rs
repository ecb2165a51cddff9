//! How a condition came to its outcome, node by node.

use bumpalo::collections::Vec;

use super::evaluate::{Evaluator, is_true};
use crate::cel::{Activation, EvalError, Value};
use crate::table::Condition;

/// A node of a condition tree, and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct ConditionNode<'a> {
    /// What it is.
    pub kind: NodeKind<'a>,
    /// What came of it.
    pub outcome: NodeOutcome<'a>,
}

/// A node of a condition tree.
#[derive(Clone, Copy, Debug)]
pub enum NodeKind<'a> {
    /// An expression, by its text.
    Expr(&'a str),
    /// Every one is to hold.
    All(&'a [ConditionNode<'a>]),
    /// At least one is to hold.
    Any(&'a [ConditionNode<'a>]),
    /// Not one is to hold.
    None(&'a [ConditionNode<'a>]),
}

/// What came of a node.
#[derive(Clone, Copy, Debug)]
pub enum NodeOutcome<'a> {
    /// It holds, or does not.
    Holds(bool),
    /// The expression gave something else than a boolean, which does not hold.
    Value(Value<'a>),
    /// The expression raised an error: it does not hold, and in strict mode nothing further is evaluated.
    Error(EvalError<'a>),
    /// Others had decided before it was its turn; or it is undecided, because in strict mode a part of it raised an error.
    Undecided,
}

impl ConditionNode<'_> {
    /// Whether the node holds; none where that was not found out.
    fn holds(&self, strict: bool) -> Option<bool> {
        match self.outcome {
            NodeOutcome::Holds(holds) => Some(holds),
            NodeOutcome::Value(_) => Some(false),
            NodeOutcome::Error(_) => (!strict).then_some(false),
            NodeOutcome::Undecided => None,
        }
    }
}

impl<'a> Evaluator<'a> {
    /// Evaluates a condition once more, as far as [`satisfies`](Self::satisfies) does. It records no errors: that one did.
    pub(super) fn explain(&self, condition: &'a Condition, activation: &Activation<'a>) -> ConditionNode<'a> {
        match condition {
            Condition::Expr(expression) => ConditionNode {
                kind: NodeKind::Expr(&expression.text),
                outcome: match expression.program.eval(activation) {
                    Ok(Value::Bool(value)) => NodeOutcome::Holds(value),
                    Ok(value) if is_true(value) => NodeOutcome::Holds(true),
                    Ok(value) => NodeOutcome::Value(value),
                    Err(error) => NodeOutcome::Error(error),
                },
            },
            Condition::All(all) => {
                let (nodes, found) = self.explain_until(all, false, activation);
                node(NodeKind::All(nodes), found.map(|found| !found))
            }
            Condition::Any(any) => {
                let (nodes, found) = self.explain_until(any, true, activation);
                node(NodeKind::Any(nodes), found)
            }
            Condition::None(none) => {
                let (nodes, found) = self.explain_until(none, true, activation);
                node(NodeKind::None(nodes), found.map(|found| !found))
            }
        }
    }

    /// Whether a condition holds, which was explained.
    pub(super) fn holds_by(&self, node: Option<ConditionNode<'_>>) -> bool {
        node.is_none_or(|node| node.holds(self.is_strict()) == Some(true))
    }

    /// The nodes, evaluated up to the first that has the wanted outcome; and whether there is one, unless an error came first.
    fn explain_until(
        &self,
        conditions: &'a [Condition],
        wanted: bool,
        activation: &Activation<'a>,
    ) -> (&'a [ConditionNode<'a>], Option<bool>) {
        let mut nodes = Vec::with_capacity_in(conditions.len(), self.arena());
        let mut found = Some(false);
        for condition in conditions {
            if found == Some(false) {
                let node = self.explain(condition, activation);
                found = node.holds(self.is_strict()).map(|holds| holds == wanted);
                nodes.push(node);
            } else {
                nodes.push(self.undecided(condition));
            }
        }
        (nodes.into_bump_slice(), found)
    }

    fn undecided(&self, condition: &'a Condition) -> ConditionNode<'a> {
        let all = |conditions: &'a [Condition]| {
            let mut nodes = Vec::with_capacity_in(conditions.len(), self.arena());
            nodes.extend(conditions.iter().map(|condition| self.undecided(condition)));
            nodes.into_bump_slice()
        };
        let kind = match condition {
            Condition::Expr(expression) => NodeKind::Expr(&expression.text),
            Condition::All(conditions) => NodeKind::All(all(conditions)),
            Condition::Any(conditions) => NodeKind::Any(all(conditions)),
            Condition::None(conditions) => NodeKind::None(all(conditions)),
        };
        node(kind, None)
    }
}

fn node<'a>(kind: NodeKind<'a>, holds: Option<bool>) -> ConditionNode<'a> {
    ConditionNode { kind, outcome: holds.map_or(NodeOutcome::Undecided, NodeOutcome::Holds) }
}
