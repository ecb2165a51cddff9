//! What policies can import from each other, by name.

use std::collections::BTreeMap;

use crate::policy::{Body, DerivedRoles, ExportConstants, ExportVariables, Policy, Spanned};
use crate::text::{Code, Diagnostic, nearest};

/// Everything of a policy set that can be imported.
pub(super) struct Library<'p> {
    pub(super) derived_roles: BTreeMap<&'p str, (&'p Policy, &'p DerivedRoles)>,
    pub(super) variables: BTreeMap<&'p str, (&'p Policy, &'p ExportVariables)>,
    pub(super) constants: BTreeMap<&'p str, (&'p Policy, &'p ExportConstants)>,
}

impl<'p> Library<'p> {
    pub(super) fn new(policies: impl Iterator<Item = &'p Policy>) -> Self {
        let mut library =
            Self { derived_roles: BTreeMap::new(), variables: BTreeMap::new(), constants: BTreeMap::new() };
        for policy in policies {
            match &policy.body {
                Body::DerivedRoles(body) => {
                    library.derived_roles.insert(&body.name, (policy, body));
                }
                Body::ExportVariables(body) => {
                    library.variables.insert(&body.name, (policy, body));
                }
                Body::ExportConstants(body) => {
                    library.constants.insert(&body.name, (policy, body));
                }
                Body::Resource(_) | Body::Principal(_) | Body::Role(_) => {}
            }
        }
        library
    }
}

/// What an import names, or why it names nothing.
pub(super) fn find<T: Copy>(
    importer: &Policy,
    what: &str,
    import: &Spanned<String>,
    exports: &BTreeMap<&str, T>,
) -> Result<T, Box<Diagnostic>> {
    exports.get(import.value.as_str()).copied().ok_or_else(|| {
        let message = format!("cannot find {what} `{}` imported by policy {}", import.value, importer.key());
        let diagnostic = Diagnostic::error(Code::ImportNotFound, &importer.source, import.span, message);
        let hint = match nearest(&import.value, exports.keys().copied()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("no policy file of this set exports {what} by that name"),
        };
        Box::new(diagnostic.with_hint(hint))
    })
}
