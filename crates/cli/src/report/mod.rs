//! Results as text.

mod diagnostics;
mod junit;
mod palette;
mod results;
mod routes;
mod trace;
mod tree;

use serde::Serialize;

pub(crate) use diagnostics::{diagnostics, diagnostics_json, tally, warnings};
pub(crate) use junit::results_junit;
pub(crate) use palette::Palette;
pub(crate) use results::results;
pub(crate) use routes::{route_tests, route_tests_json};
pub(crate) use tree::Style;

use crate::verify::TestResults;

/// Test results in the JSON of Cerbos' `TestResults`.
pub(crate) fn results_json(results: &TestResults) -> String {
    pretty(results)
}

fn pretty(value: &impl Serialize) -> String {
    // What is written here has string keys and finite numbers, so that it always can be.
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
