//! cel-go's `ext.Network`: IP addresses and ranges.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Declaration, netip};
use crate::cel::{Activation, EvalError, EvalResult, Opaque, Value};

/// A property of an address.
macro_rules! ip_property {
    ($name:literal, $doc:literal, $holds:expr) => {
        Declaration {
            name: $name,
            doc: $doc,
            signatures: &[concat!("ip.", $name, "() -> bool")],
            run: |_, args| match *args {
                [Value::Opaque(Opaque::Ip(ip))] => {
                    let holds: fn(&IpAddr) -> bool = $holds;
                    Ok(Value::Bool(holds(ip)))
                }
                _ => Err(EvalError::NoSuchOverload),
            },
        }
    };
}

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "ip",
        doc: "Reads an IP address",
        signatures: &["ip(string) -> ip"],
        run: |ctx, args| match *args {
            [Value::String(text)] => {
                let ip = address(text).map_err(|why| EvalError::message(ctx.arena, format_args!("{why}")))?;
                Ok(opaque(ctx, Opaque::Ip(ip)))
            }
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "ip",
        doc: "The address of a range",
        signatures: &["cidr.ip() -> ip"],
        run: |ctx, args| match *args {
            [Value::Opaque(Opaque::Cidr(cidr))] => Ok(opaque(ctx, Opaque::Ip(cidr.address))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "isIP",
        doc: "Whether a text is an IP address",
        signatures: &["isIP(string) -> bool"],
        run: |_, args| match *args {
            [Value::String(text)] => Ok(Value::Bool(address(text).is_ok())),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "ip.isCanonical",
        doc: "Whether a text is an IP address as it is best written",
        signatures: &["ip.isCanonical(string) -> bool"],
        run: |ctx, args| match *args {
            [Value::String(text)] => {
                let ip = address(text).map_err(|why| EvalError::message(ctx.arena, format_args!("{why}")))?;
                Ok(Value::Bool(ip.to_string() == text))
            }
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "family",
        doc: "4 or 6",
        signatures: &["ip.family() -> int"],
        run: |_, args| match *args {
            [Value::Opaque(Opaque::Ip(ip))] => Ok(Value::Int(if ip.is_ipv4() { 4 } else { 6 })),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    ip_property!("isLoopback", "Whether the address is a loopback address", IpAddr::is_loopback),
    ip_property!("isUnspecified", "Whether the address is 0.0.0.0 or ::", IpAddr::is_unspecified),
    ip_property!("isGlobalUnicast", "Whether the address is a global unicast address", |ip| {
        !(ip.is_unspecified() || ip.is_loopback() || ip.is_multicast() || is_link_local_unicast(ip))
            && *ip != IpAddr::V4(Ipv4Addr::BROADCAST)
    }),
    ip_property!("isLinkLocalUnicast", "Whether the address is link-local", is_link_local_unicast),
    ip_property!("isLinkLocalMulticast", "Whether the address is link-local multicast", |ip| match ip {
        IpAddr::V4(ip) => ip.octets()[..3] == [224, 0, 0],
        IpAddr::V6(ip) => ip.segments()[0] & 0xff0f == 0xff02,
    }),
    Declaration {
        name: "cidr",
        doc: "Reads a range of IP addresses in CIDR notation",
        signatures: &["cidr(string) -> cidr"],
        run: |ctx, args| match *args {
            [Value::String(text)] => {
                let cidr = range(text).map_err(|why| EvalError::message(ctx.arena, format_args!("{why}")))?;
                Ok(opaque(ctx, Opaque::Cidr(cidr)))
            }
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "isCIDR",
        doc: "Whether a text is a range in CIDR notation",
        signatures: &["isCIDR(string) -> bool"],
        run: |_, args| match *args {
            [Value::String(text)] => Ok(Value::Bool(range(text).is_ok())),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "containsIP",
        doc: "Whether an address is in the range",
        signatures: &["cidr.containsIP(ip) -> bool", "cidr.containsIP(string) -> bool"],
        run: contains_ip,
    },
    Declaration {
        name: "containsCIDR",
        doc: "Whether another range lies in the range",
        signatures: &["cidr.containsCIDR(cidr) -> bool", "cidr.containsCIDR(string) -> bool"],
        run: contains_cidr,
    },
    Declaration {
        name: "masked",
        doc: "The range written with its first address",
        signatures: &["cidr.masked() -> cidr"],
        run: |ctx, args| match *args {
            [Value::Opaque(Opaque::Cidr(cidr))] => Ok(opaque(ctx, Opaque::Cidr(cidr.masked()))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "isMask",
        doc: "Whether the range is written with its first address",
        signatures: &["cidr.isMask() -> bool"],
        run: |_, args| match *args {
            [Value::Opaque(Opaque::Cidr(cidr))] => Ok(Value::Bool(cidr.masked() == *cidr)),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "prefixLength",
        doc: "The number of fixed bits",
        signatures: &["cidr.prefixLength() -> int"],
        run: |_, args| match *args {
            [Value::Opaque(Opaque::Cidr(cidr))] => Ok(Value::Int(i64::from(cidr.bits))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
];

fn opaque<'a>(ctx: &Activation<'a>, value: Opaque<'a>) -> Value<'a> {
    Value::Opaque(ctx.arena.alloc(value))
}

fn is_link_local_unicast(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.segments()[0] & 0xffc0 == 0xfe80,
    }
}

fn contains_ip<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (cidr, ip) = match *args {
        [Value::Opaque(Opaque::Cidr(cidr)), Value::Opaque(Opaque::Ip(ip))] => (cidr, *ip),
        [Value::Opaque(Opaque::Cidr(cidr)), Value::String(text)] => {
            (cidr, address(text).map_err(|why| EvalError::message(ctx.arena, format_args!("{why}")))?)
        }
        _ => return Err(EvalError::NoSuchOverload),
    };
    Ok(Value::Bool(cidr.contains(ip)))
}

fn contains_cidr<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (outer, inner) = match *args {
        [Value::Opaque(Opaque::Cidr(outer)), Value::Opaque(Opaque::Cidr(inner))] => (outer, *inner),
        [Value::Opaque(Opaque::Cidr(outer)), Value::String(text)] => {
            (outer, range(text).map_err(|why| EvalError::message(ctx.arena, format_args!("{why}")))?)
        }
        _ => return Err(EvalError::NoSuchOverload),
    };
    Ok(Value::Bool(outer.bits <= inner.bits && outer.contains(inner.address)))
}

/// An address as the functions of this library accept it: no zone, no IPv4 in IPv6.
pub(crate) fn address(text: &str) -> Result<IpAddr, String> {
    match parse_ip(text) {
        Some(IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_some() => {
            Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"))
        }
        Some(ip) => Ok(ip),
        None => match netip::refusal(text) {
            Some(why) => Err(format!("IP Address {text:?} parse error during conversion from string: {why}")),
            None => Err(format!("IP address {text:?} with zone value is not allowed")),
        },
    }
}

/// A range as the functions of this library accept it.
pub(crate) fn range(text: &str) -> Result<Cidr, String> {
    match Cidr::parse(text) {
        Some(cidr) if matches!(cidr.address, IpAddr::V6(ip) if ip.to_ipv4_mapped().is_some()) => {
            Err(format!("IPv4-mapped IPv6 address {text:?} is not allowed"))
        }
        Some(cidr) if !text.contains("/0") || text.ends_with("/0") => Ok(cidr),
        _ => Err(format!(
            "CIDR {text:?} parse error during conversion from string: {}",
            netip::prefix_refusal(text)
        )),
    }
}

/// An address in its usual notation; IPv4 without leading zeros.
pub(crate) fn parse_ip(text: &str) -> Option<IpAddr> {
    text.parse().ok()
}

/// A range of IP addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cidr {
    address: IpAddr,
    bits: u8,
}

impl Cidr {
    /// `10.0.0.0/8`, `2001:db8::/48`; the number of bits may have leading zeros.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, bits) = text.split_once('/')?;
        let address = parse_ip(address)?;
        let digits = bits.bytes().all(|byte| byte.is_ascii_digit());
        let bits = bits.parse().ok().filter(|bits| digits && *bits <= width(address))?;
        Some(Self { address, bits })
    }

    /// The range with its address as IPv4 where it is IPv4 in IPv6.
    pub(crate) fn to_canonical(self) -> Self {
        let address = self.address.to_canonical();
        let bits = self.bits.saturating_sub(width(self.address) - width(address));
        Self { address, bits }
    }

    /// Whether an address of the same family is in the range.
    pub(crate) fn contains(self, ip: IpAddr) -> bool {
        match (self.address, ip) {
            (IpAddr::V4(base), IpAddr::V4(ip)) => (u32::from(base) ^ u32::from(ip)) & mask_v4(self.bits) == 0,
            (IpAddr::V6(base), IpAddr::V6(ip)) => {
                (u128::from(base) ^ u128::from(ip)) & mask_v6(self.bits) == 0
            }
            _ => false,
        }
    }

    fn masked(self) -> Self {
        let address = match self.address {
            IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from(u32::from(ip) & mask_v4(self.bits))),
            IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip) & mask_v6(self.bits))),
        };
        Self { address, ..self }
    }
}

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.bits)
    }
}

fn width(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

fn mask_v4(bits: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

fn mask_v6(bits: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}
