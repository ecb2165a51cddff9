//! Where policies come from: a directory on disk, or files in memory.

mod directory;

pub use directory::{StoreError, read_directory, read_tests};
