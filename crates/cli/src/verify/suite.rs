//! Test suites and fixtures as types. Names are those of the format.

use std::collections::BTreeMap;

use orthrus::cel::{Const, Timestamp};
use orthrus::policy::{Effect, Spanned};
use orthrus::text::{Source, Span};
use serde_json::Value;

/// One `*_test.yaml`.
#[derive(Debug)]
pub struct Suite {
    /// The text it was read from.
    pub source: Source,
    /// Its name.
    pub name: String,
    /// What the author says about it.
    pub description: String,
    /// Whether it is left out.
    pub skip: bool,
    /// Why it is.
    pub skip_reason: String,
    /// Settings of its tests that have none of their own.
    pub options: Option<TestOptions>,
    /// The tests; at least one.
    pub tests: Vec<TestTable>,
    /// Principals, resources, auxiliary data and groups that only this suite sees.
    pub fixtures: Fixtures,
}

/// Settings of tests. A test that has its own has none of its suite.
#[derive(Debug)]
pub struct TestOptions {
    /// What `now()` gives; a test without it fails to run if a policy asks for the time.
    pub now: Option<Timestamp>,
    /// Whether a scope without policies falls back to its nearest ancestor that has some.
    pub lenient_scope_search: bool,
    /// What policies read as `globals`; the engine's own where empty.
    pub globals: Const,
    /// Policy version of principals and resources that name none; the engine's own where empty.
    pub default_policy_version: String,
    /// Scope of principals and resources that name none; the engine's own where empty.
    pub default_scope: String,
    /// Whether an expression that raises an error denies the action.
    pub strict_evaluation: bool,
}

/// Principals, resources, auxiliary data by the names that tests use, and groups of those names.
#[derive(Debug, Default)]
pub struct Fixtures {
    /// Principals.
    pub principals: BTreeMap<String, Principal>,
    /// Resources.
    pub resources: BTreeMap<String, Resource>,
    /// Auxiliary data.
    pub aux_data: BTreeMap<String, AuxData>,
    /// Names of principals by the name of the group.
    pub principal_groups: BTreeMap<String, Group>,
    /// Names of resources by the name of the group.
    pub resource_groups: BTreeMap<String, Group>,
}

/// No fixture at all.
pub(super) static NO_FIXTURES: Fixtures = Fixtures {
    principals: BTreeMap::new(),
    resources: BTreeMap::new(),
    aux_data: BTreeMap::new(),
    principal_groups: BTreeMap::new(),
    resource_groups: BTreeMap::new(),
};

/// A principal of a fixture.
#[derive(Debug, PartialEq)]
pub struct Principal {
    /// `id`
    pub id: String,
    /// `policyVersion`
    pub policy_version: String,
    /// `scope`
    pub scope: String,
    /// `roles`, at least one.
    pub roles: Vec<String>,
    /// `attr`, a map.
    pub attr: Const,
}

/// A resource of a fixture.
#[derive(Debug, PartialEq)]
pub struct Resource {
    /// `kind`
    pub kind: String,
    /// `id`
    pub id: String,
    /// `policyVersion`
    pub policy_version: String,
    /// `scope`
    pub scope: String,
    /// `attr`, a map.
    pub attr: Const,
}

/// Claims of a fixture.
#[derive(Debug, PartialEq)]
pub struct AuxData {
    /// The claims of the one token, a map.
    pub jwt: Const,
    /// The claims of each named token, a map of maps.
    pub jwts: Const,
}

/// Names of principals or of resources.
#[derive(Debug)]
pub struct Group {
    /// The names; at least one.
    pub members: Vec<Spanned<String>>,
}

/// A test: every principal against every resource, for all actions.
#[derive(Debug)]
pub struct TestTable {
    /// Its name.
    pub name: Spanned<String>,
    /// What the author says about it.
    pub description: String,
    /// Whether it is left out.
    pub skip: bool,
    /// Why it is.
    pub skip_reason: String,
    /// What is asked.
    pub input: Input,
    /// What is to be answered.
    pub expected: Vec<Expectation>,
    /// Settings in place of those of the suite.
    pub options: Option<TestOptions>,
}

/// What a test asks.
#[derive(Debug)]
pub struct Input {
    /// Who asks.
    pub principals: Members,
    /// For what.
    pub resources: Members,
    /// To do what; at least one.
    pub actions: Vec<Spanned<String>>,
    /// With which claims.
    pub aux_data: Option<Spanned<String>>,
}

/// Names of fixtures, given one by one and by group.
#[derive(Debug, Default)]
pub struct Members {
    /// Names.
    pub names: Vec<Spanned<String>>,
    /// Names of groups.
    pub groups: Vec<Spanned<String>>,
}

/// What a test expects for some of its principals and resources.
#[derive(Debug)]
pub struct Expectation {
    /// Where it is written.
    pub span: Span,
    /// Whom it is about.
    pub principals: Members,
    /// And what.
    pub resources: Members,
    /// Effects by action; actions that are not named are to be denied.
    pub actions: Vec<(Spanned<String>, Effect)>,
    /// Outputs by action.
    pub outputs: Vec<OutputExpectation>,
}

/// The outputs that an action is to have; others may be there as well.
#[derive(Debug)]
pub struct OutputExpectation {
    /// The action.
    pub action: Spanned<String>,
    /// The outputs; at least one.
    pub entries: Vec<ExpectedOutput>,
}

/// An output that is to be there.
#[derive(Debug)]
pub struct ExpectedOutput {
    /// `src`: the policy's key, `#`, and the name of the rule.
    pub src: Spanned<String>,
    /// `val`; absent where none is written, which no output equals.
    pub val: Option<Value>,
}
