//! Claims that every issuer has, as `principalFromClaims` of `js/workers/token.ts` reads them.

use serde_json::{Map, Value};

use super::person::add_roles;
use super::{GatewayPrincipal, MappingError};

/// The subject with the roles of a claim, which must be a list of texts: a text alone would be searched letter by letter.
pub(super) fn principal(
    claims: &Map<String, Value>,
    roles_claim: &str,
    default_role: &str,
) -> Result<GatewayPrincipal, MappingError> {
    let Some(Value::String(subject)) = claims.get("sub").filter(|subject| *subject != "") else {
        return Err(MappingError::invalid("the token has no subject"));
    };
    let mut roles = Vec::new();
    if let Some(claim) = claims.get(roles_claim) {
        let items = claim.as_array().map(|items| items.iter().map(Value::as_str).collect());
        let names: Option<Vec<&str>> = items.flatten();
        let names = names.filter(|names| !names.contains(&"")).ok_or_else(|| {
            MappingError::invalid(format!("the claim {roles_claim} must be a list of texts"))
        })?;
        add_roles(&mut roles, &names);
    }
    // Policies must be able to name somebody who has no role of their own.
    if roles.is_empty() {
        roles.push(default_role.to_owned());
    }
    let mut attr = Map::new();
    attr.insert("authenticated".to_owned(), true.into());
    for (claim, name) in [("iss", "iss"), ("org_id", "org")] {
        if let Some(Value::String(value)) = claims.get(claim) {
            attr.insert(name.to_owned(), value.as_str().into());
        }
    }
    Ok(GatewayPrincipal::new(subject, roles, attr))
}
