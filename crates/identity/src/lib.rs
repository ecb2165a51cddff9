//! Verifies JSON Web Tokens (RFC 7519, in the compact form of RFC 7515) as RFC 8725 advises.
//!
//! Pure: the token, the keys, the rules and the time come in; the claims or a [`Refusal`] go out. Nothing here reads a file,
//! a clock or a socket. Signatures are checked by the crate `jsonwebtoken`; what a token may say is decided here, because that
//! crate accepts by default what this one must not: claims of other types, members given twice, unknown `crit`, times to come.
//!
//! ```
//! use orthrus_identity::{KeySource, Rules, Verifier};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rules: Rules = serde_json::from_str(r#"{"algorithms": ["HS256"]}"#)?;
//! let verifier = Verifier::new(&KeySource::Secret(b"a secret of thirty-two bytes or more"), rules)?;
//! let refused = verifier.verify("not.a.token", 1_700_000_000.0).unwrap_err();
//! assert_eq!(refused.code(), "JWT_MALFORMED");
//! # Ok(())
//! # }
//! ```

mod algorithm;
mod claims;
mod json;
mod key;
mod key_set;
mod refusal;
mod rules;
mod token;
mod verifier;

pub use algorithm::Algorithm;
pub use key_set::{KeyError, KeySource, MAX_KEY_SET_BYTES, MAX_KEYS};
pub use refusal::Refusal;
pub use rules::Rules;
pub use token::MAX_TOKEN_BYTES;
pub use verifier::{Verified, Verifier};
