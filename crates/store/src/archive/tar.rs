//! Tar archives. An entry replaces an earlier one of its name: so it is when a file is added once more.

use std::io::Read;

use super::{Contents, Fault, Limited};
use tar::{Archive, EntryType};

pub(super) fn read(stream: impl Read, contents: &mut Contents<'_>) -> Result<(), Fault> {
    let mut archive = Archive::new(Limited { inner: stream, left: contents.left });
    for entry in archive.entries().map_err(|error| contents.fault(&error))? {
        let entry = entry.map_err(|error| contents.fault(&error))?;
        contents.count()?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() {
            continue;
        }
        let name = entry.path_bytes().into_owned();
        let Some(path) = contents.wanted(&name)? else { continue };
        if !matches!(kind, EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse) {
            return Err(Fault::NotAFile(path));
        }
        contents.add(path, entry)?;
    }
    Ok(())
}
