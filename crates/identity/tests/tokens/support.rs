//! Keys made here, and tokens signed by them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};

pub(crate) const NOW: f64 = 1_700_000_000.0;
pub(crate) const SECRET: &[u8] = b"a secret of thirty-two bytes or so";

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key pair on P-256: the private half, and the public one as a JWK.
pub(crate) fn p256(seed: u8) -> (EncodingKey, Value) {
    let key = p256::ecdsa::SigningKey::from_slice(&[seed; 32]).unwrap();
    let point = key.verifying_key().to_encoded_point(false);
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "kid": "ec", "alg": "ES256", "use": "sig",
        "x": base64(point.x().unwrap()), "y": base64(point.y().unwrap()),
    });
    (EncodingKey::from_ec_der(key.to_pkcs8_der().unwrap().as_bytes()), jwk)
}

/// A key pair of Ed25519.
pub(crate) fn ed25519(seed: u8) -> (EncodingKey, Value) {
    let key = ed25519_dalek::SigningKey::from_bytes(&[seed; 32]);
    let jwk = json!({
        "kty": "OKP", "crv": "Ed25519", "kid": "ed", "alg": "EdDSA", "x": base64(key.verifying_key().as_bytes()),
    });
    (EncodingKey::from_ed_der(key.to_pkcs8_der().unwrap().as_bytes()), jwk)
}

/// A modulus of some bits that nobody can sign with: good enough to be read.
pub(crate) fn modulus(bits: usize) -> String {
    base64(vec![0xff; bits / 8])
}

pub(crate) fn set(keys: &[Value]) -> String {
    json!({ "keys": keys }).to_string()
}

/// A token of any header and payload, signed whatever they say.
pub(crate) fn sign(header: &str, payload: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", base64(header), base64(payload));
    let signature = crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}
