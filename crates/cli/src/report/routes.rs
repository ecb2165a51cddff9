//! Results of the tests of a file of routes.

use std::fmt::Write;

use orthrus_gateway::{RouteTest, RouteTestFailure};
use serde_json::{Value, json};

use super::palette::{Ink, Palette};
use super::pretty;

type Outcome<'t> = (&'t RouteTest, Result<(), RouteTestFailure>);

/// For people: what failed, and how many there are.
pub(crate) fn route_tests(routes: usize, results: &[Outcome<'_>], palette: Palette) -> String {
    let mut text = format!("{}\n", palette.paint(Ink::Heading, "Test results"));
    let failures = || results.iter().filter_map(|(_, result)| result.as_ref().err());
    for failure in failures() {
        let failed = palette.paint(Ink::Bad, "[FAILED]");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{failure} {failed}", failure = heading(failure, palette));
        for difference in &failure.differences {
            let _ = writeln!(text, "  {difference}");
        }
    }
    let failed = failures().count();
    let passed = results.len() - failed;
    let _ = write!(text, "\n{}, {} executed", plural(routes, "route"), plural(results.len(), "test"));
    for (count, name, ink) in [(passed, "OK", Ink::Good), (failed, "FAILED", Ink::Bad)] {
        if count > 0 {
            text.push(' ');
            text.push_str(&palette.paint(ink, format_args!("[{count} {name}]")));
        }
    }
    text.push('\n');
    text
}

fn heading(failure: &RouteTestFailure, palette: Palette) -> String {
    let RouteTestFailure { file, position, name, .. } = failure;
    format!("{}: {}", palette.paint(Ink::Name, format_args!("{file}:{position}")), name)
}

fn plural(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

/// For programs.
pub(crate) fn route_tests_json(routes: usize, results: &[Outcome<'_>]) -> String {
    let tests: Vec<Value> = results.iter().map(|(test, result)| test_json(test, result)).collect();
    let failed = results.iter().filter(|(_, result)| result.is_err()).count();
    pretty(&json!({
        "routes": routes,
        "tests": tests,
        "summary": { "passed": results.len() - failed, "failed": failed },
    }))
}

fn test_json(test: &RouteTest, result: &Result<(), RouteTestFailure>) -> Value {
    let position = test.position();
    let mut json = json!({
        "name": test.name(),
        "file": test.file(),
        "position": { "line": position.line, "column": position.column },
        "passed": result.is_ok(),
    });
    if let Err(failure) = result {
        let differences = failure.differences.iter();
        let differences =
            differences.map(|it| json!({ "what": it.what, "expected": it.expected, "actual": it.actual }));
        json["differences"] = differences.collect();
    }
    json
}
