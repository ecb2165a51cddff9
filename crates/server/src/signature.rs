//! Whether files have changed.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

/// When a file was changed, and its size; none where it is not there.
pub(crate) type Signature = Option<(SystemTime, u64)>;

pub(crate) fn signature(path: &Path) -> Signature {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}
