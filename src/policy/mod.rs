//! Policy text → the typed policy: the six kinds of `api.cerbos.dev/v1`, every node with its span.

pub mod decode;
mod files;
mod kinds;
mod model;
mod names;
pub mod rules;
mod unique;

use crate::text::{Code, Diagnostic, Diagnostics, Source, Span};
use crate::yaml;

pub use crate::yaml::{Budget, Text};
pub use files::FileKind;
pub use model::{
    Body, Condition, ConditionKind, Constant, ConstantValue, Constants, Definition, DerivedRole,
    DerivedRoles, Effect, ExportConstants, ExportVariables, Metadata, Output, Policy, PrincipalAction,
    PrincipalPolicy, PrincipalRule, ResourcePolicy, ResourceRule, RolePolicy, RoleRule, Schema, Schemas,
    ScopePermissions, Spanned, Variables,
};
pub use names::{
    DEFAULT_VERSION, Kind, policy_key, principal_rule_name, resource_rule_name, sanitize, scope_parents,
};

/// Reads the one policy of a text.
///
/// # Errors
/// Everything that is wrong with the text: YAML errors, or else all errors of the policy format. A text
/// without any document is an error as well; see [`parse_file`].
pub fn parse(source: &Source, budget: &Budget) -> Result<Policy, Diagnostics> {
    parse_file(source, budget)?.ok_or_else(|| {
        Diagnostic::error(Code::PolicyType, source, Span::at(0), "the file holds no policy").into()
    })
}

/// What is wrong with a policy file.
#[derive(Debug)]
pub struct Broken {
    /// YAML errors, or else all errors of the policy format.
    pub diagnostics: Diagnostics,
    /// What can be read in spite of errors of the format.
    pub remains: Option<Box<Remains>>,
}

/// A policy without the parts that are wrong: to look for further mistakes in it, and for nothing else.
#[derive(Debug)]
pub struct Remains {
    /// The policy. In the place of what is missing or wrong are empty names, and whole rules and definitions may lack.
    pub policy: Policy,
    /// Whether it has all the variables and constants that the file means to define or import.
    pub names_are_known: bool,
}

impl From<Diagnostics> for Broken {
    fn from(diagnostics: Diagnostics) -> Self {
        Self { diagnostics, remains: None }
    }
}

/// Reads the policy of a file, or `None` from a file that is empty or holds only comments: the PDP passes
/// over such files.
///
/// # Errors
/// As [`parse`].
pub fn parse_file(source: &Source, budget: &Budget) -> Result<Option<Policy>, Diagnostics> {
    read_file(source, budget).map_err(|broken| broken.diagnostics)
}

/// Reads the policy of a file as [`parse_file`] does, and what remains of one whose format is wrong.
///
/// # Errors
/// As [`parse`].
pub fn read_file(source: &Source, budget: &Budget) -> Result<Option<Policy>, Broken> {
    let documents = yaml::parse(source, budget)?;
    if let [_, second, ..] = &*documents {
        let span = Span::at(second.span.start as usize);
        let message = "a policy file holds one document, and here a second one starts";
        let diagnostic = Diagnostic::error(Code::MultipleDocuments, source, span, message);
        return Err(Diagnostics::from(diagnostic.with_hint("move it to a file of its own")).into());
    }
    documents.first().map(|document| kinds::policy(document, source, budget)).transpose()
}

/// Reads each document of a text as a policy. Anchors are kept from one document to the next.
///
/// # Errors
/// The errors of the YAML stream. Each document has its own result.
pub fn parse_stream(
    source: &Source,
    budget: &Budget,
) -> Result<Vec<Result<Policy, Diagnostics>>, Diagnostics> {
    let documents = yaml::parse(source, budget)?;
    let read = |document| kinds::policy(document, source, budget).map_err(|broken| broken.diagnostics);
    Ok(documents.iter().map(read).collect())
}
