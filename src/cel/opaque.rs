//! Kinds of value that the function libraries bring with them.

use std::net::IpAddr;

use super::lib::network::Cidr;
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
}

impl Opaque<'_> {
    /// The name of the type, as `type(x)` shows it.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Ip(_) => "net.IP",
            Self::Cidr(_) => "net.CIDR",
            Self::Hierarchy(_) => "cerbos.lib.hierarchy",
        }
    }

    pub(crate) fn equals(&self, other: Value<'_>) -> bool {
        let Value::Opaque(other) = other else { return false };
        match (self, other) {
            (Self::Ip(a), Opaque::Ip(b)) => a == b,
            (Self::Cidr(a), Opaque::Cidr(b)) => a == b,
            (Self::Hierarchy(a), Opaque::Hierarchy(b)) => Value::List(*a).equals(Value::List(*b)),
            _ => false,
        }
    }
}
