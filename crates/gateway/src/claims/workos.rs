//! Claims of WorkOS' access tokens, as `js/workos.ts` maps them.

use serde_json::{Map, Value, json};

use super::person::{Attributes, person};
use super::read::{id, is_absent, text, texts};
use super::{GatewayPrincipal, MappingError, WorkOsMapping};

pub(super) fn principal(
    claims: &Map<String, Value>,
    mapping: &WorkOsMapping,
) -> Result<GatewayPrincipal, MappingError> {
    let role = text(claims.get("role"), "the claim role")?;
    let user = id(claims.get("sub"), "the claim sub")?;
    let session = session_id(claims.get("sid"))?;
    let organization = text(claims.get("org_id"), "the claim org_id")?;
    let roles = texts(claims.get("roles"), "the claim roles")?;
    let permissions = texts(claims.get("permissions"), "the claim permissions")?;
    let entitlements = texts(claims.get("entitlements"), "the claim entitlements")?;
    let feature_flags = texts(claims.get("feature_flags"), "the claim feature_flags")?;
    let impersonator = impersonator(claims.get("act"))?;
    let attributes = Attributes::of("workos", "user", false)
        .text("sessionId", Some(session))
        .with("permissions", json!(permissions))
        .with("entitlements", json!(entitlements))
        .with("featureFlags", json!(feature_flags))
        .with("impersonated", json!(impersonator.is_some()))
        .with("impersonator", impersonator.map(Value::from))
        .with("org", organization.map(|id| json!({ "id": id })));
    let roles: Vec<&str> = role.into_iter().chain(roles.iter().map(String::as_str)).collect();
    person(mapping.require_organization, user, &roles, attributes)
}

/// Sessions have names that start so. Tokens of other applications, machines and agents have none, or one of another kind.
fn session_id(sid: Option<&Value>) -> Result<&str, MappingError> {
    let session = text(sid, "the claim sid")?.filter(|id| id.starts_with("session_"));
    session.ok_or_else(|| {
        MappingError::invalid("the claim sid names no session: this is no token of a signed-in user")
    })
}

/// Who acts in the user's place. Whatever is in `act`, somebody acts: who that is may stay unknown.
fn impersonator(act: Option<&Value>) -> Result<Option<Attributes>, MappingError> {
    if is_absent(act) {
        return Ok(None);
    }
    let subject = act.and_then(Value::as_object).and_then(|act| act.get("sub"));
    let acting = text(subject, "the claim act.sub")?;
    Ok(Some(Attributes::default().text("email", acting)))
}
