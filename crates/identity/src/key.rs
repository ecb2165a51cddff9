//! One key: what it is made of, what it may be used for, and how it is read.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{AlgorithmFamily, DecodingKey, crypto};
use serde_json::Value;

use crate::algorithm::{Algorithm, KeyKind};
use crate::json::Object;
use crate::rules::Rules;

/// Shorter moduli can be factored; the library reads no longer ones.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=4096;

/// A key that verifies.
pub(crate) struct Key {
    pub kid: Option<String>,
    /// The one algorithm that the key is for; without it, all that suit what it is made of.
    alg: Option<Algorithm>,
    kind: KeyKind,
    /// The length of a secret in bytes.
    secret_length: usize,
    key: DecodingKey,
}

/// Why a key of a set is not used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    /// It is for something else, such as encryption, and rightly in the set.
    OtherUse,
    /// It should not be in the set, or not like this.
    Wrong(String),
}

fn wrong<T>(problem: impl Into<String>) -> Result<T, Unusable> {
    Err(Unusable::Wrong(problem.into()))
}

impl Key {
    /// Reads a member of a JWK set (RFC 7517). Secrets are taken where `secrets` says so: a published one is none.
    pub(crate) fn from_jwk(jwk: &Object, secrets: bool, rules: &Rules) -> Result<Self, Unusable> {
        let text = |name: &str| match jwk.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => wrong(format!("{name} must be a string")),
        };
        if text("use")?.is_some_and(|usage| usage != "sig") || !may_verify(jwk.get("key_ops"))? {
            return Err(Unusable::OtherUse);
        }
        let kid = text("kid")?;
        if kid.is_none() && !rules.optional_kid {
            return wrong("missing key ID (kid); insecure.optionalKid takes keys without one");
        }
        let alg = match text("alg")? {
            None if rules.optional_alg => None,
            None => return wrong("missing algorithm (alg); insecure.optionalAlg takes keys without one"),
            Some(name) => match Algorithm::from_name(name) {
                None => return wrong(format!("the algorithm (alg) {name:?} is not supported")),
                found => found,
            },
        };
        let member = |name: &str| match text(name)? {
            Some(value) => Ok(value),
            None => wrong(format!("{name} is missing")),
        };
        let key = match (member("kty")?, text("crv")?) {
            ("RSA", _) => DecodingKey::from_rsa_components(member("n")?, member("e")?),
            ("EC", Some("P-256" | "P-384")) => DecodingKey::from_ec_components(member("x")?, member("y")?),
            ("OKP", Some("Ed25519")) => DecodingKey::from_ed_components(member("x")?),
            ("oct", _) if !secrets => return wrong("a secret (kty oct) in a set that others can read"),
            ("oct", _) => match URL_SAFE_NO_PAD.decode(member("k")?) {
                Ok(secret) => Ok(DecodingKey::from_secret(&secret)),
                Err(_) => return wrong("k is not base64url"),
            },
            (kty, Some(crv)) => {
                return wrong(format!("keys of type (kty) {kty:?} on {crv:?} are not supported"));
            }
            (kty, None) => return wrong(format!("keys of type (kty) {kty:?} are not supported")),
        };
        let Ok(key) = key else {
            return wrong("its numbers are not base64url");
        };
        let mut key = Self::checked(key, rules)?;
        match text("crv")? {
            Some("P-256") if key.kind != KeyKind::P256 => {
                return wrong("it is not on the curve that it names");
            }
            Some("P-384") if key.kind != KeyKind::P384 => {
                return wrong("it is not on the curve that it names");
            }
            _ => {}
        }
        if alg.is_some_and(|alg| alg.kind() != key.kind) {
            return wrong("the algorithm (alg) is none of its type (kty)");
        }
        key.alg = alg;
        key.kid = kid.map(str::to_owned);
        Ok(key)
    }

    /// Reads one block of a PEM text: a public key (SPKI or PKCS #1) of RSA, P-256, P-384 or Ed25519.
    pub(crate) fn from_pem(block: &pem::Pem, rules: &Rules) -> Result<Self, Unusable> {
        if !matches!(block.tag(), "PUBLIC KEY" | "RSA PUBLIC KEY") {
            return wrong(format!("{:?} is no public key", block.tag()));
        }
        let text = pem::encode(block);
        let readers = [DecodingKey::from_rsa_pem, DecodingKey::from_ec_pem, DecodingKey::from_ed_pem];
        match readers.iter().find_map(|read| read(text.as_bytes()).ok()) {
            Some(key) => Self::checked(key, rules),
            None => wrong("it is no key of RSA, P-256, P-384 or Ed25519"),
        }
    }

    /// Takes a shared secret.
    pub(crate) fn from_secret(secret: &[u8], rules: &Rules) -> Result<Self, Unusable> {
        Self::checked(DecodingKey::from_secret(secret), rules)
    }

    /// Finds out what a key is made of, and refuses one that is weak, broken or of no use under the rules.
    fn checked(key: DecodingKey, rules: &Rules) -> Result<Self, Unusable> {
        let secret_length = match key.family() {
            AlgorithmFamily::Hmac => key.try_get_as_bytes().map_or(0, <[u8]>::len),
            _ => 0,
        };
        let kind = kind(&key)?;
        let key = Self { kid: None, alg: None, kind, secret_length, key };
        let all =
            Algorithm::ASYMMETRIC.into_iter().chain([Algorithm::HS256, Algorithm::HS384, Algorithm::HS512]);
        let mut suited =
            all.filter(|algorithm| algorithm.kind() == kind && rules.allows(*algorithm)).peekable();
        if suited.peek().is_none() {
            let problem = match kind {
                KeyKind::Secret => "a secret needs HS256, HS384 or HS512 among the algorithms",
                _ => "none of the algorithms suits it",
            };
            return wrong(problem);
        }
        if !suited.any(|algorithm| key.serves(algorithm)) {
            return wrong(
                "the secret is too short: HS256 needs 32 bytes, HS384 48, HS512 64 (RFC 7518, section 3.2)",
            );
        }
        Ok(key)
    }

    /// Whether signatures of an algorithm can be checked by it.
    pub(crate) fn serves(&self, algorithm: Algorithm) -> bool {
        let least = match algorithm {
            Algorithm::HS256 => 32,
            Algorithm::HS384 => 48,
            Algorithm::HS512 => 64,
            _ => 0,
        };
        self.kind == algorithm.kind()
            && self.alg.is_none_or(|alg| alg == algorithm)
            && self.secret_length >= least
    }

    /// Whether a signature, in base64url, is that of a message.
    pub(crate) fn verifies(&self, signature: &str, message: &[u8], algorithm: Algorithm) -> bool {
        crypto::verify(signature, message, &self.key, algorithm.of_library()).unwrap_or(false)
    }
}

/// Whether `key_ops` (RFC 7517, section 4.3) lets a key verify.
fn may_verify(operations: Option<&Value>) -> Result<bool, Unusable> {
    match operations {
        None => Ok(true),
        Some(Value::Array(names)) => Ok(names.iter().any(|name| name == "verify")),
        Some(_) => wrong("key_ops must be a list"),
    }
}

/// What a key is made of; refuses what is no such thing.
fn kind(key: &DecodingKey) -> Result<KeyKind, Unusable> {
    if key.family() == AlgorithmFamily::Hmac {
        return Ok(KeyKind::Secret);
    }
    let Ok(jwk) = Jwk::from_decoding_key(key, None) else {
        return wrong("it cannot be read");
    };
    let kind = match &jwk.algorithm {
        AlgorithmParameters::RSA(numbers) => return rsa(&numbers.n, &numbers.e),
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => KeyKind::P256,
        AlgorithmParameters::EllipticCurve(_) => KeyKind::P384,
        _ => KeyKind::Ed25519,
    };
    let algorithm = match kind {
        KeyKind::P256 => Algorithm::ES256,
        KeyKind::P384 => Algorithm::ES384,
        _ => Algorithm::EdDSA,
    };
    // The library looks whether the point is on the curve when it is to verify something.
    match crypto::verify("", b"", key, algorithm.of_library()) {
        Ok(_) => Ok(kind),
        Err(_) => wrong("it is no point on its curve"),
    }
}

fn rsa(modulus: &str, exponent: &str) -> Result<KeyKind, Unusable> {
    let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap_or_default();
    let (modulus, exponent) = (bytes(modulus), bytes(exponent));
    let bits = bits(&modulus);
    if !RSA_BITS.contains(&bits) {
        return wrong(format!(
            "an RSA key of {bits} bits; between {} and {} are taken",
            RSA_BITS.start(),
            RSA_BITS.end()
        ));
    }
    let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
    if !is_odd || !(2..=32).contains(&self::bits(&exponent)) {
        return wrong("the exponent of the RSA key must be an odd number from 3 to 2^32");
    }
    Ok(KeyKind::Rsa)
}

/// How many bits a number has, given as bytes, the highest first.
fn bits(number: &[u8]) -> usize {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros).map_or(0, |first| (number.len() - zeros) * 8 - first.leading_zeros() as usize)
}
