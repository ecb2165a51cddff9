//! Identifiers beyond the roots, for expressions that are not part of a policy.

use super::Type;

/// Typed identifiers that an expression may use besides the roots. They read the constants of that name.
#[derive(Clone, Debug, Default)]
pub struct Declarations(Vec<(String, Type)>);

impl Declarations {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an identifier; a dotted name is one identifier.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, ty: Type) -> Self {
        self.0.push((name.into(), ty));
        self
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Type> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, ty)| ty)
    }
}
