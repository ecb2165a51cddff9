//! RE2 patterns in the syntax of the crate `regex`: where the two differ, the pattern is rewritten, and
//! what RE2 does not know is refused (<https://github.com/google/re2/wiki/Syntax>).
//!
//! In RE2 `\d \s \w \b` are of ASCII, `\Q…\E` quotes, a brace that opens no count is plain, counts go to
//! 1,000 and are not repeated, and inside brackets `[`, `&`, `-` and `~` are plain characters.

/// The largest count of a repetition.
const MAX_COUNT: u32 = 1_000;

/// Rewrites a pattern.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let mut translator =
        Translator { rest: pattern, out: String::with_capacity(pattern.len() + 8), class: Class::Outside };
    let mut repeatable = false;
    while let Some(char) = translator.rest.chars().next() {
        repeatable = match (translator.class, char) {
            (_, '\\') => {
                translator.escape();
                true
            }
            (Class::Outside, '*' | '+' | '?' | '{') if translator.repetition(repeatable)? => false,
            (Class::Outside, '(') => {
                translator.group()?;
                true
            }
            (Class::Outside, '[') => {
                translator.open_class();
                true
            }
            (Class::Outside, _) => {
                translator.take(char.len_utf8());
                true
            }
            _ => {
                translator.in_class(char);
                true
            }
        };
    }
    Ok(translator.out)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Outside,
    /// Just behind `[` or `[^`, where `]` is a plain character.
    Start,
    Inside,
}

struct Translator<'p> {
    rest: &'p str,
    out: String,
    class: Class,
}

impl Translator<'_> {
    /// Copies so many bytes.
    fn take(&mut self, len: usize) {
        let (taken, rest) = self.rest.split_at(len);
        self.out.push_str(taken);
        self.rest = rest;
    }

    /// Replaces so many bytes.
    fn replace(&mut self, len: usize, by: &str) {
        self.out.push_str(by);
        self.rest = &self.rest[len..];
    }

    /// A repetition with its `?`; behind another one it is refused. `false`: a plain brace, which is quoted.
    fn repetition(&mut self, repeatable: bool) -> Result<bool, String> {
        let len = if self.rest.starts_with('{') {
            match count_len(self.rest)? {
                Some(len) => len,
                None => {
                    self.replace(1, r"\{");
                    return Ok(false);
                }
            }
        } else {
            1
        };
        let operator = &self.rest[..len];
        if !repeatable {
            let nested = !self.out.is_empty();
            let why = if nested {
                "invalid nested repetition operator"
            } else {
                "missing argument to repetition operator"
            };
            return Err(format!("{why}: `{operator}`"));
        }
        let lazy = usize::from(self.rest[len..].starts_with('?'));
        self.take(len + lazy);
        Ok(true)
    }

    /// The start of a group: of flags, RE2 knows `i m s U`.
    fn group(&mut self) -> Result<(), String> {
        let Some(inner) = self.rest.strip_prefix("(?") else {
            self.take(1);
            return Ok(());
        };
        let len = inner.find(|c: char| !c.is_ascii_alphabetic() && c != '-').unwrap_or(inner.len());
        let flags = &inner[..len];
        let named = flags == "P" || (flags.is_empty() && inner.starts_with('<'));
        if !named && !flags.chars().all(|flag| "imsU-".contains(flag)) {
            return Err(format!("invalid or unsupported Perl syntax: `(?{flags}`"));
        }
        self.take(2 + len);
        Ok(())
    }

    fn escape(&mut self) {
        let outside = self.class == Class::Outside;
        if self.class == Class::Start {
            self.class = Class::Inside;
        }
        let Some(char) = self.rest[1..].chars().next() else { return self.take(1) };
        match (char, outside) {
            ('d', true) => self.replace(2, "[0-9]"),
            ('d', false) => self.replace(2, "0-9"),
            ('s', true) => self.replace(2, r"[\t\n\f\r ]"),
            ('s', false) => self.replace(2, r"\t\n\f\r "),
            ('w', true) => self.replace(2, "[0-9A-Za-z_]"),
            ('w', false) => self.replace(2, "0-9A-Za-z_"),
            ('D', _) => self.replace(2, "[^0-9]"),
            ('S', _) => self.replace(2, r"[^\t\n\f\r ]"),
            ('W', _) => self.replace(2, "[^0-9A-Za-z_]"),
            ('b', true) => self.replace(2, r"(?-u:\b)"),
            ('B', true) => self.replace(2, r"(?-u:\B)"),
            ('Q', _) => {
                let body = &self.rest[2..];
                let (quoted, len) = match body.find(r"\E") {
                    Some(end) => (&body[..end], end + 4),
                    None => (body, body.len() + 2),
                };
                let quoted = ::regex::escape(quoted);
                self.replace(len, &quoted);
            }
            // `\p{Greek}`, `\x{10FFFF}`: these braces are no count.
            ('p' | 'P' | 'x', _) if self.rest[2..].starts_with('{') => {
                let len = self.rest.find('}').map_or(self.rest.len(), |end| end + 1);
                self.take(len);
            }
            _ => self.take(1 + char.len_utf8()),
        }
    }

    fn open_class(&mut self) {
        self.class = Class::Start;
        self.take(if self.rest.starts_with("[^") { 2 } else { 1 });
    }

    /// A character between brackets that is no escape.
    fn in_class(&mut self, char: char) {
        let start = self.class == Class::Start;
        self.class = Class::Inside;
        match char {
            ']' if !start => {
                self.class = Class::Outside;
                self.take(1);
            }
            '[' if self.rest.starts_with("[:") && self.rest.contains(":]") => {
                let end = self.rest.find(":]").map_or(1, |end| end + 2);
                self.take(end);
            }
            // The crate reads two dashes as a difference of sets.
            '-' if self.rest.starts_with("--") => self.replace(2, r"-\-"),
            '[' | ']' | '&' | '~' => {
                self.out.push('\\');
                self.take(1);
            }
            _ => self.take(char.len_utf8()),
        }
    }
}

/// The length of a count (`{2}`, `{2,}`, `{2,3}`) at the start of a text; `None`: the brace is plain.
fn count_len(text: &str) -> Result<Option<usize>, String> {
    let Some(end) = text.find('}') else { return Ok(None) };
    let (low, high) = text[1..end].split_once(',').unwrap_or((&text[1..end], ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if low.is_empty() || !digits(low) || !digits(high) {
        return Ok(None);
    }
    let too_large =
        |text: &str| !text.is_empty() && text.parse().map_or(true, |count: u32| count > MAX_COUNT);
    if too_large(low) || too_large(high) {
        return Err(format!("invalid repeat count: `{}`", &text[..=end]));
    }
    Ok(Some(end + 1))
}
