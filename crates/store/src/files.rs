//! Files on their way to be sources: which are wanted, and whether they are text.

use std::collections::BTreeMap;

use orthrus::policy::{Budget, FileKind};
use orthrus::text::{Code, Diagnostic, Diagnostics, Source, Span};

use crate::StoreError;

/// Which files are wanted, by their path below the root.
pub(crate) struct Selection {
    /// Whether a file is.
    pub(crate) wants_file: fn(&str) -> bool,
    /// Whether anything below a directory can be.
    pub(crate) wants_directory: fn(&str) -> bool,
}

/// Policies and schemas, and what the engine refuses to overlook.
pub(crate) const POLICIES: Selection = Selection {
    wants_file: concerns_engine,
    wants_directory: |directory| {
        ["policy.yaml", "schema.json"].iter().any(|file| concerns_engine(&format!("{directory}/{file}")))
    },
};

/// Test suites and fixtures.
pub(crate) const TESTS: Selection = Selection {
    wants_file: concerns_tests,
    wants_directory: |directory| concerns_tests(&format!("{directory}/suite_test.yaml")),
};

fn concerns_engine(name: &str) -> bool {
    matches!(FileKind::of(name), FileKind::Policy | FileKind::Schema { .. } | FileKind::MisplacedSchema)
}

fn concerns_tests(name: &str) -> bool {
    matches!(FileKind::of(name), FileKind::Test | FileKind::TestFixture)
}

/// How long a file may be, in bytes.
pub(crate) fn max_bytes() -> u64 {
    Budget::default().bytes as u64
}

/// The files read so far, by name.
#[derive(Default)]
pub(crate) struct Sources(BTreeMap<String, Result<Source, Box<Diagnostic>>>);

impl Sources {
    /// Adds the content of a file. A name that was there has the new content from now on.
    pub(crate) fn add(&mut self, name: String, bytes: Vec<u8>) {
        let source = text(&name, bytes);
        self.0.insert(name, source);
    }

    /// Adds a file that was not read, because it is longer than [`max_bytes`].
    pub(crate) fn add_too_large(&mut self, name: String) {
        let limit = max_bytes();
        let message =
            format!("{name}: a file of policies, schemas or tests may have {limit} bytes, not more");
        self.0.insert(name, Err(Box::new(Diagnostic::unplaced(Code::TooLarge, message))));
    }

    /// All of them in the order of names, or what is wrong with some.
    pub(crate) fn finish(self) -> Result<Vec<Source>, StoreError> {
        let mut sources = Vec::with_capacity(self.0.len());
        let mut diagnostics = Diagnostics::new();
        for source in self.0.into_values() {
            match source {
                Ok(source) => sources.push(source),
                Err(diagnostic) => diagnostics.push(*diagnostic),
            }
        }
        if diagnostics.is_empty() { Ok(sources) } else { Err(StoreError::Files(diagnostics)) }
    }
}

fn text(name: &str, bytes: Vec<u8>) -> Result<Source, Box<Diagnostic>> {
    String::from_utf8(bytes).map(|text| Source::new(name, text)).map_err(|error| {
        let valid =
            String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let end = Span::at(valid.len());
        let diagnostic =
            Diagnostic::error(Code::Syntax, &Source::new(name, valid), end, "the file is not UTF-8");
        Box::new(diagnostic.with_hint("save the file as UTF-8"))
    })
}
