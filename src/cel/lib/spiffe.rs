//! Cerbos' functions of SPIFFE identities
//! (<https://github.com/spiffe/spiffe/blob/main/standards/SPIFFE-ID.md>).

use bumpalo::collections::Vec;

use super::Declaration;
use crate::cel::opaque::SpiffeMatcher;
use crate::cel::{Activation, EvalError, EvalResult, Opaque, Value};

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "spiffeID",
        doc: "Reads a SPIFFE ID",
        signatures: &["spiffeID(string) -> spiffe_id"],
        run: |ctx, args| match *args {
            [Value::String(text)] => Ok(made(ctx, Opaque::SpiffeId(checked_id(ctx, text)?))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "spiffeTrustDomain",
        doc: "Reads the name of a trust domain, or of the one that an ID is of",
        signatures: &["spiffeTrustDomain(string) -> spiffe_trust_domain"],
        run: |ctx, args| match *args {
            [Value::String(text)] => Ok(made(ctx, Opaque::SpiffeTrustDomain(checked_domain(ctx, text)?))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "isMemberOf",
        doc: "Whether the ID is of a trust domain",
        signatures: &["spiffe_id.isMemberOf(spiffe_trust_domain) -> bool"],
        run: |_, args| match *args {
            [Value::Opaque(Opaque::SpiffeId(id)), Value::Opaque(Opaque::SpiffeTrustDomain(domain))] => {
                Ok(Value::Bool(parts(id).0 == *domain))
            }
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "path",
        doc: "The path of the ID",
        signatures: &["spiffe_id.path() -> string"],
        run: |_, args| match *args {
            [Value::Opaque(Opaque::SpiffeId(id))] => Ok(Value::String(parts(id).1)),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "trustDomain",
        doc: "The trust domain of the ID",
        signatures: &["spiffe_id.trustDomain() -> spiffe_trust_domain"],
        run: |ctx, args| match *args {
            [Value::Opaque(Opaque::SpiffeId(id))] => Ok(made(ctx, Opaque::SpiffeTrustDomain(parts(id).0))),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "id",
        doc: "The SPIFFE ID of the trust domain",
        signatures: &["spiffe_trust_domain.id() -> string"],
        // In the PDP the global `id`, which gives its argument back, shadows this function; a trust domain
        // equals the text of its ID, so that only outputs show it.
        run: super::conversions::identity,
    },
    Declaration {
        name: "name",
        doc: "The name of the trust domain",
        signatures: &["spiffe_trust_domain.name() -> string"],
        run: |_, args| match *args {
            [Value::Opaque(Opaque::SpiffeTrustDomain(domain))] => Ok(Value::String(domain)),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "spiffeMatchAny",
        doc: "Matches every SPIFFE ID",
        signatures: &["spiffeMatchAny() -> spiffe_matcher"],
        run: |ctx, _| Ok(made(ctx, Opaque::SpiffeMatcher(SpiffeMatcher::Any))),
    },
    Declaration {
        name: "spiffeMatchExact",
        doc: "Matches one SPIFFE ID",
        signatures: &[
            "spiffeMatchExact(spiffe_id) -> spiffe_matcher",
            "spiffeMatchExact(string) -> spiffe_matcher",
        ],
        run: |ctx, args| match *args {
            [value] => one_of(ctx, &[value]),
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "spiffeMatchOneOf",
        doc: "Matches the SPIFFE IDs of a list",
        signatures: &[
            "spiffeMatchOneOf(list(spiffe_id)) -> spiffe_matcher",
            "spiffeMatchOneOf(list(string)) -> spiffe_matcher",
        ],
        run: |ctx, args| match *args {
            [Value::List(list)] => {
                let mut values = Vec::with_capacity_in(list.len(), ctx.arena);
                values.extend(list.iter());
                match list.get(0) {
                    None | Some(Value::String(_) | Value::Opaque(Opaque::SpiffeId(_))) => {
                        one_of(ctx, &values).map_err(|_| EvalError::Message("no such overload"))
                    }
                    Some(_) => Err(EvalError::NoSuchOverload),
                }
            }
            _ => Err(EvalError::NoSuchOverload),
        },
    },
    Declaration {
        name: "spiffeMatchTrustDomain",
        doc: "Matches the SPIFFE IDs of a trust domain",
        signatures: &[
            "spiffeMatchTrustDomain(spiffe_trust_domain) -> spiffe_matcher",
            "spiffeMatchTrustDomain(string) -> spiffe_matcher",
        ],
        run: |ctx, args| {
            let domain = match *args {
                [Value::Opaque(Opaque::SpiffeTrustDomain(domain))] => domain,
                [Value::String(text)] => checked_domain(ctx, text)?,
                _ => return Err(EvalError::NoSuchOverload),
            };
            Ok(made(ctx, Opaque::SpiffeMatcher(SpiffeMatcher::TrustDomain(domain))))
        },
    },
    Declaration {
        name: "matchesID",
        doc: "Whether the matcher matches a SPIFFE ID",
        signatures: &[
            "spiffe_matcher.matchesID(spiffe_id) -> bool",
            "spiffe_matcher.matchesID(string) -> bool",
        ],
        run: matches_id,
    },
];

const SCHEME: &str = "spiffe://";

fn made<'a>(ctx: &Activation<'a>, value: Opaque<'a>) -> Value<'a> {
    Value::Opaque(ctx.arena.alloc(value))
}

/// The trust domain and the path of an ID that is known to be one.
fn parts(id: &str) -> (&str, &str) {
    let rest = id.strip_prefix(SCHEME).unwrap_or(id);
    rest.split_at(rest.find('/').unwrap_or(rest.len()))
}

fn checked_id<'a>(ctx: &Activation<'a>, text: &'a str) -> Result<&'a str, EvalError<'a>> {
    match check_id(text) {
        Ok(()) => Ok(text),
        Err(why) => Err(EvalError::message(ctx.arena, format_args!("failed to parse SPIFFE ID: {why}"))),
    }
}

/// A trust domain by its name or by any ID in it.
fn checked_domain<'a>(ctx: &Activation<'a>, text: &'a str) -> Result<&'a str, EvalError<'a>> {
    let checked = if text.contains(":/") { check_id(text) } else { check_domain(text) };
    match checked {
        Ok(()) => Ok(parts(text).0),
        Err(why) => {
            Err(EvalError::message(ctx.arena, format_args!("failed to parse SPIFFE trust domain: {why}")))
        }
    }
}

fn check_id(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("cannot be empty");
    }
    if !text.starts_with(SCHEME) {
        return Err("scheme is missing or invalid");
    }
    let (domain, path) = parts(text);
    check_domain(domain)?;
    if path.is_empty() { Ok(()) } else { check_path(path) }
}

fn check_domain(name: &str) -> Result<(), &'static str> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_".contains(&byte);
    match name {
        "" => Err("trust domain is missing"),
        _ if name.bytes().all(allowed) => Ok(()),
        _ => Err(
            "trust domain characters are limited to lowercase letters, numbers, dots, dashes, and underscores",
        ),
    }
}

fn check_path(path: &str) -> Result<(), &'static str> {
    if path.ends_with('/') {
        return Err("path cannot have a trailing slash");
    }
    for segment in path.split('/').skip(1) {
        match segment {
            "" => return Err("path cannot contain empty segments"),
            "." | ".." => return Err("path cannot contain dot segments"),
            _ if segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)) => {}
            _ => {
                return Err(
                    "path segment characters are limited to letters, numbers, dots, dashes, and underscores",
                );
            }
        }
    }
    Ok(())
}

fn one_of<'a>(ctx: &Activation<'a>, values: &[Value<'a>]) -> EvalResult<'a> {
    let mut ids = Vec::with_capacity_in(values.len(), ctx.arena);
    for value in values {
        ids.push(match *value {
            Value::Opaque(Opaque::SpiffeId(id)) => *id,
            Value::String(text) => checked_id(ctx, text)?,
            _ => return Err(EvalError::NoSuchOverload),
        });
    }
    Ok(made(ctx, Opaque::SpiffeMatcher(SpiffeMatcher::OneOf(ids.into_bump_slice()))))
}

fn matches_id<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::Opaque(Opaque::SpiffeMatcher(matcher)), value] = *args else {
        return Err(EvalError::NoSuchOverload);
    };
    let id = match value {
        Value::Opaque(Opaque::SpiffeId(id)) => *id,
        Value::String(text) => match check_id(text) {
            Ok(()) => text,
            Err(why) => return Err(EvalError::message(ctx.arena, format_args!("invalid SPIFFE ID: {why}"))),
        },
        _ => return Err(EvalError::NoSuchOverload),
    };
    Ok(Value::Bool(match *matcher {
        SpiffeMatcher::Any => true,
        SpiffeMatcher::OneOf(ids) => ids.contains(&id),
        SpiffeMatcher::TrustDomain(domain) => parts(id).0 == domain,
    }))
}

/// The name of a trust domain as a text means it; `None` if it is not one.
pub(crate) fn trust_domain(text: &str) -> Option<&str> {
    let checked = if text.contains(":/") { check_id(text) } else { check_domain(text) };
    checked.is_ok().then(|| parts(text).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_checked() {
        assert_eq!(check_id("spiffe://a.b/c/d-1"), Ok(()));
        assert_eq!(check_id("spiffe://a"), Ok(()));
        let bad = [
            "",
            "http://a",
            "spiffe://",
            "spiffe://A",
            "spiffe://a/",
            "spiffe://a//b",
            "spiffe://a/../b",
            "spiffe://a/%20",
        ];
        for text in bad {
            assert!(check_id(text).is_err(), "{text}");
        }
    }
}
