//! Compiled schemas.

use ::regex::Regex;

use super::number::Decimal;
use crate::cel::Const;

/// The number of a schema in its [`SchemaSet`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SchemaId(pub(super) u32);

/// All schemas that policies use, and those that these refer to. Immutable.
#[derive(Debug, Default)]
pub struct SchemaSet {
    pub(super) schemas: Box<[Schema]>,
    pub(super) resources: Box<[Resource]>,
    /// Whether any schema asks what others left unevaluated. Only then is that kept track of.
    pub(super) tracks_evaluation: bool,
}

/// One schema: what it demands, in the order in which that is checked.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// The resource that it is a part of.
    pub(super) resource: u32,
    pub(super) keywords: Box<[Keyword]>,
}

/// A file, or a part of it with an `$id` of its own: what dynamic references are resolved by.
#[derive(Debug, Default)]
pub(super) struct Resource {
    pub(super) dynamic_anchors: Box<[(Box<str>, SchemaId)]>,
    /// The root, if it has `"$recursiveAnchor": true`.
    pub(super) recursive_anchor: Option<SchemaId>,
}

/// A set of JSON types, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Types(u8);

impl Types {
    pub(super) const NAMES: [&'static str; 7] =
        ["null", "boolean", "object", "array", "number", "string", "integer"];

    pub(super) const NULL: Self = Self(1);
    pub(super) const BOOLEAN: Self = Self(1 << 1);
    pub(super) const OBJECT: Self = Self(1 << 2);
    pub(super) const ARRAY: Self = Self(1 << 3);
    pub(super) const NUMBER: Self = Self(1 << 4);
    pub(super) const STRING: Self = Self(1 << 5);
    pub(super) const INTEGER: Self = Self(1 << 6);

    /// The type of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|known| *known == name).map(|bit| Self(1 << bit))
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether the two have a type in common.
    pub(super) fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn has(self, name: &str) -> bool {
        Self::named(name).is_some_and(|one| self.meets(one))
    }
}

#[derive(Debug)]
pub(super) enum Keyword {
    /// The schema `false`.
    Never,
    /// What follows is only checked if the type fits.
    Type {
        allowed: Types,
        names: Box<str>,
    },
    Const {
        value: Const,
        message: Box<str>,
    },
    Enum {
        values: Box<[Const]>,
        message: Box<str>,
    },
    Format {
        name: Box<str>,
        is_valid: fn(&str) -> bool,
    },

    MinProperties(u64),
    MaxProperties(u64),
    Required(Box<[Box<str>]>),
    Properties(Box<Properties>),
    PropertyNames(SchemaId),
    DependentRequired {
        name: Box<str>,
        required: Box<[Box<str>]>,
    },
    DependentSchema {
        name: Box<str>,
        schema: SchemaId,
    },

    MinItems(u64),
    MaxItems(u64),
    UniqueItems,
    Items {
        prefix: Box<[SchemaId]>,
        rest: Rest,
    },
    Contains {
        schema: SchemaId,
        min: u64,
        max: Option<u64>,
        evaluates: bool,
    },

    MinLength(u64),
    MaxLength(u64),
    Pattern {
        regex: Regex,
        pattern: Box<str>,
    },
    Content(Box<Content>),

    Minimum(f64),
    ExclusiveMinimum(f64),
    Maximum(f64),
    ExclusiveMaximum(f64),
    MultipleOf {
        factor: f64,
        decimal: Decimal,
    },

    Ref(SchemaId),
    DynamicRef {
        target: SchemaId,
        anchor: Option<Box<str>>,
    },
    RecursiveRef {
        target: SchemaId,
        to_anchor: bool,
    },

    Not(SchemaId),
    AllOf(Box<[SchemaId]>),
    AnyOf(Box<[SchemaId]>),
    OneOf(Box<[SchemaId]>),
    If {
        condition: SchemaId,
        then: Option<SchemaId>,
        otherwise: Option<SchemaId>,
    },

    UnevaluatedProperties(SchemaId),
    UnevaluatedItems(SchemaId),
}

/// `properties`, `patternProperties` and `additionalProperties`: the last depends on the others.
#[derive(Debug)]
pub(super) struct Properties {
    /// Sorted by name.
    pub(super) named: Box<[(Box<str>, SchemaId)]>,
    pub(super) patterns: Box<[(Regex, SchemaId)]>,
    pub(super) additional: Additional,
}

impl Properties {
    /// The place of a name among the named ones.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.named.binary_search_by(|(known, _)| (**known).cmp(name)).ok()
    }
}

/// What holds for the properties that are neither named nor match a pattern.
#[derive(Clone, Copy, Debug)]
pub(super) enum Additional {
    /// Nothing is said about them.
    Unsaid,
    Allowed,
    Forbidden,
    Schema(SchemaId),
}

/// What holds for the items after those that have a schema each.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rest {
    Unsaid,
    Allowed,
    Forbidden,
    Schema(SchemaId),
}

/// What a string contains.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) base64: bool,
    /// The encoding is one that nobody can decode: the content stays unknown.
    pub(super) opaque: bool,
    pub(super) json: bool,
    pub(super) schema: Option<SchemaId>,
}
