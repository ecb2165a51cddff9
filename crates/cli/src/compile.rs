//! `compile`: are the policies of a directory or archive in order, and do they pass their tests?

use std::io;
use std::path::{Path, PathBuf};

use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::schema::Enforcement;
use orthrus::text::{Diagnostics, Source};
use orthrus_store::{StoreError, read_policies, read_tests};

use crate::Exit;
use crate::arguments::{CompileArguments, Format, TestFormat};
use crate::report::{self, Palette, Style};
use crate::terminal::Terminal;
use crate::verify::{self, Config, RulePlaces, TestFilter, TestResults};

/// What to check, and how.
#[derive(Clone, Debug, Default)]
pub struct CompileOptions {
    /// Whether schemas of attributes count for nothing.
    pub ignore_schemas: bool,
    /// Whether tests are left out.
    pub skip_tests: bool,
    /// Where the tests are, if not among the policies.
    pub tests: Option<PathBuf>,
    /// Which tests to run.
    pub filter: TestFilter,
    /// Whether each action of a test is decided by itself.
    pub skip_batching: bool,
    /// Whether an expression that raises an error denies the action.
    pub strict_evaluation: bool,
    /// Whether to find out which rules led to each answer.
    pub trace: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct CompileReport {
    /// What is wrong with the policies, or odd about them.
    pub diagnostics: Diagnostics,
    /// The results of the tests. None where the policies are wrong, or the tests left out.
    pub tests: Option<TestResults>,
}

impl CompileReport {
    /// Whether the policies are in order and no test failed.
    #[must_use]
    pub fn is_success(&self) -> bool {
        !self.diagnostics.has_errors() && self.tests.as_ref().is_none_or(TestResults::is_success)
    }
}

/// How far the work is.
#[derive(Clone, Copy, Debug)]
pub enum Progress {
    /// So many policy files are compiled now.
    Compiling(usize),
    /// So many test suites are done, of so many.
    Testing(usize, usize),
}

/// Compiles the policies of a directory or archive and runs their tests.
///
/// # Errors
/// A directory or archive that cannot be read.
pub fn compile(
    directory: &Path,
    options: &CompileOptions,
    progress: &mut dyn FnMut(Progress),
) -> Result<CompileReport, StoreError> {
    let sources = match read_policies(directory) {
        Err(StoreError::Files(diagnostics)) => return Ok(CompileReport { diagnostics, tests: None }),
        sources => sources?,
    };
    progress(Progress::Compiling(sources.len()));
    let trace = options.trace.then(|| RulePlaces::new(&sources));
    let engine = match engine(sources, options) {
        Ok(engine) => engine,
        Err(diagnostics) => return Ok(CompileReport { diagnostics, tests: None }),
    };
    let diagnostics = engine.warnings().clone();
    if options.skip_tests {
        return Ok(CompileReport { diagnostics, tests: None });
    }
    let tests = match read_tests(options.tests.as_deref().unwrap_or(directory)) {
        Err(StoreError::Files(diagnostics)) => return Ok(CompileReport { diagnostics, tests: None }),
        tests => tests?,
    };
    let config = Config {
        filter: options.filter.clone(),
        skip_batching: options.skip_batching,
        trace,
        ..Config::default()
    };
    let mut progress = |done, total| progress(Progress::Testing(done, total));
    let results = verify::run(&engine, &tests, &config, &mut progress);
    Ok(CompileReport { diagnostics, tests: Some(results) })
}

fn engine(sources: Vec<Source>, options: &CompileOptions) -> Result<Engine, Diagnostics> {
    // As `cerbos compile` has it, whatever the PDP that runs the policies is set to.
    let schema_enforcement = if options.ignore_schemas { Enforcement::Ignored } else { Enforcement::Reject };
    let strict_evaluation = options.strict_evaluation;
    let engine_options = Options { schema_enforcement, strict_evaluation, ..Options::default() };
    Engine::new(sources, engine_options, Const::map(Vec::new()))
}

/// The verb: does it, and shows what came of it.
pub(crate) fn verb(arguments: &CompileArguments, terminal: &mut Terminal<'_>) -> io::Result<Exit> {
    let mut progress = |progress| match progress {
        Progress::Compiling(files) => terminal.progress(&format!("compiling {files} policies…")),
        Progress::Testing(done, total) => {
            terminal.progress(&format!("running tests: {done} of {total} suites…"));
        }
    };
    let report = match compile(&arguments.directory, &arguments.options, &mut progress) {
        Ok(report) => report,
        Err(error) => return terminal.complain(&error.to_string()).map(|()| Exit::Failure),
    };
    let palette = Palette::new(terminal.colors(arguments.color));
    if report.diagnostics.has_errors() {
        let text = match arguments.output {
            Format::Text => report::diagnostics(&report.diagnostics, palette),
            Format::Json => report::diagnostics_json(&report.diagnostics),
        };
        terminal.print(&text)?;
        terminal.complain(&format!("failed to compile: {}", report::tally(&report.diagnostics)))?;
        return Ok(Exit::CompileFailed);
    }
    if !report.diagnostics.is_empty() {
        terminal.note(&report::warnings(&report.diagnostics))?;
    }
    let Some(tests) = &report.tests else { return Ok(Exit::Success) };
    let verbose = arguments.verbose;
    terminal.print(&match arguments.test_output {
        TestFormat::Tree => report::results(tests, Style::Tree, verbose, palette),
        TestFormat::List => report::results(tests, Style::List, verbose, palette),
        TestFormat::Json => report::results_json(tests),
        TestFormat::JUnit => report::results_junit(tests, verbose),
    })?;
    if tests.is_success() {
        return Ok(Exit::Success);
    }
    terminal.complain("tests failed")?;
    Ok(Exit::TestsFailed)
}
