//! A file of lines, put away when it is large.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
#[cfg(test)]
use std::time::UNIX_EPOCH;
use std::time::{Duration, SystemTime};
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

    /// Puts the file away under a name with the time, as the PDP does, and begins another.
    fn rotate(&mut self) -> io::Result<()> {
        self.out.flush()?;
        let (stem, extension) = self.names();
        let now = name_of(SystemTime::now());
        let name = |attempt: u32| match attempt {
            0 => format!("{stem}-{now}.{extension}"),
            attempt => format!("{stem}-{now}-{attempt}.{extension}"),
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
            if middle.is_some_and(|middle| {
                middle.bytes().all(|byte| byte.is_ascii_digit() || b"T-.".contains(&byte))
            }) {
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

/// A time as names of files can hold it: `2026-01-31T23-59-59.000`, in UTC.
fn name_of(at: SystemTime) -> String {
    let text = serde_json::to_value(super::timestamp(at)).unwrap_or_default();
    let text = text.as_str().and_then(|text| text.split('+').next()).unwrap_or_default().replace(':', "-");
    let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{seconds}.{fraction:0<3.3}")
}

fn open(path: &Path) -> io::Result<(BufWriter<File>, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let size = file.metadata()?.len();
    Ok((BufWriter::with_capacity(64 << 10, file), size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_times() {
        let at = |milliseconds| name_of(UNIX_EPOCH + Duration::from_millis(milliseconds));
        assert_eq!(at(0), "1970-01-01T00-00-00.000");
        assert_eq!(at(1_700_000_000_050), "2023-11-14T22-13-20.050");
    }
}
