//! Wildcards in actions, roles and resource names, with the meaning that Cerbos gives them.
//!
//! `*` stands for any characters but `:`, `**` for any characters, `?` for one character but `:`,
//! `[abc]`, `[a-z]` and `[!abc]` for one character of a set, `{a,b}` for alternatives, `\` takes the next
//! character as it is. A name without `*` is no pattern: it is compared letter by letter, whatever else it holds.
//! A lone `*` means `**`.

use std::fmt;

const SEPARATOR: char = ':';
/// `{a,b}{c,d}…` multiplies; past this many patterns in one glob, it is refused.
const MAX_ALTERNATIVES: usize = 256;

/// Why a glob cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidGlob {
    /// A `[` without its `]`, an empty set, or a range that runs backwards.
    Set,
    /// A `{` without its `}`, or a `}` or `,` of none.
    Alternatives,
    /// A `\` at the end.
    Escape,
    /// More than 256 patterns when the alternatives are written out.
    TooMany,
}

impl fmt::Display for InvalidGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Set => "a set `[…]` is empty, not closed, or has a range that runs backwards",
            Self::Alternatives => "the braces of `{…}` do not match",
            Self::Escape => "nothing follows the `\\`",
            Self::TooMany => "its alternatives make more than 256 patterns",
        })
    }
}

/// What a rule says of a name: any, exactly one, or a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matcher {
    /// `*`: every name.
    Any,
    /// A name without `*`.
    Literal(Box<str>),
    /// A name with `*`.
    Glob(Glob),
}

impl Matcher {
    /// Reads a name of a rule.
    pub fn new(name: &str) -> Result<Self, InvalidGlob> {
        if name == "*" || name == "**" {
            Ok(Self::Any)
        } else if name.contains('*') {
            Glob::new(name).map(Self::Glob)
        } else {
            Ok(Self::Literal(name.into()))
        }
    }

    /// Reads an action that a role policy allows. There, other than in rules, a name is a pattern without a `*`
    /// as well, beside being itself.
    pub fn of_allowed_action(name: &str) -> Result<Vec<Self>, InvalidGlob> {
        let matcher = Self::new(name)?;
        match &matcher {
            Self::Literal(literal) if literal.contains(['?', '[', '{', '\\']) => {
                // A name that is no pattern still stands for itself.
                let pattern = Glob::new(literal).ok().map(Self::Glob);
                Ok(std::iter::once(matcher).chain(pattern).collect())
            }
            _ => Ok(vec![matcher]),
        }
    }

    /// Reads an action for which a schema is ignored. There, other than in rules, every name is a pattern, and does not
    /// stand for itself.
    pub fn of_ignored_action(name: &str) -> Result<Self, InvalidGlob> {
        match Self::new(name)? {
            Self::Literal(name) if name.contains(['?', '[', ']', '{', '}', ',', '\\']) => {
                Glob::new(&name).map(Self::Glob)
            }
            matcher => Ok(matcher),
        }
    }

    /// As it is written in the rule; a lone `**` as `*`.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Any => "*",
            Self::Literal(text) | Self::Glob(Glob { text, .. }) => text,
        }
    }

    /// Whether the name is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(literal) => **literal == *name,
            Self::Glob(glob) => glob.matches(name),
        }
    }
}

/// A compiled pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    /// As it is written.
    text: Box<str>,
    /// One list of tokens for each combination of alternatives.
    patterns: Box<[Box<[Token]>]>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    One,
    Set {
        negated: bool,
        ranges: Box<[(char, char)]>,
    },
    /// `*`
    Within,
    /// `**`
    Across,
}

impl Glob {
    /// Compiles a pattern.
    pub fn new(pattern: &str) -> Result<Self, InvalidGlob> {
        let mut chars = pattern.chars().peekable();
        let patterns = parse_sequence(&mut chars, 0)?;
        if chars.next().is_some() {
            return Err(InvalidGlob::Alternatives);
        }
        Ok(Self { text: pattern.into(), patterns: patterns.into_iter().map(Vec::into_boxed_slice).collect() })
    }

    /// As it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the whole name fits the pattern.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.patterns.iter().any(|tokens| matches_tokens(tokens, name))
    }
}

type Chars<'p> = std::iter::Peekable<std::str::Chars<'p>>;

/// Reads up to the end or, inside braces, to the `,` or `}` that ends an alternative.
fn parse_sequence(chars: &mut Chars<'_>, depth: usize) -> Result<Vec<Vec<Token>>, InvalidGlob> {
    let mut sequences = vec![Vec::new()];
    while let Some(&next) = chars.peek() {
        if depth > 0 && (next == ',' || next == '}') {
            break;
        }
        chars.next();
        let token = match next {
            '*' if chars.next_if_eq(&'*').is_some() => Token::Across,
            '*' => Token::Within,
            '?' => Token::One,
            '[' => parse_set(chars)?,
            '\\' => Token::Char(chars.next().ok_or(InvalidGlob::Escape)?),
            '{' if depth < 8 => {
                sequences = multiply(&sequences, &parse_alternatives(chars, depth + 1)?)?;
                continue;
            }
            '{' | '}' => return Err(InvalidGlob::Alternatives),
            other => Token::Char(other),
        };
        sequences.iter_mut().for_each(|sequence| sequence.push(token.clone()));
    }
    Ok(sequences)
}

fn parse_alternatives(chars: &mut Chars<'_>, depth: usize) -> Result<Vec<Vec<Token>>, InvalidGlob> {
    let mut alternatives = Vec::new();
    loop {
        alternatives.extend(parse_sequence(chars, depth)?);
        match chars.next() {
            Some(',') => {}
            Some('}') => return Ok(alternatives),
            _ => return Err(InvalidGlob::Alternatives),
        }
    }
}

fn multiply(heads: &[Vec<Token>], tails: &[Vec<Token>]) -> Result<Vec<Vec<Token>>, InvalidGlob> {
    if heads.len() * tails.len() > MAX_ALTERNATIVES {
        return Err(InvalidGlob::TooMany);
    }
    Ok(heads.iter().flat_map(|head| tails.iter().map(move |tail| [&head[..], &tail[..]].concat())).collect())
}

fn parse_set(chars: &mut Chars<'_>) -> Result<Token, InvalidGlob> {
    let negated = chars.next_if_eq(&'!').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match chars.next().ok_or(InvalidGlob::Set)? {
            ']' if ranges.is_empty() => return Err(InvalidGlob::Set),
            ']' => return Ok(Token::Set { negated, ranges: ranges.into() }),
            '\\' => chars.next().ok_or(InvalidGlob::Escape)?,
            other => other,
        };
        let high = match chars.next_if_eq(&'-') {
            Some(_) => chars.next().filter(|high| *high != ']').ok_or(InvalidGlob::Set)?,
            None => low,
        };
        if high < low {
            return Err(InvalidGlob::Set);
        }
        ranges.push((low, high));
    }
}

/// Where to go on after a mismatch: the token behind a star, and the rest of the name that it starts at.
#[derive(Clone, Copy)]
struct Retry<'n> {
    token: usize,
    rest: &'n str,
}

/// Linear in tokens × characters: only the last `*` and the last `**` can be worth another try, because what
/// stands before them has already matched as early as it can.
fn matches_tokens(tokens: &[Token], name: &str) -> bool {
    let mut token = 0;
    let mut rest = name;
    let mut within: Option<Retry<'_>> = None;
    let mut across: Option<Retry<'_>> = None;
    loop {
        match tokens.get(token) {
            Some(Token::Within) => {
                token += 1;
                within = Some(Retry { token, rest });
                continue;
            }
            Some(Token::Across) => {
                token += 1;
                within = None;
                across = Some(Retry { token, rest });
                continue;
            }
            Some(expected) => {
                if let Some(c) = rest.chars().next().filter(|c| expected.accepts(*c)) {
                    token += 1;
                    rest = &rest[c.len_utf8()..];
                    continue;
                }
            }
            None if rest.is_empty() => return true,
            None => {}
        }
        let next = |retry: Retry<'_>| retry.rest.chars().next();
        if let Some((retry, c)) = within.and_then(|r| Some((r, next(r).filter(|c| *c != SEPARATOR)?))) {
            rest = &retry.rest[c.len_utf8()..];
            token = retry.token;
            within = Some(Retry { token, rest });
        } else if let Some((retry, c)) = across.and_then(|r| Some((r, next(r)?))) {
            rest = &retry.rest[c.len_utf8()..];
            token = retry.token;
            within = None;
            across = Some(Retry { token, rest });
        } else {
            return false;
        }
    }
}

impl Token {
    fn accepts(&self, c: char) -> bool {
        match self {
            Self::Char(expected) => *expected == c,
            Self::One => c != SEPARATOR,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
            }
            Self::Within | Self::Across => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Matcher::new(pattern).unwrap().matches(name)
    }

    #[test]
    fn stars_and_separators() {
        for (pattern, yes, no) in [
            ("*", vec!["a", "a:b", ""], vec![]),
            ("view:*", vec!["view:public", "view:"], vec!["view", "view:a:b", "xview:a"]),
            ("view:**", vec!["view:a:b", "view:a"], vec!["view"]),
            ("*:public", vec!["view:public", ":public"], vec!["a:view:public", "public"]),
            ("a*b*c", vec!["abc", "aXbYbZc"], vec!["aXbYbZ", "a:bc"]),
            ("**:*x", vec!["a:b:zx", ":x"], vec!["a:b:z", "x"]),
            ("*a*:b", vec!["xxaxa:b"], vec!["xxaxa:c"]),
        ] {
            yes.iter().for_each(|name| assert!(matches(pattern, name), "{pattern} ~ {name}"));
            no.iter().for_each(|name| assert!(!matches(pattern, name), "{pattern} !~ {name}"));
        }
    }

    #[test]
    fn sets_alternatives_and_escapes() {
        for (pattern, yes, no) in [
            ("?ew*", vec!["view", "newer"].split_off(1), vec![":ew", "ew"]),
            ("[a-c]*", vec!["apple", "c"], vec!["dog", ""]),
            ("[!a-c]*", vec!["dog", ":"], vec!["apple"]),
            ("{view,edit}:*", vec!["view:a", "edit:b"], vec!["drop:a", "view"]),
            ("{a,b{c,d}}*", vec!["a", "bc1", "bd"], vec!["b"]),
            (r"a\**", vec!["a*", "a*b"], vec!["ab"]),
        ] {
            yes.iter().for_each(|name| assert!(matches(pattern, name), "{pattern} ~ {name}"));
            no.iter().for_each(|name| assert!(!matches(pattern, name), "{pattern} !~ {name}"));
        }
    }

    #[test]
    fn without_a_star_every_character_is_itself() {
        assert!(matches("?ne", "?ne"));
        assert!(!matches("?ne", "one"));
        assert!(!matches("{a,b}", "a"));
    }

    #[test]
    fn what_cannot_be_read() {
        assert_eq!(Matcher::new("[*"), Err(InvalidGlob::Set));
        assert_eq!(Matcher::new("[]*"), Err(InvalidGlob::Set));
        assert_eq!(Matcher::new("[z-a]*"), Err(InvalidGlob::Set));
        assert_eq!(Matcher::new("{a*"), Err(InvalidGlob::Alternatives));
        assert_eq!(Matcher::new("a*}"), Err(InvalidGlob::Alternatives));
        assert_eq!(Matcher::new("*\\"), Err(InvalidGlob::Escape));
        assert_eq!(Matcher::new(&format!("{}*", "{a,b,c,d}".repeat(9))), Err(InvalidGlob::TooMany));
    }
}
