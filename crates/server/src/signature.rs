//! Whether files have changed.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::SystemTime;

/// When a file was changed, its size, and which it is; none where it is not there.
pub(crate) type Signature = Option<(SystemTime, u64, u64)>;

pub(crate) fn signature(path: &Path) -> Signature {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), inode(&metadata)))
}

/// Another file may have the same time and size: those of an image, or whose link is set anew.
#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    0
}
