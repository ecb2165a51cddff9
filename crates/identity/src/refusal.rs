//! Why a token is refused. For the log: a client must not learn it.

use std::fmt;

/// How many characters of a text of a token messages show.
const MOST_QUOTED: usize = 100;

/// Why a token is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is longer than [`crate::MAX_TOKEN_BYTES`].
    TooLarge(usize),
    /// It has not the form of a token, or a registered member has not its type.
    Malformed(String),
    /// Its algorithm is `none`, unknown, not allowed, or not that of the key.
    Algorithm(String),
    /// It demands extensions (`crit`, `b64`), of which none is understood.
    Critical(String),
    /// Its `typ` is not among those allowed.
    Type(Option<String>),
    /// No key of the set has its `kid`, or it has none.
    KeyUnknown(Option<String>),
    /// The signature is wrong.
    Signature,
    /// It has expired.
    Expired,
    /// It counts from a moment to come (`nbf`), or says that it was issued in one (`iat`).
    NotYetValid(&'static str),
    /// It is of another issuer.
    Issuer(String),
    /// It is for another audience.
    Audience,
    /// A claim that is required is missing or empty.
    ClaimMissing(String),
}

impl Refusal {
    /// The stable name of the kind.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "JWT_TOO_LARGE",
            Self::Malformed(_) => "JWT_MALFORMED",
            Self::Algorithm(_) => "JWT_ALGORITHM",
            Self::Critical(_) => "JWT_CRITICAL",
            Self::Type(_) => "JWT_TYPE",
            Self::KeyUnknown(_) => "JWT_KEY_UNKNOWN",
            Self::Signature => "JWT_SIGNATURE",
            Self::Expired => "JWT_EXPIRED",
            Self::NotYetValid(_) => "JWT_NOT_YET_VALID",
            Self::Issuer(_) => "JWT_ISSUER",
            Self::Audience => "JWT_AUDIENCE",
            Self::ClaimMissing(_) => "JWT_CLAIM_MISSING",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(bytes) => {
                write!(f, "the token has {bytes} bytes; at most {} are read", crate::MAX_TOKEN_BYTES)
            }
            Self::Malformed(problem) => write!(f, "the token is malformed: {problem}"),
            Self::Algorithm(problem) => f.write_str(problem),
            Self::Critical(name) => {
                write!(f, "the header demands the extension {}, and no extension is understood", quoted(name))
            }
            Self::Type(Some(name)) => write!(f, "the type (typ) {} is not allowed", quoted(name)),
            Self::Type(None) => f.write_str("the header names no type (typ), and one is required"),
            Self::KeyUnknown(Some(kid)) => {
                write!(f, "the key set has no key with the id (kid) {}", quoted(kid))
            }
            Self::KeyUnknown(None) => f.write_str("the header names no key (kid)"),
            Self::Signature => f.write_str("the signature is wrong"),
            Self::Expired => f.write_str("the token has expired (exp)"),
            Self::NotYetValid(claim) => write!(f, "the token is not valid yet ({claim})"),
            Self::Issuer(issuer) => {
                write!(f, "the issuer (iss) {} is not the one expected", quoted(issuer))
            }
            Self::Audience => f.write_str("the token is for another audience (aud)"),
            Self::ClaimMissing(name) => write!(f, "the claim {name:?} is required, and missing or empty"),
        }
    }
}

impl std::error::Error for Refusal {}

/// A text of a token as messages show it: escaped and not whole, for whoever sends tokens must not fill or forge a log.
pub(crate) fn quoted(text: &str) -> String {
    match text.char_indices().nth(MOST_QUOTED) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}
