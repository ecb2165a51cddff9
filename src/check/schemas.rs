//! Attributes against the schemas of the policies.

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::decision::{AttributeSource, ValidationError};
use crate::cel::Map;
use crate::schema::SchemaSet;
use crate::table::{AttributeSchema, AttributeSchemas};

/// What the schemas refuse in the attributes of the principal, then in those of the resource.
pub(super) fn validate<'a>(
    set: &SchemaSet,
    schemas: &AttributeSchemas,
    (of_principal, of_resource): (Map<'a>, Map<'a>),
    actions: &[&str],
    arena: &'a Bump,
) -> &'a [ValidationError<'a>] {
    let mut errors = Vec::new_in(arena);
    let mut validate = |schema: Option<&AttributeSchema>, attributes: Map<'a>, source| {
        if let Some(it) = schema.filter(|schema| !ignores(schema, actions)) {
            let violations = set.validate(it.schema, attributes, arena);
            errors.extend(violations.iter().map(|violation| ValidationError {
                source,
                path: violation.path,
                message: violation.message,
            }));
        }
    };
    validate(schemas.principal.as_ref(), of_principal, AttributeSource::Principal);
    validate(schemas.resource.as_ref(), of_resource, AttributeSource::Resource);
    errors.into_bump_slice()
}

/// One action that is not ignored, and the attributes are validated for all.
fn ignores(schema: &AttributeSchema, actions: &[&str]) -> bool {
    let is_ignored = |action: &&str| schema.ignored_actions.iter().any(|ignored| ignored.matches(action));
    !schema.ignored_actions.is_empty() && actions.iter().all(is_ignored)
}
