//! The registered claims (RFC 7519, section 4.1): their types and what the rules ask of them.

use serde_json::Value;

use crate::json::Object;
use crate::refusal::Refusal;
use crate::rules::Rules;

/// The last second of the year 9999: later ones have no form in RFC 3339, in which policies read times.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// Checks the claims of a token whose signature is right, at a time in seconds since 1970.
pub(crate) fn check(claims: &Object, rules: &Rules, now: f64) -> Result<(), Refusal> {
    for name in ["iss", "sub", "jti"] {
        text(claims, name)?;
    }
    let audience = audience(claims)?;
    let (exp, nbf, iat) = (date(claims, "exp")?, date(claims, "nbf")?, date(claims, "iat")?);
    if exp.is_none() && !rules.optional_exp {
        return Err(Refusal::ClaimMissing("exp".to_owned()));
    }
    if exp.is_some_and(|exp| !is_before(now, exp + rules.skew)) {
        return Err(Refusal::Expired);
    }
    for (name, moment) in [("nbf", nbf), ("iat", iat)] {
        if moment.is_some_and(|moment| !is_reached(moment - rules.skew, now)) {
            return Err(Refusal::NotYetValid(name));
        }
    }
    if !rules.issuer.is_empty() {
        let issuer = text(claims, "iss")?.ok_or_else(|| Refusal::ClaimMissing("iss".to_owned()))?;
        if !rules.issuer.iter().any(|expected| expected == issuer) {
            return Err(Refusal::Issuer(issuer.to_owned()));
        }
    }
    if !rules.audience.is_empty() {
        let audience = audience.ok_or_else(|| Refusal::ClaimMissing("aud".to_owned()))?;
        if !audience.iter().any(|name| rules.audience.iter().any(|expected| expected == name)) {
            return Err(Refusal::Audience);
        }
    }
    match rules.required_claims.iter().find(|name| is_absent(claims.get(*name))) {
        Some(name) => Err(Refusal::ClaimMissing(name.clone())),
        None => Ok(()),
    }
}

/// A time that is no number is neither before nor after another, so that by a broken clock no token is valid.
fn is_before(left: f64, right: f64) -> bool {
    left < right
}

fn is_reached(moment: f64, now: f64) -> bool {
    moment <= now
}

/// An empty `sub` identifies nobody, as a missing one does.
fn is_absent(claim: Option<&Value>) -> bool {
    match claim {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Array(elements)) => elements.is_empty(),
        Some(_) => false,
    }
}

fn text<'a>(claims: &'a Object, name: &str) -> Result<Option<&'a str>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refusal::Malformed(format!("the claim {name} must be a string"))),
    }
}

fn audience(claims: &Object) -> Result<Option<Vec<&str>>, Refusal> {
    let malformed = || Refusal::Malformed("the claim aud must be a string or a list of strings".to_owned());
    match claims.get("aud") {
        None => Ok(None),
        Some(Value::String(name)) => Ok(Some(vec![name])),
        Some(Value::Array(names)) => {
            names.iter().map(|name| name.as_str().ok_or_else(malformed)).collect::<Result<_, _>>().map(Some)
        }
        Some(_) => Err(malformed()),
    }
}

/// Seconds since 1970 (`NumericDate`), perhaps with a fraction.
fn date(claims: &Object, name: &str) -> Result<Option<f64>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) => match number.as_f64() {
            Some(seconds) if (0.0..=LAST_SECOND).contains(&seconds) => Ok(Some(seconds)),
            _ => Err(Refusal::Malformed(format!("the claim {name} must be between the years 1970 and 9999"))),
        },
        Some(_) => {
            Err(Refusal::Malformed(format!("the claim {name} must be a number of seconds since 1970")))
        }
    }
}
