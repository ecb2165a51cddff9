//! Why bytes are not loaded as a bundle.

use std::fmt;

use orthrus::bundle::FORMAT;

use crate::key::KeyId;

/// Why a bundle is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The bytes begin as something else.
    NotABundle,
    /// There is less than belongs to it.
    Truncated,
    /// It is not as it was made.
    Altered,
    /// A later version of orthrus made it.
    NewerFormat {
        /// The version of its format.
        format: u16,
    },
    /// An earlier version of orthrus made it, whose format is not read any more.
    OlderFormat {
        /// The version of its format.
        format: u16,
    },
    /// It has no signature, and needs one.
    Unsigned,
    /// The key that signed it is not among those that are trusted.
    UnknownKey {
        /// The key.
        key_id: KeyId,
    },
    /// Its signature is not that of its key.
    WrongSignature {
        /// The key that it names.
        key_id: KeyId,
    },
}

impl Refusal {
    /// The kind of refusal: stable.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotABundle => "not-a-bundle",
            Self::Truncated => "truncated",
            Self::Altered => "altered",
            Self::NewerFormat { .. } => "newer-format",
            Self::OlderFormat { .. } => "older-format",
            Self::Unsigned => "unsigned",
            Self::UnknownKey { .. } => "unknown-key",
            Self::WrongSignature { .. } => "wrong-signature",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotABundle => f.write_str("this is no bundle: make one with `orthrus bundle`"),
            Self::Truncated => f.write_str("the bundle is truncated: load it again, from the beginning to the end"),
            Self::Altered => f.write_str("the bundle was altered: its content does not have its digest"),
            Self::NewerFormat { format } => write!(
                f,
                "the bundle has format {format}, and this version of orthrus reads {FORMAT}: update orthrus, or make the bundle \
                 with the version that loads it"
            ),
            Self::OlderFormat { format } => write!(
                f,
                "the bundle has format {format}, and this version of orthrus reads {FORMAT}: make it again with this version"
            ),
            Self::Unsigned => {
                f.write_str("the bundle is not signed, and trusted keys are set: sign it with `orthrus bundle --sign-key`")
            }
            Self::UnknownKey { key_id } => {
                write!(f, "the bundle is signed by the key {key_id}, which is not among the trusted keys")
            }
            Self::WrongSignature { key_id } => {
                write!(f, "the signature of the bundle is not one of the key {key_id}, which it names")
            }
        }
    }
}

impl std::error::Error for Refusal {}
