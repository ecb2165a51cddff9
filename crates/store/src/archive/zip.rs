//! Zip archives, by their central directory.

use std::collections::HashSet;
use std::io::Read;

use flate2::bufread::DeflateDecoder;
use rawzip::{CompressionMethod, Error, ErrorKind, ZipArchive, ZipFileHeaderRecord, ZipSliceArchive};

use super::{Contents, Fault, Limited};

pub(super) fn read(bytes: &[u8], contents: &mut Contents<'_>) -> Result<(), Fault> {
    let archive = ZipArchive::from_slice(bytes).map_err(broken)?;
    let mut seen = HashSet::new();
    let mut entries = archive.entries();
    while let Some(entry) = entries.next_entry().map_err(broken)? {
        contents.count()?;
        if entry.is_dir() {
            continue;
        }
        let Some(path) = contents.wanted(entry.file_path().as_bytes())? else { continue };
        if !seen.insert(path.clone()) {
            return Err(Fault::Twice(path));
        }
        read_file(&archive, &entry, path, contents)?;
    }
    Ok(())
}

fn read_file(
    archive: &ZipSliceArchive<&[u8]>,
    entry: &ZipFileHeaderRecord<'_>,
    path: String,
    contents: &mut Contents<'_>,
) -> Result<(), Fault> {
    if entry.mode().is_symlink() {
        return Err(Fault::NotAFile(path));
    }
    if entry.flags().is_encrypted() {
        return Err(Fault::Encrypted(path));
    }
    let file = archive.get_entry(entry.wayfinder()).map_err(broken)?;
    let inflated: &mut dyn Read = match entry.compression_method() {
        CompressionMethod::STORE => &mut file.data(),
        CompressionMethod::DEFLATE => &mut DeflateDecoder::new(file.data()),
        _ => return Err(Fault::Compression(path)),
    };
    let mut limited = Limited { inner: file.verifying_reader(inflated), left: contents.left };
    contents.add(path, &mut limited)?;
    contents.left = limited.left;
    Ok(())
}

#[allow(clippy::needless_pass_by_value, reason = "it is what `map_err` gives")]
fn broken(error: Error) -> Fault {
    Fault::Broken(match error.kind() {
        ErrorKind::MissingEndOfCentralDirectory => {
            "its end is missing, where a zip archive lists its files".to_owned()
        }
        _ => error.to_string(),
    })
}
