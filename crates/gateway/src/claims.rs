//! Whose principal verified claims are. Nothing is verified here, but claims that are malformed, or contradict each other,
//! are refused.

mod clerk;
mod clerk_permissions;
mod clerk_session;
mod person;
mod read;
mod standard;
mod workos;

use std::fmt;

use serde::Deserialize;
use serde_json::{Map, Value};

/// How claims become a principal. In a configuration it is an object that names its `provider`:
/// `{ "provider": "clerk", "requireOrganization": true }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "provider", rename_all = "lowercase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub enum ClaimsMapping {
    /// `sub`, with the roles of a claim; `iss`, and `org_id` as `attr.org`.
    Standard {
        /// The claim that lists the roles. Default: `roles`.
        #[serde(default = "roles")]
        roles_claim: String,
        /// The role of those who have none of their own. Default: `user`.
        #[serde(default = "user")]
        default_role: String,
    },
    /// Tokens of Clerk: of sessions, of machines, of OAuth clients.
    Clerk(ClerkMapping),
    /// Access tokens of WorkOS.
    WorkOs(WorkOsMapping),
}

/// How claims of Clerk become a principal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ClerkMapping {
    /// What to do with a session that is pending. Default: anonymous.
    pub on_unauthenticated: OnUnauthenticated,
    /// Whether people for whom no organization is active are refused.
    pub require_organization: bool,
    /// Whether roles in organizations keep their prefix. Default: they do.
    pub org_role_prefix: OrgRolePrefix,
    /// Whether sessions that are pending (with a task such as choosing an organization to do) are accepted.
    pub allow_pending: bool,
    /// Custom claims of session tokens to copy to `attr.claims`. Default: none.
    pub claims: Option<Vec<String>>,
}

/// How claims of WorkOS become a principal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WorkOsMapping {
    /// Whether people for whom no organization is active are refused.
    pub require_organization: bool,
}

/// What becomes of a request of nobody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OnUnauthenticated {
    /// A principal with the id and the only role `anonymous`.
    #[default]
    Anonymous,
    /// It is refused.
    Throw,
}

/// What becomes of `org:` before a role in an organization.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OrgRolePrefix {
    /// It stays, as Clerk has it: `org:admin`.
    #[default]
    Keep,
    /// It goes: `admin`.
    Strip,
}

/// Who makes a request.
#[derive(Clone, Debug, PartialEq)]
pub struct GatewayPrincipal {
    /// The id.
    pub id: String,
    /// The roles, each once; at least one.
    pub roles: Vec<String>,
    /// The attributes, without those that are absent.
    pub attr: Map<String, Value>,
    /// The scope; empty for the engine's own.
    pub scope: String,
    /// The policy version; empty for the engine's own.
    pub policy_version: String,
}

/// Why claims have no principal. It holds nothing of a token that may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingError {
    /// The kind of problem.
    pub code: MappingErrorCode,
    /// The problem, in one sentence without a full stop.
    pub message: String,
}

/// The kinds of problem. Their names are the codes of `IdentityError` in JavaScript.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappingErrorCode {
    /// Claims that are malformed or contradict each other.
    Invalid,
    /// Nobody is signed in, and that is not to be an anonymous principal.
    Unauthenticated,
    /// No organization is active, and one is required.
    NoOrganization,
    /// A session that is no longer active.
    Inactive,
    /// Claims of a kind that is not known.
    Unsupported,
}

impl ClaimsMapping {
    /// The principal of verified claims.
    ///
    /// # Errors
    /// Why they have none.
    pub fn principal(&self, claims: &Map<String, Value>) -> Result<GatewayPrincipal, MappingError> {
        match self {
            Self::Standard { roles_claim, default_role } => {
                standard::principal(claims, roles_claim, default_role)
            }
            Self::Clerk(mapping) => clerk::principal(claims, mapping),
            Self::WorkOs(mapping) => workos::principal(claims, mapping),
        }
    }
}

impl Default for ClaimsMapping {
    fn default() -> Self {
        Self::Standard { roles_claim: roles(), default_role: user() }
    }
}

fn roles() -> String {
    "roles".to_owned()
}

fn user() -> String {
    "user".to_owned()
}

impl MappingErrorCode {
    /// The stable name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "IDENTITY_INVALID",
            Self::Unauthenticated => "IDENTITY_UNAUTHENTICATED",
            Self::NoOrganization => "IDENTITY_NO_ORGANIZATION",
            Self::Inactive => "IDENTITY_INACTIVE",
            Self::Unsupported => "IDENTITY_UNSUPPORTED",
        }
    }
}

impl MappingError {
    fn new(code: MappingErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }

    fn invalid(message: impl Into<String>) -> Self {
        Self::new(MappingErrorCode::Invalid, message)
    }
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MappingError {}
