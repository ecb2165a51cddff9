//! Failures as JavaScript receives them: an `Error` whose message is JSON, which `js/` turns into its classes.

use std::fmt;

use napi::Status;
use orthrus::contract::{Malformed, RequestError};
use orthrus::text::{Diagnostic, Diagnostics, Label};
use orthrus_identity::Refusal;
use orthrus_store::StoreError;
use serde_json::{Value, json};

/// Everything that can fail.
pub(crate) enum Failure {
    /// The engine was closed.
    Closed,
    /// Options are not what they should be.
    Options(String),
    /// The policy directory cannot be read.
    Store(StoreError),
    /// The policies are wrong.
    Policies(Diagnostics),
    /// The request is wrong.
    Request(RequestError),
    /// The bytes of a request are not what they should be.
    Frame(Malformed),
    /// Keys cannot be used.
    Keys(String),
    /// A token is refused.
    Token(Refusal),
    /// The answer cannot be written down.
    Answer(String),
    /// A fault of the engine itself.
    Panicked,
}

impl Failure {
    fn code(&self) -> &'static str {
        match self {
            Self::Closed => "ENGINE_CLOSED",
            Self::Options(_) => "OPTIONS_INVALID",
            Self::Store(StoreError::Files(_)) | Self::Policies(_) => "POLICY_INVALID",
            Self::Store(_) => "STORE_UNREADABLE",
            Self::Request(_) => "REQUEST_INVALID",
            Self::Keys(_) => "JWT_KEYS_INVALID",
            Self::Token(refusal) => refusal.code(),
            Self::Frame(_) | Self::Answer(_) | Self::Panicked => "ENGINE_FAULT",
        }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "code": self.code(), "message": self.to_string() });
        match self {
            Self::Store(StoreError::Files(diagnostics)) | Self::Policies(diagnostics) => {
                json["diagnostics"] = diagnostics_json(diagnostics);
            }
            Self::Request(error) => json["path"] = error.path.clone().into(),
            Self::Store(error) => json["path"] = error.path().map(|path| path.to_string_lossy()).into(),
            Self::Closed
            | Self::Options(_)
            | Self::Frame(_)
            | Self::Keys(_)
            | Self::Token(_)
            | Self::Answer(_)
            | Self::Panicked => {}
        }
        json
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => f.write_str("the engine is closed"),
            Self::Panicked => {
                f.write_str("the engine panicked; please report it with the policies that cause it")
            }
            Self::Options(message) | Self::Keys(message) | Self::Answer(message) => f.write_str(message),
            Self::Token(refusal) => refusal.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Frame(error) => error.fmt(f),
            Self::Policies(diagnostics) => {
                diagnostics.iter().try_for_each(|diagnostic| writeln!(f, "{}", diagnostic.render()))
            }
            Self::Request(error) => f.write_str(&error.message),
        }
    }
}

impl From<Failure> for napi::Error {
    fn from(failure: Failure) -> Self {
        Self::new(Status::GenericFailure, failure.to_json().to_string())
    }
}

/// Diagnostics as a JSON list.
pub(crate) fn diagnostics_json(diagnostics: &Diagnostics) -> Value {
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
