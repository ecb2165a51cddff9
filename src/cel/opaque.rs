//! Kinds of value that the function libraries bring with them.

use std::net::IpAddr;

use super::lib::network::Cidr;
use super::lib::trust_domain;
use super::{List, Value};

/// A value that only functions can look into.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Opaque<'a> {
    /// `ip("…")`
    Ip(IpAddr),
    /// `cidr("…")`
    Cidr(Cidr),
    /// `hierarchy("a.b.c")`: the segments.
    Hierarchy(List<'a>),
    /// `spiffeID("spiffe://…")`
    SpiffeId(&'a str),
    /// `spiffeTrustDomain("…")`: the name.
    SpiffeTrustDomain(&'a str),
    /// `spiffeMatchAny()` and its like.
    SpiffeMatcher(SpiffeMatcher<'a>),
}

/// Which SPIFFE IDs are meant.
#[derive(Clone, Copy, Debug)]
pub enum SpiffeMatcher<'a> {
    /// All.
    Any,
    /// These.
    OneOf(&'a [&'a str]),
    /// Those of a trust domain.
    TrustDomain(&'a str),
}

impl Opaque<'_> {
    /// The name of the type, as `type(x)` shows it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Hierarchy(_) => "cerbos.lib.hierarchy",
            Self::SpiffeId(_) => "cerbos.lib.spiffeID",
            Self::SpiffeTrustDomain(_) => "cerbos.lib.spiffeTrustDomain",
            Self::SpiffeMatcher(_) => "cerbos.lib.spiffeMatcher",
        }
    }

    /// Whether `==` with the opaque value on the left has an answer.
    pub(crate) fn comparable(&self, other: Value<'_>) -> bool {
        match (self, other) {
            (Self::Hierarchy(_), Value::Opaque(Opaque::Hierarchy(_)))
            | (Self::SpiffeId(_), Value::String(_) | Value::Opaque(Opaque::SpiffeId(_)))
            | (Self::SpiffeTrustDomain(_), Value::Opaque(Opaque::SpiffeTrustDomain(_))) => true,
            (Self::SpiffeTrustDomain(_), Value::String(_)) => true,
            // Null is compared before any kind is asked.
            (Self::Hierarchy(_) | Self::SpiffeId(_) | Self::SpiffeTrustDomain(_), other) => {
                matches!(other, Value::Null)
            }
            _ => true,
        }
    }

    /// Equality with the opaque value on the left: SPIFFE values also equal their texts. Matchers equal nothing.
    pub(crate) fn equals(&self, other: Value<'_>) -> bool {
        match (self, other) {
            (Self::SpiffeId(id), Value::String(text)) => *id == text,
            (Self::SpiffeTrustDomain(name), Value::String(text)) => trust_domain(text) == Some(name),
            (_, Value::Opaque(other)) => match (self, other) {
                (Self::Ip(a), Opaque::Ip(b)) => a == b,
                (Self::Cidr(a), Opaque::Cidr(b)) => a == b,
                (Self::Hierarchy(a), Opaque::Hierarchy(b)) => Value::List(*a).equals(Value::List(*b)),
                (Self::SpiffeId(a), Opaque::SpiffeId(b)) => a == b,
                (Self::SpiffeTrustDomain(a), Opaque::SpiffeTrustDomain(b)) => a == b,
                _ => false,
            },
            _ => false,
        }
    }
}
