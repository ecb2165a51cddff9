//! JSON Schema: which attributes a request may carry.
//!
//! `texts below _schemas → Library → SchemaSet`, against which attributes are validated. The dialects are those of
//! the PDP's validator: draft 2020-12, and by `$schema` 2019-09, 7, 6 and 4; formats and contents are checked, not
//! only noted. Schemas refer to each other by `cerbos:///path.json`; nothing is fetched from anywhere else.
//!
//! The validator is ours, over values that stand in the arena of a request: a general one would bring a second
//! engine for regular expressions, and more code than all the rest of this crate. It answers with paths and
//! messages that read as the PDP's do, because clients show them to people and compare them in tests.

mod accept;
mod compiler;
mod context;
mod draft;
mod fits;
mod format;
mod json;
mod keywords;
mod library;
mod loops;
mod model;
mod number;
mod order;
mod quote;
mod refuse;
mod shape;
mod uri;
mod url;
mod validate;

pub(crate) use compiler::elsewhere;
pub use compiler::{Compiler, Finished, Unloadable};
pub use library::Library;
pub use model::{SchemaId, SchemaSet};
pub use validate::Violation;

/// What becomes of requests whose attributes a schema refuses, as the PDP's configuration names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// Schemas are not even loaded: nothing is said of those that are missing or wrong.
    Ignored,
    /// Attributes are not validated; schemas that are missing or wrong are warned of.
    #[default]
    None,
    /// What schemas refuse is told, and decides nothing.
    Warn,
    /// What schemas refuse is told, and denies every action on the resource.
    Reject,
}

impl Enforcement {
    /// The mode by its name: `none`, `warn` or `reject`.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "warn" => Some(Self::Warn),
            "reject" => Some(Self::Reject),
            _ => None,
        }
    }
}
