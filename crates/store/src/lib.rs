//! Where policies come from: a directory, or an archive of one.

mod archive;
mod directory;
mod error;
mod files;

use std::fs;
use std::io;
use std::path::Path;

use orthrus::text::Source;

pub use archive::Fault;
use archive::{Format, Limits};
pub use error::StoreError;
use files::{Selection, Sources};

/// Reads every policy and schema of a directory or an archive, named by its path below it, in the order of names.
///
/// An archive is known by its name, as in Cerbos: `.zip`, `.tar`, `.tar.gz` or `.tgz`. In a directory, links to files are
/// followed and links to directories are not: as in Cerbos, and so that no circle can arise. An archive that has a link in
/// the place of a policy is refused.
///
/// # Errors
/// A path that leads nowhere or to something else, what cannot be read, and files that are not UTF-8 or too large.
pub fn read_policies(path: &Path) -> Result<Vec<Source>, StoreError> {
    read(path, &files::POLICIES)
}

/// Reads every test suite and every fixture, in the same manner.
///
/// # Errors
/// As [`read_policies`].
pub fn read_tests(path: &Path) -> Result<Vec<Source>, StoreError> {
    read(path, &files::TESTS)
}

fn read(path: &Path, selection: &Selection) -> Result<Vec<Source>, StoreError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(StoreError::Missing(path.to_owned()));
        }
        Err(error) => return Err(StoreError::Unreadable(path.to_owned(), error)),
    };
    let mut sources = Sources::default();
    if metadata.is_dir() {
        directory::read(path, selection, &mut sources)?;
    } else {
        let format = Format::of(path).ok_or_else(|| StoreError::NoStore(path.to_owned()))?;
        archive::read(path, format, &Limits::default(), selection, &mut sources)?;
    }
    sources.finish()
}
