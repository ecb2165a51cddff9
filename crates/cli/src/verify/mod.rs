//! Policy tests: suites `*_test.yaml` with fixtures in `testdata`, run as the Cerbos PDP runs them.
//!
//! Reads no file and no clock: files come as [`Source`]s, and the time comes from the suites. The format is that of
//! `TestSuite` in Cerbos' `policy.proto`.

mod decode;
mod filter;
mod fixtures;
mod matrix;
mod places;
mod results;
mod run;
mod suite;
mod trace;

use std::collections::BTreeSet;

use orthrus::Engine;
use orthrus::policy::FileKind;
use orthrus::text::{Diagnostics, Source};

pub use decode::suite as read_suite;
pub use filter::{InvalidFilter, TestFilter};
pub use matrix::{Expected, Test};
pub use places::RulePlaces;
pub use results::{
    ActionResult, Details, Failure, Outcome, Output, OutputFailure, OutputFailureKind, OutputValue,
    PrincipalResult, ResourceResult, Success, SuiteResult, Summary, Tally, TestCaseResult, TestResult,
    TestResults, effect_name,
};
pub use suite::{
    AuxData, Expectation, ExpectedOutput, Fixtures, Group, Input, Members, OutputExpectation, Principal,
    Resource, Suite, TestOptions, TestTable,
};

pub use trace::{ConditionStep, NodeValue, Place, RoleStep, Step};

use fixtures::{FixtureFiles, Scope};

/// How tests are run.
#[derive(Debug, Default)]
pub struct Config {
    /// Which are.
    pub filter: TestFilter,
    /// Keys of resource policies (`resource.KIND.vVERSION[/SCOPE]`): tests of their resources are left out.
    pub excluded_resource_policies: BTreeSet<String>,
    /// Keys of principal policies: tests of their principals are left out.
    pub excluded_principal_policies: BTreeSet<String>,
    /// Whether each action is decided by itself. A test's actions are decided together otherwise, so that a policy
    /// which asks for the time without there being one fails all of them.
    pub skip_batching: bool,
    /// Where rules are written, if the rules that led to an answer are to be shown.
    pub trace: Option<RulePlaces>,
}

/// Runs the suites among the sources. `progress` is told before each suite how many are done, and of how many.
pub fn run(
    engine: &Engine,
    sources: &[Source],
    config: &Config,
    progress: &mut dyn FnMut(usize, usize),
) -> TestResults {
    let mut suites: Vec<&Source> =
        sources.iter().filter(|source| FileKind::of(source.name()) == FileKind::Test).collect();
    suites.sort_by_key(|source| source.name());
    let mut fixtures = FixtureFiles::new(sources);
    let mut results = TestResults::default();
    for (done, source) in suites.iter().enumerate() {
        progress(done, suites.len());
        results.add(run_file(engine, source, &mut fixtures, config));
    }
    results
}

/// Writes out the tests of a suite that has all its fixtures in itself.
///
/// # Errors
/// What makes the suite impossible to run.
pub fn expand(suite: &Suite) -> Result<Vec<Test<'_>>, Diagnostics> {
    matrix::tests(Scope { suite, beside: &suite::NO_FIXTURES })
}

fn run_file(
    engine: &Engine,
    source: &Source,
    fixtures: &mut FixtureFiles<'_>,
    config: &Config,
) -> SuiteResult {
    let suite = match decode::suite(source) {
        Ok(suite) => suite,
        Err(errors) => {
            let unknown = SuiteResult::new(source.name(), "Unknown", "");
            return unknown.errored("the test suite cannot be read", errors);
        }
    };
    let result = SuiteResult::new(source.name(), &suite.name, &suite.description);
    let beside = match fixtures.beside(source.name()) {
        Ok(beside) => beside,
        Err(errors) => return result.errored("the test fixtures cannot be read", errors.clone()),
    };
    let scope = Scope { suite: &suite, beside };
    let errors = scope.check_groups();
    if errors.has_errors() {
        return result.errored("the groups of the test suite are invalid", errors);
    }
    if suite.skip {
        return result.skipped(&suite.skip_reason);
    }
    match matrix::tests(scope) {
        Ok(tests) => run::run(engine, &suite.name, &tests, config, result),
        Err(errors) => result.errored("the test suite is invalid", errors),
    }
}
