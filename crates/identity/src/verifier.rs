//! Keys and rules together: what verifies tokens.

use crate::algorithm::Algorithm;
use crate::claims;
use crate::key_set::{KeyError, KeySet, KeySource};
use crate::refusal::{Refusal, quoted};
use crate::rules::Rules;
use crate::token::Token;

/// Verifies the tokens of one key set.
pub struct Verifier {
    /// Without keys signatures are not looked at.
    keys: Option<KeySet>,
    rules: Rules,
}

/// What a token says, verified: texts of JSON objects, in which no member is given twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The header.
    pub header: String,
    /// The claims.
    pub claims: String,
}

impl Verifier {
    /// Reads keys. Says what is wrong with them.
    pub fn new(source: &KeySource<'_>, rules: Rules) -> Result<Self, KeyError> {
        Ok(Self { keys: Some(KeySet::new(source, &rules)?), rules })
    }

    /// A verifier that believes any signature, and looks at the claims alone: for tokens that somebody else has verified.
    #[must_use]
    pub fn without_signatures(rules: Rules) -> Self {
        Self { keys: None, rules }
    }

    /// Verifies a token at a time in seconds since 1970. What the claims are is only told of tokens whose signature is right.
    pub fn verify(&self, token: &str, now: f64) -> Result<Verified, Refusal> {
        let token = Token::parse(token)?;
        if let Some(keys) = &self.keys {
            self.check_signature(&token, keys)?;
        }
        let (header, claims, members) = token.open()?;
        claims::check(&members, &self.rules, now)?;
        Ok(Verified { header, claims })
    }

    fn check_signature(&self, token: &Token<'_>, keys: &KeySet) -> Result<(), Refusal> {
        let header = &token.header;
        let Some(algorithm) = Algorithm::from_name(&header.alg).filter(|it| self.rules.allows(*it)) else {
            return Err(Refusal::Algorithm(format!(
                "the algorithm (alg) {} is not allowed",
                quoted(&header.alg)
            )));
        };
        if !self.rules.allows_type(header.typ.as_deref()) {
            return Err(Refusal::Type(header.typ.clone()));
        }
        let mut candidates = keys.find(header, algorithm, &self.rules)?;
        if candidates.any(|key| key.verifies(token.signature, token.message, algorithm)) {
            Ok(())
        } else {
            Err(Refusal::Signature)
        }
    }
}
