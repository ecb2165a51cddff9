//! What people read when policies are wrong, one case a file: policies, and the rendered diagnostics.
//! `UPDATE_EXPECTED=1` rewrites the expectations.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

mod support;

use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use orthrus::text::Diagnostic;
use support::{Archive, engine_with, files, stem, tests_directory};

const EXPECTED: &str = "expected";

fn main() {
    let cases = files(&tests_directory().join("diagnostics"), ".txt");
    let trials = cases.into_iter().map(|path| Trial::test(stem(&path), move || run(&path)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn run(path: &Path) -> Result<(), Failed> {
    let archive = Archive::read(path);
    let actual = match engine_with(archive.sources(&[EXPECTED]), archive.enforcement()) {
        Ok(engine) => engine.warnings().iter().map(Diagnostic::render).collect(),
        Err(errors) => errors.iter().map(Diagnostic::render).collect::<Vec<_>>(),
    }
    .join("\n");
    if actual == archive.file(EXPECTED) {
        return Ok(());
    }
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        let text = std::fs::read_to_string(path)?;
        let marker = format!("-- {EXPECTED} --\n");
        let input = text.split_once(&marker).map_or(text.as_str(), |(input, _)| input);
        std::fs::write(path, format!("{input}{marker}{actual}"))?;
        return Ok(());
    }
    Err(format!("expected:\n{}\ngot:\n{actual}", archive.file(EXPECTED)).into())
}
