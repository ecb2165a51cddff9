//! Names that may stand only once in a policy.

use std::collections::HashMap;

use super::model::{Body, Spanned};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Source};

/// Reports rules with the same name, principal rules for the same resource, and derived roles defined twice.
pub(super) fn check(body: &Body, source: &Source, diagnostics: &mut Diagnostics) {
    let mut check = Check { source, diagnostics };
    match body {
        Body::Resource(policy) => {
            check.names(policy.rules.iter().filter_map(|rule| rule.name.as_ref()), "rule");
        }
        Body::Principal(policy) => {
            check.names(policy.rules.iter().map(|rule| &rule.resource), "rule for the resource");
            for rule in &policy.rules {
                check.names(rule.actions.iter().filter_map(|action| action.name.as_ref()), "rule");
            }
        }
        Body::DerivedRoles(roles) => {
            check.names(roles.definitions.iter().map(|role| &role.name), "derived role");
        }
        Body::Role(_) | Body::ExportVariables(_) | Body::ExportConstants(_) => {}
    }
}

struct Check<'a> {
    source: &'a Source,
    diagnostics: &'a mut Diagnostics,
}

impl Check<'_> {
    fn names<'p>(&mut self, names: impl Iterator<Item = &'p Spanned<String>>, what: &str) {
        let mut seen: HashMap<&str, &Spanned<String>> = HashMap::new();
        for name in names {
            let Some(first) = seen.insert(name, name) else { continue };
            let message = format!("another {what} is already called {:?}", name.value);
            let label = Label::new(self.source, first.span).with_note("first defined here");
            let error = Diagnostic::error(Code::InvalidValue, self.source, name.span, message);
            self.diagnostics.push(error.with_related(label));
        }
    }
}
