//! Responses, as Cerbos writes them in JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::ResourceEntry;
use crate::cel::Json;
use crate::check::{
    ActionDecision, AttributeSource, Decision, EvaluationError, MatchedPolicy, OutputEntry, ValidationError,
};
use crate::policy::policy_key;
use crate::table::NameMap;

/// One resource's part of a response: what was asked and what was decided.
///
/// Serialises to the fields `outputs`, `validationErrors` and `meta` of a Cerbos result, each only where there is something to say.
#[derive(Clone, Copy, Debug)]
pub struct ResultEntry<'a> {
    /// What was asked.
    pub entry: &'a ResourceEntry<'a>,
    /// What was decided.
    pub decision: &'a Decision<'a>,
    /// Whether the request asked for metadata.
    pub include_meta: bool,
    /// For an audit log: the files of policies. With it, `evaluationErrors` and `effectivePolicies` are told as well.
    pub audit: Option<&'a NameMap<Box<str>>>,
}

impl ResultEntry<'_> {
    /// Whether there is more to say than the effects.
    #[must_use]
    pub fn has_details(&self) -> bool {
        let Decision { outputs, validation_errors, .. } = self.decision;
        self.include_meta || self.audit.is_some() || !outputs.is_empty() || !validation_errors.is_empty()
    }
}

impl Serialize for ResultEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        if !self.decision.outputs.is_empty() {
            map.serialize_entry("outputs", self.decision.outputs)?;
        }
        if !self.decision.validation_errors.is_empty() {
            map.serialize_entry("validationErrors", self.decision.validation_errors)?;
        }
        if self.include_meta {
            map.serialize_entry("meta", &Meta(*self))?;
        }
        if let Some(sources) = self.audit {
            map.serialize_entry("evaluationErrors", self.decision.evaluation_errors)?;
            map.serialize_entry("effectivePolicies", &EffectivePolicies(self.decision, sources))?;
        }
        map.end()
    }
}

/// The policies whose rules were looked at, each with the file it stands in.
struct EffectivePolicies<'a>(&'a Decision<'a>, &'a NameMap<Box<str>>);

impl Serialize for EffectivePolicies<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let keys: BTreeSet<&str> = self.0.trace.iter().map(|entry| entry.policy).collect();
        let source = |key| self.1.get(key).map_or("", |source| source);
        serializer.collect_map(keys.into_iter().map(|key| (key, BTreeMap::from([("source", source(key))]))))
    }
}

impl Serialize for EvaluationError<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("expression", self.expression)?;
        map.serialize_entry("message", &format_args!("{}", self.error))?;
        map.end()
    }
}

struct Meta<'a>(ResultEntry<'a>);

impl Serialize for Meta<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("actions", &MetaActions(self.0))?;
        map.serialize_entry("effectiveDerivedRoles", self.0.decision.effective_derived_roles)?;
        map.end()
    }
}

struct MetaActions<'a>(ResultEntry<'a>);

impl Serialize for MetaActions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let named = self.0.entry.actions.iter().zip(self.0.decision.actions);
        serializer.collect_map(named)
    }
}

impl Serialize for ActionDecision<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("matchedPolicy", &self.policy)?;
        if !self.scope.is_empty() {
            map.serialize_entry("matchedScope", self.scope)?;
        }
        map.end()
    }
}

impl Serialize for MatchedPolicy<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl std::fmt::Display for MatchedPolicy<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoMatch => f.write_str("NO_MATCH"),
            Self::Key(key) => f.write_str(key),
            Self::Main { kind, name, version, scope } => {
                f.write_str(&policy_key(*kind, name, version, scope))
            }
        }
    }
}

impl Serialize for ValidationError<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("path", self.path)?;
        map.serialize_entry("message", self.message)?;
        let source = match self.source {
            AttributeSource::Principal => "SOURCE_PRINCIPAL",
            AttributeSource::Resource => "SOURCE_RESOURCE",
        };
        map.serialize_entry("source", source)?;
        map.end()
    }
}

impl Serialize for OutputEntry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("src", &format_args!("{}#{}", self.policy, self.rule))?;
        map.serialize_entry("action", self.action)?;
        match self.value {
            Err(error) => map.serialize_entry("error", &format_args!("{error}"))?,
            // A value without a JSON form (NaN, an infinity) makes the PDP's whole response fail; here it is the
            // error of its output, and the decisions arrive.
            Ok(value) => match serde_json::to_writer(std::io::sink(), &Json(value)) {
                Ok(()) => map.serialize_entry("val", &Json(value))?,
                Err(error) => map.serialize_entry("error", &format_args!("{error}"))?,
            },
        }
        map.end()
    }
}
