//! Opening a policy set.

use std::collections::BTreeMap;

use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::schema::Enforcement;
use orthrus::text::Source;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

/// Options as hosts give them.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct OpenOptions {
    default_policy_version: Option<String>,
    default_scope: Option<String>,
    lenient_scope_search: Option<bool>,
    strict_evaluation: Option<bool>,
    schema_enforcement: Option<String>,
    globals: Option<serde_json::Map<String, Value>>,
}

/// How a policy set is opened: the engine's options, and what expressions read as `globals`.
#[derive(Clone, Debug)]
pub struct Settings {
    options: Options,
    globals: Const,
}

impl Settings {
    /// Reads options in JSON; what they do not say is as the engine has it by default.
    ///
    /// # Errors
    /// An option is unknown, or not what it should be.
    pub fn from_json(options: &str) -> Result<Self, Failure> {
        let given: OpenOptions =
            serde_json::from_str(options).map_err(|error| Failure::Options(error.to_string()))?;
        let defaults = Options::default();
        let options = Options {
            default_policy_version: given.default_policy_version.unwrap_or(defaults.default_policy_version),
            default_scope: given.default_scope.unwrap_or(defaults.default_scope),
            lenient_scope_search: given.lenient_scope_search.unwrap_or(defaults.lenient_scope_search),
            strict_evaluation: given.strict_evaluation.unwrap_or(defaults.strict_evaluation),
            schema_enforcement: match given.schema_enforcement {
                Some(name) => enforcement(&name)?,
                None => defaults.schema_enforcement,
            },
        };
        Ok(Self { options, globals: to_const(&Value::Object(given.globals.unwrap_or_default())) })
    }

    /// Compiles policies and schemas.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn compile(self, sources: impl IntoIterator<Item = Source>) -> Result<Engine, Failure> {
        Engine::new(sources, self.options, self.globals).map_err(Failure::Policies)
    }
}

/// Compiles files: a JSON object of texts by path below the policy directory. Options are JSON.
///
/// # Errors
/// The options, or the policies, are wrong.
pub fn from_files(files: &str, options: &str) -> Result<Engine, Failure> {
    Settings::from_json(options)?.compile(read_files(files)?)
}

fn enforcement(name: &str) -> Result<Enforcement, Failure> {
    Enforcement::from_name(name)
        .ok_or_else(|| Failure::Options(format!("schemaEnforcement: there is no mode `{name}`")))
}

fn read_files(files: &str) -> Result<Vec<Source>, Failure> {
    let files: BTreeMap<String, String> =
        serde_json::from_str(files).map_err(|error| Failure::Options(format!("files: {error}")))?;
    Ok(files.into_iter().map(|(name, text)| Source::new(name, text)).collect())
}

/// Numbers are doubles, as everywhere in requests.
fn to_const(value: &Value) -> Const {
    match value {
        Value::Null => Const::Null,
        Value::Bool(value) => Const::Bool(*value),
        Value::Number(number) => Const::Double(number.as_f64().unwrap_or(f64::NAN)),
        Value::String(text) => Const::string(text.as_str()),
        Value::Array(elements) => Const::list(elements.iter().map(to_const).collect()),
        Value::Object(fields) => Const::map(
            fields.iter().map(|(key, value)| (Const::string(key.as_str()), to_const(value))).collect(),
        ),
    }
}
