//! Principals as the mappings of all identity providers make them.

use serde_json::{Map, Value, json};

use super::{GatewayPrincipal, MappingError, MappingErrorCode, OnUnauthenticated};

/// Roles that tell what kind of credential was used. Policies trust them to say what no provider's role can say.
const RESERVED_ROLES: [&str; 4] = ["api_key", "machine", "oauth_client", "anonymous"];

/// Attributes. What is absent is left out: a policy that compares two ids would find `null` equal to `null` and let one
/// tenant into another, while a missing attribute is an error, which allows nothing.
#[derive(Debug, Default)]
pub(super) struct Attributes(Map<String, Value>);

impl Attributes {
    pub(super) fn with(mut self, name: &str, value: impl Into<Option<Value>>) -> Self {
        if let Some(value) = value.into().filter(|value| !value.is_null()) {
            self.0.insert(name.to_owned(), value);
        }
        self
    }

    pub(super) fn text(self, name: &str, value: Option<&str>) -> Self {
        self.with(name, value.map(Value::from))
    }

    /// Those of a credential, beside what it tells itself.
    pub(super) fn of(provider: &str, kind: &str, is_machine: bool) -> Self {
        let attributes = Self::default().text("provider", Some(provider)).text("type", Some(kind));
        attributes
            .with("authenticated", json!(true))
            .with("impersonated", json!(false))
            .with("machine", json!(is_machine))
    }
}

impl From<Attributes> for Value {
    fn from(attributes: Attributes) -> Self {
        attributes.0.into()
    }
}

impl From<Attributes> for Option<Value> {
    fn from(attributes: Attributes) -> Self {
        Some(attributes.into())
    }
}

/// A person, in the organization that is active, if one is.
pub(super) fn person(
    require_organization: bool,
    id: &str,
    roles: &[&str],
    attributes: Attributes,
) -> Result<GatewayPrincipal, MappingError> {
    if require_organization && !attributes.0.contains_key("org") {
        let message = "no organization is active: let the user choose one";
        return Err(MappingError::new(MappingErrorCode::NoOrganization, message));
    }
    principal(id, "user", roles, attributes)
}

/// A principal with each role once, the kind of its credential first.
pub(super) fn principal(
    id: &str,
    kind: &str,
    roles: &[&str],
    attributes: Attributes,
) -> Result<GatewayPrincipal, MappingError> {
    if let Some(reserved) = roles.iter().find(|role| RESERVED_ROLES.contains(role)) {
        return Err(MappingError::invalid(format!(
            "the role {reserved} tells what kind of credential was used: give the provider's role another name"
        )));
    }
    let mut all: Vec<String> = vec![kind.to_owned()];
    add_roles(&mut all, roles);
    Ok(GatewayPrincipal::new(id, all, attributes.0))
}

/// Adds the roles that are not there yet.
pub(super) fn add_roles(all: &mut Vec<String>, roles: &[&str]) {
    for role in roles {
        if !all.iter().any(|it| it == role) {
            all.push((*role).to_owned());
        }
    }
}

/// The principal of a request of nobody, or why there is none.
pub(super) fn unauthenticated(
    provider: &str,
    reason: &str,
    then: OnUnauthenticated,
) -> Result<GatewayPrincipal, MappingError> {
    if then == OnUnauthenticated::Throw {
        let message = format!("nobody is signed in: {reason}");
        return Err(MappingError::new(MappingErrorCode::Unauthenticated, message));
    }
    let attributes = Attributes::of(provider, "anonymous", false).with("authenticated", json!(false));
    Ok(GatewayPrincipal::new("anonymous", vec!["anonymous".to_owned()], attributes.0))
}

impl GatewayPrincipal {
    /// One without scope and version of its own.
    pub(crate) fn new(id: &str, roles: Vec<String>, attr: Map<String, Value>) -> Self {
        Self { id: id.to_owned(), roles, attr, scope: String::new(), policy_version: String::new() }
    }
}
