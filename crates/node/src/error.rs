//! Failures as JavaScript receives them: an `Error` whose message is JSON, which `js/` turns into its classes.

use std::fmt;

use napi::Status;
use orthrus_host::diagnostics_json;
use orthrus_identity::Refusal;
use orthrus_store::StoreError;
use serde_json::{Value, json};

/// Everything that can fail.
pub(crate) enum Failure {
    /// What can fail in every head.
    Host(orthrus_host::Failure),
    /// The policy directory cannot be read.
    Store(StoreError),
    /// An option is not what it should be.
    Option {
        /// Which.
        path: String,
        /// What it should be.
        message: String,
    },
    /// A server does not start.
    Server(String),
    /// Keys cannot be used.
    Keys(String),
    /// A token is refused.
    Token(Refusal),
}

impl Failure {
    /// A fault of the engine itself.
    pub(crate) const PANICKED: Self = Self::Host(orthrus_host::Failure::Panicked);

    pub(crate) fn options(message: String) -> Self {
        Self::Host(orthrus_host::Failure::Options(message))
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Host(failure) => failure.code(),
            Self::Store(StoreError::Files(_)) => "POLICY_INVALID",
            Self::Store(_) => "STORE_UNREADABLE",
            Self::Option { .. } => "OPTIONS_INVALID",
            Self::Server(_) => "SERVER_START",
            Self::Keys(_) => "JWT_KEYS_INVALID",
            Self::Token(refusal) => refusal.code(),
        }
    }

    fn to_json(&self) -> Value {
        let mut json = json!({ "code": self.code(), "message": self.to_string() });
        match self {
            Self::Host(failure) => return failure.to_json(),
            Self::Store(StoreError::Files(diagnostics)) => {
                json["diagnostics"] = diagnostics_json(diagnostics);
            }
            Self::Store(error) => json["path"] = error.path().map(|path| path.to_string_lossy()).into(),
            Self::Option { path, .. } => json["path"] = path.as_str().into(),
            Self::Server(_) | Self::Keys(_) | Self::Token(_) => {}
        }
        json
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(failure) => failure.fmt(f),
            Self::Store(error) => error.fmt(f),
            Self::Keys(message) | Self::Server(message) | Self::Option { message, .. } => {
                f.write_str(message)
            }
            Self::Token(refusal) => refusal.fmt(f),
        }
    }
}

impl From<orthrus_host::Failure> for Failure {
    fn from(failure: orthrus_host::Failure) -> Self {
        Self::Host(failure)
    }
}

impl From<Failure> for napi::Error {
    fn from(failure: Failure) -> Self {
        Self::new(Status::GenericFailure, failure.to_json().to_string())
    }
}
