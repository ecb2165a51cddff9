//! Keys by which bundles are signed: Ed25519.

use std::fmt;

use ed25519_dalek::pkcs8::{DecodePublicKey, EncodePublicKey};
use ed25519_dalek::{Signature, VerifyingKey};
use sha2::{Digest, Sha256};

/// What stands before the digest in what is signed: a signature for something else is none of a bundle.
pub(crate) const DOMAIN: &[u8] = b"orthrus bundle\0";

/// A key's short name: the first bytes of the SHA-256 of its SPKI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyId(pub(crate) [u8; 8]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A key that verifies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: KeyId,
}

impl PublicKey {
    /// Reads a key: SPKI in PEM (`BEGIN PUBLIC KEY`).
    ///
    /// # Errors
    /// The text is something else.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        if pem.contains("PRIVATE KEY") {
            return Err(InvalidKey::Private);
        }
        let key = VerifyingKey::from_public_key_pem(pem.trim()).map_err(|_| InvalidKey::Public)?;
        // A key of small order verifies what nobody signed.
        if key.is_weak() { Err(InvalidKey::Public) } else { Self::new(key).ok_or(InvalidKey::Public) }
    }

    pub(crate) fn new(key: VerifyingKey) -> Option<Self> {
        let spki = key.to_public_key_der().ok()?;
        let hash: [u8; 32] = Sha256::digest(spki.as_bytes()).into();
        Some(Self { key, id: KeyId(*hash.first_chunk()?) })
    }

    /// Its short name.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(crate) fn has_signed(&self, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        let message = [DOMAIN, digest].concat();
        self.key.verify_strict(&message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidKey {
    /// It is no public key of Ed25519.
    Public,
    /// It is a private key where a public one belongs.
    Private,
    /// It is no private key of Ed25519.
    NotPrivate,
}

impl fmt::Display for InvalidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Public => "must be an Ed25519 public key, SPKI in PEM (`BEGIN PUBLIC KEY`)",
            Self::Private => "must be the public key, SPKI in PEM (`BEGIN PUBLIC KEY`), not the private one",
            Self::NotPrivate => {
                "must be an Ed25519 private key, PKCS #8 in PEM (`BEGIN PRIVATE KEY`): `openssl genpkey -algorithm ed25519`"
            }
        })
    }
}

impl std::error::Error for InvalidKey {}
