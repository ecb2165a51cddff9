//! Mappings as a configuration writes them, and what the TypeScript has no option for.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

use orthrus_gateway::{ClaimsMapping, ClerkMapping, OnUnauthenticated, OrgRolePrefix, WorkOsMapping};
use serde_json::{Value, json};

fn mapping(config: Value) -> Result<ClaimsMapping, String> {
    serde_json::from_value(config).map_err(|error| error.to_string())
}

#[test]
fn a_configuration_names_its_provider() {
    assert_eq!(mapping(json!({ "provider": "standard" })), Ok(ClaimsMapping::default()));
    let (roles_claim, default_role) = ("https://acme.test/roles".to_owned(), "guest".to_owned());
    assert_eq!(
        mapping(json!({ "provider": "standard", "rolesClaim": roles_claim, "defaultRole": default_role })),
        Ok(ClaimsMapping::Standard { roles_claim, default_role })
    );
    let clerk = json!({
        "provider": "clerk", "onUnauthenticated": "throw", "requireOrganization": true,
        "orgRolePrefix": "strip", "allowPending": true, "claims": ["tier"],
    });
    assert_eq!(
        mapping(clerk),
        Ok(ClaimsMapping::Clerk(ClerkMapping {
            on_unauthenticated: OnUnauthenticated::Throw,
            require_organization: true,
            org_role_prefix: OrgRolePrefix::Strip,
            allow_pending: true,
            claims: Some(vec!["tier".to_owned()]),
        }))
    );
    assert_eq!(
        mapping(json!({ "provider": "workos", "requireOrganization": true })),
        Ok(ClaimsMapping::WorkOs(WorkOsMapping { require_organization: true }))
    );
}

#[test]
fn slips_are_refused() {
    for (config, message) in [
        (json!({}), "missing field `provider`"),
        (json!({ "provider": "auth0" }), "unknown variant `auth0`"),
        (json!({ "provider": "standard", "roleClaim": "x" }), "unknown field `roleClaim`"),
        (json!({ "provider": "clerk", "rolesClaim": "x" }), "unknown field `rolesClaim`"),
        (json!({ "provider": "clerk", "orgRolePrefix": "drop" }), "unknown variant `drop`"),
        (json!({ "provider": "workos", "groupRoles": {} }), "unknown field `groupRoles`"),
        (json!({ "provider": "workos", "requireOrganization": "yes" }), "invalid type"),
    ] {
        let error = mapping(config.clone()).unwrap_err();
        assert!(error.contains(message), "{config}: {error}");
    }
}

#[test]
fn roles_come_from_the_claim_that_is_named() {
    let mapping =
        mapping(json!({ "provider": "standard", "rolesClaim": "groups", "defaultRole": "guest" })).unwrap();
    for (claims, roles) in [
        (json!({ "sub": "ann", "groups": ["a", "b", "a"], "roles": ["admin"] }), Ok(vec!["a", "b"])),
        (json!({ "sub": "ann", "roles": ["admin"] }), Ok(vec!["guest"])),
        (json!({ "sub": "ann", "groups": "a" }), Err("the claim groups must be a list of texts")),
    ] {
        let principal = mapping.principal(claims.as_object().unwrap());
        let got = principal.as_ref().map(|it| it.roles.iter().map(String::as_str).collect());
        assert_eq!(got.map_err(|error| error.message.as_str()), roles, "{claims}");
    }
}
