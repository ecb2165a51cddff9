//! A file or stream of lines; a file is put away when it is large.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
#[cfg(test)]
use std::time::UNIX_EPOCH;
use std::time::{Duration, SystemTime};
use std::{cmp, fs, thread};

use crate::config::LogRotation;

/// So much is gathered before it is written.
const PORTION: usize = 64 << 10;
/// So much waits for a disk that takes nothing.
const MAX_PENDING: usize = 8 << 20;

/// So much room is kept for the lines to come.
const MAX_KEPT: usize = 1 << 20;

/// How long a stream that is full is left alone.
const PAUSE: Duration = Duration::from_millis(5);

/// A file or stream to which lines are added. What the disk does not take is kept and tried again, so that no line is torn.
pub(super) struct LineFile {
    path: PathBuf,
    rotation: Option<LogRotation>,
    out: File,
    /// With what is pending.
    size: u64,
    pending: Vec<u8>,
}

impl LineFile {
    pub(super) fn open(path: &Path, rotation: Option<LogRotation>) -> io::Result<Self> {
        let (out, size) = open(path)?;
        Ok(Self { path: path.to_owned(), rotation, out, size, pending: Vec::with_capacity(PORTION) })
    }

    /// A stream, which is never put away.
    pub(super) fn of(out: File) -> Self {
        Self { path: PathBuf::new(), rotation: None, out, size: 0, pending: Vec::with_capacity(PORTION) }
    }

    /// Adds a line. It is lost only where too many are pending: other errors tell that they are, or that the file cannot be put away.
    pub(super) fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let limit = self.rotation.as_ref().map_or(u64::MAX, max_size);
        let size = line.len() as u64;
        let rotated = if self.size > 0 && self.size.saturating_add(size) > limit {
            // Where it fails it is tried again when as much has been added once more.
            self.size = 0;
            self.rotate()
        } else {
            Ok(())
        };
        if self.pending.len().saturating_add(line.len()) > MAX_PENDING {
            self.flush()?;
        }
        self.size += size;
        self.pending.extend_from_slice(line);
        if self.pending.len() >= PORTION { self.flush().and(rotated) } else { rotated }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let mut written = 0;
        let mut result = Ok(());
        while written < self.pending.len() && result.is_ok() {
            match self.out.write(&self.pending[written..]) {
                Ok(0) => result = Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => written += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Node.js does not let pipes block, and whoever reads this one is slower than we are.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(PAUSE),
                Err(error) => result = Err(error),
            }
        }
        self.pending.drain(..written);
        self.pending.shrink_to(MAX_KEPT);
        result
    }

    /// Puts the file away under a name with the time, as the PDP does, and begins another.
    fn rotate(&mut self) -> io::Result<()> {
        self.flush()?;
        let (stem, extension) = self.names();
        let now = name_of(SystemTime::now());
        let name = |attempt: u32| match attempt {
            0 => format!("{stem}-{now}.{extension}"),
            attempt => format!("{stem}-{now}-{attempt}.{extension}"),
        };
        let away = (0..).map(|attempt| self.path.with_file_name(name(attempt))).find(|path| !path.exists());
        if let Some(away) = away {
            // Somebody else may have put it away.
            unless_missing(fs::rename(&self.path, away))?;
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
            let is_ours = middle.is_some_and(|middle| {
                middle.bytes().all(|byte| byte.is_ascii_digit() || b"T-.".contains(&byte))
            });
            if let (true, Ok(about)) = (is_ours, entry.metadata())
                && about.is_file()
            {
                away.push((about.modified()?, entry.path()));
            }
        }
        away.sort_by_key(|(modified, _)| cmp::Reverse(*modified));
        let days = Duration::from_secs(rotation.max_file_age_days.saturating_mul(86_400));
        let is_old =
            |modified: &SystemTime| modified.elapsed().is_ok_and(|age| !days.is_zero() && age > days);
        for (index, (modified, path)) in away.iter().enumerate() {
            if is_old(modified) || (rotation.max_file_count > 0 && index >= rotation.max_file_count) {
                unless_missing(fs::remove_file(path))?;
            }
        }
        Ok(())
    }
}

/// In bytes. 0 is what it is by default, as in the PDP.
fn max_size(rotation: &LogRotation) -> u64 {
    let megabytes = match rotation.max_file_size_mb {
        0 => LogRotation::default().max_file_size_mb,
        megabytes => megabytes,
    };
    megabytes.saturating_mul(1 << 20)
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// A time as names of files can hold it: `2026-01-31T23-59-59.000`, in UTC.
fn name_of(at: SystemTime) -> String {
    let text = serde_json::to_value(super::timestamp(at)).unwrap_or_default();
    let text = text.as_str().and_then(|text| text.split('+').next()).unwrap_or_default().replace(':', "-");
    let (seconds, fraction) = text.split_once('.').unwrap_or((&text, ""));
    format!("{seconds}.{fraction:0<3.3}")
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of all files in a directory, in any order.
    fn lines_in(directory: &Path) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                lines.extend(fs::read_to_string(path).unwrap().lines().map(|line| line[..1].to_owned()));
            }
        }
        lines.sort();
        lines
    }

    /// Writes lines of 400 kB that begin with a letter each, to files of 1 MB, and does something in between.
    fn written(between: impl Fn(&Path)) -> (Vec<String>, Vec<io::Result<()>>) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.log");
        let rotation = LogRotation { max_file_size_mb: 1, max_file_count: 20, ..LogRotation::default() };
        let mut file = LineFile::open(&path, Some(rotation)).unwrap();
        let mut results = Vec::new();
        for (index, letter) in "abcdefghij".chars().enumerate() {
            if index == 3 {
                between(&path);
            }
            results.push(file.write(format!("{}\n", letter.to_string().repeat(400_000)).as_bytes()));
            file.flush().unwrap();
        }
        (lines_in(directory.path()), results)
    }

    #[test]
    fn no_line_is_lost_when_somebody_else_puts_the_file_away() {
        let (lines, results) = written(|path| fs::rename(path, path.with_file_name("by-logrotate")).unwrap());
        assert_eq!(lines.concat(), "abcdefghij");
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }

    #[test]
    fn lines_are_written_again_when_somebody_has_deleted_the_file() {
        let (lines, results) = written(|path| fs::remove_file(path).unwrap());
        // Those of the file that was deleted are gone: the third, and the fourth, which still fitted into it.
        assert_eq!(lines.concat(), "abefghij");
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }

    #[test]
    fn a_directory_with_the_name_of_an_old_file_is_nobodys_concern() {
        let (lines, results) =
            written(|path| fs::create_dir(path.with_file_name("audit-2020-01-01T00-00-00.000.log")).unwrap());
        assert_eq!(lines.concat(), "abcdefghij");
        assert!(results.iter().all(Result::is_ok), "{results:?}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_disk_that_is_full_tears_no_line_and_is_tried_again() {
        let mut file = LineFile::open(Path::new("/dev/full"), None).unwrap();
        let line = [b'a'; PORTION];
        assert!(file.write(&line).is_err());
        assert!(file.flush().is_err());
        assert_eq!(file.pending.len(), PORTION, "it is still there");
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("audit.log");
        file.out = open(&path).unwrap().0;
        file.flush().unwrap();
        assert_eq!(fs::read(&path).unwrap(), line);
        assert!(file.pending.is_empty());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_waits_for_a_full_disk_has_a_limit() {
        let mut file = LineFile::open(Path::new("/dev/full"), None).unwrap();
        for _ in 0..2 * MAX_PENDING / PORTION {
            assert!(file.write(&[b'a'; PORTION]).is_err());
        }
        assert_eq!(file.pending.len(), MAX_PENDING);
    }

    #[test]
    fn a_size_of_zero_is_the_default() {
        let of = |max_file_size_mb| max_size(&LogRotation { max_file_size_mb, ..LogRotation::default() });
        assert_eq!([of(0), of(1), of(1 << 60)], [100 << 20, 1 << 20, u64::MAX]);
    }

    #[test]
    fn names_of_times() {
        let at = |milliseconds| name_of(UNIX_EPOCH + Duration::from_millis(milliseconds));
        assert_eq!(at(0), "1970-01-01T00-00-00.000");
        assert_eq!(at(1_700_000_000_050), "2023-11-14T22-13-20.050");
    }
}
