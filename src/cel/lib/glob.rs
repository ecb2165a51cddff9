//! Shell patterns, as Go's `filepath.Match` reads them on Unix.

/// Whether a whole name matches a pattern: `*` and `?` do not match `/`; `[a-z]`, `[^a]` are sets; a
/// backslash quotes. `None`: the pattern is malformed.
pub(super) fn matches(pattern: &str, name: &str) -> Option<bool> {
    let parts = parse(pattern)?;
    let name: Vec<char> = name.chars().collect();
    Some(run(&parts, &name))
}

enum Part {
    Char(char),
    /// `?`
    One,
    /// `*`
    Many,
    Set {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

impl Part {
    fn accepts(&self, char: char) -> bool {
        match self {
            Self::Char(expected) => *expected == char,
            Self::One | Self::Many => char != '/',
            Self::Set { negated, ranges } => {
                ranges.iter().any(|(low, high)| (*low..=*high).contains(&char)) != *negated
            }
        }
    }
}

/// Backtracks to the last `*` only: the time is at most pattern × name.
fn run(parts: &[Part], name: &[char]) -> bool {
    let (mut part, mut at) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    loop {
        match (parts.get(part), name.get(at)) {
            (None, None) => return true,
            (Some(Part::Many), _) => {
                retry = Some((part, at));
                part += 1;
                continue;
            }
            (Some(expected), Some(char)) if expected.accepts(*char) => {
                part += 1;
                at += 1;
                continue;
            }
            _ => {}
        }
        match retry {
            Some((star, from)) if name.get(from).is_some_and(|char| *char != '/') => {
                retry = Some((star, from + 1));
                part = star + 1;
                at = from + 1;
            }
            _ => return false,
        }
    }
}

fn parse(pattern: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    let mut chars = pattern.chars().peekable();
    while let Some(char) = chars.next() {
        parts.push(match char {
            '*' => Part::Many,
            '?' => Part::One,
            '\\' => Part::Char(chars.next()?),
            '[' => {
                let negated = chars.next_if_eq(&'^').is_some();
                let mut ranges = Vec::new();
                while ranges.is_empty() || chars.next_if_eq(&']').is_none() {
                    let low = set_char(&mut chars)?;
                    let high = if chars.next_if_eq(&'-').is_some() { set_char(&mut chars)? } else { low };
                    ranges.push((low, high));
                }
                Part::Set { negated, ranges }
            }
            _ => Part::Char(char),
        });
    }
    Some(parts)
}

/// A character of a set: not `-` or `]`, unless it is quoted.
fn set_char(chars: &mut impl Iterator<Item = char>) -> Option<char> {
    match chars.next()? {
        '-' | ']' => None,
        '\\' => chars.next(),
        char => Some(char),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("abc", "abc", Some(true)),
            ("*c", "abc", Some(true)),
            ("a*", "ab/c", Some(false)),
            ("a*/b", "abc/b", Some(true)),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", Some(true)),
            ("a?b", "a/b", Some(false)),
            ("[a-c]x", "bx", Some(true)),
            ("[^a-c]x", "bx", Some(false)),
            (r"a\*b", "a*b", Some(true)),
            ("[", "a", None),
            ("[]a]", "a", None),
            ("[-]", "-", None),
            ("a[", "b", None),
            (r"\", "a", None),
        ];
        for (pattern, name, expected) in cases {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
