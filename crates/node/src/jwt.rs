//! Verifying tokens. JavaScript holds a verifier by an external, which goes when nobody holds it any more.

use std::str;

use orthrus_identity::{KeySource, Rules, Verifier};

use crate::error::Failure;

/// A verifier by the names that JavaScript uses.
pub(crate) fn verifier(source: &str, keys: &[u8], rules: &str) -> Result<Verifier, Failure> {
    let rules: Rules = serde_json::from_str(rules).map_err(|error| Failure::options(error.to_string()))?;
    let text = || str::from_utf8(keys).map_err(|_| Failure::Keys("it is not UTF-8".to_owned()));
    let source = match source {
        "remote" => KeySource::Remote(text()?),
        "local" => KeySource::Local(text()?),
        "pem" => KeySource::Pem(text()?),
        "secret" => KeySource::Secret(keys),
        "none" => return Ok(Verifier::without_signatures(rules)),
        other => return Err(Failure::options(format!("there is no source of keys `{other}`"))),
    };
    Verifier::new(&source, rules).map_err(|error| Failure::Keys(error.to_string()))
}

/// Header and claims of a token as a JSON list, at a time in milliseconds since 1970.
pub(crate) fn verify(verifier: &Verifier, token: &str, now: f64) -> Result<String, Failure> {
    let verified = verifier.verify(token, now / 1000.0).map_err(Failure::Token)?;
    Ok(format!("[{},{}]", verified.header, verified.claims))
}
