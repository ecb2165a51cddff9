//! Making a bundle.

use ed25519_dalek::pkcs8::DecodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use orthrus::bundle::FORMAT;

use crate::container::{HEAD, MAGIC, digest_of};
use crate::key::{DOMAIN, InvalidKey, PublicKey};

/// A key that signs.
#[derive(Debug)]
pub struct PrivateKey {
    key: SigningKey,
    public: PublicKey,
}

impl PrivateKey {
    /// Reads a key: PKCS #8 in PEM (`BEGIN PRIVATE KEY`), as `openssl genpkey -algorithm ed25519` makes it.
    ///
    /// # Errors
    /// The text is something else.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        let key = SigningKey::from_pkcs8_pem(pem.trim()).map_err(|_| InvalidKey::NotPrivate)?;
        let public = PublicKey::new(key.verifying_key()).ok_or(InvalidKey::NotPrivate)?;
        Ok(Self { key, public })
    }

    /// The key that verifies what this one signs.
    #[must_use]
    pub fn public(&self) -> &PublicKey {
        &self.public
    }
}

/// Puts a payload into a bundle. The same payload and key give the same bytes.
#[must_use]
pub fn make(payload: &[u8], key: Option<&PrivateKey>) -> Vec<u8> {
    let digest = digest_of(payload);
    let mut bytes = Vec::with_capacity(HEAD + payload.len() + 72);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&FORMAT.to_le_bytes());
    bytes.extend_from_slice(&[u8::from(key.is_some()), 0]);
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&digest);
    bytes.extend_from_slice(payload);
    if let Some(PrivateKey { key, public }) = key {
        bytes.extend_from_slice(&public.id().0);
        bytes.extend_from_slice(&key.sign(&[DOMAIN, &digest].concat()).to_bytes());
    }
    bytes
}
