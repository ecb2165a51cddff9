//! The process around a server: it keeps keys, and hears what happens.

use std::future::Future;
use std::pin::Pin;

use serde_json::{Map, Value};

/// What comes when the host has done it.
pub type Answer<T> = Pin<Box<dyn Future<Output = Result<T, String>> + Send>>;

/// What the process around a server does for it.
pub trait Host: Send + Sync {
    /// Brings the keys of a key set up to date, or fetches them anew because a token names one that is not there. When it resolves,
    /// [`Running::set_keys`](crate::Running::set_keys) has been called if there are others; an error says why there are none.
    fn keys(&self, key_set: usize, renew: bool) -> Answer<()>;

    /// Whether a token is revoked, by its claims in JSON.
    fn is_revoked(&self, claims: String) -> Answer<bool>;

    /// Something happened.
    fn log(&self, event: Event);
}

/// What happened, for a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// How grave it is.
    pub level: Level,
    /// Which part of the server says it.
    pub logger: &'static str,
    /// For people.
    pub message: String,
    /// For machines.
    pub fields: Map<String, Value>,
}

/// How grave something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// As it should be.
    Info,
    /// Somebody should look at it.
    Warn,
    /// It failed.
    Error,
}

impl Level {
    /// Its name in logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

impl Event {
    /// Without fields.
    pub fn new(level: Level, logger: &'static str, message: impl Into<String>) -> Self {
        Self { level, logger, message: message.into(), fields: Map::new() }
    }

    /// With one more field.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }
}
