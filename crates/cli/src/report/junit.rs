//! Test results in the XML of JUnit, with the elements and attributes that Cerbos writes.

use std::fmt::Display;

use serde_json::Value;

use crate::verify::{
    ActionResult, Failure, Outcome, Output, OutputFailure, OutputFailureKind, OutputValue, Success,
    SuiteResult, TestResult, TestResults, effect_name,
};

/// Before the error of an output expression, where its value would stand.
const OUTPUT_ERROR: &str = "Failed to evaluate output expression: ";

/// The report. `verbose`: suites that were left out say so.
pub(crate) fn results_junit(results: &TestResults, verbose: bool) -> String {
    let mut totals = Totals::default();
    let suites: Vec<Element> =
        results.suites.iter().map(|suite| suite_element(suite, verbose, &mut totals)).collect();
    let mut root = Element::new("testsuites");
    totals.write_to(&mut root, results.summary.tests_count);
    root.children = suites;
    let mut text = String::new();
    root.write("", &mut text);
    text
}

#[derive(Clone, Copy, Default)]
struct Totals {
    errors: u32,
    failures: u32,
    skipped: u32,
}

impl Totals {
    fn write_to(self, element: &mut Element, tests: u32) {
        element.attribute("errors", &self.errors);
        element.attribute("failures", &self.failures);
        element.attribute("skipped", &self.skipped);
        element.attribute("tests", &tests);
    }
}

fn suite_element(suite: &SuiteResult, verbose: bool, sum: &mut Totals) -> Element {
    let mut totals = Totals::default();
    let mut children = Vec::new();
    if !suite.error.is_empty() {
        totals.errors = 1;
        let error = Element::new("error").with("type", TestResult::Errored.as_str());
        children.push(error.containing(escape(&suite.error)));
    } else if suite.summary.overall_result == TestResult::Skipped && suite.test_cases.is_empty() {
        totals.skipped = 1;
        if verbose {
            children.push(Element::new("skipped").with("message", "This test suite was skipped"));
        }
    } else {
        totals.errors = suite.summary.count_of(TestResult::Errored);
        totals.failures = suite.summary.count_of(TestResult::Failed);
        totals.skipped = suite.summary.count_of(TestResult::Skipped);
    }
    children.push(Element::new("properties"));
    let shown = suite.actions().filter(|(_, _, _, action)| !action.details.filtered);
    children.extend(shown.map(|names| test_case(&suite.file, names)));
    sum.errors += totals.errors;
    sum.failures += totals.failures;
    sum.skipped += totals.skipped;
    let mut element = Element::new("testsuite");
    if !suite.description.is_empty() {
        element.attribute("description", &suite.description);
    }
    element.attribute("name", &suite.name);
    element.attribute("file", &suite.file);
    totals.write_to(&mut element, suite.summary.tests_count);
    element.children = children;
    element
}

fn test_case(file: &str, (test, principal, resource, action): (&str, &str, &str, &ActionResult)) -> Element {
    let kind = action.details.result.as_str();
    let outcome = match &action.details.outcome {
        Outcome::SkipReason(_) => Element::new("skipped").with("message", "This test was skipped"),
        Outcome::Error(error) => Element::new("error").with("type", kind).containing(escape(error)),
        Outcome::Success(success) => success_element(success).with("type", kind),
        Outcome::Failure(failure) => failure_element(failure, kind),
    };
    let properties = [("principal", principal), ("resource", resource), ("action", action.name.as_str())];
    let mut element = Element::new("testcase");
    element.attribute("file", &file);
    element.attribute("classname", &format!("{principal}.{resource}.{}", action.name));
    element.attribute("name", &test);
    let property = |(name, value)| Element::new("property").with("name", name).containing(escape(value));
    let properties = Element::new("properties").of(properties.map(property).into());
    element.of(vec![outcome, properties])
}

fn success_element(success: &Success) -> Element {
    let outputs = success.outputs.iter().map(success_output).collect();
    let effect = effect_name(success.effect);
    Element::new("success").of(effects(outputs, effect, effect))
}

fn failure_element(failure: &Failure, kind: &str) -> Element {
    let message = if failure.outputs.is_empty() {
        "Effect expectation unsatisfied"
    } else {
        "Output expectation unsatisfied"
    };
    let outputs = failure.outputs.iter().map(failed_output).collect();
    let children = effects(outputs, effect_name(failure.actual), effect_name(failure.expected));
    Element::new("failure").with("type", kind).with("message", message).of(children)
}

fn effects(outputs: Vec<Element>, actual: &str, expected: &str) -> Vec<Element> {
    let outputs = (!outputs.is_empty()).then(|| Element::new("outputs").of(outputs));
    let effect = |name, effect: &str| Element::new(name).containing(effect.to_owned());
    outputs.into_iter().chain([effect("actual", actual), effect("expected", expected)]).collect()
}

/// What an expression gave is what was expected; an error is what was expected of no value.
fn success_output(output: &Output) -> Element {
    match &output.value {
        OutputValue::Val(value) => output_element(&output.src, &value.to_string(), &value.to_string()),
        OutputValue::Error(error) => output_element(&output.src, "null", &format!("{OUTPUT_ERROR}{error}")),
    }
}

fn failed_output(output: &OutputFailure) -> Element {
    let json = |value: &Option<Value>| value.as_ref().unwrap_or(&Value::Null).to_string();
    let (expected, actual) = match &output.kind {
        OutputFailureKind::Mismatched { expected, actual } => (json(expected), actual.to_string()),
        OutputFailureKind::Missing { expected } => (json(expected), String::new()),
        OutputFailureKind::Errored { expected, error } => (json(expected), format!("{OUTPUT_ERROR}{error}")),
    };
    output_element(&output.src, &expected, &actual)
}

fn output_element(src: &str, expected: &str, actual: &str) -> Element {
    let value = |name, value| Element::new(name).containing(cdata(value));
    Element::new("output").with("src", src).of(vec![value("expected", expected), value("actual", actual)])
}

/// An XML element: with text or with children.
struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn new(name: &'static str) -> Self {
        Self { name, attributes: Vec::new(), text: String::new(), children: Vec::new() }
    }

    fn attribute(&mut self, name: &'static str, value: &dyn Display) {
        self.attributes.push((name, value.to_string()));
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.attribute(name, &value);
        self
    }

    fn containing(mut self, markup: String) -> Self {
        self.text = markup;
        self
    }

    fn of(mut self, children: Vec<Element>) -> Self {
        self.children = children;
        self
    }

    fn write(&self, indent: &str, out: &mut String) {
        out.extend([indent, "<", self.name]);
        for (name, value) in &self.attributes {
            out.extend([" ", name, "=\"", &escape(value), "\""]);
        }
        out.extend([">", &self.text]);
        if !self.children.is_empty() {
            out.push('\n');
            self.children.iter().for_each(|child| child.write(&format!("{indent}  "), out));
            out.push_str(indent);
        }
        out.extend(["</", self.name, ">\n"]);
    }
}

/// Text as markup. What XML cannot hold becomes the replacement character.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '\t' => escaped.push_str("&#x9;"),
            '\n' => escaped.push_str("&#xA;"),
            '\r' => escaped.push_str("&#xD;"),
            c => escaped.push(printable(c)),
        }
    }
    escaped
}

fn cdata(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    let text: String = text.chars().map(printable).collect();
    format!("<![CDATA[{}]]>", text.replace("]]>", "]]]]><![CDATA[>"))
}

fn printable(c: char) -> char {
    let is_allowed =
        matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    if is_allowed { c } else { char::REPLACEMENT_CHARACTER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_the_markup() {
        assert_eq!(escape("a<b> & \"c\"\n\u{1}"), "a&lt;b&gt; &amp; &#34;c&#34;&#xA;\u{fffd}");
        assert_eq!(cdata("x]]>y\u{0}"), "<![CDATA[x]]]]><![CDATA[>y\u{fffd}]]>");
        assert_eq!(cdata(""), "");
    }
}
