//! What a gateway cannot be told, beside its routes.

use http::HeaderName;

use super::config::{Anonymous, CertificateIdentity, GatewayConfig, Identity, Proxy, TokenIdentity};
use crate::config::TokenConfig;

/// A key below `gateway`, and what is wrong there.
type Wrong = (&'static str, String);

/// Headers that are read already, and tell something else than whose a certificate is.
const READ: [&str; 10] = [
    "authorization",
    "cookie",
    "host",
    "user-agent",
    "content-length",
    "content-type",
    "x-forwarded-method",
    "x-forwarded-uri",
    "x-forwarded-host",
    "x-forwarded-for",
];

pub(super) fn check(config: &GatewayConfig, tokens: &TokenConfig) -> Result<(), Wrong> {
    if config.proxies.is_empty() {
        let message = "name the proxies that may ask: traefik, caddy, nginx, envoy";
        return Err(("proxies", message.to_owned()));
    }
    let Identity { token, certificate, anonymous } = &config.identity;
    if token.is_none() && certificate.is_none() && anonymous.is_none() {
        let message = "say who makes requests: by token, certificate or anonymous";
        return Err(("identity", message.to_owned()));
    }
    token.as_ref().map_or(Ok(()), |token| check_token(token, tokens))?;
    certificate.as_ref().map_or(Ok(()), |certificate| check_certificate(certificate, &config.proxies))?;
    anonymous.as_ref().map_or(Ok(()), check_anonymous)
}

fn check_token(token: &TokenIdentity, tokens: &TokenConfig) -> Result<(), Wrong> {
    if tokens.disable_verification {
        let message = "tokens are not verified (auxData.jwt.disableVerification): anybody could be anybody";
        return Err(("identity.token", message.to_owned()));
    }
    let named = tokens.key_sets.iter().find(|set| set.id == token.key_set);
    let Some(set) = named else {
        let message = format!("there is no key set `{}` in auxData.jwt.keySets", token.key_set);
        return Err(("identity.token.keySet", message));
    };
    if !set.issuer {
        let message = format!(
            "the key set `{}` has no issuer: without it, tokens that its keys sign for others would count",
            set.id
        );
        return Err(("identity.token.keySet", message));
    }
    if token.cookie.as_ref().is_some_and(|name| !is_name(name)) {
        return Err(("identity.token.cookie", "must be the name of a cookie".to_owned()));
    }
    Ok(())
}

fn check_certificate(certificate: &CertificateIdentity, proxies: &[Proxy]) -> Result<(), Wrong> {
    const HEADER: &str = "identity.certificate.header";
    if certificate.role.is_empty() {
        return Err(("identity.certificate.role", "must not be empty".to_owned()));
    }
    match &certificate.header {
        None if proxies.iter().any(|proxy| *proxy != Proxy::Envoy) => {
            let message = "say in which header the proxy tells whose certificate it is; only Envoy tells it otherwise, over gRPC";
            Err((HEADER, message.to_owned()))
        }
        Some(name) if !is_free(name) => {
            Err((HEADER, "must be the name of a header that tells nothing else".to_owned()))
        }
        _ => Ok(()),
    }
}

fn check_anonymous(anonymous: &Anonymous) -> Result<(), Wrong> {
    let Anonymous { id, roles, .. } = anonymous;
    if id.is_empty() || roles.is_empty() || roles.iter().any(String::is_empty) {
        let message = "must have an id, and at least one role, none of them empty";
        return Err(("identity.anonymous", message.to_owned()));
    }
    Ok(())
}

/// Whether it can be the name of a header or cookie (RFC 9110, 5.6.2).
fn is_name(name: &str) -> bool {
    HeaderName::try_from(name).is_ok()
}

/// Whether a header can tell whose a certificate is.
fn is_free(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let is_read = READ.contains(&lower.as_str())
        || ["x-original-", "x-orthrus-"].iter().any(|prefix| lower.starts_with(prefix));
    is_name(name) && !is_read
}
