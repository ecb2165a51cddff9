//! What policies and rules are called: identity, keys as responses show them, scopes.

use std::borrow::Cow;
use std::fmt;

use super::model::{Body, Policy};
use crate::text::Span;

/// The version of a policy or request that names none.
pub const DEFAULT_VERSION: &str = "default";

/// The kind of a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A resource policy.
    Resource,
    /// A principal policy.
    Principal,
    /// A role policy.
    Role,
    /// A set of derived roles.
    DerivedRoles,
    /// Exported variables.
    ExportVariables,
    /// Exported constants.
    ExportConstants,
}

impl Kind {
    /// The kind as policy keys begin: `resource`, `principal`, `role`, `derived_roles`, `export_variables`,
    /// `export_constants`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resource => "resource",
            Self::Principal => "principal",
            Self::Role => "role",
            Self::DerivedRoles => "derived_roles",
            Self::ExportVariables => "export_variables",
            Self::ExportConstants => "export_constants",
        }
    }

    /// Whether policies of this kind have a version and a scope.
    #[must_use]
    pub fn is_scoped(self) -> bool {
        matches!(self, Self::Resource | Self::Principal | Self::Role)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The key of a policy as responses show it: `resource.KIND.vVERSION[/SCOPE]`, `derived_roles.NAME`.
/// Version and scope are ignored for kinds that have none; an empty version is `default`.
#[must_use]
pub fn policy_key(kind: Kind, name: &str, version: &str, scope: &str) -> String {
    let name = sanitize(name);
    if !kind.is_scoped() {
        return format!("{kind}.{name}");
    }
    let version = if version.is_empty() { DEFAULT_VERSION } else { version };
    let slash = if scope.is_empty() { "" } else { "/" };
    format!("{kind}.{name}.v{}{slash}{scope}", sanitize(version))
}

/// A name as it stands in policy keys: in names that Cerbos allowed before 0.30, each run of characters
/// other than ASCII letters, digits, `_` and `.` becomes a `_`. Other names stay as they are.
#[must_use]
pub fn sanitize(name: &str) -> Cow<'_, str> {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    if name.bytes().all(|byte| is_kept(char::from(byte))) || !name.split(':').all(is_old_segment) {
        return Cow::Borrowed(name);
    }
    let mut sanitized = String::with_capacity(name.len());
    let mut replaced = false;
    for c in name.chars() {
        if is_kept(c) {
            sanitized.push(c);
        } else if !replaced {
            sanitized.push('_');
        }
        replaced = !is_kept(c);
    }
    Cow::Owned(sanitized)
}

/// `[[:alpha:]][[:word:]@.\-/]*`
fn is_old_segment(segment: &str) -> bool {
    segment.starts_with(|first: char| first.is_ascii_alphabetic())
        && segment.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '@' | '.' | '-' | '/'))
}

/// The name of a rule of a resource policy: its own, or `rule-NNN` by its position from 1.
#[must_use]
pub fn resource_rule_name(name: Option<&str>, position: usize) -> Cow<'_, str> {
    name.map_or_else(|| Cow::Owned(format!("rule-{position:03}")), Cow::Borrowed)
}

/// The name of an action of a principal policy: its own, or `RESOURCE_rule-NNN` by its position from 1
/// among the actions for that resource.
#[must_use]
pub fn principal_rule_name<'n>(name: Option<&'n str>, resource: &str, position: usize) -> Cow<'n, str> {
    name.map_or_else(|| Cow::Owned(format!("{resource}_rule-{position:03}")), Cow::Borrowed)
}

/// The parents of a scope, nearest first: of `a.b.c`, they are `a.b`, `a` and "". The empty scope has none.
pub fn scope_parents(scope: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(scope_parent(scope), |scope| scope_parent(scope))
}

fn scope_parent(scope: &str) -> Option<&str> {
    if scope.is_empty() {
        return None;
    }
    scope.rfind('.').map_or(Some(""), |dot| scope.get(..dot))
}

impl Policy {
    /// What kind of policy it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.body {
            Body::Resource(_) => Kind::Resource,
            Body::Principal(_) => Kind::Principal,
            Body::DerivedRoles(_) => Kind::DerivedRoles,
            Body::Role(_) => Kind::Role,
            Body::ExportVariables(_) => Kind::ExportVariables,
            Body::ExportConstants(_) => Kind::ExportConstants,
        }
    }

    /// The resource kind, principal ID, role, or name that it is for.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.body {
            Body::Resource(policy) => &policy.resource,
            Body::Principal(policy) => &policy.principal,
            Body::DerivedRoles(policy) => &policy.name,
            Body::Role(policy) => &policy.role,
            Body::ExportVariables(policy) => &policy.name,
            Body::ExportConstants(policy) => &policy.name,
        }
    }

    /// Where that name is written.
    #[must_use]
    pub fn name_span(&self) -> Span {
        match &self.body {
            Body::Resource(policy) => policy.resource.span,
            Body::Principal(policy) => policy.principal.span,
            Body::DerivedRoles(policy) => policy.name.span,
            Body::Role(policy) => policy.role.span,
            Body::ExportVariables(policy) => policy.name.span,
            Body::ExportConstants(policy) => policy.name.span,
        }
    }

    /// The version; "" for kinds that have none.
    #[must_use]
    pub fn version(&self) -> &str {
        match &self.body {
            Body::Resource(policy) => &policy.version,
            Body::Principal(policy) => &policy.version,
            Body::Role(policy) => &policy.version,
            Body::DerivedRoles(_) | Body::ExportVariables(_) | Body::ExportConstants(_) => "",
        }
    }

    /// The scope; "" for kinds that have none.
    #[must_use]
    pub fn scope(&self) -> &str {
        match &self.body {
            Body::Resource(policy) => &policy.scope,
            Body::Principal(policy) => &policy.scope,
            Body::Role(policy) => &policy.scope,
            Body::DerivedRoles(_) | Body::ExportVariables(_) | Body::ExportConstants(_) => "",
        }
    }

    /// The policy's identity; see [`policy_key`].
    #[must_use]
    pub fn key(&self) -> String {
        policy_key(self.kind(), self.name(), self.version(), self.scope())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_those_of_responses() {
        let cases = [
            (Kind::Resource, "leave_request", "default", "", "resource.leave_request.vdefault"),
            (
                Kind::Resource,
                "leave:request",
                "20210210",
                "acme.hr",
                "resource.leave_request.v20210210/acme.hr",
            ),
            (Kind::Principal, "daisy@corp.com", "default", "", "principal.daisy_corp.com.vdefault"),
            (Kind::Role, "org:admin", "", "acme", "role.org_admin.vdefault/acme"),
            (Kind::DerivedRoles, "common-roles", "x", "y", "derived_roles.common_roles"),
            (Kind::ExportVariables, "vars", "", "", "export_variables.vars"),
            (Kind::ExportConstants, "consts", "", "", "export_constants.consts"),
        ];
        for (kind, name, version, scope, key) in cases {
            assert_eq!(policy_key(kind, name, version, scope), key);
        }
    }

    #[test]
    fn only_names_of_the_old_form_are_sanitized() {
        let cases = [
            ("a:b", "a_b"),
            ("a-/@b", "a_b"),
            ("a-b-", "a_b_"),
            ("a.b_c", "a.b_c"),
            ("1a-b", "1a-b"),
            ("a: b", "a: b"),
            ("a::b", "a::b"),
            ("é-b", "é-b"),
            ("", ""),
        ];
        for (name, sanitized) in cases {
            assert_eq!(sanitize(name), sanitized, "{name}");
        }
    }

    #[test]
    fn rules_without_a_name_are_numbered() {
        assert_eq!(resource_rule_name(Some("own"), 1), "own");
        assert_eq!(resource_rule_name(None, 7), "rule-007");
        assert_eq!(resource_rule_name(None, 1234), "rule-1234");
        assert_eq!(principal_rule_name(None, "doc:*", 2), "doc:*_rule-002");
        assert_eq!(principal_rule_name(Some("own"), "doc", 2), "own");
    }

    #[test]
    fn scopes_end_with_the_empty_one() {
        let parents = |scope| scope_parents(scope).collect::<Vec<_>>();
        assert_eq!(parents("a.b.c"), ["a.b", "a", ""]);
        assert_eq!(parents("a"), [""]);
        assert_eq!(parents("."), [""]);
        assert!(parents("").is_empty());
    }
}
