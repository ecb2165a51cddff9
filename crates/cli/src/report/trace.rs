//! The rules that led to what did not pass, with the outcome of each expression.

use std::fmt::{Display, Write};

use serde_json::Value;

use super::palette::{Ink, Palette};
use crate::verify::{ConditionStep, Details, NodeValue, Place, RoleStep, Step, TestResult, TestResults};

/// All traces of the results, as one text; empty where everything passed.
pub(super) fn traces(results: &TestResults, palette: Palette) -> String {
    let mut traces = Traces { palette, text: String::new() };
    for suite in &results.suites {
        for (test, principal, resource, action) in suite.actions() {
            let Details { result, trace, .. } = &action.details;
            if *result < TestResult::Failed {
                continue;
            }
            let names = [
                (Ink::Suite, suite.name.as_str()),
                (Ink::Name, test),
                (Ink::Principal, principal),
                (Ink::Name, resource),
                (Ink::Action, action.name.as_str()),
            ];
            let names: Vec<String> = names.map(|(ink, name)| palette.paint(ink, name)).into();
            traces.line(0, names.join(" > "));
            if trace.is_empty() {
                traces.line(1, "no rule is about this role, resource and action");
            }
            trace.iter().for_each(|step| traces.step(step));
            traces.text.push('\n');
        }
    }
    if traces.text.is_empty() {
        return traces.text;
    }
    format!("{}\n{}", palette.paint(Ink::Heading, "Rules that were looked at"), traces.text)
}

struct Traces {
    palette: Palette,
    text: String,
}

impl Traces {
    fn line(&mut self, depth: usize, line: impl Display) {
        let _ = writeln!(self.text, "{:1$}{line}", "", depth * 2);
    }

    fn place(&self, place: Option<&Place>) -> String {
        place.map_or_else(String::new, |place| {
            let place = format!("{}:{}:{} ", place.file, place.line, place.column);
            self.palette.paint(Ink::Name, place)
        })
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Rule { policy, rule, role, outcome, place, derived_role, condition, .. } => {
                let (ink, outcome) = match *outcome {
                    "EFFECT_ALLOW" => (Ink::Good, *outcome),
                    "conditionNotMet" => (Ink::Quiet, "condition not met"),
                    "derivedRoleNotHeld" => (Ink::Quiet, "derived role not held"),
                    _ => (Ink::Bad, *outcome),
                };
                let hash = if rule.is_empty() { "" } else { "#" };
                let role = if role.is_empty() { String::new() } else { format!(" for role {role}") };
                let place = self.place(place.as_ref());
                let outcome = self.palette.paint(ink, outcome);
                self.line(1, format_args!("{place}{policy}{hash}{rule}{role}: {outcome}"));
                derived_role.iter().for_each(|role| self.derived_role(role));
                condition.iter().for_each(|condition| self.condition(2, condition));
            }
            Step::Error { expression, error } => {
                let error = self.palette.paint(Ink::Bad, error);
                self.line(1, format_args!("`{}` raised an error: {error}", on_one_line(expression)));
            }
            Step::Refusal { source, path, message } => {
                let whose = if *source == "SOURCE_PRINCIPAL" { "principal" } else { "resource" };
                let message = self.palette.paint(Ink::Bad, message);
                self.line(1, format_args!("the schema of the {whose} refuses {path}: {message}"));
            }
        }
    }

    fn derived_role(&mut self, role: &RoleStep) {
        let held = match role.condition.as_ref().map(|condition| &condition.outcome) {
            None | Some(NodeValue::Value { value: Value::Bool(true) }) => {
                self.palette.paint(Ink::Good, "held")
            }
            Some(NodeValue::Value { .. } | NodeValue::Error { .. }) => {
                self.palette.paint(Ink::Quiet, "not held")
            }
            Some(NodeValue::Undecided {}) => self.palette.paint(Ink::Bad, "undecided"),
        };
        let place = self.place(role.place.as_ref());
        self.line(2, format_args!("{place}derived role {}: {held}", role.name));
        role.condition.iter().for_each(|condition| self.condition(3, condition));
    }

    fn condition(&mut self, depth: usize, node: &ConditionStep) {
        let outcome = match &node.outcome {
            NodeValue::Value { value: Value::Bool(true) } => self.palette.paint(Ink::Good, "true"),
            NodeValue::Value { value: Value::Bool(false) } => self.palette.paint(Ink::Odd, "false"),
            NodeValue::Value { value } => {
                self.palette.paint(Ink::Bad, format_args!("{value}, which is not true"))
            }
            NodeValue::Error { error } => self.palette.paint(Ink::Bad, format_args!("error: {error}")),
            NodeValue::Undecided {} if node.of.iter().any(ConditionStep::is_decided) => {
                self.palette.paint(Ink::Bad, "undecided")
            }
            NodeValue::Undecided {} => self.palette.paint(Ink::Quiet, "not evaluated"),
        };
        let place = self.place(node.place.as_ref());
        let what = node.expression.as_deref().map_or_else(|| node.kind.to_owned(), on_one_line);
        self.line(depth, format_args!("{place}{what}: {outcome}"));
        node.of.iter().for_each(|node| self.condition(depth + 1, node));
    }
}

impl ConditionStep {
    fn is_decided(&self) -> bool {
        !matches!(self.outcome, NodeValue::Undecided {}) || self.of.iter().any(Self::is_decided)
    }
}

/// An expression without its line breaks.
fn on_one_line(expression: &str) -> String {
    expression.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}
