//! What tokens are accepted, and by which code the others are refused.

use crate::support::{NOW, SECRET, base64, ed25519, p256, set, sign};
use jsonwebtoken::{Algorithm, EncodingKey};
use orthrus_identity::{KeySource, MAX_TOKEN_BYTES, Rules, Verifier};
use serde_json::{Value, json};

fn rules(json: &Value) -> Rules {
    serde_json::from_value(json.clone()).unwrap()
}

/// A verifier of the test's keys, under rules.
fn verifier(rules_json: &Value) -> Verifier {
    let keys = set(&[p256(1).1, ed25519(2).1]);
    Verifier::new(&KeySource::Remote(&keys), rules(rules_json)).unwrap()
}

fn header() -> Value {
    json!({ "alg": "ES256", "kid": "ec", "typ": "JWT" })
}

fn claims() -> Value {
    json!({ "sub": "ann", "iss": "https://issuer.test", "aud": ["api", "other"], "exp": NOW + 60.0, "iat": NOW })
}

fn with(object: &Value, changes: &Value) -> Value {
    let mut changed = object.clone();
    for (name, value) in changes.as_object().unwrap() {
        changed[name] = value.clone();
    }
    changed
}

fn without(object: &Value, name: &str) -> Value {
    let mut changed = object.clone();
    changed.as_object_mut().unwrap().remove(name);
    changed
}

fn es256(header: &Value, claims: &Value) -> String {
    sign(&header.to_string(), &claims.to_string(), &p256(1).0, Algorithm::ES256)
}

/// The code by which a token is refused; `ok` if it is not.
fn outcome(verifier: &Verifier, token: &str) -> &'static str {
    verifier.verify(token, NOW).map_or_else(|refusal| refusal.code(), |_| "ok")
}

#[test]
fn verified_tokens_tell_header_and_claims_as_they_came() {
    let payload = r#"{"sub" : "ann", "exp":1700000060}"#;
    let head = r#"{"alg":"ES256", "kid":"ec"}"#;
    let token = sign(head, payload, &p256(1).0, Algorithm::ES256);
    let verified = verifier(&json!({})).verify(&token, NOW).unwrap();
    assert_eq!((verified.header.as_str(), verified.claims.as_str()), (head, payload));
}

#[test]
fn headers() {
    let (ed, _) = ed25519(2);
    let good = es256(&header(), &claims());
    let (message, signature) = good.rsplit_once('.').unwrap();
    let (head, payload) = message.split_once('.').unwrap();
    let of = |changes: Value| es256(&with(&header(), &changes), &claims());
    let text = |header: &str| sign(header, &claims().to_string(), &p256(1).0, Algorithm::ES256);
    let eddsa = |header: Value| sign(&header.to_string(), &claims().to_string(), &ed, Algorithm::EdDSA);
    let none = format!("{}.{payload}.", base64(r#"{"alg":"none"}"#));
    let public = EncodingKey::from_secret(p256(1).1.to_string().as_bytes());
    let confused = sign(
        &json!({ "alg": "HS256", "kid": "ec" }).to_string(),
        &claims().to_string(),
        &public,
        Algorithm::HS256,
    );
    let other = sign(&header().to_string(), &claims().to_string(), &p256(9).0, Algorithm::ES256);
    let (_, own_jwk) = p256(9);
    let with_jwk = sign(
        &with(&header(), &json!({ "jwk": own_jwk, "jku": "https://evil.test", "x5u": "https://evil.test" }))
            .to_string(),
        &claims().to_string(),
        &p256(9).0,
        Algorithm::ES256,
    );
    let rows = [
        ("good", good.clone(), "ok"),
        ("no typ", es256(&without(&header(), "typ"), &claims()), "ok"),
        ("EdDSA", eddsa(json!({ "alg": "EdDSA", "kid": "ed" })), "ok"),
        ("Ed25519, the name of RFC 9864", eddsa(json!({ "alg": "Ed25519", "kid": "ed" })), "ok"),
        ("alg none", none, "JWT_ALGORITHM"),
        ("alg None", of(json!({ "alg": "None" })), "JWT_ALGORITHM"),
        ("no alg", es256(&without(&header(), "alg"), &claims()), "JWT_MALFORMED"),
        ("alg is a list", of(json!({ "alg": ["ES256"] })), "JWT_MALFORMED"),
        ("HS256 by the public key", confused, "JWT_ALGORITHM"),
        ("alg of another kind of key", of(json!({ "alg": "RS256" })), "JWT_ALGORITHM"),
        ("alg of another curve", of(json!({ "alg": "ES384" })), "JWT_ALGORITHM"),
        ("kid of a key of another alg", of(json!({ "kid": "ed" })), "JWT_ALGORITHM"),
        ("unknown kid", of(json!({ "kid": "no" })), "JWT_KEY_UNKNOWN"),
        ("no kid", es256(&without(&header(), "kid"), &claims()), "JWT_KEY_UNKNOWN"),
        ("kid is a number", of(json!({ "kid": 1 })), "JWT_MALFORMED"),
        ("crit", of(json!({ "crit": ["exp"] })), "JWT_CRITICAL"),
        ("crit is empty", of(json!({ "crit": [] })), "JWT_CRITICAL"),
        ("b64 in crit", of(json!({ "crit": ["b64"], "b64": false })), "JWT_CRITICAL"),
        ("b64 alone", of(json!({ "b64": false })), "JWT_CRITICAL"),
        ("another typ", of(json!({ "typ": "at+jwt" })), "JWT_TYPE"),
        ("typ is a number", of(json!({ "typ": 1 })), "JWT_MALFORMED"),
        ("a member of the header twice", text(r#"{"alg":"ES256","kid":"ec","kid":"ec"}"#), "JWT_MALFORMED"),
        ("a header that is no object", text("[]"), "JWT_MALFORMED"),
        ("signed by another key", other, "JWT_SIGNATURE"),
        ("brings its own key", with_jwk, "JWT_SIGNATURE"),
        ("signature stripped", format!("{message}."), "JWT_SIGNATURE"),
        ("signature and dot stripped", message.to_owned(), "JWT_MALFORMED"),
        ("four parts", format!("{good}.x"), "JWT_MALFORMED"),
        ("padding", format!("{good}="), "JWT_MALFORMED"),
        ("NUL", format!("{message}\0.{signature}"), "JWT_MALFORMED"),
        ("a space before it", format!(" {good}"), "JWT_MALFORMED"),
        ("characters of base64, not base64url", format!("{head}+/.{payload}.{signature}"), "JWT_MALFORMED"),
        (
            "payload of another token",
            format!("{head}.{}.{signature}", base64(r#"{"sub":"eve"}"#)),
            "JWT_SIGNATURE",
        ),
        ("empty", String::new(), "JWT_MALFORMED"),
        ("dots", "..".to_owned(), "JWT_MALFORMED"),
        ("too large", "a".repeat(MAX_TOKEN_BYTES + 1), "JWT_TOO_LARGE"),
    ];
    let verifier = verifier(&json!({}));
    for (name, token, expected) in rows {
        assert_eq!(outcome(&verifier, &token), expected, "{name}");
    }
}

#[test]
fn the_claims_of_a_token() {
    let of = |changes: Value| with(&claims(), &changes);
    let rows = [
        ("expired", of(json!({ "exp": NOW - 1.0 })), "JWT_EXPIRED"),
        ("expires now", of(json!({ "exp": NOW })), "JWT_EXPIRED"),
        ("no exp", without(&claims(), "exp"), "JWT_CLAIM_MISSING"),
        ("exp is null", of(json!({ "exp": null })), "JWT_MALFORMED"),
        ("exp is a string", of(json!({ "exp": (NOW + 60.0).to_string() })), "JWT_MALFORMED"),
        ("exp is 1e300", of(json!({ "exp": 1e300 })), "JWT_MALFORMED"),
        ("exp is after 9999", of(json!({ "exp": 253_402_300_800_u64 })), "JWT_MALFORMED"),
        ("exp is negative", of(json!({ "exp": -1 })), "JWT_MALFORMED"),
        ("exp has a fraction", of(json!({ "exp": NOW + 0.5 })), "ok"),
        ("nbf to come", of(json!({ "nbf": NOW + 1.0 })), "JWT_NOT_YET_VALID"),
        ("nbf is a string", of(json!({ "nbf": "1" })), "JWT_MALFORMED"),
        ("iat to come", of(json!({ "iat": NOW + 1.0 })), "JWT_NOT_YET_VALID"),
        ("iat is a string", of(json!({ "iat": "1" })), "JWT_MALFORMED"),
        ("another iss", of(json!({ "iss": "https://evil.test" })), "JWT_ISSUER"),
        ("no iss", without(&claims(), "iss"), "JWT_CLAIM_MISSING"),
        ("iss is a list with the right one", of(json!({ "iss": ["https://issuer.test"] })), "JWT_MALFORMED"),
        ("iss is a number", of(json!({ "iss": 1 })), "JWT_MALFORMED"),
        ("aud is a string", of(json!({ "aud": "api" })), "ok"),
        ("another aud", of(json!({ "aud": "web" })), "JWT_AUDIENCE"),
        ("aud is empty", of(json!({ "aud": [] })), "JWT_AUDIENCE"),
        ("no aud", without(&claims(), "aud"), "JWT_CLAIM_MISSING"),
        ("aud is an object", of(json!({ "aud": { "api": true } })), "JWT_MALFORMED"),
        ("aud holds a number", of(json!({ "aud": ["api", 1] })), "JWT_MALFORMED"),
        ("no sub", without(&claims(), "sub"), "JWT_CLAIM_MISSING"),
        ("sub is empty", of(json!({ "sub": "" })), "JWT_CLAIM_MISSING"),
        ("sub is a number", of(json!({ "sub": 1 })), "JWT_MALFORMED"),
        ("jti is a number", of(json!({ "jti": 1 })), "JWT_MALFORMED"),
        ("no org", without(&of(json!({})), "org"), "ok"),
    ];
    let strict = json!({ "issuer": ["https://issuer.test"], "audience": ["api"], "requiredClaims": ["sub"] });
    let verifier = verifier(&strict);
    for (name, claims, expected) in rows {
        assert_eq!(outcome(&verifier, &es256(&header(), &claims)), expected, "{name}");
    }
    for payload in [r#"{"sub":"ann","role":"a","role":"b","exp":1700000060}"#, "[]", "\"x\"", "{", "{} {}"] {
        let token = sign(&header().to_string(), payload, &p256(1).0, Algorithm::ES256);
        assert_eq!(outcome(&verifier, &token), "JWT_MALFORMED", "{payload}");
    }
}

#[test]
fn types_of_claims_are_checked_without_rules_too() {
    let verifier = verifier(&json!({}));
    for changes in [json!({ "iss": ["x"] }), json!({ "aud": { "x": 1 } }), json!({ "sub": null })] {
        assert_eq!(
            outcome(&verifier, &es256(&header(), &with(&claims(), &changes))),
            "JWT_MALFORMED",
            "{changes}"
        );
    }
}

#[test]
fn by_a_broken_clock_no_token_is_valid() {
    let timeless = with(&without(&claims(), "exp"), &json!({ "nbf": 0 }));
    let verifier = verifier(&json!({ "optionalExp": true }));
    for now in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(verifier.verify(&es256(&header(), &claims()), now).is_err(), "{now}");
    }
    assert!(verifier.verify(&es256(&header(), &timeless), f64::NAN).is_err());
}

#[test]
fn rules_that_loosen() {
    let late = with(&claims(), &json!({ "exp": NOW - 4.0, "iat": NOW + 4.0, "nbf": NOW + 4.0 }));
    let typed = with(&header(), &json!({ "typ": "application/AT+jwt" }));
    let rows = [
        (json!({ "skew": 5 }), header(), late.clone(), "ok"),
        (json!({ "skew": 3 }), header(), late, "JWT_EXPIRED"),
        (json!({ "optionalExp": true }), header(), without(&claims(), "exp"), "ok"),
        (
            json!({ "optionalExp": true }),
            header(),
            with(&claims(), &json!({ "exp": NOW - 1.0 })),
            "JWT_EXPIRED",
        ),
        (json!({ "types": ["at+jwt"] }), typed.clone(), claims(), "ok"),
        (json!({ "types": ["at+jwt"] }), header(), claims(), "JWT_TYPE"),
        (json!({ "types": ["at+jwt"] }), without(&header(), "typ"), claims(), "JWT_TYPE"),
        (json!({ "types": ["*"] }), typed, claims(), "ok"),
        (json!({ "algorithms": ["EdDSA"] }), header(), claims(), "JWT_ALGORITHM"),
        (json!({ "optionalKid": true }), without(&header(), "kid"), claims(), "ok"),
        (
            json!({ "optionalKid": true }),
            with(&header(), &json!({ "kid": "no" })),
            claims(),
            "JWT_KEY_UNKNOWN",
        ),
    ];
    for (rules, header, claims, expected) in rows {
        assert_eq!(
            outcome(&verifier(&rules), &es256(&header, &claims)),
            expected,
            "{rules} {header} {claims}"
        );
    }
}

#[test]
fn shared_secrets_verify_where_they_are_asked_for() {
    let header = json!({ "alg": "HS256" }).to_string();
    let token = sign(&header, &claims().to_string(), &EncodingKey::from_secret(SECRET), Algorithm::HS256);
    let hs256 = json!({ "algorithms": ["HS256"] });
    let secret = Verifier::new(&KeySource::Secret(SECRET), rules(&hs256)).unwrap();
    assert_eq!(outcome(&secret, &token), "ok");
    assert_eq!(outcome(&secret, &es256(&self::header(), &claims())), "JWT_ALGORITHM");
    let other = Verifier::new(&KeySource::Secret(&[7; 32]), rules(&hs256)).unwrap();
    assert_eq!(outcome(&other, &token), "JWT_SIGNATURE");
    let oct = json!({ "kty": "oct", "kid": "s", "alg": "HS256", "k": base64(SECRET) }).to_string();
    let local = Verifier::new(&KeySource::Local(&oct), rules(&hs256)).unwrap();
    let named = sign(
        &json!({ "alg": "HS256", "kid": "s" }).to_string(),
        &claims().to_string(),
        &EncodingKey::from_secret(SECRET),
        Algorithm::HS256,
    );
    assert_eq!(outcome(&local, &named), "ok");
}

#[test]
fn keys_without_signatures_still_check_claims() {
    let verifier = Verifier::without_signatures(Rules::default());
    let token = |claims: &Value| format!("{}.{}.", base64(r#"{"alg":"none"}"#), base64(claims.to_string()));
    assert_eq!(outcome(&verifier, &token(&claims())), "ok");
    assert_eq!(outcome(&verifier, &token(&with(&claims(), &json!({ "exp": NOW - 1.0 })))), "JWT_EXPIRED");
    assert_eq!(outcome(&verifier, "x"), "JWT_MALFORMED");
}

#[test]
fn refusals_are_told_in_words() {
    let verifier = verifier(&json!({}));
    let message = |token: &str| verifier.verify(token, NOW).unwrap_err().to_string();
    assert_eq!(
        message(&es256(&with(&header(), &json!({ "kid": "no" })), &claims())),
        "the key set has no key with the id (kid) \"no\""
    );
    // Whoever sends tokens must neither fill a log nor forge its lines.
    for name in ["kid", "alg", "typ"] {
        let told =
            message(&es256(&with(&header(), &json!({ name: format!("\n{}", "x".repeat(9000)) })), &claims()));
        assert!(told.len() < 200 && told.contains('…') && !told.contains('\n'), "{told}");
    }
    assert_eq!(
        message(&es256(&header(), &with(&claims(), &json!({ "nbf": NOW + 9.0 })))),
        "the token is not valid yet (nbf)"
    );
    assert!(message(&"a".repeat(20_000)).contains("20000 bytes; at most 16384"));
}
