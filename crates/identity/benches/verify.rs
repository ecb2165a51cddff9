//! What verifying a token costs beside checking its signature. Prints one JSON object a line: `{"name", "bare", "verify",
//! "ratio"}`; the times are the least of many rounds, in nanoseconds: what else a machine does can only add to them.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark that cannot go on fails and says so"
)]

#[path = "../tests/tokens/support.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod support;

use std::hint::black_box;
use std::time::Instant;

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use orthrus_identity::{KeySource, Rules, Verifier};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use serde_json::{Value, json};
use support::{NOW, base64, ed25519, p256, set, sign};

const ROUNDS: usize = 300;
const CALLS: u32 = 5;

fn main() {
    for (algorithm, (key, jwk)) in
        [(Algorithm::RS256, rsa()), (Algorithm::ES256, p256(1)), (Algorithm::EdDSA, ed25519(2))]
    {
        measure(algorithm, &key, &jwk);
    }
}

fn rsa() -> (EncodingKey, Value) {
    let key = rsa::RsaPrivateKey::new(&mut rand::thread_rng(), 2048).unwrap();
    let number = |number: &rsa::BigUint| base64(number.to_bytes_be());
    let jwk =
        json!({ "kty": "RSA", "kid": "rsa", "alg": "RS256", "n": number(key.n()), "e": number(key.e()) });
    (EncodingKey::from_rsa_der(key.to_pkcs1_der().unwrap().as_bytes()), jwk)
}

fn measure(algorithm: Algorithm, key: &EncodingKey, jwk: &Value) {
    let header = json!({ "alg": jwk["alg"], "kid": jwk["kid"], "typ": "JWT" }).to_string();
    let claims = json!({
        "iss": "https://issuer.test", "aud": "api", "sub": "user_1", "exp": NOW + 60.0, "iat": NOW, "sid": "sess_1",
        "org_id": "org_1", "role": "member", "permissions": ["docs:read", "docs:write"],
    });
    let token = sign(&header, &claims.to_string(), key, algorithm);
    let rules: Rules = serde_json::from_value(json!({
        "issuer": ["https://issuer.test"], "audience": ["api"], "requiredClaims": ["sub"],
    }))
    .unwrap();
    let verifier = Verifier::new(&KeySource::Remote(&set(std::slice::from_ref(jwk))), rules).unwrap();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let decoding = DecodingKey::from_jwk(&serde_json::from_value::<Jwk>(jwk.clone()).unwrap()).unwrap();
    let (mut bare, mut whole) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..ROUNDS {
        bare = bare.min(time(|| {
            assert!(crypto::verify(signature, message.as_bytes(), &decoding, algorithm).unwrap());
        }));
        whole = whole.min(time(|| {
            black_box(verifier.verify(black_box(&token), NOW).unwrap());
        }));
    }
    let line = json!({
        "name": format!("{algorithm:?}"), "bare": bare.round(), "verify": whole.round(),
        "ratio": (whole / bare * 1000.0).round() / 1000.0,
    });
    println!("{line}");
}

fn time(mut call: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..CALLS {
        call();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
}
