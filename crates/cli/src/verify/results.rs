//! What came of the tests. Serialises to the JSON of Cerbos' `TestResults`, with the `trace` of a test in our own
//! form.

use orthrus::policy::Effect;
use orthrus::text::Diagnostics;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::trace::Step;

/// How a test, a suite or a run ended. The worst of its parts counts: the order is that of badness.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum TestResult {
    /// Nothing was run.
    #[default]
    #[serde(rename = "RESULT_UNSPECIFIED")]
    Unspecified,
    /// Left out.
    #[serde(rename = "RESULT_SKIPPED")]
    Skipped,
    /// As expected.
    #[serde(rename = "RESULT_PASSED")]
    Passed,
    /// Not as expected.
    #[serde(rename = "RESULT_FAILED")]
    Failed,
    /// It could not be run.
    #[serde(rename = "RESULT_ERRORED")]
    Errored,
}

impl TestResult {
    /// The name in JSON and XML: `RESULT_PASSED`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unspecified => "RESULT_UNSPECIFIED",
            Self::Skipped => "RESULT_SKIPPED",
            Self::Passed => "RESULT_PASSED",
            Self::Failed => "RESULT_FAILED",
            Self::Errored => "RESULT_ERRORED",
        }
    }

    fn is_unspecified(&self) -> bool {
        *self == Self::Unspecified
    }
}

/// The results of all suites.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TestResults {
    /// By suite, in the order of files.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suites: Vec<SuiteResult>,
    /// Over all suites.
    pub summary: Summary,
}

impl TestResults {
    pub(super) fn add(&mut self, suite: SuiteResult) {
        self.summary.tests_count += suite.summary.tests_count;
        for tally in &suite.summary.result_counts {
            self.summary.count(tally.result, tally.count);
        }
        self.summary.overall_result = self.summary.overall_result.max(suite.summary.overall_result);
        self.suites.push(suite);
    }

    /// Whether no test failed, and every suite could be run.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.summary.overall_result < TestResult::Failed
    }
}

/// How many tests ended how. Tests that a filter leaves out are not counted.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// The worst result.
    #[serde(skip_serializing_if = "TestResult::is_unspecified")]
    pub overall_result: TestResult,
    /// How many tests there are: each action is one.
    #[serde(skip_serializing_if = "is_zero")]
    pub tests_count: u32,
    /// How many of them ended how, in the order of results.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub result_counts: Vec<Tally>,
}

/// How many tests ended in one way.
#[derive(Debug, Serialize)]
pub struct Tally {
    /// How.
    pub result: TestResult,
    /// How many.
    pub count: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Summary {
    fn count(&mut self, result: TestResult, by: u32) {
        match self.result_counts.binary_search_by_key(&result, |tally| tally.result) {
            Ok(index) => self.result_counts[index].count += by,
            Err(index) => self.result_counts.insert(index, Tally { result, count: by }),
        }
    }

    /// How many tests ended in this way.
    #[must_use]
    pub fn count_of(&self, result: TestResult) -> u32 {
        self.result_counts.iter().find(|tally| tally.result == result).map_or(0, |tally| tally.count)
    }
}

/// The results of one suite.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SuiteResult {
    /// Path of its file below the policy directory.
    pub file: String,
    /// Its name; `Unknown` where the file cannot be read.
    pub name: String,
    /// What its author says about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// How its tests ended.
    pub summary: Summary,
    /// Why it could not be run.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub error: String,
    /// Why it was left out.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub skip_reason: String,
    /// By test, in the order of the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub test_cases: Vec<TestCaseResult>,
    /// What is wrong with it, where it could not be run.
    #[serde(skip)]
    pub diagnostics: Diagnostics,
}

/// The results of one test.
#[derive(Debug, Serialize)]
pub struct TestCaseResult {
    /// Its name.
    pub name: String,
    /// By principal.
    pub principals: Vec<PrincipalResult>,
}

/// The results of one principal.
#[derive(Debug, Serialize)]
pub struct PrincipalResult {
    /// Its name in the fixtures.
    pub name: String,
    /// By resource.
    pub resources: Vec<ResourceResult>,
}

/// The results of one resource.
#[derive(Debug, Serialize)]
pub struct ResourceResult {
    /// Its name in the fixtures.
    pub name: String,
    /// By action.
    pub actions: Vec<ActionResult>,
}

/// The result of one action.
#[derive(Debug, Serialize)]
pub struct ActionResult {
    /// The action.
    pub name: String,
    /// What came of it.
    pub details: Details,
}

/// What came of one action.
#[derive(Clone, Debug, Serialize)]
pub struct Details {
    /// In a word.
    pub result: TestResult,
    /// In full.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// The rules that were looked at, where that was asked for.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Step>,
    /// Whether it was a filter that left it out.
    #[serde(skip)]
    pub filtered: bool,
}

/// What came of one action, in full.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// It was as expected.
    Success(Success),
    /// It was not.
    Failure(Failure),
    /// It could not be decided, and why.
    Error(String),
    /// It was left out, and why.
    SkipReason(String),
}

/// An answer that was as expected.
#[derive(Clone, Debug, Serialize)]
pub struct Success {
    /// The effect.
    #[serde(serialize_with = "effect")]
    pub effect: Effect,
    /// All outputs, expected or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
}

/// An output of a rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Output {
    /// The policy's key, `#`, the name of the rule.
    pub src: String,
    /// The action.
    pub action: String,
    /// What the expression gave.
    #[serde(flatten)]
    pub value: OutputValue,
}

/// What an output expression gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OutputValue {
    /// A value.
    Val(Value),
    /// An error.
    Error(String),
}

/// An answer that was not as expected.
#[derive(Clone, Debug, Serialize)]
pub struct Failure {
    /// The effect that was expected.
    #[serde(serialize_with = "effect")]
    pub expected: Effect,
    /// The effect that came.
    #[serde(serialize_with = "effect")]
    pub actual: Effect,
    /// Outputs that were not as expected. The effects are then the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<OutputFailure>,
}

/// An output that was not as expected.
#[derive(Clone, Debug, Serialize)]
pub struct OutputFailure {
    /// The policy's key, `#`, the name of the rule.
    pub src: String,
    /// In which way.
    #[serde(flatten)]
    pub kind: OutputFailureKind,
}

/// In which way an output was not as expected. `expected` is absent where the test names no value.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OutputFailureKind {
    /// It has another value.
    Mismatched {
        /// The value that was expected.
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<Value>,
        /// The value that came.
        actual: Value,
    },
    /// There is none.
    Missing {
        /// The value that was expected.
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<Value>,
    },
    /// Its expression raised an error.
    Errored {
        /// The value that was expected.
        #[serde(skip_serializing_if = "Option::is_none")]
        expected: Option<Value>,
        /// The error.
        error: String,
    },
}

/// The name of an effect in JSON: `EFFECT_ALLOW`.
#[must_use]
pub fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "EFFECT_ALLOW",
        Effect::Deny => "EFFECT_DENY",
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn effect<S: Serializer>(effect: &Effect, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(effect_name(*effect))
}

impl Details {
    pub(super) fn new(result: TestResult, outcome: Outcome) -> Self {
        Self { result, outcome, trace: Vec::new(), filtered: false }
    }

    pub(super) fn errored(error: &str) -> Self {
        Self::new(TestResult::Errored, Outcome::Error(error.to_owned()))
    }

    pub(super) fn skipped(reason: &str) -> Self {
        Self::new(TestResult::Skipped, Outcome::SkipReason(reason.to_owned()))
    }

    pub(super) fn filtered(reason: &str) -> Self {
        Self { filtered: true, ..Self::skipped(reason) }
    }
}

impl SuiteResult {
    pub(super) fn new(file: &str, name: &str, description: &str) -> Self {
        Self {
            file: file.to_owned(),
            name: name.to_owned(),
            description: description.to_owned(),
            summary: Summary::default(),
            error: String::new(),
            skip_reason: String::new(),
            test_cases: Vec::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// A suite that cannot be run, for these reasons.
    pub(super) fn errored(mut self, error: &str, diagnostics: Diagnostics) -> Self {
        let diagnostics = diagnostics.sorted();
        self.summary.overall_result = TestResult::Errored;
        let reasons = diagnostics.iter().map(|diagnostic| format!("\n{diagnostic}"));
        self.error = format!("{error}:{}", reasons.collect::<String>());
        self.diagnostics = diagnostics;
        self
    }

    /// A suite that is left out.
    pub(super) fn skipped(mut self, reason: &str) -> Self {
        self.summary.overall_result = TestResult::Skipped;
        reason.clone_into(&mut self.skip_reason);
        self
    }

    /// The result of one action of a test. Tests are added in the order of the file.
    pub(super) fn add(
        &mut self,
        test: &str,
        principal: &str,
        resource: &str,
        action: &str,
        details: Details,
    ) {
        if !details.filtered {
            self.summary.tests_count += 1;
            self.summary.count(details.result, 1);
        }
        self.summary.overall_result = self.summary.overall_result.max(details.result);
        let cases = &mut self.test_cases;
        let case = last_or_new(
            cases,
            |it| it.name == test,
            || TestCaseResult { name: test.to_owned(), principals: Vec::new() },
        );
        let principal = last_or_new(
            &mut case.principals,
            |it| it.name == principal,
            || PrincipalResult { name: principal.to_owned(), resources: Vec::new() },
        );
        let resource = last_or_new(
            &mut principal.resources,
            |it| it.name == resource,
            || ResourceResult { name: resource.to_owned(), actions: Vec::new() },
        );
        resource.actions.push(ActionResult { name: action.to_owned(), details });
    }

    /// All actions of all tests, with their test, principal and resource.
    pub fn actions(&self) -> impl Iterator<Item = (&str, &str, &str, &ActionResult)> {
        self.test_cases.iter().flat_map(|case| {
            case.principals.iter().flat_map(move |principal| {
                principal.resources.iter().flat_map(move |resource| {
                    let names = (case.name.as_str(), principal.name.as_str(), resource.name.as_str());
                    resource.actions.iter().map(move |action| (names.0, names.1, names.2, action))
                })
            })
        })
    }
}

fn last_or_new<T>(list: &mut Vec<T>, is_wanted: impl Fn(&T) -> bool, new: impl FnOnce() -> T) -> &mut T {
    if !list.last().is_some_and(is_wanted) {
        list.push(new());
    }
    let last = list.len() - 1;
    &mut list[last]
}
