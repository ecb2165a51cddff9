//! A directory of policy files, as Cerbos' disk driver reads it.

use std::fs;
use std::path::{Path, PathBuf};

use crate::StoreError;
use crate::files::{Selection, Sources, max_bytes};

pub(crate) fn read(directory: &Path, selection: &Selection, sources: &mut Sources) -> Result<(), StoreError> {
    let mut files = Vec::new();
    list_files(directory, "", selection, &mut files)?;
    for (name, path) in files {
        let unreadable = |error| StoreError::Unreadable(path.clone(), error);
        if fs::metadata(&path).map_err(unreadable)?.len() > max_bytes() {
            sources.add_too_large(name);
        } else {
            sources.add(name, fs::read(&path).map_err(unreadable)?);
        }
    }
    Ok(())
}

fn list_files(
    directory: &Path,
    prefix: &str,
    selection: &Selection,
    files: &mut Vec<(String, PathBuf)>,
) -> Result<(), StoreError> {
    let unreadable = |error| StoreError::Unreadable(directory.to_owned(), error);
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().map_err(unreadable)?;
        if kind.is_dir() {
            if (selection.wants_directory)(&name) {
                list_files(&entry.path(), &format!("{name}/"), selection, files)?;
            }
        } else if (selection.wants_file)(&name) && entry.path().is_file() {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use orthrus::text::Source;

    use super::*;
    use crate::{read_policies, read_tests};

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
        let sources = read_policies(directory.path()).unwrap();
        let names: Vec<&str> = sources.iter().map(Source::name).collect();
        assert_eq!(names, ["_schemas/s.json", "_schemas/sub/s.json", "a/z.yml", "b.yaml", "f.json"]);
        let tests = read_tests(directory.path()).unwrap();
        let names: Vec<&str> = tests.iter().map(Source::name).collect();
        assert_eq!(names, ["a/z_test.yaml", "testdata/d.yaml"]);
    }

    #[test]
    fn says_what_is_wrong_with_the_path_and_the_files() {
        let directory = tempfile::tempdir().unwrap();
        write(directory.path(), "a.yaml", b"a: \xff");
        write(directory.path(), "b.yaml", &vec![b' '; usize::try_from(max_bytes()).unwrap() + 1]);
        let missing = read_policies(&directory.path().join("nowhere")).unwrap_err();
        assert!(matches!(missing, StoreError::Missing(_)), "{missing}");
        let file = read_policies(&directory.path().join("a.yaml")).unwrap_err();
        assert!(matches!(file, StoreError::NoStore(_)), "{file}");
        let files = read_policies(directory.path()).unwrap_err();
        assert_eq!(
            files.to_string(),
            "a.yaml:1:4: the file is not UTF-8\n\
             b.yaml: a file of policies, schemas or tests may have 4194304 bytes, not more\n"
        );
    }
}
