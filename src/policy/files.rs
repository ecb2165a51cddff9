//! Which files of a policy directory are what.

/// What a file in a policy directory is, by its path alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A policy.
    Policy,
    /// A JSON Schema.
    Schema {
        /// The path below `_schemas`: what follows `cerbos:///` in references.
        id: String,
    },
    /// A test suite: `*_test.yaml`.
    Test,
    /// A file in a `testdata` directory.
    TestFixture,
    /// In a `_schemas` directory that is not at the root, where the PDP refuses the policy directory.
    MisplacedSchema,
    /// Anything else.
    Ignored,
}

const SCHEMAS: &str = "_schemas";
const FIXTURES: &str = "testdata";

impl FileKind {
    /// Classifies a path, relative to the policy directory and separated by `/`.
    ///
    /// As in the PDP: what has a segment that starts with a dot is ignored; `_schemas` counts at the root
    /// only, and in it no other rule but the extension; policies and tests are YAML or JSON.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let path = path.strip_prefix("./").unwrap_or(path);
        let is_hidden = |segment: &str| segment.starts_with('.') && !matches!(segment, "." | "..");
        if path.split('/').any(is_hidden) {
            return Self::Ignored;
        }
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        let special = directory.split('/').find(|segment| matches!(*segment, SCHEMAS | FIXTURES));
        match (special, extension(file)) {
            (Some(SCHEMAS), extension) => match (schema_id(path), extension) {
                (Some(id), Some((_, "json"))) => Self::Schema { id: id.to_owned() },
                (Some(_), _) => Self::Ignored,
                (None, _) => Self::MisplacedSchema,
            },
            (_, None) => Self::Ignored,
            (Some(_), Some(_)) => Self::TestFixture,
            (None, Some((stem, _))) if stem.to_ascii_lowercase().ends_with("_test") => Self::Test,
            (None, Some(_)) => Self::Policy,
        }
    }
}

/// The path below the `_schemas` directory at the root.
fn schema_id(path: &str) -> Option<&str> {
    path.strip_prefix(SCHEMAS)?.strip_prefix('/')
}

/// A file's name without and with one of the extensions that count, in lower case.
fn extension(file: &str) -> Option<(&str, &'static str)> {
    let (stem, extension) = file.rsplit_once('.')?;
    let known = ["yaml", "yml", "json"].into_iter().find(|known| extension.eq_ignore_ascii_case(known));
    known.map(|known| (stem, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_classified_as_the_pdp_does() {
        let schema = |id: &str| FileKind::Schema { id: id.to_owned() };
        let cases = [
            ("doc.yaml", FileKind::Policy),
            ("a/b/doc.YML", FileKind::Policy),
            ("doc.json", FileKind::Policy),
            ("doc.txt", FileKind::Ignored),
            ("doc", FileKind::Ignored),
            ("yaml", FileKind::Ignored),
            (".doc.yaml", FileKind::Ignored),
            (".git/doc.yaml", FileKind::Ignored),
            ("a/.b/doc.yaml", FileKind::Ignored),
            ("./doc.yaml", FileKind::Policy),
            ("./_schemas/doc.json", schema("doc.json")),
            ("_schemas/doc.json", schema("doc.json")),
            ("_schemas/a/testdata/x_test.json", schema("a/testdata/x_test.json")),
            ("_schemas/doc.yaml", FileKind::Ignored),
            ("_schemas/.hidden.json", FileKind::Ignored),
            ("_schemas", FileKind::Ignored),
            ("_schemas.yaml", FileKind::Policy),
            ("a/_schemas/doc.json", FileKind::MisplacedSchema),
            ("a/_schemas/readme.md", FileKind::MisplacedSchema),
            ("a/_schemas/testdata/doc.json", FileKind::MisplacedSchema),
            ("a/testdata/_schemas/doc.json", FileKind::TestFixture),
            ("bar_schemas/doc.json", FileKind::Policy),
            ("doc_test.yaml", FileKind::Test),
            ("a/doc_TEST.json", FileKind::Test),
            ("_test.yaml", FileKind::Test),
            ("doctest.yaml", FileKind::Policy),
            ("doc_test.txt", FileKind::Ignored),
            ("testdata/principals.yaml", FileKind::TestFixture),
            ("a/testdata/b/doc_test.yaml", FileKind::TestFixture),
            ("testdata/.hidden.yaml", FileKind::Ignored),
            ("testdata/readme.md", FileKind::Ignored),
            ("testdata.yaml", FileKind::Policy),
        ];
        for (path, kind) in cases {
            assert_eq!(FileKind::of(path), kind, "{path}");
        }
    }
}
