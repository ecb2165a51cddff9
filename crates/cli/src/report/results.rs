//! Test results for people: what did not pass, and with `--verbose` what did.

use std::fmt::Write;

use serde_json::Value;

use super::diagnostics::{render, tally};
use super::palette::{Ink, Palette};
use super::trace::traces;
use super::tree::{Node, Style, draw};
use crate::verify::{
    ActionResult, Failure, Outcome, OutputFailure, OutputFailureKind, OutputValue, PrincipalResult,
    ResourceResult, Success, SuiteResult, Summary, TestCaseResult, TestResult, TestResults, effect_name,
};

/// Everything that is to be seen of the results, as one text.
pub(crate) fn results(results: &TestResults, style: Style, verbose: bool, palette: Palette) -> String {
    let view = View { verbose, palette };
    let suites: Vec<Node> = results.suites.iter().filter_map(|suite| view.suite(suite)).collect();
    let mut text = format!("{}\n", palette.paint(Ink::Heading, "Test results"));
    text.push_str(&draw(&suites, style, palette));
    text.push('\n');
    for diagnostic in results.suites.iter().flat_map(|suite| suite.diagnostics.iter()) {
        text.push_str(&render(diagnostic, palette));
        text.push('\n');
    }
    if verbose {
        text.push_str(&traces(results, palette));
    }
    let _ = write!(text, "{} tests executed", results.summary.tests_count);
    text.push_str(&view.tallies(&results.summary));
    text.push('\n');
    text
}

struct View {
    verbose: bool,
    palette: Palette,
}

impl View {
    fn paint(&self, ink: Ink, text: &str) -> String {
        self.palette.paint(ink, text)
    }

    fn label(&self, result: TestResult, before: &str) -> String {
        let (name, ink) = match result {
            TestResult::Unspecified | TestResult::Skipped => ("SKIPPED", Ink::Quiet),
            TestResult::Passed => ("OK", Ink::Good),
            TestResult::Failed => ("FAILED", Ink::Bad),
            TestResult::Errored => ("ERROR", Ink::Bad),
        };
        self.palette.paint(ink, format_args!("[{before}{name}]"))
    }

    fn tallies(&self, summary: &Summary) -> String {
        let tallies = summary.result_counts.iter();
        tallies.map(|tally| format!(" {}", self.label(tally.result, &format!("{} ", tally.count)))).collect()
    }

    fn suite(&self, suite: &SuiteResult) -> Option<Node> {
        let title =
            format!("{} ({})", self.paint(Ink::Suite, &suite.name), self.paint(Ink::Name, &suite.file));
        if !suite.error.is_empty() {
            // The error goes on to list its reasons, which have excerpts below.
            let error = suite.error.lines().next().unwrap_or_default();
            let line = format!("{error} {}, shown below", tally(&suite.diagnostics));
            let lines = vec![Node::leaf(self.paint(Ink::Bad, &line))];
            return Some(Node::new(format!("{title} {}", self.label(TestResult::Errored, "")), lines));
        }
        if suite.summary.overall_result == TestResult::Skipped {
            let by_filter = !suite.test_cases.is_empty()
                && suite.actions().all(|(_, _, _, action)| action.details.filtered);
            return (!by_filter)
                .then(|| Node::leaf(format!("{title} {}", self.label(TestResult::Skipped, ""))));
        }
        let cases = suite.test_cases.iter().filter_map(|case| self.case(case)).collect();
        (suite.summary.overall_result != TestResult::Unspecified)
            .then(|| Node::new(format!("{title}{}", self.tallies(&suite.summary)), cases))
    }

    fn case(&self, case: &TestCaseResult) -> Option<Node> {
        let principals = case.principals.iter().filter_map(|principal| self.principal(principal));
        some_node(self.paint(Ink::Name, &case.name), principals.collect())
    }

    fn principal(&self, principal: &PrincipalResult) -> Option<Node> {
        let resources = principal.resources.iter().filter_map(|resource| self.resource(resource));
        some_node(self.paint(Ink::Principal, &principal.name), resources.collect())
    }

    fn resource(&self, resource: &ResourceResult) -> Option<Node> {
        let actions = resource.actions.iter().filter_map(|action| self.action(action));
        some_node(self.paint(Ink::Name, &resource.name), actions.collect())
    }

    fn action(&self, action: &ActionResult) -> Option<Node> {
        let details = &action.details;
        let children = match &details.outcome {
            Outcome::Success(_) if !self.verbose => return None,
            Outcome::SkipReason(_) if details.filtered => return None,
            Outcome::SkipReason(_) => Vec::new(),
            Outcome::Success(success) => self.success(success),
            Outcome::Failure(failure) => vec![self.failure(failure)],
            Outcome::Error(error) => vec![Node::leaf(format!("{} {error}", self.paint(Ink::Bad, "ERROR:")))],
        };
        let title = format!("{} {}", self.paint(Ink::Action, &action.name), self.label(details.result, ""));
        Some(Node::new(title, children))
    }

    fn success(&self, success: &Success) -> Vec<Node> {
        let effect = self.paint(Ink::Good, effect_name(success.effect));
        let mut nodes = vec![Node::leaf(format!("RESULT: {effect}"))];
        let mut outputs: Vec<_> = success.outputs.iter().collect();
        outputs.sort_by_key(|output| &output.src);
        let outputs: Vec<Node> = outputs
            .iter()
            .map(|output| {
                let value = match &output.value {
                    OutputValue::Val(value) => value.to_string(),
                    OutputValue::Error(error) => format!("{} {error}", self.paint(Ink::Bad, "ERROR:")),
                };
                Node::new(self.paint(Ink::Name, &output.src), vec![Node::leaf(value)])
            })
            .collect();
        nodes.extend(some_node("OUTPUTS:".to_owned(), outputs));
        nodes
    }

    fn failure(&self, failure: &Failure) -> Node {
        let heading = self.paint(Ink::Bad, "OUTCOME:");
        if failure.outputs.is_empty() {
            let actual = self.paint(Ink::Bad, effect_name(failure.actual));
            let expected = effect_name(failure.expected);
            return Node::leaf(format!("{heading} expected: {expected}, actual: {actual}"));
        }
        let outputs = failure.outputs.iter().map(|output| self.output_failure(output)).collect();
        Node::new(format!("{heading} outputs are not as expected"), outputs)
    }

    fn output_failure(&self, output: &OutputFailure) -> Node {
        let (expected, actual) = match &output.kind {
            OutputFailureKind::Mismatched { expected, actual } => (expected, actual.to_string()),
            OutputFailureKind::Missing { expected } => (expected, self.paint(Ink::Bad, "MISSING")),
            OutputFailureKind::Errored { expected, error } => {
                (expected, format!("{} {error}", self.paint(Ink::Bad, "ERROR:")))
            }
        };
        let expected = expected.as_ref().map_or_else(|| "no value".to_owned(), Value::to_string);
        let line = |name, value| Node::leaf(format!("{} {value}", self.paint(Ink::Name, name)));
        Node::new(
            self.paint(Ink::Name, &output.src),
            vec![line("EXPECTED:", expected), line("ACTUAL:", actual)],
        )
    }
}

fn some_node(text: String, children: Vec<Node>) -> Option<Node> {
    (!children.is_empty()).then(|| Node::new(text, children))
}
