//! What a validation knows of where it is.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::quote::write_token;

/// Where in the attributes a value stands.
#[derive(Clone, Copy)]
pub(super) enum Path<'p> {
    Root,
    Field(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

/// A JSON pointer, percent-encoded; `/` for the whole. As in the PDP, empty names at its end are left out.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => f.write_str("/"),
            Self::Field(outer, "") => outer.fmt(f),
            Self::Field(..) | Self::Index(..) => self.write(f),
        }
    }
}

impl Path<'_> {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root => Ok(()),
            Self::Field(outer, name) => {
                outer.write(f)?;
                f.write_str("/")?;
                write_token(f, name)
            }
            Self::Index(outer, index) => {
                outer.write(f)?;
                write!(f, "/{index}")
            }
        }
    }
}

/// The resources that validation has come through: what dynamic references look at.
pub(super) struct Scope<'p> {
    pub(super) resource: u32,
    pub(super) outer: Option<&'p Scope<'p>>,
}

/// Where validation stands: in the attributes, and among the schemas.
#[derive(Clone, Copy)]
pub(super) struct At<'p> {
    pub(super) path: &'p Path<'p>,
    pub(super) scope: &'p Scope<'p>,
    pub(super) depth: u32,
}

impl<'p> At<'p> {
    /// The same place, for a part of the value.
    pub(super) fn part<'q>(self, path: &'q Path<'q>) -> At<'q>
    where
        'p: 'q,
    {
        At { path, ..self }
    }
}

/// Which properties or items some schema has looked at.
pub(super) struct Evaluated<'a>(Vec<'a, bool>);

impl<'a> Evaluated<'a> {
    /// For a value with so many properties or items, none of them looked at.
    pub(super) fn none_of(count: usize, arena: &'a Bump) -> Self {
        Self(bumpalo::vec![in arena; false; count])
    }

    pub(super) fn mark(&mut self, index: usize) {
        if let Some(mark) = self.0.get_mut(index) {
            *mark = true;
        }
    }

    pub(super) fn mark_all(&mut self) {
        self.0.fill(true);
    }

    pub(super) fn has(&self, index: usize) -> bool {
        self.0.get(index).copied().unwrap_or(false)
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(&other.0).for_each(|(mark, other)| *mark |= *other);
    }
}
