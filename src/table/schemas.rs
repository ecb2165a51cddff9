//! Which schemas attributes have to satisfy.

use super::glob::Matcher;
use crate::schema::SchemaId;

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
    /// The schema, in the table's set.
    pub schema: SchemaId,
    /// A request for nothing but these actions is not validated.
    pub ignored_actions: Box<[Matcher]>,
}
