//! Mistakes in policies.

use std::collections::BTreeSet;

use orthrus::text::{Diagnostic, Diagnostics, Severity};
use serde_json::{Value, json};

use super::palette::{Ink, Palette};
use super::pretty;

/// For people: each with its excerpt and hint.
pub(crate) fn diagnostics(diagnostics: &Diagnostics, palette: Palette) -> String {
    let heading = palette.paint(Ink::Heading, "Compilation errors");
    let rendered = diagnostics.iter().map(|diagnostic| render(diagnostic, palette) + "\n");
    format!("{heading}\n{}", rendered.collect::<String>())
}

/// How many errors there are, in how many files.
pub(crate) fn tally(diagnostics: &Diagnostics) -> String {
    let errors = || diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
    let files: BTreeSet<&str> =
        errors().filter_map(|error| error.label.as_ref()).map(|label| label.file.as_str()).collect();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    match files.len() {
        0 => plural(errors().count(), "error"),
        files => format!("{} in {}", plural(errors().count(), "error"), plural(files, "file")),
    }
}

/// Warnings, for people.
pub(crate) fn warnings(diagnostics: &Diagnostics) -> String {
    diagnostics.iter().map(|diagnostic| diagnostic.render() + "\n").collect()
}

/// The diagnostic as it renders itself, its severity and code coloured.
pub(super) fn render(diagnostic: &Diagnostic, palette: Palette) -> String {
    let text = diagnostic.render();
    let ink = match diagnostic.severity {
        Severity::Error => Ink::Bad,
        Severity::Warning => Ink::Odd,
    };
    match text.split_once(": ") {
        Some((head, rest)) => format!("{}: {rest}", palette.paint(ink, head)),
        None => text,
    }
}

/// For programs: the JSON of Cerbos' `CompileErrors`, where `error` is our code, with `severity`, `hint` and `related`
/// besides.
pub(crate) fn diagnostics_json(diagnostics: &Diagnostics) -> String {
    let errors: Vec<Value> = diagnostics.iter().map(diagnostic_json).collect();
    pretty(&json!({ "compileErrors": { "errors": errors } }))
}

fn diagnostic_json(diagnostic: &Diagnostic) -> Value {
    let mut json = json!({
        "error": diagnostic.code.as_str(),
        "severity": diagnostic.severity.as_str(),
        "description": diagnostic.message,
        "context": diagnostic.render(),
    });
    if let Some(label) = &diagnostic.label {
        json["file"] = label.file.clone().into();
        json["position"] = json!({ "line": label.start.line, "column": label.start.column });
    }
    if let Some(hint) = &diagnostic.hint {
        json["hint"] = hint.clone().into();
    }
    if !diagnostic.related.is_empty() {
        let related = diagnostic.related.iter().map(|label| {
            json!({
                "file": label.file,
                "position": { "line": label.start.line, "column": label.start.column },
                "note": label.note,
            })
        });
        json["related"] = related.collect();
    }
    json
}
