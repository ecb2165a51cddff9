//! A compiled policy set as bytes, and back: what took parsing and checking to find out is loaded as it was found.
//!
//! The payload is made for the orthrus that reads it: it names functions of expressions by their numbers, so it begins with a
//! fingerprint of them, and is refused by a version that numbers them otherwise. The container around it
//! (`crates/bundle`) has digest, signature and version. The same policies give the same bytes on every platform, in
//! whatever order their files come.
//!
//! What is read is not trusted. Every number that leads somewhere is checked to lead there, expressions to end, and lists to be
//! no longer than the bytes; what is wrong is refused as [`Malformed`]. Regular expressions and schemas are kept as texts: a pattern
//! is compiled when it is first used, and schemas when a policy set is loaded that enforces them.

mod cel;
mod policies;
mod schemas;
mod sound;
mod table;
mod wire;

use std::fmt;

use crate::cel::functions;
use crate::table::{RuleTable, TableSchemas};
use schemas::SchemaTexts;
use wire::{Reader, Wire, Writer};

pub use schemas::BrokenSchema;
pub use wire::Malformed;

/// The version of what follows: it changes when anything is written otherwise.
pub const FORMAT: u16 = 1;

/// Why a payload cannot be loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// It was made by a version of orthrus whose functions have other numbers.
    OtherFunctions,
    /// It is not what it should be.
    Malformed(Malformed),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherFunctions => f.write_str(
                "it was made by another version of orthrus, whose expressions have other functions",
            ),
            Self::Malformed(malformed) => malformed.fmt(f),
        }
    }
}

impl std::error::Error for Unreadable {}

/// What a payload holds.
#[derive(Debug)]
pub struct Unpacked {
    /// The rules; schemas are not enforced.
    pub table: RuleTable,
    /// None where schemas were ignored when it was packed.
    schemas: Option<SchemaTexts>,
}

/// Writes rules, with their schemas if these are to be enforced anywhere.
#[must_use]
pub fn pack(table: &RuleTable, schemas: Option<&TableSchemas>) -> Vec<u8> {
    let mut out = Writer::default();
    fingerprint().write(&mut out);
    schemas.map(SchemaTexts::of).write(&mut out);
    table.write(&mut out);
    out.bytes
}

/// Reads what [`pack`] wrote.
///
/// # Errors
/// The bytes are something else, or were written by a version with other functions.
pub fn unpack(payload: &[u8]) -> Result<Unpacked, Unreadable> {
    let mut from = Reader::new(payload);
    if u64::read(&mut from).map_err(Unreadable::Malformed)? != fingerprint() {
        return Err(Unreadable::OtherFunctions);
    }
    let unpacked = read(&mut from).map_err(Unreadable::Malformed)?;
    if from.is_at_end() {
        Ok(unpacked)
    } else {
        Err(Unreadable::Malformed(Malformed("there is more than belongs to it")))
    }
}

fn read(from: &mut Reader<'_>) -> Result<Unpacked, Malformed> {
    let schemas = Wire::read(from)?;
    Ok(Unpacked { table: Wire::read(from)?, schemas })
}

impl Unpacked {
    /// The schemas, compiled; none where they were ignored when it was packed.
    ///
    /// # Errors
    /// One of them is broken.
    pub fn schemas(&self) -> Option<Result<TableSchemas, BrokenSchema>> {
        self.schemas.as_ref().map(SchemaTexts::compile)
    }
}

/// A number that changes with the functions of expressions: FNV-1a over their names and signatures, which are numbered in this order.
fn fingerprint() -> u64 {
    let texts = functions()
        .flat_map(|function| std::iter::once(function.name).chain(function.signatures.iter().copied()));
    texts
        .flat_map(|text| text.bytes().chain([0]))
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
}
