//! Which key sets are taken, and what is said of the others.

use crate::support::{NOW, base64, ed25519, modulus, p256, set, sign};
use jsonwebtoken::Algorithm;
use orthrus_identity::{KeySource, MAX_KEY_SET_BYTES, Rules, Verifier};
use serde_json::{Value, json};

fn rules(json: &Value) -> Rules {
    serde_json::from_value(json.clone()).unwrap()
}

/// What is wrong with keys; `ok` if nothing is.
fn problem(source: &KeySource<'_>, rules_json: &Value) -> String {
    Verifier::new(source, rules(rules_json)).map_or_else(|error| error.to_string(), |_| "ok".to_owned())
}

fn ec(changes: &Value) -> Value {
    let (_, mut jwk) = p256(1);
    for (name, value) in changes.as_object().unwrap() {
        if value == "ABSENT" {
            jwk.as_object_mut().unwrap().remove(name);
        } else {
            jwk[name] = value.clone();
        }
    }
    jwk
}

fn rsa(bits: usize, e: &[u8]) -> Value {
    json!({ "kty": "RSA", "kid": "r", "alg": "RS256", "n": modulus(bits), "e": base64(e) })
}

#[test]
fn each_key_of_our_own_must_be_of_use() {
    let secret = json!({ "kty": "oct", "kid": "s", "alg": "HS256", "k": base64([1; 32]) });
    let rows = [
        (ec(&json!({})), json!({}), "ok"),
        (ec(&json!({ "use": "ABSENT", "key_ops": ["verify", "sign"] })), json!({}), "ok"),
        (ed25519(1).1, json!({}), "ok"),
        (rsa(2048, &[1, 0, 1]), json!({}), "ok"),
        (ec(&json!({ "kid": "ABSENT" })), json!({}), "key 0: missing key ID (kid)"),
        (ec(&json!({ "kid": "ABSENT" })), json!({ "optionalKid": true }), "ok"),
        (ec(&json!({ "alg": "ABSENT" })), json!({}), "key 0: missing algorithm (alg)"),
        (ec(&json!({ "alg": "ABSENT" })), json!({ "optionalAlg": true }), "ok"),
        (ec(&json!({ "alg": "RS256" })), json!({}), "is none of its type"),
        (ec(&json!({ "alg": "ES512" })), json!({}), "\"ES512\" is not supported"),
        (ec(&json!({ "alg": "none" })), json!({}), "\"none\" is not supported"),
        (ec(&json!({ "use": "enc" })), json!({}), "no key in it is for verifying"),
        (ec(&json!({ "key_ops": ["sign"] })), json!({}), "no key in it is for verifying"),
        (ec(&json!({ "key_ops": "verify" })), json!({}), "key_ops must be a list"),
        (ec(&json!({ "kid": 1 })), json!({}), "kid must be a string"),
        (ec(&json!({ "kty": "ABSENT" })), json!({}), "list of keys is missing"),
        (ec(&json!({ "kty": "FOO" })), json!({}), "\"FOO\" on \"P-256\" are not supported"),
        (ec(&json!({ "crv": "P-521" })), json!({}), "\"EC\" on \"P-521\" are not supported"),
        (ec(&json!({ "crv": "P-384" })), json!({}), "not on the curve that it names"),
        (ec(&json!({ "x": base64([1; 32]) })), json!({}), "no point on its curve"),
        (ec(&json!({ "x": "ABSENT" })), json!({}), "x is missing"),
        (ec(&json!({ "x": "+/" })), json!({}), "not base64url"),
        (ec(&json!({ "x": base64([1; 3]) })), json!({}), "cannot be read"),
        (
            json!({ "kty": "OKP", "crv": "Ed25519", "kid": "e", "alg": "EdDSA", "x": "AAAA" }),
            json!({}),
            "cannot be read",
        ),
        (
            json!({ "kty": "OKP", "crv": "X25519", "kid": "e", "alg": "EdDSA", "x": "AAAA" }),
            json!({}),
            "not supported",
        ),
        (rsa(1024, &[1, 0, 1]), json!({}), "an RSA key of 1024 bits"),
        (rsa(8192, &[1, 0, 1]), json!({}), "an RSA key of 8192 bits"),
        (rsa(2048, &[1]), json!({}), "exponent"),
        (rsa(2048, &[2]), json!({}), "exponent"),
        (rsa(2048, &[1; 9]), json!({}), "exponent"),
        (secret.clone(), json!({}), "a secret needs HS256"),
        (secret, json!({ "algorithms": ["HS256"] }), "ok"),
        (ec(&json!({})), json!({ "algorithms": ["RS256"] }), "none of the algorithms suits it"),
    ];
    for (key, rules, expected) in rows {
        let found = problem(&KeySource::Local(&key.to_string()), &rules);
        assert!(found.contains(expected), "{key}\n{rules}\nexpected: {expected}\nfound: {found}");
    }
}

#[test]
fn published_keys_that_are_of_no_use_are_passed_over() {
    let secret = json!({ "kty": "oct", "kid": "s", "alg": "HS256", "k": base64([1; 32]) });
    let odd = [secret.clone(), json!({ "kty": "FOO" }), ec(&json!({ "use": "enc", "kid": "enc" })), json!(1)];
    let mut keys = odd.to_vec();
    keys.push(p256(1).1);
    assert_eq!(problem(&KeySource::Remote(&set(&keys)), &json!({})), "ok");
    let alone = problem(&KeySource::Remote(&set(&odd)), &json!({}));
    assert!(alone.contains("key 0: a secret (kty oct) in a set that others can read"), "{alone}");
    let asked_for = problem(&KeySource::Remote(&set(&[secret])), &json!({ "algorithms": ["HS256"] }));
    assert!(asked_for.contains("a secret (kty oct)"), "{asked_for}");
}

#[test]
fn sets_that_are_none() {
    let many = |count| set(&vec![p256(1).1; count]);
    let huge = format!("{}{}", " ".repeat(MAX_KEY_SET_BYTES), set(&[p256(1).1]));
    let rows = [
        (many(100), "ok"),
        (many(101), "101 keys; at most 100"),
        (many(10_000), "at most 262144 are read"),
        (huge, "at most 262144 are read"),
        (set(&[]), "no keys in it"),
        ("<html>".to_owned(), "no JSON"),
        ("[]".to_owned(), "an object is expected"),
        ("{}".to_owned(), "list of keys is missing"),
        (r#"{"keys":{}}"#.to_owned(), "list of keys is missing"),
        (r#"{"keys":[],"keys":[]}"#.to_owned(), "given twice"),
    ];
    for (text, expected) in rows {
        let found = problem(&KeySource::Remote(&text), &json!({}));
        assert!(found.contains(expected), "expected: {expected}\nfound: {found}");
    }
}

#[test]
fn keys_in_pem() {
    let (ed, jwk) = ed25519(3);
    let point = base64_decoded(jwk["x"].as_str().unwrap());
    // The DER of an Ed25519 public key (RFC 8410, section 10.1) is a fixed head and the point.
    let mut der = vec![0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    der.extend(point);
    let pem = pem::encode(&pem::Pem::new("PUBLIC KEY", der.clone()));
    let two = format!("{pem}\n{pem}");
    for (text, expected) in [
        (two.as_str(), "ok"),
        ("", "no keys in it"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no key of RSA, P-256"),
        (&pem::encode(&pem::Pem::new("PRIVATE KEY", der.clone())), "\"PRIVATE KEY\" is no public key"),
        (&pem::encode(&pem::Pem::new("CERTIFICATE", der)), "\"CERTIFICATE\" is no public key"),
        ("-----BEGIN PUBLIC KEY-----", "no keys in it"),
        ("-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n", "no PEM"),
    ] {
        let found = problem(&KeySource::Pem(text), &json!({}));
        assert!(found.contains(expected), "{text}\nexpected: {expected}\nfound: {found}");
    }
    let verifier = Verifier::new(&KeySource::Pem(&pem), Rules::default()).unwrap();
    let claims = json!({ "exp": NOW + 1.0 }).to_string();
    for header in [json!({ "alg": "EdDSA" }), json!({ "alg": "EdDSA", "kid": "any" })] {
        let token = sign(&header.to_string(), &claims, &ed, Algorithm::EdDSA);
        assert!(verifier.verify(&token, NOW).is_ok(), "{header}");
    }
}

fn base64_decoded(text: &str) -> Vec<u8> {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[test]
fn secrets_must_be_long_enough() {
    for (length, algorithms, expected) in [
        (31, json!(["HS256"]), "too short"),
        (32, json!(["HS256"]), "ok"),
        (47, json!(["HS384", "HS512"]), "too short"),
        (63, json!(["HS512"]), "too short"),
        (64, json!(["HS512"]), "ok"),
        (64, json!([]), "a secret needs HS256"),
    ] {
        let found = problem(&KeySource::Secret(&vec![1; length]), &json!({ "algorithms": algorithms }));
        assert!(found.contains(expected), "{length} {algorithms}: {found}");
    }
}

#[test]
fn keys_of_one_id_are_all_tried() {
    let (key, _) = p256(1);
    let keys = set(&[p256(9).1, p256(1).1]);
    let verifier = Verifier::new(&KeySource::Remote(&keys), Rules::default()).unwrap();
    let claims = json!({ "exp": NOW + 1.0 }).to_string();
    let token = sign(&json!({ "alg": "ES256", "kid": "ec" }).to_string(), &claims, &key, Algorithm::ES256);
    assert!(verifier.verify(&token, NOW).is_ok());
}
