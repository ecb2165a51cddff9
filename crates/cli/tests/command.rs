//! What the command prints and how it exits, one case a file: the files of a directory, the arguments, and all that is
//! to be seen. `UPDATE_EXPECTED=1` rewrites the expectations.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

#[path = "../../../tests/support/mod.rs"]
mod support;

use std::ffi::OsString;
use std::fs;
use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use orthrus_cli::{Environment, Terminal};
use support::{Archive, files, stem};

const ARGUMENTS: &str = "arguments";
const EXPECTED: &str = "expected";
/// Stands for the directory in arguments and in what is printed.
const DIRECTORY: &str = "DIR";

fn main() {
    let cases = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command"), ".txt");
    let trials = cases.into_iter().map(|path| Trial::test(stem(&path), move || run(&path)));
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit();
}

fn run(path: &Path) -> Result<(), Failed> {
    let archive = Archive::read(path);
    let directory = tempfile::tempdir()?;
    for source in archive.sources(&[ARGUMENTS, EXPECTED]) {
        let path = directory.path().join(source.name());
        fs::create_dir_all(path.parent().unwrap())?;
        fs::write(path, source.text())?;
    }
    let root = directory.path().to_str().unwrap();
    let actual: String = archive
        .file(ARGUMENTS)
        .lines()
        .map(|line| format!("$ orthrus {line}\n{}", command(line, root)))
        .collect();
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

/// Runs one line of arguments: its output, its messages marked with `!`, its exit code.
fn command(line: &str, root: &str) -> String {
    let arguments = line.split_whitespace().map(|argument| OsString::from(argument.replace(DIRECTORY, root)));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = orthrus_cli::run(arguments, &mut Terminal::new(&mut out, &mut err, Environment::default()));
    let [out, err] = [out, err].map(|text| String::from_utf8(text).unwrap().replace(root, DIRECTORY));
    let escaped = out.replace('\u{1b}', "ESC");
    let messages: String = err.lines().map(|line| format!("! {line}\n")).collect();
    format!("{escaped}{messages}exit code {}\n", exit.code())
}
