//! Policies in the form that a check reads: names are symbols, expressions are programs.

use std::sync::Arc;

use super::glob::Matcher;
use super::names::NameMap;
use super::schemas::AttributeSchemas;
use super::symbols::Symbol;
use crate::cel::{Const, Program};
use crate::policy::{Effect, ScopePermissions};

/// An expression with the text it was compiled from, which evaluation errors quote.
#[derive(Debug)]
pub struct Expression {
    /// The text in the policy.
    pub text: Arc<str>,
    /// The program. Policies that say the same share it.
    pub program: Arc<Program>,
}

/// A condition tree. Unlike CEL's operators, `All`, `Any` and `None` treat an expression that raises an error
/// as one that is not satisfied.
#[derive(Debug)]
pub enum Condition {
    /// One expression.
    Expr(Expression),
    /// Every one is satisfied.
    All(Box<[Condition]>),
    /// At least one is satisfied.
    Any(Box<[Condition]>),
    /// Not one is satisfied.
    None(Box<[Condition]>),
}

/// What a rule reports besides its effect.
#[derive(Debug, Default)]
pub struct Output {
    /// Evaluated when the rule takes effect.
    pub rule_activated: Option<Expression>,
    /// Evaluated when the rule's condition is not satisfied.
    pub condition_not_met: Option<Expression>,
}

/// The variables of one policy file, evaluated at most once a request.
#[derive(Debug, Default)]
pub struct Module {
    /// One program a variable; the slot of a variable is its place here, and it reads only lower slots.
    pub programs: Box<[Program]>,
    /// The texts of the same variables.
    pub texts: Box<[Arc<str>]>,
    /// Their names.
    pub names: Box<[Box<str>]>,
}

/// Constants by name.
pub type Constants = Box<[(Box<str>, Const)]>;

/// Number of a [`Module`] in the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ModuleId(pub u32);

/// A derived role that rules of one resource policy refer to.
#[derive(Debug)]
pub struct DerivedRole {
    /// Its name.
    pub name: Box<str>,
    /// The roles it derives from, by name; empty when `any_parent`.
    pub parent_roles: Box<[Symbol]>,
    /// Whether it derives from `*`.
    pub any_parent: bool,
    /// What must hold besides. Every policy that imports the role shares it.
    pub condition: Option<Arc<Condition>>,
    /// Where its variables are.
    pub module: ModuleId,
    /// Slots of the variables that the condition reads, directly or through others.
    pub uses: Box<[u32]>,
    /// The constants that it reads in the same ways.
    pub constants: Constants,
    /// Key of the policy that defines it.
    pub origin: Box<str>,
}

/// Whom a row of a rule is for.
#[derive(Debug)]
pub struct Row {
    /// The role.
    pub role: RoleMatcher,
    /// The derived role that brought this row, as its place in the policy's list.
    pub derived_role: Option<u32>,
    /// Where a request remembers whether the condition of this row is satisfied.
    pub memo: u32,
}

/// A role as a rule names it.
#[derive(Debug)]
pub enum RoleMatcher {
    /// `*`.
    Any,
    /// One role.
    Named(Symbol),
    /// A pattern.
    Glob(Matcher),
}

/// A rule of a resource policy.
#[derive(Debug)]
pub struct ResourceRule {
    /// Its name, given or `rule-NNN`.
    pub name: Box<str>,
    /// What it does.
    pub effect: Effect,
    /// When.
    pub condition: Option<Condition>,
    /// What it reports.
    pub output: Option<Output>,
    /// Its actions as they are written.
    pub actions: Box<[Symbol]>,
    /// For whom: its roles, then the parent roles of its derived roles.
    pub rows: Box<[Row]>,
}

/// How often a rule names an action: each naming counts, because each emits the rule's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Place of the rule in the policy.
    pub rule: u32,
    /// How many of its action patterns fit.
    pub times: u32,
}

/// A resource policy: one kind, version and scope.
#[derive(Debug)]
pub struct ResourcePolicy {
    /// `resource.KIND.vVERSION[/SCOPE]`.
    pub key: Box<str>,
    /// Its rules in the order of the file.
    pub rules: Box<[ResourceRule]>,
    /// The derived roles that its rules name, by name.
    pub derived_roles: Box<[DerivedRole]>,
    /// Where its variables are.
    pub module: ModuleId,
    /// Slots of the variables that its rules read, directly or through others.
    pub uses: Box<[u32]>,
    /// The constants that they read in the same ways.
    pub constants: Constants,
    /// Keys of the policies that it imports, directly or through derived roles, in the order of keys.
    pub imports: Box<[Box<str>]>,
    /// How many memos its rows share.
    pub memos: u32,
    /// Whether any expression reads `runtime`.
    pub reads_runtime: bool,
    /// What attributes have to satisfy; none where schemas are not enforced.
    pub schemas: Option<Arc<AttributeSchemas>>,
    /// Rules for each action that a rule names without a wildcard.
    pub actions: NameMap<Box<[Candidate]>>,
    /// Rules with wildcards in actions, for every other action.
    pub patterns: Box<[(Matcher, u32)]>,
}

/// A rule of a principal policy: one action of one resource.
#[derive(Debug)]
pub struct PrincipalRule {
    /// Its name, given or `RESOURCE_rule-NNN`.
    pub name: Box<str>,
    /// The kinds it is for.
    pub resource: Matcher,
    /// The actions it is for.
    pub action: Matcher,
    /// What it does.
    pub effect: Effect,
    /// When.
    pub condition: Option<Condition>,
    /// What it reports.
    pub output: Option<Output>,
}

/// A principal policy: one principal, version and scope. The memo of a rule is its place.
#[derive(Debug)]
pub struct PrincipalPolicy {
    /// `principal.ID.vVERSION[/SCOPE]`.
    pub key: Box<str>,
    /// Its rules in the order of the file.
    pub rules: Box<[PrincipalRule]>,
    /// Where its variables are.
    pub module: ModuleId,
    /// Slots of the variables that its rules read, directly or through others.
    pub uses: Box<[u32]>,
    /// The constants that they read in the same ways.
    pub constants: Constants,
    /// Keys of the policies that it imports, directly or through derived roles, in the order of keys.
    pub imports: Box<[Box<str>]>,
}

/// A rule of a role policy.
#[derive(Debug)]
pub struct RoleRule {
    /// Its name; empty where none is given.
    pub name: Box<str>,
    /// The kinds it is for.
    pub resource: Matcher,
    /// What it allows.
    pub allow_actions: Box<[Matcher]>,
    /// The negation of the rule's condition: the rule denies when it holds.
    pub denial: Option<Condition>,
    /// What it reports, seen from the rule (not from the denial).
    pub output: Option<Output>,
}

/// A role policy: one role, version and scope. The memo of a rule is its place.
#[derive(Debug)]
pub struct RolePolicy {
    /// The role.
    pub role: Symbol,
    /// `role.ROLE.vVERSION[/SCOPE]`.
    pub key: Box<str>,
    /// Its rules in the order of the file.
    pub rules: Box<[RoleRule]>,
    /// Where its variables are.
    pub module: ModuleId,
    /// Slots of the variables that its rules read, directly or through others.
    pub uses: Box<[u32]>,
    /// The constants that they read in the same ways.
    pub constants: Constants,
    /// Keys of the policies that it imports, directly or through derived roles, in the order of keys.
    pub imports: Box<[Box<str>]>,
}

/// What the policies of one scope have in common.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scope {
    /// Some resource or role policy has this scope.
    pub resources: bool,
    /// Some principal policy has this scope.
    pub principals: bool,
    /// What an ALLOW in this scope needs; none where only role policies have the scope.
    pub permissions: Option<ScopePermissions>,
}
