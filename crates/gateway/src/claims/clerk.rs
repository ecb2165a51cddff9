//! Claims of Clerk's tokens, as `js/clerk.ts` maps them. The kinds of token are told apart as Clerk's SDK does.

use serde_json::{Map, Value, json};

use super::clerk_session::{Actor, ClerkSession, actor};
use super::person::{Attributes, person, principal as principal_of, unauthenticated};
use super::read::{id, is_absent, text, texts};
use super::{ClerkMapping, GatewayPrincipal, MappingError, MappingErrorCode, OrgRolePrefix};

const PROVIDER: &str = "clerk";
const REGISTERED_CLAIMS: [&str; 6] = ["iss", "sub", "exp", "nbf", "iat", "jti"];

type Claims = Map<String, Value>;

pub(super) fn principal(claims: &Claims, mapping: &ClerkMapping) -> Result<GatewayPrincipal, MappingError> {
    let subject = id(claims.get("sub"), "the claim sub")?;
    if subject.starts_with("mch_") {
        return machine(subject, claims);
    }
    // Only OAuth access tokens name a client (RFC 9068).
    if !is_absent(claims.get("client_id")) {
        return oauth_client(subject, claims);
    }
    session(&ClerkSession::read(claims)?, claims, mapping)
}

fn session(
    session: &ClerkSession<'_>,
    claims: &Claims,
    mapping: &ClerkMapping,
) -> Result<GatewayPrincipal, MappingError> {
    match session.status {
        Some("pending") if !mapping.allow_pending => {
            return unauthenticated(PROVIDER, "the session is pending", mapping.on_unauthenticated);
        }
        None | Some("pending" | "active") => {}
        Some(status) => {
            return Err(MappingError::new(MappingErrorCode::Inactive, format!("the session is {status}")));
        }
    }
    let role =
        session.org.as_ref().and_then(|org| org.role.as_deref()).map(|role| match mapping.org_role_prefix {
            OrgRolePrefix::Strip => role.strip_prefix("org:").unwrap_or(role),
            OrgRolePrefix::Keep => role,
        });
    let roles: Vec<&str> = role.filter(|role| !role.is_empty()).into_iter().collect();
    let factors = session.factor_ages.map(|[first, second]| {
        Attributes::default().with("first", first.cloned()).with("second", second.cloned())
    });
    let attributes = Attributes::of(PROVIDER, "user", false)
        .with("impersonated", json!(session.actor.is_some()))
        .text("sessionId", Some(session.session_id))
        .with("org", session.org.as_ref().map(|org| org.attributes().into()))
        .with("actor", session.actor.map(Actor::attributes))
        .with("plans", session.plans.attributes())
        .with("features", session.features.attributes())
        .with("fva", factors.map(Value::from))
        .with("claims", mapping.claims.as_ref().map(|names| selected(claims, names)));
    person(mapping.require_organization, session.user_id, &roles, attributes)
}

fn selected(claims: &Claims, names: &[String]) -> Value {
    let claims = names.iter().filter_map(|name| Some((name, claims.get(name)?)));
    claims.fold(Attributes::default(), |all, (name, value)| all.with(name, value.clone())).into()
}

fn machine(subject: &str, claims: &Claims) -> Result<GatewayPrincipal, MappingError> {
    let scopes = claims.get("scopes").filter(|scopes| !scopes.is_null()).or_else(|| claims.get("aud"));
    // What the token says beside the registered claims.
    let custom = claims.iter().filter(|(name, _)| !REGISTERED_CLAIMS.contains(&name.as_str()));
    let custom: Claims = custom.map(|(name, value)| (name.clone(), value.clone())).collect();
    let attributes = Attributes::of(PROVIDER, "machine", true)
        .text("tokenId", text(claims.get("jti"), "the token's id")?)
        .with("scopes", json!(scope_names(scopes)?))
        .with("claims", (!custom.is_empty()).then_some(Value::Object(custom)));
    principal_of(subject, "machine", &[], attributes)
}

fn oauth_client(subject: &str, claims: &Claims) -> Result<GatewayPrincipal, MappingError> {
    let scopes = claims.get("scp").filter(|scopes| !scopes.is_null()).or_else(|| claims.get("scope"));
    let actor = actor(claims.get("act"))?;
    let client = id(claims.get("client_id"), "the OAuth token's client")?;
    let attributes = Attributes::of(PROVIDER, "oauth_client", true)
        .with("impersonated", json!(actor.is_some()))
        .with("actor", actor.map(Actor::attributes))
        .text("clientId", Some(client))
        .with("scopes", json!(scope_names(scopes)?));
    principal_of(subject, "oauth_client", &[], attributes)
}

/// Tokens list scopes, or write them in one string with spaces between (RFC 6749).
fn scope_names(scopes: Option<&Value>) -> Result<Vec<String>, MappingError> {
    match scopes {
        Some(Value::String(names)) => {
            Ok(names.split(' ').filter(|name| !name.is_empty()).map(str::to_owned).collect())
        }
        scopes => texts(scopes, "the token's scopes"),
    }
}
