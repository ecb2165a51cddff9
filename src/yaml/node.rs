//! What a YAML document is made of.

use std::borrow::Cow;

use super::scalar::{Resolved, resolve};
use crate::text::Span;

/// A value and where it stands. Aliases are replaced by what they stand for: a scalar keeps the span of
/// its definition, a collection takes the span of the alias.
#[derive(Clone, Debug, PartialEq)]
pub struct Node<'s> {
    /// From the first to after the last byte; for a block scalar from its `|` or `>`.
    pub span: Span,
    /// The value.
    pub kind: Kind<'s>,
}

/// The three kinds of value.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind<'s> {
    /// A single value, not yet given a type.
    Scalar(Scalar<'s>),
    /// Values in order.
    Sequence(Vec<Node<'s>>),
    /// Keys with values, in the order of the text; merged entries follow the mapping's own.
    Mapping(Vec<Entry<'s>>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry<'s> {
    /// The key.
    pub key: Node<'s>,
    /// The value.
    pub value: Node<'s>,
    /// Through how many merge keys the entry came: 0 for an entry that stands in the mapping itself.
    pub merges: u32,
}

/// The text of a scalar after escapes and folding, and how it was written.
#[derive(Clone, Debug, PartialEq)]
pub struct Scalar<'s> {
    /// The value.
    pub text: Cow<'s, str>,
    /// How it was written.
    pub style: Style,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Nothing is written: `key:` without a value. The text is empty.
    Absent,
    /// Without quotes.
    Plain,
    /// In `'`.
    SingleQuoted,
    /// In `"`.
    DoubleQuoted,
    /// A block after `|`.
    Literal,
    /// A block after `>`.
    Folded,
}

impl Scalar<'_> {
    /// The type that the scalar has by its text and style.
    #[must_use]
    pub fn resolve(&self) -> Resolved {
        match self.style {
            Style::Absent => Resolved::Null,
            Style::Plain => resolve(&self.text),
            Style::SingleQuoted | Style::DoubleQuoted | Style::Literal | Style::Folded => Resolved::String,
        }
    }
}

impl Node<'_> {
    /// What the value is called in a message: `string`, `list`, `mapping`, …
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Scalar(scalar) => scalar.resolve().type_name(),
            Kind::Sequence(_) => "list",
            Kind::Mapping(_) => "mapping",
        }
    }
}
