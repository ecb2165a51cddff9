//! Who makes a request that a proxy asks about.

use std::collections::BTreeMap;

use orthrus_gateway::{GatewayPrincipal, principal_from_certificate};
use serde_json::{Map, Value};

use super::config::{Anonymous, Identity, TokenIdentity};
use super::question::{Certificate, Question};
use crate::pdp::Claims;
use crate::proto::cerbos::engine::v1::Principal;
use crate::tokens::{Believed, TokenError, Tokens};
use crate::values::from_json;

/// Somebody.
pub(super) struct Person {
    pub(super) principal: Principal,
    /// What the token says, for policies.
    pub(super) claims: Option<Claims>,
}

/// Why it is nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Nobody {
    /// There is no token, or one that is refused.
    Unauthenticated(&'static str),
    /// Who it is cannot be found out now.
    Unavailable,
}

/// Who makes a request: by a token where there is one, which then has to be right; else by a certificate.
pub(super) async fn person(
    identity: &Identity,
    tokens: &Tokens,
    question: &Question,
) -> Result<Person, Nobody> {
    if let Some(options) = &identity.token
        && let Some(token) = token(options, question)?
    {
        let claims = tokens.verify(&token, &options.key_set).await.map_err(|error| match error {
            TokenError::Refused(code) => Nobody::Unauthenticated(code),
            TokenError::Unavailable(_) => Nobody::Unavailable,
        })?;
        return by_token(options, &claims);
    }
    if let Some(options) = &identity.certificate {
        let unclear = Nobody::Unauthenticated("CERTIFICATE_UNCLEAR");
        let name = match (&question.certificate, &options.header) {
            // By a header, the client itself would say it.
            (Certificate::Told(name), _) => name.clone(),
            (Certificate::InHeader, Some(header)) => {
                one(question.values(header)).map_err(|()| unclear.clone())?
            }
            (Certificate::InHeader, None) => None,
        };
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            // What is no text is the same as other things that are none.
            if name.contains(char::REPLACEMENT_CHARACTER) {
                return Err(unclear);
            }
            let principal = principal_from_certificate(None, &[name], &options.role);
            let principal = principal.ok_or(unclear)?;
            return Ok(Person { principal: to_proto(principal), claims: None });
        }
    }
    match &identity.anonymous {
        Some(Anonymous { id, roles, attr }) => Ok(Person {
            principal: Principal {
                id: id.clone(),
                roles: roles.clone(),
                attr: attributes(attr.clone()),
                ..Principal::default()
            },
            claims: None,
        }),
        None => Err(Nobody::Unauthenticated("NO_TOKEN")),
    }
}

fn by_token(options: &TokenIdentity, token: &Believed) -> Result<Person, Nobody> {
    let read: Map<String, Value> =
        serde_json::from_str(&token.claims).map_err(|_| Nobody::Unauthenticated("JWT_MALFORMED"))?;
    let principal = options.claims.principal(&read);
    let principal = principal.map_err(|error| Nobody::Unauthenticated(error.code.as_str()))?;
    Ok(Person { principal: to_proto(principal), claims: Some(Claims::of_one(token)) })
}

fn to_proto(principal: GatewayPrincipal) -> Principal {
    Principal {
        id: principal.id,
        roles: principal.roles,
        attr: attributes(principal.attr),
        scope: principal.scope,
        policy_version: principal.policy_version,
    }
}

fn attributes(attr: Map<String, Value>) -> BTreeMap<String, pbjson_types::Value> {
    attr.into_iter().map(|(name, value)| (name, from_json(value))).collect()
}

/// The token of a request; none where it has none.
fn token(options: &TokenIdentity, question: &Question) -> Result<Option<String>, Nobody> {
    let unclear = |()| Nobody::Unauthenticated("TOKEN_UNCLEAR");
    if let Some(value) = one(question.values("authorization")).map_err(unclear)? {
        let bearer = value.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let token = bearer.map(|(_, token)| token.trim()).filter(|token| !token.is_empty());
        return token.map(|token| Some(token.to_owned())).ok_or(Nobody::Unauthenticated("NO_BEARER"));
    }
    let Some(name) = &options.cookie else { return Ok(None) };
    let pairs = question
        .values("cookie")
        .flat_map(|value| value.split(';'))
        .filter_map(|it| it.trim().split_once('='));
    // A cookie that another host of the domain has set comes as well: which of them counts nobody can tell.
    one(pairs.filter(|(key, _)| key == name).map(|(_, value)| value)).map_err(unclear)
}

fn one<'a>(mut values: impl Iterator<Item = &'a str>) -> Result<Option<String>, ()> {
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(str::to_owned)),
        _ => Err(()),
    }
}
