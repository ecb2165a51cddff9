//! Verifying tokens. JavaScript holds a verifier by an external, which goes when nobody holds it any more.

use std::str;

use napi::Result;
use napi::bindgen_prelude::External;
use napi_derive::napi;
use orthrus_identity::{KeySource, Rules, Verifier};

use crate::error::Failure;

/// Makes a verifier of keys: of a JWK set that is published (`remote`) or our own (`local`), of keys in PEM (`pem`), of a
/// `secret`, or of `none`, which believes any signature. Rules are JSON.
#[napi(catch_unwind)]
pub fn jwt_verifier(source: String, keys: &[u8], rules: String) -> Result<External<Verifier>> {
    let rules: Rules = serde_json::from_str(&rules).map_err(|error| Failure::Options(error.to_string()))?;
    let text = || str::from_utf8(keys).map_err(|_| Failure::Keys("it is not UTF-8".to_owned()));
    let source = match source.as_str() {
        "remote" => KeySource::Remote(text()?),
        "local" => KeySource::Local(text()?),
        "pem" => KeySource::Pem(text()?),
        "secret" => KeySource::Secret(keys),
        "none" => return Ok(External::new(Verifier::without_signatures(rules))),
        other => return Err(Failure::Options(format!("there is no source of keys `{other}`")).into()),
    };
    let verifier = Verifier::new(&source, rules).map_err(|error| Failure::Keys(error.to_string()))?;
    Ok(External::new(verifier))
}

/// Verifies a token at a time in milliseconds since 1970: a JSON list of header and claims.
#[napi(catch_unwind)]
pub fn verify_jwt(verifier: &External<Verifier>, token: String, now: f64) -> Result<String> {
    let verified = verifier.verify(&token, now / 1000.0).map_err(Failure::Token)?;
    Ok(format!("[{},{}]", verified.header, verified.claims))
}
