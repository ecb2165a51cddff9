//! Sets of keys: a JWK set from an issuer, keys of our own, or a shared secret.

use std::fmt;

use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::json;
use crate::key::{Key, Unusable};
use crate::refusal::{Refusal, quoted};
use crate::rules::Rules;
use crate::token::Header;

/// Larger JWK sets are not read.
pub const MAX_KEY_SET_BYTES: usize = 256 * 1024;

/// Sets of more keys are refused: an issuer has a handful, and each may have to be tried.
pub const MAX_KEYS: usize = 100;

/// Where keys come from.
#[derive(Clone, Copy, Debug)]
pub enum KeySource<'a> {
    /// The text of a JWK set that an issuer publishes. Keys that cannot be used are passed over.
    Remote(&'a str),
    /// The text of a JWK set, or of one JWK, of our own. A key that cannot be used is an error.
    Local(&'a str),
    /// One or more public keys in PEM. They have no ids, and serve tokens of any.
    Pem(&'a str),
    /// A secret shared with the issuer. It has no id, and serves tokens of any.
    Secret(&'a [u8]),
}

/// Why there is no key set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyError(String);

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for KeyError {}

/// At least one key.
pub(crate) struct KeySet {
    keys: Vec<Key>,
}

impl KeySet {
    pub(crate) fn new(source: &KeySource<'_>, rules: &Rules) -> Result<Self, KeyError> {
        let (keys, strict) = match source {
            KeySource::Remote(text) => (jwk_set(text, false, rules)?, false),
            KeySource::Local(text) => (jwk_set(text, true, rules)?, true),
            KeySource::Pem(text) => (pem(text, rules)?, true),
            KeySource::Secret(secret) => (vec![Key::from_secret(secret, rules)], true),
        };
        let count = keys.len();
        let mut usable = Vec::with_capacity(count);
        let mut problem = None;
        for (index, key) in keys.into_iter().enumerate() {
            match key {
                Ok(key) => usable.push(key),
                Err(Unusable::OtherUse) => {}
                Err(Unusable::Wrong(reason)) => {
                    let error = KeyError(match source {
                        KeySource::Secret(_) => reason,
                        _ => format!("key {index}: {reason}"),
                    });
                    if strict {
                        return Err(error);
                    }
                    problem.get_or_insert(error);
                }
            }
        }
        if !usable.is_empty() {
            return Ok(Self { keys: usable });
        }
        Err(problem.unwrap_or_else(|| {
            KeyError(match count {
                0 => "there are no keys in it".to_owned(),
                _ => "no key in it is for verifying signatures".to_owned(),
            })
        }))
    }

    /// The keys by which a token may have been signed; at least one.
    pub(crate) fn find<'a>(
        &'a self,
        header: &Header,
        algorithm: Algorithm,
        rules: &Rules,
    ) -> Result<impl Iterator<Item = &'a Key> + use<'a>, Refusal> {
        let kid = header.kid.as_deref();
        let named = kid.is_some_and(|kid| self.keys.iter().any(|key| key.kid.as_deref() == Some(kid)));
        // A token that names no key tries all, where that is allowed. Keys without a name serve tokens of any name.
        let any = kid.is_none() && rules.optional_kid;
        let wanted = if named { kid.map(str::to_owned) } else { None };
        let is_candidate = move |key: &&Key| any || key.kid == wanted;
        let mut candidates = self.keys.iter().filter(is_candidate.clone()).peekable();
        if candidates.peek().is_none() {
            return Err(Refusal::KeyUnknown(header.kid.clone()));
        }
        if !candidates.any(|key| key.serves(algorithm)) {
            return Err(Refusal::Algorithm(format!(
                "the algorithm (alg) {} is not that of the key",
                quoted(&header.alg)
            )));
        }
        Ok(self.keys.iter().filter(is_candidate).filter(move |key| key.serves(algorithm)))
    }
}

type Keys = Vec<Result<Key, Unusable>>;

fn jwk_set(text: &str, secrets: bool, rules: &Rules) -> Result<Keys, KeyError> {
    if text.len() > MAX_KEY_SET_BYTES {
        let message = format!("it has {} bytes; at most {MAX_KEY_SET_BYTES} are read", text.len());
        return Err(KeyError(message));
    }
    let value =
        json::parse(text.as_bytes()).map_err(|problem| KeyError(format!("it is no JSON: {problem}")))?;
    let keys = match &value {
        Value::Object(set) => match set.get("keys") {
            Some(Value::Array(keys)) => keys.as_slice(),
            None if set.contains_key("kty") => std::slice::from_ref(&value),
            _ => return Err(KeyError("it is no JWK set: a list of keys is missing".to_owned())),
        },
        _ => return Err(KeyError("it is no JWK set: an object is expected".to_owned())),
    };
    if keys.len() > MAX_KEYS {
        return Err(KeyError(format!("it has {} keys; at most {MAX_KEYS} are read", keys.len())));
    }
    let read = |key: &Value| match key {
        Value::Object(jwk) => Key::from_jwk(jwk, secrets, rules),
        _ => Err(Unusable::Wrong("it must be an object".to_owned())),
    };
    Ok(keys.iter().map(read).collect())
}

fn pem(text: &str, rules: &Rules) -> Result<Keys, KeyError> {
    if text.len() > MAX_KEY_SET_BYTES {
        let message = format!("it has {} bytes; at most {MAX_KEY_SET_BYTES} are read", text.len());
        return Err(KeyError(message));
    }
    let blocks = pem::parse_many(text).map_err(|problem| KeyError(format!("it is no PEM: {problem}")))?;
    Ok(blocks.iter().map(|block| Key::from_pem(block, rules)).collect())
}
