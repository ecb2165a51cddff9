//! What strings the format allows, field by field. The patterns are those of the Cerbos policy schema.

/// A condition on a string field.
pub struct Rule {
    /// Whether a value is allowed.
    pub allows: fn(&str) -> bool,
    /// What is allowed, to complete "must be …".
    pub expected: &'static str,
}

/// Every string.
pub static ANY: Rule = Rule { allows: |_| true, expected: "a string" };

/// At least one character.
pub static NOT_EMPTY: Rule =
    Rule { allows: |value| !value.is_empty(), expected: "a string that is not empty" };

/// `^[^!*?\[\]{}]+$`: resource kinds, principal IDs, roles.
pub static SUBJECT: Rule = Rule {
    allows: |value| !value.is_empty() && !value.contains(['!', '*', '?', '[', ']', '{', '}']),
    expected: "a name without `!`, `*`, `?`, `[`, `]`, `{` and `}`",
};

/// `^\w+$`
pub static VERSION: Rule = Rule {
    allows: |value| !value.is_empty() && value.bytes().all(is_word),
    expected: "a name of ASCII letters, digits and `_`",
};

/// `^\w*$`
pub static VERSION_OR_EMPTY: Rule =
    Rule { allows: |value| value.bytes().all(is_word), expected: "a name of ASCII letters, digits and `_`" };

/// `^[\w\-\.]+$`: names of derived roles and of what can be imported.
pub static NAME: Rule = Rule {
    allows: |value| {
        !value.is_empty() && value.bytes().all(|byte| is_word(byte) || matches!(byte, b'-' | b'.'))
    },
    expected: "a name of ASCII letters, digits, `_`, `-` and `.`",
};

/// `^([a-zA-Z][\w\@\.\-]*)*$`
pub static RULE_NAME: Rule = Rule {
    allows: |value| {
        value.is_empty()
            || value.starts_with(|first: char| first.is_ascii_alphabetic())
                && value.bytes().all(|byte| is_word(byte) || matches!(byte, b'@' | b'.' | b'-'))
    },
    expected: "a letter and then ASCII letters, digits, `_`, `@`, `.` and `-`",
};

/// `^(^$|\.|[0-9a-zA-Z][\w\-]*(\.\w[\w\-]*)*)$`
pub static SCOPE: Rule = Rule {
    allows: |value| matches!(value, "" | ".") || is_scope(value),
    expected: "names of ASCII letters, digits, `_` and `-`, joined with `.`",
};

/// The one version of the format.
pub static API_VERSION: Rule =
    Rule { allows: |value| value == "api.cerbos.dev/v1", expected: "`api.cerbos.dev/v1`" };

/// `\w` as Go's regular expressions have it.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_scope(value: &str) -> bool {
    let is_segment = |segment: &str| {
        segment.bytes().next().is_some_and(is_word)
            && segment.bytes().all(|byte| is_word(byte) || byte == b'-')
    };
    !value.starts_with('_') && value.split('.').all(is_segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_rule_allows_what_its_pattern_does() {
        let cases: [(&Rule, &[&str], &[&str]); 8] = [
            (&NOT_EMPTY, &["x", " "], &[""]),
            (&SUBJECT, &["leave_request", "a:b/c", "é x", "a.b"], &["", "a*", "a?", "[a]", "{a}", "!a"]),
            (&VERSION, &["default", "20210210", "_"], &["", "1.0", "a-b", "é"]),
            (&VERSION_OR_EMPTY, &["", "v1"], &["a b"]),
            (&NAME, &["a-b.c_1", "-", "."], &["", "a b", "a/b", "é"]),
            (&RULE_NAME, &["", "public-view", "a@b.c_1"], &["1a", "-a", "a b", "é"]),
            (
                &SCOPE,
                &["", ".", "acme", "acme.hr-1._x", "0"],
                &["_a", "-a", "a.", ".a", "a..b", "a.-b", "¬s"],
            ),
            (&API_VERSION, &["api.cerbos.dev/v1"], &["", "api.cerbos.dev/v2"]),
        ];
        for (rule, allowed, refused) in cases {
            for value in allowed {
                assert!((rule.allows)(value), "{value:?} must be {}", rule.expected);
            }
            for value in refused {
                assert!(!(rule.allows)(value), "{value:?} must not be {}", rule.expected);
            }
        }
    }
}
