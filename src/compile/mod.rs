//! `policies → RuleTable`: resolves imports, checks and compiles every expression, and indexes the rules.
//!
//! All mistakes of all policies are reported together. The result depends on what the policies say and not on
//! the order in which they are given.

mod definitions;
mod denials;
mod expressions;
mod imports;
mod index;
mod modules;
mod patterns;
mod remains;
mod rules;
mod schemas;
mod used;

use std::collections::BTreeMap;

use crate::cel::Const;
use crate::policy::{Body, Policy};
use crate::schema::{Enforcement, Library as SchemaLibrary};
use crate::table::{RuleTable, TableSchemas};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Severity};
use imports::Library;
use index::Builder;
use modules::Modules;

pub use modules::to_const;
pub use remains::check_remains;

/// A policy set that can decide, and what is odd about it.
#[derive(Debug)]
pub struct Compiled {
    /// The rules.
    pub table: RuleTable,
    /// The schemas that policies refer to, which do not count until they are [enforced](RuleTable::enforce).
    pub schemas: TableSchemas,
    /// Warnings.
    pub warnings: Diagnostics,
}

/// What compiling has to know of the engine that will decide.
#[derive(Clone, Copy, Debug)]
pub struct Settings<'s> {
    /// What becomes of requests that schemas refuse.
    pub enforcement: Enforcement,
    /// Whether a condition that raises an error denies: then no DENY rule is skipped.
    pub strict_evaluation: bool,
    /// What expressions read as `G`.
    pub globals: &'s Const,
}

/// Compiles policies, and the schemas that they refer to. Disabled policies are left out, as if their files were
/// not there.
pub fn compile(
    policies: &[Policy],
    schemas: &SchemaLibrary,
    settings: &Settings<'_>,
) -> Result<Compiled, Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let by_key = index_by_key(policies, &mut diagnostics);
    let library = Library::new(by_key.values().copied());
    let mut modules = Modules::new(&library);
    let mut builder = Builder::default();
    let left_out = index::left_out(&by_key);
    for (key, policy) in &by_key {
        builder.add_source(key, policy);
        match &policy.body {
            // Its mistakes are found all the same.
            Body::Resource(body) if left_out.contains(key) => {
                rules::resource_policy(policy, body, &mut modules, &mut Builder::default());
            }
            Body::Resource(body) => rules::resource_policy(policy, body, &mut modules, &mut builder),
            Body::Principal(body) => rules::principal_policy(policy, body, &mut modules, &mut builder),
            Body::Role(body) => rules::role_policy(policy, body, &mut modules, &mut builder),
            Body::DerivedRoles(_) | Body::ExportVariables(_) | Body::ExportConstants(_) => {}
        }
    }
    let (schemas, of_schemas) = schemas::compile(&by_key, schemas, settings.enforcement, &mut modules);
    diagnostics.extend(of_schemas);
    index::check_scopes(&by_key, &mut diagnostics);
    modules.compile_unused();
    diagnostics.extend(modules.take_diagnostics());
    if diagnostics.has_errors() {
        return Err(diagnostics.sorted());
    }
    if !settings.strict_evaluation {
        let denials = std::mem::take(&mut modules.denials);
        diagnostics.extend(denials::check(&denials, &modules.expressions, &schemas, settings.globals));
    }
    let schemas = schemas.finish(&by_key, &mut builder);
    Ok(Compiled { table: builder.finish(modules, by_key.len()), schemas, warnings: diagnostics.sorted() })
}

/// Policies by their identity, in an order that does not depend on that of the files.
fn index_by_key<'p>(policies: &'p [Policy], diagnostics: &mut Diagnostics) -> BTreeMap<String, &'p Policy> {
    let mut enabled: Vec<&Policy> = policies.iter().filter(|policy| !policy.disabled).collect();
    enabled.sort_by_key(|policy| policy.source.name());
    let mut by_key: BTreeMap<String, &Policy> = BTreeMap::new();
    for policy in enabled {
        let key = policy.key();
        if let Some(first) = by_key.get(&key) {
            let message = format!("policy `{key}` is defined more than once");
            let elsewhere = Label::new(&first.source, first.name_span()).with_note("it is also defined here");
            diagnostics.push(
                Diagnostic::error(Code::DuplicatePolicy, &policy.source, policy.name_span(), message)
                    .with_related(elsewhere)
                    .with_hint("give one of them another name, version or scope, or set `disabled: true`"),
            );
        } else {
            by_key.insert(key, policy);
        }
    }
    by_key
}

/// The same diagnostics as warnings: for policies that nothing uses, whose mistakes harm nobody yet.
fn as_warnings(diagnostics: Diagnostics) -> impl Iterator<Item = Diagnostic> {
    diagnostics.into_iter().map(|diagnostic| Diagnostic { severity: Severity::Warning, ..diagnostic })
}
