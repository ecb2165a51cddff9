//! Which attributes policies can read: a caller need not hand over the others.

use std::collections::BTreeSet;

use crate::cel::{AttrUse, References};

/// Top-level attributes, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributeSet {
    /// Some expression uses the attributes as a whole, or by a name that only the request knows.
    pub all: bool,
    /// The names.
    pub names: BTreeSet<String>,
}

impl AttributeSet {
    /// Adds what another set has.
    pub fn merge(&mut self, other: &Self) {
        self.all |= other.all;
        self.names.extend(other.names.iter().cloned());
    }

    fn add(&mut self, uses: &AttrUse) {
        self.all |= uses.dynamic;
        self.names.extend(uses.names.iter().cloned());
    }
}

/// What expressions read of a request and its surroundings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AttributesRead {
    /// `P.attr`
    pub principal: AttributeSet,
    /// `R.attr`
    pub resource: AttributeSet,
    /// The clock: `now()` or `timeSince()`.
    pub clock: bool,
}

impl AttributesRead {
    /// Adds what another has.
    pub fn merge(&mut self, other: &Self) {
        self.principal.merge(&other.principal);
        self.resource.merge(&other.resource);
        self.clock |= other.clock;
    }

    /// Adds what an expression reads.
    pub fn add(&mut self, references: &References) {
        self.principal.add(&references.principal_attrs);
        self.resource.add(&references.resource_attrs);
        self.clock |= references.now;
    }
}
