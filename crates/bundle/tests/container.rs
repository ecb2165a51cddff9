//! Bundles that are whole, and every way in which they are not.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

use orthrus_bundle::{InvalidKey, PrivateKey, PublicKey, Refusal, make, open};

const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
";
const OTHER: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIEzNCJsopkZoTizW/5q7p/aboP7AuedHUhnRl+bFDKb7
-----END PRIVATE KEY-----
";
const PAYLOAD: &[u8] = b"the payload";
/// Where the payload begins.
const HEAD: usize = 52;

fn key(pem: &str) -> PrivateKey {
    PrivateKey::from_pem(pem).unwrap()
}

fn signed() -> Vec<u8> {
    make(PAYLOAD, Some(&key(PRIVATE)))
}

fn refusal(bytes: &[u8], trusted: Option<&[PublicKey]>) -> Refusal {
    match open(bytes, trusted) {
        Ok(_) => panic!("it is opened"),
        Err(refusal) => refusal,
    }
}

fn changed(mut bytes: Vec<u8>, at: usize, byte: u8) -> Vec<u8> {
    bytes[at] = byte;
    bytes
}

#[test]
fn whole_ones_are_opened() {
    let trusted = [key(OTHER).public().clone(), key(PRIVATE).public().clone()];
    let unsigned = make(PAYLOAD, None);
    let (container, plain) = open(&unsigned, None).unwrap();
    assert_eq!((container.payload, plain.signed_by), (PAYLOAD, None));
    let bytes = signed();
    let (container, identity) = open(&bytes, Some(&trusted)).unwrap();
    assert_eq!((container.payload, identity.signed_by), (PAYLOAD, Some(key(PRIVATE).public().id())));
    // Who signs does not change what is signed.
    assert_eq!(identity.digest, plain.digest);
    // Where nobody is trusted in particular, a signature is not looked at, and nobody is said to have signed.
    assert_eq!(open(&bytes, None).unwrap().1.signed_by, None);
}

#[test]
fn the_same_makes_the_same() {
    assert_eq!(signed(), signed());
    assert_eq!(make(PAYLOAD, None), make(PAYLOAD, None));
}

#[test]
fn a_part_is_refused() {
    for length in 0..signed().len() {
        let expected = if length < 8 { Refusal::NotABundle } else { Refusal::Truncated };
        assert_eq!(refusal(&signed()[..length], None), expected, "{length} bytes");
    }
}

#[test]
fn every_byte_counts() {
    let trusted = [key(PRIVATE).public().clone()];
    for at in 0..signed().len() {
        let altered = changed(signed(), at, signed()[at] ^ 0x40);
        assert!(open(&altered, Some(&trusted)).is_err(), "byte {at}");
        // Without trusted keys nothing but the signature itself may be altered.
        assert_eq!(open(&altered, None).is_ok(), at >= HEAD + PAYLOAD.len(), "byte {at}");
    }
}

#[test]
fn what_is_refused_is_told() {
    let trusted = [key(PRIVATE).public().clone()];
    let id = trusted[0].id();
    let unsigned = make(PAYLOAD, None);
    let last = signed().len() - 1;
    for (what, bytes, keys, expected) in [
        ("nothing", Vec::new(), None, Refusal::NotABundle),
        ("YAML", b"apiVersion: api.cerbos.dev/v1".to_vec(), None, Refusal::NotABundle),
        ("a newer format", changed(unsigned.clone(), 8, 2), None, Refusal::NewerFormat { format: 2 }),
        ("an older format", changed(unsigned.clone(), 8, 0), None, Refusal::OlderFormat { format: 0 }),
        ("an altered payload", changed(unsigned.clone(), HEAD, 0), None, Refusal::Altered),
        ("an altered digest", changed(unsigned.clone(), 20, 0), None, Refusal::Altered),
        ("more than belongs to it", [&unsigned[..], &[0]].concat(), None, Refusal::Altered),
        ("more than belongs to a signed one", [&signed()[..], &[0]].concat(), None, Refusal::Altered),
        ("no signature", unsigned.clone(), Some(&trusted[..]), Refusal::Unsigned),
        ("no signature, and a flag for one", changed(unsigned, 10, 1), Some(&trusted), Refusal::Truncated),
        ("a signature without its flag", changed(signed(), 10, 0), Some(&trusted), Refusal::Altered),
        (
            "a key that nobody trusts",
            make(PAYLOAD, Some(&key(OTHER))),
            Some(&trusted),
            Refusal::UnknownKey { key_id: key(OTHER).public().id() },
        ),
        (
            "another's signature",
            changed(signed(), last, signed()[last] ^ 1),
            Some(&trusted),
            Refusal::WrongSignature { key_id: id },
        ),
        ("no key that is trusted", signed(), Some(&[]), Refusal::UnknownKey { key_id: id }),
    ] {
        assert_eq!(refusal(&bytes, keys), expected, "{what}");
        assert!(!expected.reason().is_empty() && expected.to_string().len() > 20);
    }
}

#[test]
fn what_is_no_key_is_told() {
    for (pem, expected) in [("", InvalidKey::Public), (PRIVATE, InvalidKey::Private)] {
        assert_eq!(PublicKey::from_pem(pem).unwrap_err(), expected);
    }
    assert_eq!(PrivateKey::from_pem("-----BEGIN PRIVATE KEY-----").unwrap_err(), InvalidKey::NotPrivate);
    // A point of small order, by which anything is signed.
    let weak = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAAQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----";
    assert_eq!(PublicKey::from_pem(weak).unwrap_err(), InvalidKey::Public);
}
