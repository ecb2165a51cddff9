//! What the data-driven suites share: archives of files in one text, and where corpora are.
#![allow(dead_code, reason = "each suite uses a part")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test that cannot go on fails and says so"
)]

pub(crate) mod engine_case;
pub(crate) mod yaml;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::schema::Enforcement;
use orthrus::text::{Diagnostics, Source};

/// Files in one text: a line `-- NAME --` starts each.
pub(crate) struct Archive(Vec<(String, String)>);

impl Archive {
    pub(crate) fn parse(text: &str) -> Self {
        let mut files: Vec<(String, String)> = Vec::new();
        for line in text.split_inclusive('\n') {
            let name = line.trim_end().strip_prefix("-- ").and_then(|line| line.strip_suffix(" --"));
            match (name, files.last_mut()) {
                (Some(name), _) => files.push((name.to_owned(), String::new())),
                (None, Some((_, text))) => text.push_str(line),
                (None, None) => {}
            }
        }
        Self(files)
    }

    pub(crate) fn read(path: &Path) -> Self {
        Self::parse(&fs::read_to_string(path).unwrap())
    }

    pub(crate) fn file(&self, name: &str) -> &str {
        self.0.iter().find(|(file, _)| file == name).map_or("", |(_, text)| text)
    }

    /// What the file `enforcement` names; none where there is no such file.
    pub(crate) fn enforcement(&self) -> Enforcement {
        Enforcement::from_name(self.file("enforcement").trim()).unwrap_or_default()
    }

    /// The enforcement, and strict evaluation where the file `evaluation` says `strict`.
    pub(crate) fn options(&self) -> Options {
        let strict_evaluation = self.file("evaluation").trim() == "strict";
        Options { schema_enforcement: self.enforcement(), strict_evaluation, ..Options::default() }
    }

    /// All files but those named.
    pub(crate) fn sources(&self, except: &[&str]) -> Vec<Source> {
        let files = self.0.iter().filter(|(name, _)| !except.contains(&name.as_str()));
        files.map(|(name, text)| Source::new(name, text.as_str())).collect()
    }
}

/// Compiles sources with default options.
pub(crate) fn engine(sources: Vec<Source>) -> Result<Engine, Diagnostics> {
    engine_with(sources, Enforcement::None)
}

/// Compiles sources with default options, but for the enforcement of schemas.
pub(crate) fn engine_with(
    sources: Vec<Source>,
    schema_enforcement: Enforcement,
) -> Result<Engine, Diagnostics> {
    engine_by(sources, Options { schema_enforcement, ..Options::default() })
}

/// Compiles sources with options, and without globals.
pub(crate) fn engine_by(sources: Vec<Source>, options: Options) -> Result<Engine, Diagnostics> {
    Engine::new(sources, options, Const::map(Vec::new()))
}

/// The same policies after a journey as bytes.
pub(crate) fn bundled(sources: Vec<Source>, options: Options, globals: Const) -> Engine {
    let packed =
        orthrus::pack(sources, options.schema_enforcement == Enforcement::None).unwrap_or_else(|errors| {
            panic!("{}", errors.iter().map(orthrus::text::Diagnostic::render).collect::<String>())
        });
    Engine::from_payload(&packed.payload, options, globals).unwrap_or_else(|error| panic!("{error}"))
}

/// The files of a directory with an ending, in order.
pub(crate) fn files(directory: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    files.sort();
    files
}

/// A file's name without its ending.
pub(crate) fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

/// The root of this workspace: suites of all its crates share this module.
fn workspace() -> &'static Path {
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    crate_root.ancestors().find(|directory| directory.join("Cargo.lock").is_file()).unwrap_or(crate_root)
}

/// Where the tests of this workspace are.
pub(crate) fn tests_directory() -> PathBuf {
    workspace().join("tests")
}

/// A folder of the conformance corpus. Where it is missing, a line says so; under CI that is a failure.
pub(crate) fn corpus(folder: &str) -> Option<PathBuf> {
    let default = || workspace().join("../shared/conformance");
    let root = std::env::var_os("ORTHRUS_CONFORMANCE").map_or_else(default, PathBuf::from);
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "the conformance corpus is missing: {}", path.display());
    println!("SKIPPED: no conformance corpus at {} (set ORTHRUS_CONFORMANCE)", path.display());
    None
}

/// The names in a list of expected failures. The list may only shrink: a listed case that passes is a failure.
pub(crate) fn expected_failures(list: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(tests_directory().join("expected_failures").join(list)).unwrap();
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(str::to_owned)
        .collect()
}

/// A case of a corpus: its name, and what runs it.
pub(crate) type Case = (String, Box<dyn FnOnce() -> Result<(), String> + Send>);

/// Runs the cases of a suite. Those in its list of expected failures have to fail.
pub(crate) fn run_cases(cases: Vec<Case>, list: &'static str) -> ! {
    let expected_to_fail = expected_failures(list);
    let unknown: Vec<_> =
        expected_to_fail.iter().filter(|name| !cases.iter().any(|(it, _)| it == *name)).collect();
    assert!(cases.is_empty() || unknown.is_empty(), "no such cases: {unknown:?}");
    let trials = cases.into_iter().map(|(name, case)| {
        let fails = expected_to_fail.contains(&name);
        Trial::test(name, move || match (case(), fails) {
            (Ok(()), true) => {
                Err(format!("passes, but is listed in expected_failures/{list}: remove it there").into())
            }
            (Err(_), true) => Ok(()),
            (result, false) => result.map_err(Failed::from),
        })
    });
    libtest_mimic::run(&Arguments::from_args(), trials.collect()).exit()
}

/// Every file below a directory, named by its path below it.
pub(crate) fn read_store(directory: &Path) -> Vec<Source> {
    fn walk(directory: &Path, prefix: &str, sources: &mut Vec<Source>) {
        for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                walk(&entry.path(), &format!("{name}/"), sources);
            } else {
                sources.push(Source::new(name, fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    let mut sources = Vec::new();
    walk(directory, "", &mut sources);
    sources
}
