//! An archive in the place of a directory: what is in it is read in memory, and nothing is unpacked to the disk.
//!
//! An archive comes from elsewhere and may be made to harm. How much is read of it has limits; names that lead out of it
//! are refused, and so are links, which could stand for anything.

mod tar;
#[cfg(test)]
mod tests;
mod zip;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;

use crate::StoreError;
use crate::files::{Selection, Sources, max_bytes};

/// What an archive is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Zip,
    Tar,
    TarGz,
}

impl Format {
    /// The endings are those that Cerbos knows, in lower case only.
    pub(crate) fn of(path: &Path) -> Option<Self> {
        const ENDINGS: [(&str, Format); 4] = [
            (".zip", Format::Zip),
            (".tar", Format::Tar),
            (".tar.gz", Format::TarGz),
            (".tgz", Format::TarGz),
        ];
        let name = path.file_name()?.to_string_lossy();
        ENDINGS.iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| *format)
    }

    /// What an archive is by its content, where that is plain.
    fn of_content(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::TarGz),
            // POSIX.1-1988, ustar: the magic of a header.
            _ => (bytes.get(257..262) == Some(b"ustar")).then_some(Self::Tar),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::TarGz => "tar.gz",
        }
    }
}

/// How much may be read of an archive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Length of the archive, in bytes.
    packed: u64,
    /// Length of what comes out of it, in bytes: of a tar archive all, of a zip archive the files that are wanted.
    unpacked: u64,
    /// Files, directories and whatever else there is an entry for.
    entries: usize,
    /// Names in a path.
    depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { packed: 256 << 20, unpacked: 256 << 20, entries: 100_000, depth: 64 }
    }
}

/// What is wrong with an archive.
#[derive(Debug)]
pub enum Fault {
    /// By its content it is an archive of this format, and its name says another.
    Misnamed(&'static str),
    /// The archive or an entry of it is broken.
    Broken(String),
    /// It has more bytes than are read.
    TooLong(u64),
    /// More bytes come out of it than are read.
    TooMuch(u64),
    /// It has more entries than are read.
    TooMany(usize),
    /// An entry lies deeper than this many names.
    TooDeep(String, usize),
    /// The name of an entry leads out of the archive, or is no relative path.
    Name(String),
    /// Two entries have this name.
    Twice(String),
    /// A file is expected, and the entry is something else.
    NotAFile(String),
    /// The entry is encrypted.
    Encrypted(String),
    /// The entry is compressed in a way that is not known here.
    Compression(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misnamed(format) => write!(f, "its name should end in .{format}, for that is what it is"),
            Self::Broken(problem) => write!(f, "it is broken: {problem}"),
            Self::TooLong(limit) => write!(f, "it has more than {limit} bytes"),
            Self::TooMuch(limit) => write!(f, "more than {limit} bytes come out of it"),
            Self::TooMany(limit) => write!(f, "it has more than {limit} entries"),
            Self::TooDeep(name, limit) => write!(f, "{name:?} is nested deeper than {limit} levels"),
            Self::Name(name) => write!(f, "{name:?} is no path within the archive"),
            Self::Twice(name) => write!(f, "{name:?} is in it twice"),
            Self::NotAFile(name) => {
                write!(f, "{name:?} is a link or a special file; put the file itself into the archive")
            }
            Self::Encrypted(name) => write!(f, "{name:?} is encrypted"),
            Self::Compression(name) => {
                write!(f, "{name:?} is compressed in another way than deflate; make the archive anew")
            }
        }
    }
}

/// Reads the files of an archive that are wanted.
pub(crate) fn read(
    path: &Path,
    format: Format,
    limits: &Limits,
    selection: &Selection,
    sources: &mut Sources,
) -> Result<(), StoreError> {
    let unreadable = |error| StoreError::Unreadable(path.to_owned(), error);
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limits.packed + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    if let Some(other) = Format::of_content(&bytes).filter(|other| *other != format) {
        return Err(StoreError::Archive(path.to_owned(), Fault::Misnamed(other.name())));
    }
    let mut contents = Contents { limits, selection, sources, entries: 0, left: limits.unpacked };
    let result = if bytes.len() as u64 > limits.packed {
        Err(Fault::TooLong(limits.packed))
    } else {
        match format {
            Format::Zip => zip::read(&bytes, &mut contents),
            Format::Tar => tar::read(&*bytes, &mut contents),
            Format::TarGz => tar::read(MultiGzDecoder::new(&*bytes), &mut contents),
        }
    };
    result.map_err(|fault| StoreError::Archive(path.to_owned(), fault))
}

/// What has come out of an archive.
struct Contents<'c> {
    limits: &'c Limits,
    selection: &'c Selection,
    sources: &'c mut Sources,
    entries: usize,
    /// How many bytes may still come out.
    left: u64,
}

impl Contents<'_> {
    /// Counts an entry.
    fn count(&mut self) -> Result<(), Fault> {
        self.entries += 1;
        if self.entries > self.limits.entries { Err(Fault::TooMany(self.limits.entries)) } else { Ok(()) }
    }

    /// The path of an entry if it is wanted, without what says nothing: `./a//b` is `a/b`.
    fn wanted(&self, name: &[u8]) -> Result<Option<String>, Fault> {
        let name = String::from_utf8_lossy(name);
        let segments: Vec<&str> = name.split('/').filter(|segment| !matches!(*segment, "" | ".")).collect();
        if name.starts_with('/') || name.contains(['\\', '\0']) || segments.contains(&"..") {
            return Err(Fault::Name(name.into_owned()));
        }
        if segments.len() > self.limits.depth {
            return Err(Fault::TooDeep(name.into_owned(), self.limits.depth));
        }
        let path = segments.join("/");
        Ok((self.selection.wants_file)(&path).then_some(path))
    }

    /// Reads a file, of which no more is kept than one may have.
    fn add(&mut self, path: String, file: impl Read) -> Result<(), Fault> {
        let mut bytes = Vec::new();
        let read = file.take(max_bytes() + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.fault(&error))?;
        if bytes.len() as u64 > max_bytes() {
            self.sources.add_too_large(path);
        } else {
            self.sources.add(path, bytes);
        }
        Ok(())
    }

    fn fault(&self, error: &io::Error) -> Fault {
        if error.kind() == io::ErrorKind::QuotaExceeded {
            Fault::TooMuch(self.limits.unpacked)
        } else {
            Fault::Broken(error.to_string())
        }
    }
}

/// A stream that ends in an error after so many bytes.
struct Limited<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or(io::ErrorKind::QuotaExceeded)?;
        Ok(read)
    }
}
