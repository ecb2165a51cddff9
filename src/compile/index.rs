//! Puts compiled policies where a check finds them, and checks what policies of different files owe each other.

use std::collections::{BTreeMap, BTreeSet};

use super::modules::Modules;
use crate::policy::{self, Body, Policy, ScopePermissions, Spanned, policy_key, sanitize, scope_parents};
use crate::table::{
    AttributesRead, Matcher, PolicyId, PrincipalPolicy, ResourcePolicy, RolePolicy, RuleTable, Scope, Symbol,
    Symbols,
};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Severity};

/// The table in the making.
#[derive(Default)]
pub(super) struct Builder {
    pub(super) symbols: Symbols,
    table: RuleTable,
    role_policies: BTreeMap<(Symbol, Symbol), Vec<RolePolicy>>,
    parents: BTreeMap<(Symbol, Symbol), Vec<Symbol>>,
}

impl Builder {
    pub(super) fn add_resource(
        &mut self,
        body: &policy::ResourcePolicy,
        compiled: ResourcePolicy,
        reads: &AttributesRead,
    ) {
        let identity = self.resource_id(body);
        let scope = self.scope(identity.2, body.scope_permissions.as_ref());
        scope.resources = true;
        self.table.resource_attributes.entry(identity.1).or_default().merge(&reads.resource);
        self.table.common_attributes.principal.merge(&reads.principal);
        self.table.common_attributes.clock |= reads.clock;
        self.table.resources.insert(identity, compiled);
    }

    pub(super) fn add_principal(
        &mut self,
        body: &policy::PrincipalPolicy,
        compiled: PrincipalPolicy,
        reads: &AttributesRead,
    ) {
        self.table.common_attributes.merge(reads);
        let identity = self.identity(&body.version, &body.principal, &body.scope);
        let scope = self.scope(identity.2, body.scope_permissions.as_ref());
        scope.principals = true;
        self.table.principal_scopes.insert((identity.0, identity.2));
        self.table.principals.insert(identity, compiled);
    }

    pub(super) fn add_role(
        &mut self,
        body: &policy::RolePolicy,
        compiled: RolePolicy,
        reads: &AttributesRead,
    ) {
        self.table.common_attributes.merge(reads);
        let (version, _, scope) = self.identity(&body.version, &body.role, &body.scope);
        self.table.scopes.entry(scope).or_default().resources = true;
        let parents = body.parent_roles.iter().map(|role| self.symbols.intern(role)).collect();
        self.parents.insert((scope, compiled.role), parents);
        self.role_policies.entry((version, scope)).or_default().push(compiled);
    }

    /// The identity of a resource policy in the table.
    pub(super) fn resource_id(&mut self, body: &policy::ResourcePolicy) -> PolicyId {
        self.identity(&body.version, &sanitize(&body.resource), &body.scope)
    }

    pub(super) fn add_source(&mut self, key: &str, policy: &Policy) {
        if policy.kind().is_scoped() {
            self.table.sources.insert(key, policy.source.name().into());
        }
    }

    fn identity(&mut self, version: &str, name: &str, scope: &str) -> PolicyId {
        (self.symbols.intern(version), self.symbols.intern(name), self.symbols.intern(scope))
    }

    fn scope(&mut self, symbol: Symbol, permissions: Option<&Spanned<ScopePermissions>>) -> &mut Scope {
        let scope = self.table.scopes.entry(symbol).or_default();
        scope.permissions = Some(permissions.map_or(ScopePermissions::OverrideParent, |it| it.value));
        scope
    }

    pub(super) fn finish(self, modules: Modules<'_, '_>, policy_count: usize) -> RuleTable {
        RuleTable {
            roles: self.role_policies.into_iter().map(|(key, policies)| (key, policies.into())).collect(),
            parent_roles: ancestors(&self.parents),
            symbols: self.symbols,
            modules: modules.into_modules(),
            policy_count,
            ..self.table
        }
    }
}

/// Parents, their parents, and so on, each before what it inherits from, as the PDP asks them. Role policies may form a circle:
/// each role is taken once, and so is the role itself where it comes back to it.
fn ancestors(
    parents: &BTreeMap<(Symbol, Symbol), Vec<Symbol>>,
) -> rustc_hash::FxHashMap<(Symbol, Symbol), Box<[Symbol]>> {
    let all_of = |scope: Symbol, role: Symbol| {
        let direct = |role| parents.get(&(scope, role)).into_iter().flatten().rev().copied();
        let mut all = Vec::new();
        let mut next: Vec<Symbol> = direct(role).collect();
        while let Some(parent) = next.pop() {
            if !all.contains(&parent) {
                all.push(parent);
                next.extend(direct(parent));
            }
        }
        all.into()
    };
    parents.keys().map(|(scope, role)| ((*scope, *role), all_of(*scope, *role))).collect()
}

/// A scoped policy needs policies in all its parent scopes, and policies of one scope must agree on
/// `scopePermissions`. (The PDP checks the agreement in some load orders only, and its answers then depend on
/// the order; see its issue 3382.)
pub(super) fn check_scopes(by_key: &BTreeMap<String, &Policy>, diagnostics: &mut Diagnostics) {
    let role_rules = covered_by_roles(by_key);
    let mut permissions: BTreeMap<&str, (ScopePermissions, &Policy)> = BTreeMap::new();
    for policy in by_key.values() {
        let (Body::Resource(policy::ResourcePolicy { scope_permissions, .. })
        | Body::Principal(policy::PrincipalPolicy { scope_permissions, .. })) = &policy.body
        else {
            continue;
        };
        check_ancestors(policy, by_key, &role_rules, diagnostics);
        let own = scope_permissions.as_ref().map_or(ScopePermissions::OverrideParent, |it| it.value);
        let (first, other) = *permissions.entry(policy.scope()).or_insert((own, policy));
        if first != own {
            diagnostics.push(conflict(policy, scope_permissions.as_ref(), other));
        }
    }
}

/// Resource policies that the PDP leaves out without a word: an ancestor does not exist, and a role policy about the same resource
/// keeps it from saying so.
pub(super) fn left_out(by_key: &BTreeMap<String, &Policy>) -> BTreeSet<String> {
    let role_rules = covered_by_roles(by_key);
    let has_gap = |policy: &Policy| {
        let is_missing = |scope| {
            let key = policy_key(policy.kind(), policy.name(), policy.version(), scope);
            !by_key.contains_key(&key)
        };
        matches!(policy.body, Body::Resource(_)) && scope_parents(policy.scope()).any(is_missing)
    };
    if role_rules.is_empty() {
        return BTreeSet::new();
    }
    by_key.iter().filter(|(_, policy)| has_gap(policy)).map(|(key, _)| key.clone()).collect()
}

fn covered_by_roles<'p>(by_key: &BTreeMap<String, &'p Policy>) -> Vec<Covered<'p>> {
    by_key.values().filter_map(|policy| role_coverage(policy)).flatten().collect()
}

/// A resource that a role policy is about: (version, scope, resource pattern).
type Covered<'p> = (&'p str, &'p str, Matcher);

fn role_coverage(policy: &Policy) -> Option<impl Iterator<Item = Covered<'_>>> {
    let Body::Role(body) = &policy.body else { return None };
    let covered = |rule: &'_ policy::RoleRule| Matcher::new(&rule.resource).ok();
    Some(
        body.rules
            .iter()
            .filter_map(covered)
            .map(|resource| (body.version.as_str(), body.scope.as_str(), resource)),
    )
}

fn check_ancestors(
    policy: &Policy,
    by_key: &BTreeMap<String, &Policy>,
    role_rules: &[Covered<'_>],
    diagnostics: &mut Diagnostics,
) {
    for scope in scope_parents(policy.scope()) {
        let key = policy_key(policy.kind(), policy.name(), policy.version(), scope);
        let by_role_policy = matches!(policy.body, Body::Resource(_))
            && role_rules.iter().any(|(version, role_scope, resource)| {
                (*version, *role_scope) == (policy.version(), scope) && resource.matches(policy.name())
            });
        if by_key.contains_key(&key) {
            continue;
        }
        let message = format!("policy `{}` needs its ancestor `{key}`, which does not exist", policy.key());
        let hint = "add that policy (it may have no rules): scopes cannot have gaps";
        let diagnostic =
            Diagnostic::error(Code::MissingAncestor, &policy.source, policy.name_span(), message);
        diagnostics.push(if by_role_policy {
            let message = format!("{}; the policy is left out, as by the PDP", diagnostic.message);
            Diagnostic { severity: Severity::Warning, message, ..diagnostic.with_hint(hint) }
        } else {
            diagnostic.with_hint(hint)
        });
    }
}

fn conflict(policy: &Policy, written: Option<&Spanned<ScopePermissions>>, other: &Policy) -> Diagnostic {
    let scope = policy.scope();
    let message = format!("conflicting scopePermissions in scope `{scope}`");
    let span = written.map_or(policy.name_span(), |it| it.span);
    Diagnostic::error(Code::ConflictingScopePermissions, &policy.source, span, message)
        .with_related(
            Label::new(&other.source, other.name_span()).with_note("this policy of the scope says otherwise"),
        )
        .with_hint("all resource and principal policies of a scope need the same scopePermissions")
}
