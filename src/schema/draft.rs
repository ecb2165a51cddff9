//! The dialects of JSON Schema.

/// A dialect, in the order of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    Draft4,
    Draft6,
    Draft7,
    Draft2019,
    Draft2020,
}

/// The dialect of a schema that names none.
pub(super) const LATEST: Draft = Draft::Draft2020;

/// Where a keyword holds schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// The value is a schema.
    Value,
    /// The value is a list of schemas.
    Items,
    /// The value is a schema or a list of them.
    ValueOrItems,
    /// The value is an object whose values are schemas.
    Properties,
}

impl Draft {
    /// The dialect that a `$schema` names.
    pub(super) fn of(url: &str) -> Option<Self> {
        let url = url.trim_end_matches('/').trim_end_matches('#');
        let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"))?;
        match rest {
            "json-schema.org/schema" => Some(LATEST),
            "json-schema.org/draft/2020-12/schema" => Some(Self::Draft2020),
            "json-schema.org/draft/2019-09/schema" => Some(Self::Draft2019),
            "json-schema.org/draft-07/schema" => Some(Self::Draft7),
            "json-schema.org/draft-06/schema" => Some(Self::Draft6),
            "json-schema.org/draft-04/schema" => Some(Self::Draft4),
            _ => None,
        }
    }

    /// The keyword that names a schema.
    pub(super) fn id(self) -> &'static str {
        if self == Self::Draft4 { "id" } else { "$id" }
    }

    /// Whether a `$ref` replaces the schema that it stands in.
    pub(super) fn ref_stands_alone(self) -> bool {
        self < Self::Draft2019
    }
}

/// Where the schemas in a schema are.
pub(super) fn position(keyword: &str) -> Option<Position> {
    Some(match keyword {
        "not"
        | "additionalProperties"
        | "additionalItems"
        | "propertyNames"
        | "contains"
        | "if"
        | "then"
        | "else"
        | "unevaluatedProperties"
        | "unevaluatedItems"
        | "contentSchema" => Position::Value,
        "allOf" | "anyOf" | "oneOf" | "prefixItems" => Position::Items,
        "items" => Position::ValueOrItems,
        "$defs" | "definitions" | "properties" | "patternProperties" | "dependencies"
        | "dependentSchemas" => Position::Properties,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dialects_are_known_by_their_urls() {
        assert_eq!(Draft::of("https://json-schema.org/draft/2020-12/schema"), Some(Draft::Draft2020));
        assert_eq!(Draft::of("http://json-schema.org/draft-07/schema#"), Some(Draft::Draft7));
        assert_eq!(Draft::of("http://json-schema.org/draft-04/schema#/"), Some(Draft::Draft4));
        assert_eq!(Draft::of("https://example.com/schema"), None);
        assert!(Draft::Draft7.ref_stands_alone() && !Draft::Draft2019.ref_stands_alone());
    }
}
