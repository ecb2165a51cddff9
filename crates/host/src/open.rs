//! Opening a policy set.

use std::collections::BTreeMap;

use orthrus::Engine;
use orthrus::cel::Const;
use orthrus::check::Options;
use orthrus::schema::Enforcement;
use orthrus::text::Source;
use orthrus_bundle::{Identity, PublicKey};
use serde::Deserialize;
use serde_json::{Value, json};

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
    /// Ed25519 public keys, SPKI in PEM: one of them has to have signed the bundle.
    trusted_keys: Option<Vec<String>>,
}

/// Policies that are loaded.
#[derive(Debug)]
pub struct PolicySet {
    /// What decides.
    pub engine: Engine,
    /// The bundle that they came from; none where they came as text.
    pub bundle: Option<Identity>,
}

impl PolicySet {
    /// Which bundle they came from, as JSON: `digest`, and the `keyId` that was verified; `null` where they came as text.
    #[must_use]
    pub fn bundle_json(&self) -> String {
        let Some(identity) = &self.bundle else { return "null".to_owned() };
        let mut json = json!({ "digest": identity.to_string() });
        if let Some(key) = identity.signed_by {
            json["keyId"] = key.to_string().into();
        }
        json.to_string()
    }
}

/// How a policy set is opened: the engine's options, and what expressions read as `globals`.
#[derive(Clone, Debug)]
pub struct Settings {
    options: Options,
    globals: Const,
    trusted_keys: Option<Vec<PublicKey>>,
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
        let globals = to_const(&Value::Object(given.globals.unwrap_or_default()));
        let trusted_keys = given.trusted_keys.map(|keys| read_keys(&keys)).transpose()?;
        Ok(Self { options, globals, trusted_keys })
    }

    /// Compiles policies and schemas.
    ///
    /// # Errors
    /// Everything that is wrong with any of them.
    pub fn compile(self, sources: impl IntoIterator<Item = Source>) -> Result<PolicySet, Failure> {
        let engine = Engine::new(sources, self.options, self.globals).map_err(Failure::Policies)?;
        Ok(PolicySet { engine, bundle: None })
    }

    /// Loads a bundle, which needs a signature where keys are trusted.
    ///
    /// # Errors
    /// The bundle is refused.
    pub fn load(self, bundle: &[u8]) -> Result<PolicySet, Failure> {
        let (container, identity) =
            orthrus_bundle::open(bundle, self.trusted_keys.as_deref()).map_err(Failure::Bundle)?;
        let engine = Engine::from_payload(container.payload, self.options, self.globals);
        Ok(PolicySet { engine: engine.map_err(Failure::Payload)?, bundle: Some(identity) })
    }
}

/// Compiles files: a JSON object of texts by path below the policy directory. Options are JSON.
///
/// # Errors
/// The options, or the policies, are wrong.
pub fn from_files(files: &str, options: &str) -> Result<PolicySet, Failure> {
    Settings::from_json(options)?.compile(read_files(files)?)
}

/// Loads a bundle. Options are JSON.
///
/// # Errors
/// The options are wrong, or the bundle is refused.
pub fn from_bundle(bundle: &[u8], options: &str) -> Result<PolicySet, Failure> {
    Settings::from_json(options)?.load(bundle)
}

fn read_keys(keys: &[String]) -> Result<Vec<PublicKey>, Failure> {
    let read = |(index, pem): (usize, &String)| {
        PublicKey::from_pem(pem).map_err(|error| Failure::Options(format!("trustedKeys[{index}]: {error}")))
    };
    keys.iter().enumerate().map(read).collect()
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
