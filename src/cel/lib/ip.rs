//! Cerbos' function of IP addresses.

use super::Declaration;
use super::network::{Cidr, parse_ip};
use crate::cel::{Activation, EvalError, EvalResult, Value};

pub(super) const FUNCTIONS: &[Declaration] = &[Declaration {
    name: "inIPAddrRange",
    doc: "Whether an IP address is in a range in CIDR notation",
    signatures: &["string.inIPAddrRange(string) -> bool"],
    run: in_range,
}];

/// As Go's `net.IPNet.Contains`: an IPv4 address may be written as IPv6 (`::ffff:10.0.0.1`).
fn in_range<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::String(address), Value::String(range)] = *args else { return Err(EvalError::NoSuchOverload) };
    let Some(ip) = parse_ip(address) else {
        return Err(EvalError::message(ctx.arena, format_args!("invalid IP address: {address}")));
    };
    let Some(cidr) = Cidr::parse(range) else {
        return Err(EvalError::message(ctx.arena, format_args!("invalid CIDR address: {range}")));
    };
    Ok(Value::Bool(cidr.to_canonical().contains(ip.to_canonical())))
}
