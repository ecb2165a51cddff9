//! Failures as hosts receive them: JSON with a stable code, which the packages around an engine turn into their errors.

use std::fmt;

use orthrus::PayloadError;
use orthrus::bundle::Unreadable;
use orthrus::contract::{Malformed, RequestError};
use orthrus::text::{Diagnostic, Diagnostics, Label};
use orthrus_bundle::Refusal;
use serde_json::{Value, json};

/// Everything that can fail between a host and an engine.
#[derive(Debug)]
pub enum Failure {
    /// There is no engine: it was closed, or never opened.
    Closed,
    /// Options are not what they should be.
    Options(String),
    /// The policies are wrong.
    Policies(Diagnostics),
    /// The bundle is refused.
    Bundle(Refusal),
    /// What the bundle holds cannot be loaded.
    Payload(PayloadError),
    /// The request is wrong.
    Request(RequestError),
    /// The bytes of a request are not what they should be.
    Frame(Malformed),
    /// The answer cannot be written down.
    Answer(String),
    /// A fault of the engine itself.
    Panicked,
}

impl Failure {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Closed => "ENGINE_CLOSED",
            Self::Options(_) => "OPTIONS_INVALID",
            Self::Policies(_) => "POLICY_INVALID",
            Self::Payload(PayloadError::NoSchemas) => "OPTIONS_INVALID",
            Self::Bundle(_) | Self::Payload(_) => "BUNDLE_INVALID",
            Self::Request(_) => "REQUEST_INVALID",
            Self::Frame(_) | Self::Answer(_) | Self::Panicked => "ENGINE_FAULT",
        }
    }

    /// An object with `code` and `message`; for policies with `diagnostics`, for a request with the `path` of the field.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut json = json!({ "code": self.code(), "message": self.to_string() });
        match self {
            Self::Policies(diagnostics) => json["diagnostics"] = diagnostics_json(diagnostics),
            Self::Request(error) => json["path"] = error.path.clone().into(),
            Self::Bundle(refusal) => json["reason"] = refusal.reason().into(),
            Self::Payload(PayloadError::NoSchemas) => json["path"] = "schemaEnforcement".into(),
            Self::Payload(PayloadError::Unreadable(Unreadable::OtherFunctions)) => {
                json["reason"] = "other-version".into();
            }
            Self::Payload(_) => json["reason"] = "malformed".into(),
            Self::Closed | Self::Options(_) | Self::Frame(_) | Self::Answer(_) | Self::Panicked => {}
        }
        json
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the engine is closed"),
            Self::Panicked => {
                f.write_str("the engine panicked; please report it with the policies that cause it")
            }
            Self::Bundle(refusal) => refusal.fmt(f),
            Self::Payload(PayloadError::NoSchemas) => f.write_str(
                "the bundle was made without schemas (`--ignore-schemas`), so they cannot be enforced: make it with them",
            ),
            Self::Payload(error) => {
                write!(f, "the bundle cannot be loaded: {error}; make it again with this version of orthrus")
            }
            Self::Options(message) | Self::Answer(message) => f.write_str(message),
            Self::Frame(error) => error.fmt(f),
            Self::Policies(diagnostics) => {
                diagnostics.iter().try_for_each(|diagnostic| writeln!(f, "{}", diagnostic.render()))
            }
            Self::Request(error) => f.write_str(&error.message),
        }
    }
}

/// Diagnostics as a JSON list.
#[must_use]
pub fn diagnostics_json(diagnostics: &Diagnostics) -> Value {
    diagnostics.iter().map(diagnostic_json).collect()
}

fn diagnostic_json(diagnostic: &Diagnostic) -> Value {
    let mut json = diagnostic.label.as_ref().map_or_else(|| json!({}), label_json);
    json["severity"] = diagnostic.severity.as_str().into();
    json["code"] = diagnostic.code.as_str().into();
    json["message"] = diagnostic.message.clone().into();
    json["rendered"] = diagnostic.render().into();
    json["related"] = diagnostic.related.iter().map(related_json).collect();
    if let Some(hint) = &diagnostic.hint {
        json["hint"] = hint.clone().into();
    }
    json
}

fn related_json(label: &Label) -> Value {
    let mut json = label_json(label);
    json["message"] = label.note.clone().into();
    json
}

fn label_json(label: &Label) -> Value {
    json!({
        "file": label.file,
        "line": label.start.line,
        "column": label.start.column,
        "endLine": label.end.line,
        "endColumn": label.end.column,
        "excerpt": label.line_text,
    })
}
