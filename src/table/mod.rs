//! The compiled policy set: immutable, and indexed so that a check touches only the rules that can match.

mod attributes;
mod glob;
mod names;
mod outline;
mod rules;
mod schemas;
mod symbols;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::schema::SchemaSet;

pub use attributes::{AttributeSet, AttributesRead};
pub use glob::{Glob, InvalidGlob, Matcher};
pub use names::NameMap;
pub use outline::{DerivedRoleOutline, NamesRead, PolicyOutline, RuleOutline};
pub use rules::{
    Candidate, Condition, Constants, DerivedRole, Expression, Module, ModuleId, Output, PrincipalPolicy,
    PrincipalRule, ResourcePolicy, ResourceRule, RoleMatcher, RolePolicy, RoleRule, Row, Scope,
};
pub use schemas::{AttributeSchema, AttributeSchemas, TableSchemas};
pub use symbols::{Symbol, Symbols};

/// Identity of a policy among those of its kind: version, name (sanitised), scope.
pub type PolicyId = (Symbol, Symbol, Symbol);

/// Everything that the policies say. Compiling makes it; checks only read it.
#[derive(Debug, Default)]
pub struct RuleTable {
    /// Names.
    pub symbols: Symbols,
    /// Resource policies by identity.
    pub resources: FxHashMap<PolicyId, ResourcePolicy>,
    /// Principal policies by identity.
    pub principals: FxHashMap<PolicyId, PrincipalPolicy>,
    /// Role policies of a (version, scope), by role.
    pub roles: FxHashMap<(Symbol, Symbol), Box<[RolePolicy]>>,
    /// (version, scope) of every principal policy.
    pub principal_scopes: FxHashSet<(Symbol, Symbol)>,
    /// Scopes that policies have.
    pub scopes: FxHashMap<Symbol, Scope>,
    /// (scope, role) → all that the role inherits from by role policies of that scope, each before what it inherits from in turn;
    /// itself too, where it inherits from itself.
    pub parent_roles: FxHashMap<(Symbol, Symbol), Box<[Symbol]>>,
    /// Variables.
    pub modules: Box<[Module]>,
    /// Attributes that the policies of one kind read of resources.
    pub resource_attributes: FxHashMap<Symbol, AttributeSet>,
    /// What policies read whatever the kind: of principals all attributes, of resources those of principal and
    /// role policies, and whether any of them reads the clock.
    pub common_attributes: AttributesRead,
    /// What attributes have to satisfy. Empty where schemas are not enforced.
    pub schemas: SchemaSet,
    /// The file of each resource, principal and role policy, by policy key.
    pub sources: NameMap<Box<str>>,
    /// How many policies it was made of (disabled ones not counted).
    pub policy_count: usize,
}

impl RuleTable {
    /// Has the attributes of requests validated, for which all of them are needed.
    pub fn enforce(&mut self, TableSchemas { set, by_policy, .. }: TableSchemas) {
        self.schemas = set;
        for (id, schemas) in by_policy {
            self.common_attributes.principal.all |= schemas.principal.is_some();
            self.resource_attributes.entry(id.1).or_default().all |= schemas.resource.is_some();
            if let Some(policy) = self.resources.get_mut(&id) {
                policy.schemas = Some(schemas);
            }
        }
    }

    /// What a check of a resource kind can read of resources: at most these attributes.
    #[must_use]
    pub fn resource_attributes(&self, kind: &str) -> AttributeSet {
        let mut attributes = self.common_attributes.resource.clone();
        let of_kind = self.symbols.get(kind).and_then(|symbol| self.resource_attributes.get(&symbol));
        of_kind.into_iter().for_each(|of_kind| attributes.merge(of_kind));
        attributes
    }
}
