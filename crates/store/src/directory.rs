//! A directory of policy files, as Cerbos' disk driver reads it.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use orthrus::policy::{Budget, FileKind};
use orthrus::text::{Code, Diagnostic, Diagnostics, Source, Span};

/// Why the files cannot be had.
#[derive(Debug)]
pub enum StoreError {
    /// There is no such directory.
    Missing(PathBuf),
    /// The path leads to something else.
    NotADirectory(PathBuf),
    /// The file system refuses.
    Unreadable(PathBuf, io::Error),
    /// Files that are no text.
    Files(Diagnostics),
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "there is no policy directory at `{}`", path.display()),
            Self::NotADirectory(path) => write!(f, "`{}` is not a directory", path.display()),
            Self::Unreadable(path, error) => write!(f, "cannot read `{}`: {error}", path.display()),
            Self::Files(diagnostics) => {
                diagnostics.iter().try_for_each(|diagnostic| writeln!(f, "{diagnostic}"))
            }
        }
    }
}

impl std::error::Error for StoreError {}

/// Reads every file that concerns the engine, named by its path below the directory, in the order of names.
///
/// Links to files are followed, links to directories are not: as in Cerbos, and so that no circle can arise.
///
/// # Errors
/// A directory that is missing or cannot be read, and files that are not UTF-8 or too large.
pub fn read_directory(directory: &Path) -> Result<Vec<Source>, StoreError> {
    read_files(directory, concerns_engine, |directory| {
        ["policy.yaml", "schema.json"].iter().any(|file| concerns_engine(&format!("{directory}/{file}")))
    })
}

/// Reads every test suite and every fixture, in the same manner.
///
/// # Errors
/// As [`read_directory`].
pub fn read_tests(directory: &Path) -> Result<Vec<Source>, StoreError> {
    read_files(directory, concerns_tests, |directory| concerns_tests(&format!("{directory}/suite_test.yaml")))
}

fn read_files(
    directory: &Path,
    wants_file: fn(&str) -> bool,
    wants_directory: fn(&str) -> bool,
) -> Result<Vec<Source>, StoreError> {
    match fs::metadata(directory) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err(StoreError::NotADirectory(directory.to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing(directory.to_owned()));
        }
        Err(error) => return Err(StoreError::Unreadable(directory.to_owned(), error)),
    }
    let mut files = Vec::new();
    list_files(directory, "", wants_file, wants_directory, &mut files)?;
    files.sort();
    let mut sources = Vec::with_capacity(files.len());
    let mut diagnostics = Diagnostics::new();
    for (name, path) in files {
        match read_file(&name, &path)? {
            Ok(source) => sources.push(source),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    if diagnostics.is_empty() { Ok(sources) } else { Err(StoreError::Files(diagnostics)) }
}

fn list_files(
    directory: &Path,
    prefix: &str,
    wants_file: fn(&str) -> bool,
    wants_directory: fn(&str) -> bool,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), StoreError> {
    let unreadable = |error| StoreError::Unreadable(directory.to_owned(), error);
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            if wants_directory(&name) {
                list_files(&entry.path(), &format!("{name}/"), wants_file, wants_directory, files)?;
            }
        } else if wants_file(&name) && entry.path().is_file() {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

/// Policies and schemas, and what the engine refuses to overlook.
fn concerns_engine(name: &str) -> bool {
    matches!(FileKind::of(name), FileKind::Policy | FileKind::Schema { .. } | FileKind::MisplacedSchema)
}

fn concerns_tests(name: &str) -> bool {
    matches!(FileKind::of(name), FileKind::Test | FileKind::TestFixture)
}

fn read_file(name: &str, path: &Path) -> Result<Result<Source, Diagnostic>, StoreError> {
    let unreadable = |error| StoreError::Unreadable(path.to_owned(), error);
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > Budget::default().bytes as u64 {
        let message = format!(
            "{name}: the file has {size} bytes; one of policies or schemas may have {}",
            Budget::default().bytes
        );
        return Ok(Err(Diagnostic::unplaced(Code::TooLarge, message)));
    }
    let bytes = fs::read(path).map_err(unreadable)?;
    Ok(String::from_utf8(bytes).map(|text| Source::new(name, text)).map_err(|error| {
        let valid =
            String::from_utf8_lossy(&error.as_bytes()[..error.utf8_error().valid_up_to()]).into_owned();
        let end = Span::at(valid.len());
        Diagnostic::error(Code::Syntax, &Source::new(name, valid), end, "the file is not UTF-8")
            .with_hint("save the file as UTF-8")
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(directory: &Path, name: &str, text: &[u8]) {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn reads_policies_and_schemas_or_tests_in_the_order_of_names() {
        let directory = tempfile::tempdir().unwrap();
        for name in [
            "b.yaml",
            "a/z.yml",
            "a/z_test.yaml",
            ".git/c.yaml",
            "testdata/d.yaml",
            "e.txt",
            "f.json",
            "_schemas/s.json",
            "_schemas/sub/s.json",
            "_schemas/s.yaml",
            "_schemas/.hidden/s.json",
        ] {
            write(directory.path(), name, b"a: 1");
        }
        let sources = read_directory(directory.path()).unwrap();
        let names: Vec<&str> = sources.iter().map(Source::name).collect();
        assert_eq!(names, ["_schemas/s.json", "_schemas/sub/s.json", "a/z.yml", "b.yaml", "f.json"]);
        let tests = read_tests(directory.path()).unwrap();
        let names: Vec<&str> = tests.iter().map(Source::name).collect();
        assert_eq!(names, ["a/z_test.yaml", "testdata/d.yaml"]);
    }

    #[test]
    fn says_what_is_wrong_with_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "a.yaml", b"a: \xff");
        let missing = read_directory(&directory.path().join("nowhere")).unwrap_err();
        assert!(matches!(missing, StoreError::Missing(_)), "{missing}");
        let file = read_directory(&directory.path().join("a.yaml")).unwrap_err();
        assert!(matches!(file, StoreError::NotADirectory(_)), "{file}");
        let not_text = read_directory(directory.path()).unwrap_err();
        assert_eq!(not_text.to_string(), "a.yaml:1:4: the file is not UTF-8\n");
    }
}
