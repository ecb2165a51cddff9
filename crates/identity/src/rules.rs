//! What a token must say, beside being signed.

use serde::Deserialize;

use crate::algorithm::Algorithm;

/// What tokens of a key set must be like. In JSON with names in camelCase; what is left out has its default.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Rules {
    /// The issuers of which one must be `iss`; with none, any.
    pub issuer: Vec<String>,
    /// The audiences of which one must be in `aud`; with none, any.
    pub audience: Vec<String>,
    /// The algorithms allowed; with none, all that are asymmetric.
    pub algorithms: Vec<Algorithm>,
    /// Claims that must be there, and be neither null nor empty.
    pub required_claims: Vec<String>,
    /// By how many seconds the clocks of issuer and verifier may differ.
    pub skew: f64,
    /// The types that `typ` may name, `*` for any. With none, `JWT`, or no `typ` at all.
    pub types: Vec<String>,
    /// Whether keys of a JWK set may lack `alg`; what they are made of then says which algorithms they serve.
    pub optional_alg: bool,
    /// Whether keys of a JWK set, and tokens, may lack `kid`.
    pub optional_kid: bool,
    /// Whether tokens may lack `exp`.
    pub optional_exp: bool,
}

impl Rules {
    pub(crate) fn allows(&self, algorithm: Algorithm) -> bool {
        if self.algorithms.is_empty() {
            Algorithm::ASYMMETRIC.contains(&algorithm)
        } else {
            self.algorithms.contains(&algorithm)
        }
    }

    /// Types are compared without regard to case, and `application/` may be left out (RFC 7515, section 4.1.9).
    pub(crate) fn allows_type(&self, name: Option<&str>) -> bool {
        fn bare(name: &str) -> &str {
            match name.split_at_checked("application/".len()) {
                Some((prefix, rest))
                    if prefix.eq_ignore_ascii_case("application/") && !rest.contains('/') =>
                {
                    rest
                }
                _ => name,
            }
        }
        let is = |name: &str, allowed: &str| bare(name).eq_ignore_ascii_case(bare(allowed));
        match name {
            _ if self.types.iter().any(|allowed| allowed == "*") => true,
            None => self.types.is_empty(),
            Some(name) if self.types.is_empty() => is(name, "JWT"),
            Some(name) => self.types.iter().any(|allowed| is(name, allowed)),
        }
    }
}
