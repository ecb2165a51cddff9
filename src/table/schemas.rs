//! Which schemas attributes have to satisfy.

use std::sync::Arc;

use super::PolicyId;
use super::glob::Matcher;
use crate::schema::{SchemaId, SchemaSet};

/// The schemas of all policies, apart from the rules: whether they count is an option of the engine.
#[derive(Debug, Default)]
pub struct TableSchemas {
    /// Compiled.
    pub set: SchemaSet,
    /// The files that they were compiled from: path below `_schemas`, and text.
    pub files: Vec<(Box<str>, Box<str>)>,
    /// What resource policies demand.
    pub by_policy: Vec<(PolicyId, Arc<AttributeSchemas>)>,
}

/// The schemas of a resource policy: those of the outermost policy among its parents.
#[derive(Clone, Debug, Default)]
pub struct AttributeSchemas {
    /// Of the principal's attributes.
    pub principal: Option<AttributeSchema>,
    /// Of the resource's attributes.
    pub resource: Option<AttributeSchema>,
}

/// A schema, and when it is not looked at.
#[derive(Clone, Debug)]
pub struct AttributeSchema {
    /// The reference to it in the policy.
    pub reference: Box<str>,
    /// The schema that it leads to, in the table's set.
    pub schema: SchemaId,
    /// A request for nothing but these actions is not validated.
    pub ignored_actions: Box<[Matcher]>,
}
