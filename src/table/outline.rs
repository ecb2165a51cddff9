//! The compiled set in words: what a person, or a tool, wants to know of a policy. Everything is read from the table that
//! checks read, so that an outline tells what will be decided by and not what was meant.

use super::{
    Condition, Constants, DerivedRole, Module, ModuleId, Output, PolicyId, PrincipalPolicy, ResourcePolicy,
    ResourceRule, RoleMatcher, RolePolicy, RuleTable,
};
use crate::cel::Const;
use crate::policy::{Effect, Kind, ScopePermissions, scope_parents};

/// A resource, principal or role policy.
#[derive(Debug)]
pub struct PolicyOutline<'t> {
    /// The policy's identity; see [`policy_key`](crate::policy::policy_key).
    pub key: &'t str,
    /// Path of its file.
    pub file: &'t str,
    /// What it is.
    pub kind: Kind,
    /// The resource kind, principal ID or role that it is for; of a resource kind, as it stands in keys.
    pub name: &'t str,
    /// Its version.
    pub version: &'t str,
    /// Its scope.
    pub scope: &'t str,
    /// What an ALLOW in its scope needs; none where only role policies have the scope.
    pub scope_permissions: Option<ScopePermissions>,
    /// Keys of the policies of the same subject in its parent scopes, as far as there are any, nearest first.
    pub ancestors: Vec<&'t str>,
    /// Keys of the policies that it imports, directly or through derived roles.
    pub imports: Vec<&'t str>,
    /// What its rules read.
    pub reads: NamesRead<'t>,
    /// The derived roles that its rules are for, by name.
    pub derived_roles: Vec<DerivedRoleOutline<'t>>,
    /// Its rules in the order of the file.
    pub rules: Vec<RuleOutline<'t>>,
}

/// Variables and constants that expressions read, directly or through variables.
#[derive(Debug)]
pub struct NamesRead<'t> {
    /// Names and expressions, in an order in which each comes after those that it reads.
    pub variables: Vec<(&'t str, &'t str)>,
    /// Names and values, by name.
    pub constants: Vec<(&'t str, &'t Const)>,
}

/// A derived role as rules of a resource policy use it.
#[derive(Debug)]
pub struct DerivedRoleOutline<'t> {
    /// Its name.
    pub name: &'t str,
    /// Key of the policy that defines it.
    pub origin: &'t str,
    /// The roles that it derives from; `*` alone where it derives from any.
    pub parent_roles: Vec<&'t str>,
    /// What must hold besides.
    pub condition: Option<&'t Condition>,
    /// What the condition reads.
    pub reads: NamesRead<'t>,
}

/// A rule, in the form in which it is applied.
#[derive(Debug)]
pub struct RuleOutline<'t> {
    /// Its name, given or by its position; empty for a rule of a role policy without a name.
    pub name: &'t str,
    /// The resource kinds that it is for. None in a resource policy, which is for one.
    pub resource: Option<&'t str>,
    /// The actions that it is for, as they are written. In a role policy, those that it allows.
    pub actions: Vec<&'t str>,
    /// The roles that it is for; `*` alone where it is for any. Only in a resource policy.
    pub roles: Vec<&'t str>,
    /// The derived roles that it is for. Only in a resource policy.
    pub derived_roles: Vec<&'t str>,
    /// What it does. In a role policy ALLOW: everything else is denied. In a scope that requires consent, DENY for an ALLOW
    /// with a condition, whose condition is then negated.
    pub effect: Effect,
    /// When. In a role policy, when it does *not* allow.
    pub condition: Option<&'t Condition>,
    /// What it reports.
    pub output: Option<&'t Output>,
}

impl RuleTable {
    /// The outlines of all resource, principal and role policies, by key.
    #[must_use]
    pub fn outlines(&self) -> Vec<PolicyOutline<'_>> {
        let resources = self.resources.iter().map(|(id, policy)| self.resource(*id, policy));
        let principals = self.principals.iter().map(|(id, policy)| self.principal(*id, policy));
        let roles = self.roles.iter().flat_map(|((version, scope), policies)| {
            policies.iter().map(|policy| self.role((*version, policy.role, *scope), policy))
        });
        let mut outlines: Vec<_> = resources.chain(principals).chain(roles).collect();
        outlines.sort_by_key(|outline| outline.key);
        outlines
    }

    fn resource<'t>(&'t self, id: PolicyId, policy: &'t ResourcePolicy) -> PolicyOutline<'t> {
        let ancestor = |id: PolicyId| self.resources.get(&id).map(|policy| &*policy.key);
        PolicyOutline {
            imports: policy.imports.iter().map(|key| &**key).collect(),
            reads: self.reads(policy.module, &policy.uses, &policy.constants),
            derived_roles: policy.derived_roles.iter().map(|role| self.derived_role(role)).collect(),
            rules: policy.rules.iter().map(|rule| self.rule(policy, rule)).collect(),
            ..self.outline(Kind::Resource, &policy.key, id, ancestor)
        }
    }

    fn principal<'t>(&'t self, id: PolicyId, policy: &'t PrincipalPolicy) -> PolicyOutline<'t> {
        let ancestor = |id: PolicyId| self.principals.get(&id).map(|policy| &*policy.key);
        let rules = policy.rules.iter().map(|rule| RuleOutline {
            name: &rule.name,
            resource: Some(rule.resource.text()),
            actions: vec![rule.action.text()],
            roles: Vec::new(),
            derived_roles: Vec::new(),
            effect: rule.effect,
            condition: rule.condition.as_ref(),
            output: rule.output.as_ref(),
        });
        PolicyOutline {
            imports: policy.imports.iter().map(|key| &**key).collect(),
            reads: self.reads(policy.module, &policy.uses, &policy.constants),
            rules: rules.collect(),
            ..self.outline(Kind::Principal, &policy.key, id, ancestor)
        }
    }

    fn role<'t>(&'t self, id: PolicyId, policy: &'t RolePolicy) -> PolicyOutline<'t> {
        let rules = policy.rules.iter().map(|rule| {
            let mut actions: Vec<&str> = rule.allow_actions.iter().map(super::Matcher::text).collect();
            // An action that can be read as a pattern has two matchers.
            actions.dedup();
            RuleOutline {
                name: &rule.name,
                resource: Some(rule.resource.text()),
                actions,
                roles: Vec::new(),
                derived_roles: Vec::new(),
                effect: Effect::Allow,
                condition: rule.denial.as_ref(),
                output: rule.output.as_ref(),
            }
        });
        PolicyOutline {
            imports: policy.imports.iter().map(|key| &**key).collect(),
            reads: self.reads(policy.module, &policy.uses, &policy.constants),
            rules: rules.collect(),
            ..self.outline(Kind::Role, &policy.key, id, |_| None)
        }
    }

    /// What policies of all kinds have; the rest is empty.
    fn outline<'t>(
        &'t self,
        kind: Kind,
        key: &'t str,
        id: PolicyId,
        find: impl Fn(PolicyId) -> Option<&'t str>,
    ) -> PolicyOutline<'t> {
        let (version, name, scope) = id;
        let parents = scope_parents(self.symbols.name(scope)).filter_map(|parent| self.symbols.get(parent));
        PolicyOutline {
            key,
            file: self.sources.get(key).map_or("", |file| file),
            kind,
            name: self.symbols.name(name),
            version: self.symbols.name(version),
            scope: self.symbols.name(scope),
            scope_permissions: self.scopes.get(&scope).and_then(|scope| scope.permissions),
            ancestors: parents.filter_map(|parent| find((version, name, parent))).collect(),
            imports: Vec::new(),
            reads: NamesRead { variables: Vec::new(), constants: Vec::new() },
            derived_roles: Vec::new(),
            rules: Vec::new(),
        }
    }

    fn reads<'t>(&'t self, module: ModuleId, uses: &[u32], constants: &'t Constants) -> NamesRead<'t> {
        let module: Option<&Module> = self.modules.get(module.0 as usize);
        let variable = |slot: &u32| {
            let (module, slot) = (module?, *slot as usize);
            Some((&**module.names.get(slot)?, &**module.texts.get(slot)?))
        };
        NamesRead {
            variables: uses.iter().filter_map(variable).collect(),
            constants: constants.iter().map(|(name, value)| (&**name, value)).collect(),
        }
    }

    fn derived_role<'t>(&'t self, role: &'t DerivedRole) -> DerivedRoleOutline<'t> {
        DerivedRoleOutline {
            name: &role.name,
            origin: &role.origin,
            parent_roles: role.parent_roles.iter().map(|role| self.symbols.name(*role)).collect(),
            condition: role.condition.as_deref(),
            reads: self.reads(role.module, &role.uses, &role.constants),
        }
    }

    fn rule<'t>(&'t self, policy: &'t ResourcePolicy, rule: &'t ResourceRule) -> RuleOutline<'t> {
        let role = |matcher: &'t RoleMatcher| match matcher {
            RoleMatcher::Any => "*",
            RoleMatcher::Named(symbol) => self.symbols.name(*symbol),
            RoleMatcher::Glob(matcher) => matcher.text(),
        };
        let own = rule.rows.iter().filter(|row| row.derived_role.is_none());
        let mut derived_roles: Vec<&str> = rule
            .rows
            .iter()
            .filter_map(|row| policy.derived_roles.get(row.derived_role? as usize))
            .map(|role| &*role.name)
            .collect();
        derived_roles.dedup();
        RuleOutline {
            name: &rule.name,
            resource: None,
            actions: rule.actions.iter().map(|action| self.symbols.name(*action)).collect(),
            roles: own.map(|row| role(&row.role)).collect(),
            derived_roles,
            effect: rule.effect,
            condition: rule.condition.as_ref(),
            output: rule.output.as_ref(),
        }
    }
}
