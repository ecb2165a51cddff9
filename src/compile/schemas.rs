//! The schemas that resource policies refer to.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::as_warnings;
use super::index::Builder;
use super::modules::Modules;
use super::patterns::ignored_action;
use crate::policy::{self, Body, Policy, policy_key, scope_parents};
use crate::schema::{Compiler, Enforcement, Finished, Library, SchemaSet, Unloadable, elsewhere};
use crate::table::{AttributeSchema, AttributeSchemas, TableSchemas};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Severity};

/// The schemas of all policies.
#[derive(Default)]
pub(super) struct PolicySchemas {
    pub(super) set: SchemaSet,
    /// The files that they are made of, by path.
    pub(super) files: Vec<(Box<str>, Box<str>)>,
    /// What each resource policy demands, by its key: that of the outermost of its parents.
    pub(super) by_policy: BTreeMap<String, Arc<AttributeSchemas>>,
}

/// Compiles the schemas of all policies, and gives each resource policy those of the outermost of its parents.
///
/// A schema that is missing or wrong is an error where schemas are enforced: the PDP starts and then refuses every request that the
/// schema is about, which helps nobody. Where they are not enforced nothing depends on it, and it is a warning.
pub(super) fn compile(
    by_key: &BTreeMap<String, &Policy>,
    library: &Library,
    enforcement: Enforcement,
    modules: &mut Modules<'_, '_>,
) -> (PolicySchemas, Diagnostics) {
    if enforcement == Enforcement::Ignored {
        return (PolicySchemas::default(), Diagnostics::new());
    }
    let mut compiler = Compiler::new(library);
    let mut compiled = BTreeMap::new();
    for (key, policy) in by_key {
        if let Body::Resource(policy::ResourcePolicy { schemas: Some(schemas), .. }) = &policy.body {
            let mut compile = |written: &Option<policy::Schema>| {
                written
                    .as_ref()
                    .and_then(|it| attribute_schema(policy, it, &mut compiler, enforcement, modules))
            };
            let schemas = AttributeSchemas {
                principal: compile(&schemas.principal),
                resource: compile(&schemas.resource),
            };
            compiled.insert(key.as_str(), Arc::new(schemas));
        }
    }
    let Finished { schemas: set, files, errors, unused } = compiler.finish();
    let mut diagnostics = Diagnostics::new();
    diagnostics.extend(as_warnings(unused));
    match enforcement {
        Enforcement::Ignored | Enforcement::None => diagnostics.extend(as_warnings(errors)),
        Enforcement::Warn | Enforcement::Reject => diagnostics.extend(errors),
    }
    let resources = by_key.iter().filter(|(_, policy)| matches!(policy.body, Body::Resource(_)));
    let by_policy = resources.filter_map(|(key, policy)| {
        compiled.get(outermost(policy, by_key).as_str()).map(|schemas| (key.clone(), Arc::clone(schemas)))
    });
    (PolicySchemas { by_policy: by_policy.collect(), files, set }, diagnostics)
}

impl PolicySchemas {
    /// The same by the identity of policies in the table.
    pub(super) fn finish(self, by_key: &BTreeMap<String, &Policy>, builder: &mut Builder) -> TableSchemas {
        let Self { set, files, by_policy } = self;
        let of_policy = |(key, policy): (&String, &&Policy)| match &policy.body {
            Body::Resource(body) => {
                by_policy.get(key).map(|schemas| (builder.resource_id(body), Arc::clone(schemas)))
            }
            _ => None,
        };
        TableSchemas { set, files, by_policy: by_key.iter().filter_map(of_policy).collect() }
    }
}

/// The key of the outermost policy among a policy and its parents: the one whose schemas count.
fn outermost(policy: &Policy, by_key: &BTreeMap<String, &Policy>) -> String {
    let key = |scope: &str| policy_key(policy.kind(), policy.name(), policy.version(), scope);
    let parents = scope_parents(policy.scope()).map(key);
    parents.filter(|key| by_key.contains_key(key)).last().unwrap_or_else(|| policy.key())
}

fn attribute_schema(
    policy: &Policy,
    written: &policy::Schema,
    compiler: &mut Compiler<'_>,
    enforcement: Enforcement,
    modules: &mut Modules<'_, '_>,
) -> Option<AttributeSchema> {
    let reference = &written.reference;
    let actions = &written.ignore_when_actions;
    let ignored_actions =
        actions.iter().filter_map(|action| ignored_action(policy, action, modules)).collect();
    let referrer = Label::new(&policy.source, reference.span).with_note("this policy needs the schema");
    let mut report = |message, hint: &str| {
        let diagnostic = Diagnostic::error(Code::InvalidSchema, &policy.source, reference.span, message);
        let is_needed = enforcement != Enforcement::None;
        let severity = if is_needed { Severity::Error } else { Severity::Warning };
        modules.report(Diagnostic { severity, ..diagnostic.with_hint(hint) });
    };
    match compiler.reference(reference, referrer) {
        Ok(schema) => {
            return Some(AttributeSchema { reference: reference.as_str().into(), schema, ignored_actions });
        }
        Err(Unloadable::Broken) => {}
        Err(Unloadable::Wrong { message, hint }) => report(message, &hint),
        Err(Unloadable::Elsewhere) => {
            let (message, hint) = elsewhere(reference);
            report(message, hint);
        }
    }
    None
}
