//! The policy format as types. Names are those of the format; an absent string field is `None` or, where
//! the format gives it a meaning, its default.

use std::ops::Deref;

use crate::text::{Source, Span};
use crate::yaml::Text;

/// A value and where it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it is written. For the default of an absent field, an empty span at the object that lacks it.
    pub span: Span,
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

/// One policy file.
#[derive(Clone, Debug)]
pub struct Policy {
    /// The text it was read from.
    pub source: Source,
    /// Whether the policy is to be left out of the set.
    pub disabled: bool,
    /// What the author says about it.
    pub description: Option<Spanned<String>>,
    /// What tools say about it.
    pub metadata: Metadata,
    /// The deprecated top-level `variables`: as if they were local variables of the body. Empty for
    /// exported variables and constants, which cannot have them.
    pub variables: Vec<Definition<Text>>,
    /// The policy itself.
    pub body: Body,
}

/// The policy, by its kind.
#[derive(Clone, Debug)]
pub enum Body {
    /// `resourcePolicy`
    Resource(ResourcePolicy),
    /// `principalPolicy`
    Principal(PrincipalPolicy),
    /// `derivedRoles`
    DerivedRoles(DerivedRoles),
    /// `rolePolicy`
    Role(RolePolicy),
    /// `exportVariables`
    ExportVariables(ExportVariables),
    /// `exportConstants`
    ExportConstants(ExportConstants),
}

/// `metadata`: carried along, without effect on decisions.
#[derive(Clone, Debug, Default)]
pub struct Metadata {
    /// `sourceFile`
    pub source_file: Option<Spanned<String>>,
    /// `annotations`
    pub annotations: Vec<Definition<Spanned<String>>>,
    /// `hash`
    pub hash: Option<u64>,
    /// `storeIdentifier`, or the deprecated misspelling `storeIdentifer`.
    pub store_identifier: Option<Spanned<String>>,
    /// `sourceAttributes.attributes`
    pub source_attributes: Vec<Definition<Constant>>,
}

/// A name and what it stands for, in the order of the text.
#[derive(Clone, Debug, PartialEq)]
pub struct Definition<T> {
    /// The name.
    pub name: Spanned<String>,
    /// What it stands for.
    pub value: T,
}

/// Rules for the actions on one kind of resource.
#[derive(Clone, Debug)]
pub struct ResourcePolicy {
    /// Where the body is written.
    pub span: Span,
    /// The kind of resource.
    pub resource: Spanned<String>,
    /// The policy version.
    pub version: Spanned<String>,
    /// The scope, "" when absent.
    pub scope: Spanned<String>,
    /// How the scope relates to its parents.
    pub scope_permissions: Option<Spanned<ScopePermissions>>,
    /// Names of the sets of derived roles that the rules use.
    pub import_derived_roles: Vec<Spanned<String>>,
    /// Variables that conditions and outputs may use.
    pub variables: Variables,
    /// Constants that conditions and outputs may use.
    pub constants: Constants,
    /// JSON Schemas of the attributes.
    pub schemas: Option<Schemas>,
    /// The rules, in order.
    pub rules: Vec<ResourceRule>,
}

/// A rule of a resource policy.
#[derive(Clone, Debug)]
pub struct ResourceRule {
    /// The whole rule.
    pub span: Span,
    /// The name given to it.
    pub name: Option<Spanned<String>>,
    /// Globs of actions; at least one.
    pub actions: Vec<Spanned<String>>,
    /// Globs of roles.
    pub roles: Vec<Spanned<String>>,
    /// Names of derived roles.
    pub derived_roles: Vec<Spanned<String>>,
    /// What the rule decides.
    pub effect: Effect,
    /// When it does.
    pub condition: Option<Condition>,
    /// What it says besides.
    pub output: Option<Output>,
}

/// Rules for one principal.
#[derive(Clone, Debug)]
pub struct PrincipalPolicy {
    /// Where the body is written.
    pub span: Span,
    /// The ID of the principal.
    pub principal: Spanned<String>,
    /// The policy version.
    pub version: Spanned<String>,
    /// The scope, "" when absent.
    pub scope: Spanned<String>,
    /// How the scope relates to its parents.
    pub scope_permissions: Option<Spanned<ScopePermissions>>,
    /// Variables that conditions and outputs may use.
    pub variables: Variables,
    /// Constants that conditions and outputs may use.
    pub constants: Constants,
    /// The rules, each for one glob of resource kinds.
    pub rules: Vec<PrincipalRule>,
}

/// The rules of a principal policy for one glob of resource kinds.
#[derive(Clone, Debug)]
pub struct PrincipalRule {
    /// The whole rule.
    pub span: Span,
    /// Glob of resource kinds.
    pub resource: Spanned<String>,
    /// What is decided for which action; at least one.
    pub actions: Vec<PrincipalAction>,
}

/// What a principal policy decides for an action.
#[derive(Clone, Debug)]
pub struct PrincipalAction {
    /// The whole action rule.
    pub span: Span,
    /// Glob of actions.
    pub action: Spanned<String>,
    /// The name given to it.
    pub name: Option<Spanned<String>>,
    /// What is decided.
    pub effect: Effect,
    /// When it is.
    pub condition: Option<Condition>,
    /// What is said besides.
    pub output: Option<Output>,
}

/// All that a role may do: a list of allowed actions by resource.
#[derive(Clone, Debug)]
pub struct RolePolicy {
    /// Where the body is written.
    pub span: Span,
    /// The role.
    pub role: Spanned<String>,
    /// The policy version, `default` when absent.
    pub version: Spanned<String>,
    /// The scope, "" when absent.
    pub scope: Spanned<String>,
    /// Roles whose permissions are narrowed.
    pub parent_roles: Vec<Spanned<String>>,
    /// Variables that conditions and outputs may use.
    pub variables: Variables,
    /// Constants that conditions and outputs may use.
    pub constants: Constants,
    /// The rules, in order.
    pub rules: Vec<RoleRule>,
}

/// A rule of a role policy.
#[derive(Clone, Debug)]
pub struct RoleRule {
    /// The whole rule.
    pub span: Span,
    /// Glob of resource kinds.
    pub resource: Spanned<String>,
    /// Globs of the actions that are allowed; at least one.
    pub allow_actions: Vec<Spanned<String>>,
    /// The name given to it.
    pub name: Option<Spanned<String>>,
    /// When the actions are allowed.
    pub condition: Option<Condition>,
    /// What is said besides.
    pub output: Option<Output>,
}

/// A set of derived roles that resource policies import.
#[derive(Clone, Debug)]
pub struct DerivedRoles {
    /// Where the body is written.
    pub span: Span,
    /// The name to import.
    pub name: Spanned<String>,
    /// Variables that the conditions may use.
    pub variables: Variables,
    /// Constants that the conditions may use.
    pub constants: Constants,
    /// The roles; at least one.
    pub definitions: Vec<DerivedRole>,
}

/// A role that a principal has in addition, by its roles and a condition.
#[derive(Clone, Debug)]
pub struct DerivedRole {
    /// The whole definition.
    pub span: Span,
    /// The name of the derived role.
    pub name: Spanned<String>,
    /// Roles of which the principal must have one (`*` for any).
    pub parent_roles: Vec<Spanned<String>>,
    /// When the principal has it.
    pub condition: Option<Condition>,
}

/// Variables that other policies import.
#[derive(Clone, Debug)]
pub struct ExportVariables {
    /// Where the body is written.
    pub span: Span,
    /// The name to import.
    pub name: Spanned<String>,
    /// The variables.
    pub definitions: Vec<Definition<Text>>,
}

/// Constants that other policies import.
#[derive(Clone, Debug)]
pub struct ExportConstants {
    /// Where the body is written.
    pub span: Span,
    /// The name to import.
    pub name: Spanned<String>,
    /// The constants.
    pub definitions: Vec<Definition<Constant>>,
}

/// The variables of a policy.
#[derive(Clone, Debug, Default)]
pub struct Variables {
    /// Names of exported variables.
    pub import: Vec<Spanned<String>>,
    /// Variables of its own.
    pub local: Vec<Definition<Text>>,
}

/// The constants of a policy.
#[derive(Clone, Debug, Default)]
pub struct Constants {
    /// Names of exported constants.
    pub import: Vec<Spanned<String>>,
    /// Constants of its own.
    pub local: Vec<Definition<Constant>>,
}

/// A JSON value in a policy. Equality ignores where it is written.
#[derive(Clone, Debug)]
pub struct Constant {
    /// Where it is written.
    pub span: Span,
    /// The value.
    pub value: ConstantValue,
}

impl PartialEq for Constant {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

/// The JSON values. All numbers are doubles, as everywhere in Cerbos.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstantValue {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A string.
    String(String),
    /// Values in order.
    List(Vec<Constant>),
    /// Keys, sorted, with their values.
    Map(Vec<(String, Constant)>),
}

/// What must hold for a rule to take effect.
#[derive(Clone, Debug)]
pub struct Condition {
    /// Where it is written: of a whole condition, from its key.
    pub span: Span,
    /// What must hold.
    pub kind: ConditionKind,
}

/// An expression, or conditions joined.
#[derive(Clone, Debug)]
pub enum ConditionKind {
    /// `expr`: a CEL expression is true.
    Expr(Text),
    /// `all.of`: all hold; at least one is given.
    All(Vec<Condition>),
    /// `any.of`: one of them holds; at least one is given.
    Any(Vec<Condition>),
    /// `none.of`: none holds; at least one is given.
    None(Vec<Condition>),
}

/// CEL expressions whose values go into the response. An output may have neither; the compiler refuses it.
#[derive(Clone, Debug)]
pub struct Output {
    /// Where it is written, from its key.
    pub span: Span,
    /// When the rule takes effect: `when.ruleActivated`, or else the deprecated `expr`.
    pub rule_activated: Option<Text>,
    /// When only the rule's condition keeps it from taking effect: `when.conditionNotMet`.
    pub condition_not_met: Option<Text>,
    /// The deprecated `expr` beside `when.ruleActivated`, which takes its place: it has to be right, and is never evaluated.
    pub superseded: Option<Text>,
}

/// JSON Schemas for the attributes in a request.
#[derive(Clone, Debug)]
pub struct Schemas {
    /// Of the principal.
    pub principal: Option<Schema>,
    /// Of the resource.
    pub resource: Option<Schema>,
}

/// A reference to a JSON Schema.
#[derive(Clone, Debug)]
pub struct Schema {
    /// Where it is written.
    pub span: Span,
    /// `ref`: the URL of the schema, such as `cerbos:///document.json`.
    pub reference: Spanned<String>,
    /// `ignoreWhen.actions`: globs of actions for which attributes are not validated.
    pub ignore_when_actions: Vec<Spanned<String>>,
}

/// What a rule decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// `EFFECT_ALLOW`
    Allow,
    /// `EFFECT_DENY`
    Deny,
}

/// How the policies of a scope relate to those of its parent scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ScopePermissions {
    /// `SCOPE_PERMISSIONS_OVERRIDE_PARENT`: what the scope decides is final.
    OverrideParent,
    /// `SCOPE_PERMISSIONS_REQUIRE_PARENTAL_CONSENT_FOR_ALLOWS`: what the scope allows, a parent scope must
    /// allow as well.
    RequireParentalConsentForAllows,
}
