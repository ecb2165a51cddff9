//! A file of lines, put away when it is large.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use std::{cmp, fs};

use crate::config::LogRotation;

/// A file to which lines are added.
pub(super) struct RotatedFile {
    path: PathBuf,
    rotation: Option<LogRotation>,
    out: BufWriter<File>,
    size: u64,
}

impl RotatedFile {
    pub(super) fn open(path: &Path, rotation: Option<LogRotation>) -> io::Result<Self> {
        let (out, size) = open(path)?;
        Ok(Self { path: path.to_owned(), rotation, out, size })
    }

    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let limit = self.rotation.as_ref().map_or(u64::MAX, |rotation| rotation.max_file_size_mb << 20);
        if self.size > 0 && self.size.saturating_add(line.len() as u64) > limit {
            self.rotate()?;
        }
        self.size += line.len() as u64;
        self.out.write_all(line)
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    /// Puts the file away under a name with the time, and begins another.
    fn rotate(&mut self) -> io::Result<()> {
        self.out.flush()?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (stem, extension) = self.names();
        let name = |attempt: u32| {
            format!(
                "{stem}-{}{}.{extension}",
                now.as_millis(),
                if attempt == 0 { String::new() } else { format!("-{attempt}") }
            )
        };
        let away = (0..).map(|attempt| self.path.with_file_name(name(attempt))).find(|path| !path.exists());
        if let Some(away) = away {
            fs::rename(&self.path, away)?;
        }
        (self.out, self.size) = open(&self.path)?;
        self.delete_old()
    }

    fn names(&self) -> (String, String) {
        let name = |part: Option<&std::ffi::OsStr>, default: &str| {
            part.map_or_else(|| default.to_owned(), |part| part.to_string_lossy().into_owned())
        };
        (name(self.path.file_stem(), "audit"), name(self.path.extension(), "log"))
    }

    /// Deletes files that were put away: those that are too old, and the oldest of too many.
    fn delete_old(&self) -> io::Result<()> {
        let Some(rotation) = &self.rotation else { return Ok(()) };
        let (stem, extension) = self.names();
        let (prefix, suffix) = (format!("{stem}-"), format!(".{extension}"));
        let directory =
            self.path.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut away: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(directory)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let middle = name.strip_prefix(&prefix).and_then(|rest| rest.strip_suffix(&suffix));
            if middle.is_some_and(|middle| middle.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')) {
                away.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        away.sort_by_key(|(modified, _)| cmp::Reverse(*modified));
        let days = Duration::from_secs(rotation.max_file_age_days.saturating_mul(86_400));
        let is_old =
            |modified: &SystemTime| modified.elapsed().is_ok_and(|age| !days.is_zero() && age > days);
        for (index, (modified, path)) in away.iter().enumerate() {
            if is_old(modified) || (rotation.max_file_count > 0 && index >= rotation.max_file_count) {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let size = file.metadata()?.len();
    Ok((BufWriter::with_capacity(64 << 10, file), size))
}
