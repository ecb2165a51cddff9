//! What keeps policies from being read.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use orthrus::text::Diagnostics;

use crate::archive::Fault;

/// Why the files cannot be had.
#[derive(Debug)]
pub enum StoreError {
    /// Nothing is there.
    Missing(PathBuf),
    /// The path leads to something that is neither a directory nor an archive.
    NoStore(PathBuf),
    /// The file system refuses.
    Unreadable(PathBuf, io::Error),
    /// An archive that is broken, or that is not taken.
    Archive(PathBuf, Fault),
    /// Files that are no text.
    Files(Diagnostics),
}

impl StoreError {
    /// The file or directory that cannot be read; none where files are no text: their diagnostics name them.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Missing(path)
            | Self::NoStore(path)
            | Self::Unreadable(path, _)
            | Self::Archive(path, _) => Some(path),
            Self::Files(_) => None,
        }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => {
                write!(f, "there is no policy directory or archive at `{}`", path.display())
            }
            Self::NoStore(path) => write!(
                f,
                "`{}` is neither a directory nor an archive (.zip, .tar, .tar.gz or .tgz)",
                path.display()
            ),
            Self::Unreadable(path, error) => write!(f, "cannot read `{}`: {error}", path.display()),
            Self::Archive(path, fault) => write!(f, "cannot read the archive `{}`: {fault}", path.display()),
            Self::Files(diagnostics) => {
                diagnostics.iter().try_for_each(|diagnostic| writeln!(f, "{diagnostic}"))
            }
        }
    }
}

impl std::error::Error for StoreError {}
