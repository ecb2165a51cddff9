//! Opening a policy set: the one thing that takes long enough to leave the calling thread.

use std::collections::BTreeMap;
use std::path::PathBuf;

use napi::{Env, Result, Task};
use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::schema::Enforcement;
use orthrus::text::Source;
use orthrus_store::read_policies;
use serde::Deserialize;
use serde_json::Value;

use crate::engines;
use crate::error::Failure;

/// Where the policies are.
pub(crate) enum Origin {
    /// In a directory.
    Directory(PathBuf),
    /// In a JSON object of texts by path.
    Files(String),
}

/// The work of opening a policy set.
pub struct Open {
    origin: Origin,
    options: String,
}

/// Options as JavaScript gives them.
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

impl Open {
    pub(crate) fn new(origin: Origin, options: String) -> Self {
        Self { origin, options }
    }

    /// Compiles, and gives the number of the engine.
    pub(crate) fn run(&self) -> Result<u32> {
        Ok(engines::add(self.compile()?))
    }

    fn compile(&self) -> std::result::Result<Engine, Failure> {
        let options: OpenOptions =
            serde_json::from_str(&self.options).map_err(|error| Failure::Options(error.to_string()))?;
        let sources = match &self.origin {
            Origin::Directory(directory) => read_policies(directory).map_err(Failure::Store)?,
            Origin::Files(files) => read_files(files)?,
        };
        let defaults = Options::default();
        let engine_options = Options {
            default_policy_version: options.default_policy_version.unwrap_or(defaults.default_policy_version),
            default_scope: options.default_scope.unwrap_or(defaults.default_scope),
            lenient_scope_search: options.lenient_scope_search.unwrap_or(defaults.lenient_scope_search),
            strict_evaluation: options.strict_evaluation.unwrap_or(defaults.strict_evaluation),
            schema_enforcement: match options.schema_enforcement {
                Some(name) => enforcement(&name)?,
                None => defaults.schema_enforcement,
            },
        };
        let globals = to_const(&Value::Object(options.globals.unwrap_or_default()));
        Engine::new(sources, engine_options, globals).map_err(Failure::Policies)
    }
}

fn enforcement(name: &str) -> std::result::Result<Enforcement, Failure> {
    Enforcement::from_name(name)
        .ok_or_else(|| Failure::Options(format!("schemaEnforcement: there is no mode `{name}`")))
}

fn read_files(files: &str) -> std::result::Result<Vec<Source>, Failure> {
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

impl Task for Open {
    type Output = u32;
    type JsValue = u32;

    fn compute(&mut self) -> Result<u32> {
        // On a worker thread nobody else would stop a panic before it reaches Node.
        std::panic::catch_unwind(|| self.run()).unwrap_or_else(|_| Err(Failure::Panicked.into()))
    }

    fn resolve(&mut self, _env: Env, engine: u32) -> Result<u32> {
        Ok(engine)
    }
}
