//! Names of variables and constants: which are allowed, and that each is defined once.

use std::collections::BTreeMap;

use crate::policy::{Definition, Policy};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Span};

/// Where a name is defined.
pub(super) struct Site<'p> {
    pub(super) policy: &'p Policy,
    pub(super) span: Span,
    /// `policy local variables`, `import 'NAME'`…
    pub(super) origin: String,
}

/// Reports names that are defined more than once.
pub(super) fn report_redefinitions(
    code: Code,
    what: &str,
    policy: &Policy,
    sites: &BTreeMap<&str, Vec<Site<'_>>>,
    diagnostics: &mut Diagnostics,
) {
    for (name, sites) in sites.iter().filter(|(_, sites)| sites.len() > 1) {
        let origins =
            list(sites.iter().map(|site| format!("{} ({})", site.origin, site.policy.source.name())));
        let message = format!("{what} `{name}` has multiple definitions in {origins}");
        let here = sites.iter().rev().find(|site| site.policy.source.name() == policy.source.name());
        let span = here.map_or(policy.name_span(), |site| site.span);
        let diagnostic = Diagnostic::error(code, &policy.source, span, message);
        let others = sites.iter().filter(|site| !here.is_some_and(|here| std::ptr::eq(*site, here)));
        diagnostics.push(others.fold(diagnostic, |diagnostic, site| {
            diagnostic.with_related(Label::new(&site.policy.source, site.span).with_note("also defined here"))
        }));
    }
}

/// Names must be sayable in an expression: `V.name`.
pub(super) fn check_name<T>(
    policy: &Policy,
    what: &str,
    definition: &Definition<T>,
    diagnostics: &mut Diagnostics,
) {
    let name = definition.name.as_str();
    let mut bytes = name.bytes();
    let is_start = |byte: u8| byte == b'_' || byte.is_ascii_alphabetic();
    let is_identifier =
        bytes.next().is_some_and(is_start) && bytes.all(|byte| is_start(byte) || byte.is_ascii_digit());
    let message = if matches!(name, "false" | "in" | "null" | "true") {
        format!("`{name}` is a reserved keyword and cannot be the name of a {what}")
    } else if is_identifier {
        return;
    } else {
        format!("`{name}` is not a valid name for a {what}")
    };
    diagnostics.push(
        Diagnostic::error(Code::InvalidName, &policy.source, definition.name.span, message)
            .with_hint("use letters, digits and `_`, starting with a letter or `_`"),
    );
}

/// `a`, `a and b`, `a, b, and c`.
pub(super) fn list(items: impl Iterator<Item = String>) -> String {
    let mut items: Vec<String> = items.collect();
    match items.len() {
        0 | 1 => items.concat(),
        2 => items.join(" and "),
        _ => {
            let last = items.pop().unwrap_or_default();
            format!("{}, and {last}", items.join(", "))
        }
    }
}
