//! Named text, positions in it, and what is said about it: the base of every stage that reads.

mod code;
mod diagnostic;
mod same;
mod source;
mod suggest;

pub use code::Code;
pub use diagnostic::{Diagnostic, Diagnostics, Label, Severity};
pub(crate) use same::same;
pub use source::{Position, Source, Span};
pub use suggest::nearest;
