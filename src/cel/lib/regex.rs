//! Regular expressions. Policies are written for RE2; where the syntax of the crate `regex` means
//! something else, the pattern is rewritten.

use std::sync::OnceLock;

use ::regex::{Regex, RegexBuilder};

use super::{Declaration, re2};
use crate::cel::{Activation, EvalError, EvalResult, Value};

pub(super) const FUNCTIONS: &[Declaration] = &[
    Declaration {
        name: "matches",
        doc: "Whether a regular expression (RE2) matches a part of the text",
        signatures: &["matches(string, string) -> bool", "string.matches(string) -> bool"],
        run: matches,
    },
    Declaration {
        name: "regex.replace",
        doc: "The text with matches replaced, at most so many; `\\1` in the replacement is a group",
        signatures: &[
            "regex.replace(string, string, string) -> string",
            "regex.replace(string, string, string, int) -> string",
        ],
        run: replace,
    },
    Declaration {
        name: "regex.extract",
        doc: "The first match, or its one group",
        signatures: &["regex.extract(string, string) -> optional(string)"],
        run: extract,
    },
    Declaration {
        name: "regex.extractAll",
        doc: "All matches, or their one group",
        signatures: &["regex.extractAll(string, string) -> list(string)"],
        run: extract_all,
    },
];

/// Bytes that a compiled pattern may take: a policy or a request cannot ask for more.
const SIZE_LIMIT: usize = 1 << 20;

/// What authors who know other dialects miss.
pub(crate) const DIALECT: &str = "patterns are those of RE2: without lookaround and backreferences";

/// [`DIALECT`], where it explains an error of [`compile`].
pub(crate) fn dialect(error: &str) -> Option<&'static str> {
    let foreign = [
        "invalid or unsupported Perl syntax",
        "invalid escape sequence",
        "invalid named capture: `(?<!",
        "invalid named capture: `(?<=",
    ];
    foreign.iter().any(|head| error.starts_with(head)).then_some(DIALECT)
}

/// Compiles an RE2 pattern. The error is Go's, but for its head.
pub(crate) fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = re2::translate(pattern)?;
    let built = RegexBuilder::new(&translated).size_limit(SIZE_LIMIT).build();
    built.map_err(|_| format!("expression too large: `{pattern}`"))
}

/// A pattern that a policy or schema fixes, compiled once.
#[derive(Debug)]
pub(crate) struct Pattern {
    text: Box<str>,
    compiled: OnceLock<Option<Regex>>,
}

impl Pattern {
    /// Compiles a pattern.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let compiled = compile(text)?;
        Ok(Self { text: text.into(), compiled: OnceLock::from(Some(compiled)) })
    }

    /// A pattern that was compiled before, elsewhere: it is compiled when it is first used, because most of a large set never are.
    pub(crate) fn deferred(text: &str) -> Self {
        Self { text: text.into(), compiled: OnceLock::new() }
    }

    /// As it is written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it matches a part of a text; none where it cannot be compiled after all.
    pub(crate) fn is_match(&self, text: &str) -> Option<bool> {
        let compiled = self.compiled.get_or_init(|| compile(&self.text).ok());
        compiled.as_ref().map(|regex| regex.is_match(text))
    }
}

fn compiled<'a>(ctx: &Activation<'a>, pattern: &str) -> Result<Regex, EvalError<'a>> {
    compile(pattern)
        .map_err(|reason| EvalError::message(ctx.arena, format_args!("error parsing regexp: {reason}")))
}

fn matches<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    match *args {
        [Value::String(text), Value::String(pattern)] => {
            Ok(Value::Bool(compiled(ctx, pattern)?.is_match(text)))
        }
        _ => Err(EvalError::NoSuchOverload),
    }
}

fn replace<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let (text, pattern, replacement, count) = match *args {
        [Value::String(text), Value::String(pattern), Value::String(to)] => (text, pattern, to, -1),
        [Value::String(text), Value::String(pattern), Value::String(to), Value::Int(count)] => {
            (text, pattern, to, count)
        }
        _ => return Err(EvalError::NoSuchOverload),
    };
    if count == 0 {
        return Ok(Value::String(text));
    }
    let regex = compiled(ctx, pattern)?;
    let limit = usize::try_from(count).unwrap_or(usize::MAX);
    let mut out = bumpalo::collections::String::with_capacity_in(text.len(), ctx.arena);
    let mut rest = 0;
    for captures in regex.captures_iter(text).take(limit) {
        let Some(whole) = captures.get(0) else { continue };
        out.push_str(&text[rest..whole.start()]);
        expand(ctx, &captures, replacement, &mut out)?;
        rest = whole.end();
    }
    out.push_str(&text[rest..]);
    Ok(Value::String(out.into_bump_str()))
}

/// Writes a replacement: `\1` to `\9` are groups, `\0` the match, `\\` a backslash.
fn expand<'a>(
    ctx: &Activation<'a>,
    captures: &::regex::Captures<'_>,
    replacement: &str,
    out: &mut bumpalo::collections::String<'a>,
) -> Result<(), EvalError<'a>> {
    let mut chars = replacement.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some('\\') => out.push('\\'),
            Some(digit) if digit.is_ascii_digit() => {
                let group = digit as usize - '0' as usize;
                if group >= captures.len() {
                    let groups = captures.len() - 1;
                    let text = format_args!(
                        "replacement string references group {group} but regex has only {groups} group(s)"
                    );
                    return Err(EvalError::message(ctx.arena, text));
                }
                out.push_str(captures.get(group).map_or("", |found| found.as_str()));
            }
            None => {
                let text = format_args!("invalid replacement string: '{replacement}' \\ not allowed at end");
                return Err(EvalError::message(ctx.arena, text));
            }
            Some(_) => {
                let text = format_args!(
                    "invalid replacement string: '{replacement}' \\ must be followed by a digit or \\"
                );
                return Err(EvalError::message(ctx.arena, text));
            }
        }
    }
    Ok(())
}

/// The part of a match that `extract` gives: its one group, or all of it. More groups are refused.
fn group<'a>(ctx: &Activation<'a>, regex: &Regex, pattern: &str) -> Result<usize, EvalError<'a>> {
    match regex.captures_len() - 1 {
        groups @ 0..=1 => Ok(groups),
        _ => {
            let text = format_args!("regular expression has more than one capturing group: {pattern:?}");
            Err(EvalError::message(ctx.arena, text))
        }
    }
}

fn extract<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::String(text), Value::String(pattern)] = *args else { return Err(EvalError::NoSuchOverload) };
    let regex = compiled(ctx, pattern)?;
    let group = group(ctx, &regex, pattern)?;
    let found = regex.captures(text).and_then(|captures| captures.get(group));
    Ok(match found {
        Some(found) => Value::some(ctx.arena, Value::String(&text[found.range()])),
        None => Value::Optional(None),
    })
}

fn extract_all<'a>(ctx: &Activation<'a>, args: &[Value<'a>]) -> EvalResult<'a> {
    let [Value::String(text), Value::String(pattern)] = *args else { return Err(EvalError::NoSuchOverload) };
    let regex = compiled(ctx, pattern)?;
    let group = group(ctx, &regex, pattern)?;
    let mut all = bumpalo::collections::Vec::new_in(ctx.arena);
    let found = regex.captures_iter(text).filter_map(|captures| captures.get(group));
    all.extend(found.map(|found| Value::String(&text[found.range()])));
    Ok(Value::list(ctx.arena, all.into_bump_slice()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deferred_pattern_is_compiled_when_it_is_used() {
        let pattern = Pattern::deferred("^[a-c]+$");
        assert!(pattern.compiled.get().is_none());
        assert_eq!((pattern.is_match("abc"), pattern.is_match("abd")), (Some(true), Some(false)));
        assert!(pattern.compiled.get().is_some());
        assert_eq!(Pattern::deferred("(").is_match("("), None);
        assert!(Pattern::new("(").is_err());
    }

    #[test]
    fn patterns_mean_what_re2_means() {
        let cases = [
            (r"^\d+$", "123", true),
            (r"^\d+$", "١٢٣", false),
            (r"^[\d-]+$", "1-2", true),
            (r"^\w$", "é", false),
            (r"^[^\w]$", "é", true),
            (r"^[\W]$", "é", true),
            (r"^[a&&b]+$", "a&b", true),
            (r"^[[a]+$", "[a", true),
            (r"^[]a]+$", "]a", true),
            (r"^[[:alpha:]]+$", "ab", true),
            (r"^\Qa.b\E$", "a.b", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"(?i)^É$", "é", true),
            (r"^a{,2}$", "a{,2}", true),
            ("x{", "x{", true),
            ("x{(y)", "x{y", true),
            ("(?P<n>a)(?P<n>b)(?P<1>c)", "abc", true),
            (r"^[\]-]+\x41\101\pL\p{^Greek}\p{Lu}$", "]-AAxxA", true),
            (r"(?)a", "a", true),
            ("^[^-a]$", "b", true),
            (r"^a{2,}?b??$", "aab", true),
            (r"(?i:A)(?P<n>b)(?<m>c)", "abc", true),
            (r"\bfoo\b", "a foo.", true),
        ];
        for (pattern, text, expected) in cases {
            let found = compile(pattern).map(|regex| regex.is_match(text));
            assert_eq!(found.ok(), Some(expected), "{pattern} {text}");
        }
        for pattern in ["a(?=b)", "(", "a++", "a{2}{3}", "a{1001}", "[a--b]", "(?x)a", r"\1", r"\C", "*"] {
            assert!(compile(pattern).is_err(), "{pattern}");
        }
    }
}
