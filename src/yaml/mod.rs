//! YAML (and so JSON) text → a tree of nodes, each with its span.
//!
//! Tokens and events come from `granit-parser`, chosen over `saphyr-parser` (from which it was forked)
//! because it reports byte ranges, names anchors, and lets an unknown alias pass as an event that can be
//! reported together with all other mistakes. The tree, scalars, merge keys and limits are read here, the
//! way the Cerbos PDP reads them.

mod build;
mod locate;
mod merge;
mod node;
mod scalar;
mod syntax;

pub use build::{Budget, parse};
pub use locate::Text;
pub use node::{Entry, Kind, Node, Scalar, Style};
pub use scalar::{Resolved, is_merge_key};
