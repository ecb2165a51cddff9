//! What is said of files of routes, one case a file: the routes, and all that is to be seen, mistakes or failed tests.
//! `UPDATE_EXPECTED=1` rewrites the expectations.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

#[path = "../../../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use orthrus::text::{Diagnostic, Source};
use orthrus_gateway::{RouteTestFailure, Routes};
use support::{Archive, files, stem};

const FILE: &str = "routes.yaml";
const EXPECTED: &str = "expected";

fn main() {
    let cases = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics"), ".txt");
    let trials = cases.into_iter().map(|path| Trial::test(stem(&path), move || run(&path)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn run(path: &Path) -> Result<(), Failed> {
    let archive = Archive::read(path);
    let actual = said_of(archive.file(FILE));
    if actual == archive.file(EXPECTED) {
        return Ok(());
    }
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let text = fs::read_to_string(path)?;
        let marker = format!("-- {EXPECTED} --\n");
        let input = text.split_once(&marker).map_or(text.as_str(), |(input, _)| input);
        fs::write(path, format!("{input}{marker}{actual}"))?;
        return Ok(());
    }
    Err(format!("expected:\n{}\ngot:\n{actual}", archive.file(EXPECTED)).into())
}

fn said_of(text: &str) -> String {
    let file = match Routes::from_source(&Source::new(FILE, text)) {
        Ok(file) => file,
        Err(diagnostics) => return diagnostics.iter().map(Diagnostic::render).collect(),
    };
    let failures: Vec<RouteTestFailure> =
        file.tests.iter().filter_map(|test| test.run(&file.routes).err()).collect();
    let tally = format!("{} routes, {} tests\n", file.routes.len(), file.tests.len());
    failures.iter().map(|failure| format!("{failure}\n")).chain([tally]).collect()
}
