//! Compiled policy sets as files (`.orb`): what `orthrus bundle` writes, and every head of the engine loads.
//!
//! # Format
//!
//! Numbers are unsigned, the lowest byte first.
//!
//! | offset | bytes | what |
//! |--:|--:|---|
//! | 0 | 8 | `ORTHRUSB` |
//! | 8 | 2 | version of the format: [`orthrus::bundle::FORMAT`] |
//! | 10 | 1 | 1 if the bundle is signed, else 0 |
//! | 11 | 1 | 0 |
//! | 12 | 8 | length of the payload |
//! | 20 | 32 | digest: SHA-256 of bytes 0 to 9 and of the payload |
//! | 52 | | payload: see [`orthrus::bundle`] |
//! | | 8 | only if signed: the key, by the first bytes of the SHA-256 of its SPKI |
//! | | 64 | only if signed: Ed25519 (RFC 8032) over `orthrus bundle\0` and the digest |
//!
//! The digest does not cover the signature: the same policies have the same digest, whoever signs them.

mod container;
mod key;
mod refusal;

#[cfg(feature = "sign")]
mod make;

pub use container::{Container, Identity, digest_text, open};
pub use key::{InvalidKey, KeyId, PublicKey};
#[cfg(feature = "sign")]
pub use make::{PrivateKey, make};
pub use refusal::Refusal;
