//! Patterns in rules, and the warning of those that cannot be read.

use super::modules::Modules;
use crate::policy::{Policy, Spanned};
use crate::table::{InvalidGlob, Matcher};
use crate::text::{Code, Diagnostic, Severity};

/// Reads a name of a rule. A pattern that cannot be read matches nothing, as in the PDP, and is warned of.
pub(super) fn matcher(
    policy: &Policy,
    written: &Spanned<String>,
    pattern: &str,
    modules: &mut Modules<'_, '_>,
) -> Option<Matcher> {
    Matcher::new(pattern).map_err(|error| warn_of_glob(policy, written, error, modules)).ok()
}

/// The same for an action that a role policy allows.
pub(super) fn allowed_action(
    policy: &Policy,
    written: &Spanned<String>,
    modules: &mut Modules<'_, '_>,
) -> Vec<Matcher> {
    Matcher::of_allowed_action(written).unwrap_or_else(|error| {
        warn_of_glob(policy, written, error, modules);
        Vec::new()
    })
}

/// The same for an action for which a schema is ignored.
pub(super) fn ignored_action(
    policy: &Policy,
    written: &Spanned<String>,
    modules: &mut Modules<'_, '_>,
) -> Option<Matcher> {
    Matcher::of_ignored_action(written).map_err(|error| warn_of_glob(policy, written, error, modules)).ok()
}

fn warn_of_glob(
    policy: &Policy,
    written: &Spanned<String>,
    error: InvalidGlob,
    modules: &mut Modules<'_, '_>,
) {
    let message = format!("the pattern `{}` matches nothing: {error}", written.value);
    let mut diagnostic = Diagnostic::error(Code::InvalidGlob, &policy.source, written.span, message);
    diagnostic.severity = Severity::Warning;
    modules.report(diagnostic.with_hint("put a `\\` before a character that is meant as it is"));
}
