//! Reading a bundle.

use std::fmt;

use orthrus::bundle::FORMAT;
use sha2::{Digest, Sha256};

use crate::key::{KeyId, PublicKey};
use crate::refusal::Refusal;

pub(crate) const MAGIC: [u8; 8] = *b"ORTHRUSB";
pub(crate) const HEAD: usize = 52;
const KEY_ID: usize = 8;
const SIGNATURE: usize = 64;

/// What tells one bundle from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// SHA-256.
    pub digest: [u8; 32],
    /// The trusted key that signed it; none where no key was asked for.
    pub signed_by: Option<KeyId>,
}

impl fmt::Display for Identity {
    /// The digest as `sha256:` and hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.digest.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A bundle that is whole.
#[derive(Clone, Copy, Debug)]
pub struct Container<'b> {
    /// For [`orthrus::Engine::from_payload`].
    pub payload: &'b [u8],
    /// SHA-256.
    pub digest: [u8; 32],
    /// The key that it says to be signed by, which nobody has verified yet.
    pub key_id: Option<KeyId>,
    signature: Option<&'b [u8; SIGNATURE]>,
}

/// Opens a bundle. Where keys are trusted, one of them has to have signed it; without any, signatures are not looked at.
///
/// # Errors
/// The bytes are no bundle, not all of one, not as they were made, or not signed as demanded.
pub fn open<'b>(
    bytes: &'b [u8],
    trusted: Option<&[PublicKey]>,
) -> Result<(Container<'b>, Identity), Refusal> {
    let container = Container::read(bytes)?;
    let signed_by = trusted.map(|trusted| container.verify(trusted)).transpose()?;
    Ok((container, Identity { digest: container.digest, signed_by }))
}

impl<'b> Container<'b> {
    /// Reads a bundle, whoever signed it.
    ///
    /// # Errors
    /// The bytes are no bundle, not all of one, or not as they were made.
    pub fn read(bytes: &'b [u8]) -> Result<Self, Refusal> {
        if !bytes.starts_with(&MAGIC) {
            return Err(Refusal::NotABundle);
        }
        let (format, rest) = bytes.get(MAGIC.len()..).and_then(take::<2>).ok_or(Refusal::Truncated)?;
        match u16::from_le_bytes(*format) {
            FORMAT => {}
            newer if newer > FORMAT => return Err(Refusal::NewerFormat { format: newer }),
            older => return Err(Refusal::OlderFormat { format: older }),
        }
        let ([signed, reserved], rest) = take::<2>(rest).ok_or(Refusal::Truncated)?;
        let (length, rest) = take::<8>(rest).ok_or(Refusal::Truncated)?;
        let (digest, rest) = take::<32>(rest).ok_or(Refusal::Truncated)?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let (payload, rest) = rest.split_at_checked(length).ok_or(Refusal::Truncated)?;
        if digest_of(payload) != *digest || *signed > 1 || *reserved != 0 {
            return Err(Refusal::Altered);
        }
        let unsigned = Self { payload, digest: *digest, key_id: None, signature: None };
        if *signed == 0 {
            return if rest.is_empty() { Ok(unsigned) } else { Err(Refusal::Altered) };
        }
        let (key_id, rest) = take::<KEY_ID>(rest).ok_or(Refusal::Truncated)?;
        let (signature, rest) = take::<SIGNATURE>(rest).ok_or(Refusal::Truncated)?;
        if !rest.is_empty() {
            return Err(Refusal::Altered);
        }
        Ok(Self { key_id: Some(KeyId(*key_id)), signature: Some(signature), ..unsigned })
    }

    /// Which of the keys has signed it.
    ///
    /// # Errors
    /// None of them has.
    pub fn verify(&self, trusted: &[PublicKey]) -> Result<KeyId, Refusal> {
        let (Some(signature), Some(key_id)) = (self.signature, self.key_id) else {
            return Err(Refusal::Unsigned);
        };
        let signer = trusted.iter().find(|key| key.id() == key_id);
        let signer = signer.ok_or(Refusal::UnknownKey { key_id })?;
        if signer.has_signed(&self.digest, signature) {
            Ok(key_id)
        } else {
            Err(Refusal::WrongSignature { key_id })
        }
    }
}

/// The digest that a bundle claims, as [`Identity`] shows it; empty for what is too short.
#[must_use]
pub fn digest_text(bundle: &[u8]) -> String {
    let digest = bundle.get(HEAD - 32..HEAD).and_then(|digest| digest.try_into().ok());
    digest.map_or_else(String::new, |digest| Identity { digest, signed_by: None }.to_string())
}

fn take<const LENGTH: usize>(bytes: &[u8]) -> Option<(&[u8; LENGTH], &[u8])> {
    bytes.split_first_chunk()
}

pub(crate) fn digest_of(payload: &[u8]) -> [u8; 32] {
    Sha256::new()
        .chain_update(MAGIC)
        .chain_update(FORMAT.to_le_bytes())
        .chain_update(payload)
        .finalize()
        .into()
}
