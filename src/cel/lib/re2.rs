//! RE2 patterns as Go's `regexp/syntax` reads them (<https://pkg.go.dev/regexp/syntax>), rewritten for the crate
//! `regex`: what the two read differently is escaped or spelled out, and what Go refuses is refused in its words.
//!
//! In RE2 `\d \s \w \b` are of ASCII, `\Q…\E` quotes, a brace that opens no count is plain, and counts, also of
//! repetitions in repetitions, go to 1,000.

use std::fmt::Write;

/// The largest count of a repetition, and of repetitions in one another.
const MAX_COUNT: u32 = 1_000;
/// How deep groups may nest.
const MAX_DEPTH: usize = 1_000;

/// Rewrites a pattern. The error is what is wrong, with the part where it is, as in Go.
pub(super) fn translate(pattern: &str) -> Result<String, String> {
    let out = String::with_capacity(pattern.len() * 2);
    let mut reader = Reader { pattern, rest: pattern, out, groups: vec![Group::default()], last: None };
    while let Some(char) = reader.rest.chars().next() {
        reader.next(char)?;
    }
    if reader.groups.len() > 1 {
        return Err(wrong("missing closing )", pattern));
    }
    Ok(reader.out)
}

fn wrong(what: &str, part: &str) -> String {
    format!("{what}: `{part}`")
}

const BAD_ESCAPE: &str = "invalid escape sequence";
const BAD_RANGE: &str = "invalid character class range";
const BAD_COUNT: &str = "invalid repeat count";
const BAD_NAME: &str = "invalid named capture";

/// A group that is open, or the whole pattern.
#[derive(Clone, Copy)]
struct Group {
    /// Whether there is something in the current alternative that can be repeated.
    repeatable: bool,
    /// How often the last thing repeats what is in it, at most.
    last: u32,
    /// The same for everything in the group.
    most: u32,
}

impl Default for Group {
    fn default() -> Self {
        Self { repeatable: false, last: 1, most: 1 }
    }
}

struct Reader<'p> {
    pattern: &'p str,
    rest: &'p str,
    out: String,
    /// The groups around the current place, the whole pattern first.
    groups: Vec<Group>,
    /// From a repetition on, if that is what was read last.
    last: Option<&'p str>,
}

impl<'p> Reader<'p> {
    fn next(&mut self, char: char) -> Result<(), String> {
        let before = self.rest;
        let last = self.last.take();
        match char {
            '(' => self.open()?,
            ')' => self.close()?,
            '|' => {
                self.copy(1);
                self.group().repeatable = false;
            }
            '[' => {
                let class = self.class()?;
                self.atom(&class);
            }
            '*' | '+' | '?' => {
                self.repeat(before, 1, None, last)?;
                self.last = Some(before);
            }
            '{' => match count(before) {
                Some((low, high, len)) => {
                    let valid = |count: Option<u32>| count.is_none_or(|count| count <= MAX_COUNT);
                    if !valid(Some(low)) || !valid(high) || high.is_some_and(|high| high < low) {
                        return Err(wrong(BAD_COUNT, &before[..len]));
                    }
                    self.repeat(before, len, Some((low, high)), last)?;
                    self.last = Some(before);
                }
                None => self.literal('{', 1),
            },
            '\\' => self.escape()?,
            '^' | '$' | '.' => {
                self.rest = &before[1..];
                self.atom(before.get(..1).unwrap_or_default());
            }
            _ => self.literal(char, char.len_utf8()),
        }
        Ok(())
    }

    fn group(&mut self) -> &mut Group {
        let last = self.groups.len() - 1;
        &mut self.groups[last]
    }

    /// Writes something that can be repeated.
    fn atom(&mut self, text: &str) {
        self.out.push_str(text);
        *self.group() = Group { repeatable: true, last: 1, ..*self.group() };
    }

    fn literal(&mut self, char: char, len: usize) {
        self.rest = &self.rest[len..];
        let mut text = [0; 4];
        let escaped = ::regex::escape(char.encode_utf8(&mut text));
        self.atom(&escaped);
    }

    fn copy(&mut self, len: usize) {
        let (taken, rest) = self.rest.split_at(len);
        self.out.push_str(taken);
        self.rest = rest;
    }

    /// A repetition of so many bytes, from `before` on. `last` is the one that it follows, if it follows one.
    fn repeat(
        &mut self,
        before: &'p str,
        len: usize,
        count: Option<(u32, Option<u32>)>,
        last: Option<&'p str>,
    ) -> Result<(), String> {
        let len = len + usize::from(before[len..].starts_with('?'));
        if let Some(last) = last {
            let part = &last[..last.len() - (before.len() - len)];
            return Err(wrong("invalid nested repetition operator", part));
        }
        if !self.group().repeatable {
            return Err(wrong("missing argument to repetition operator", &before[..len]));
        }
        if let Some((low, high)) = count {
            let times = high.unwrap_or(low);
            let product = times.saturating_mul(self.group().last);
            if (low >= 2 || high.is_some_and(|high| high >= 2)) && product > MAX_COUNT {
                return Err(wrong(BAD_COUNT, &before[..len]));
            }
            let repeats = if times == 0 { 1 } else { product };
            let group = self.group();
            (group.last, group.most) = (repeats, group.most.max(repeats));
        }
        self.copy(len);
        Ok(())
    }

    fn open(&mut self) -> Result<(), String> {
        if self.groups.len() > MAX_DEPTH {
            return Err(wrong("expression nests too deeply", self.pattern));
        }
        let Some(inner) = self.rest.strip_prefix("(?") else {
            self.copy(1);
            self.groups.push(Group::default());
            return Ok(());
        };
        // A name of one character at least must be able to follow, as in Go.
        let named = inner.strip_prefix("P<").filter(|name| !name.is_empty());
        if let Some(name) = named.or_else(|| inner.strip_prefix('<').filter(|name| !name.is_empty())) {
            let Some(end) = self.rest.find('>') else { return Err(wrong(BAD_NAME, self.rest)) };
            let start = self.rest.len() - name.len();
            let name = self.rest.get(start..end).unwrap_or_default();
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                return Err(wrong(BAD_NAME, &self.rest[..=end]));
            }
            // No function asks for a group by its name, and Go lets two have the same.
            self.out.push('(');
            self.rest = &self.rest[end + 1..];
            self.groups.push(Group::default());
            return Ok(());
        }
        self.flags(inner)
    }

    /// `(?i)`, `(?i:`, `(?-s:`: RE2 knows the flags `i m s U`.
    fn flags(&mut self, inner: &'p str) -> Result<(), String> {
        let (mut minus, mut saw_flag) = (false, false);
        let mut read = inner.len();
        for (at, char) in inner.char_indices() {
            read = at + char.len_utf8();
            match char {
                'i' | 'm' | 's' | 'U' => saw_flag = true,
                '-' if !minus => (minus, saw_flag) = (true, false),
                ':' | ')' if !minus || saw_flag => {
                    let flags = &inner[..at];
                    self.rest = &inner[read..];
                    if char == ':' {
                        self.groups.push(Group::default());
                    }
                    if char == ':' || !flags.is_empty() {
                        // Writing to a string does not fail.
                        let _ = write!(self.out, "(?{flags}{char}");
                    }
                    return Ok(());
                }
                _ => break,
            }
        }
        Err(wrong("invalid or unsupported Perl syntax", &self.rest[..2 + read]))
    }

    fn close(&mut self) -> Result<(), String> {
        if self.groups.len() == 1 {
            return Err(wrong("unexpected )", self.pattern));
        }
        let closed = self.groups.pop().unwrap_or_default();
        self.copy(1);
        let group = self.group();
        *group = Group { repeatable: true, last: closed.most, most: group.most.max(closed.most) };
        Ok(())
    }

    /// An escape outside of brackets.
    fn escape(&mut self) -> Result<(), String> {
        let whole = self.rest;
        match whole[1..].chars().next() {
            Some(char @ ('A' | 'z')) => {
                self.rest = &whole[2..];
                self.atom(if char == 'A' { r"\A" } else { r"\z" });
            }
            Some(char @ ('b' | 'B')) => {
                self.rest = &whole[2..];
                self.atom(if char == 'b' { r"(?-u:\b)" } else { r"(?-u:\B)" });
            }
            Some('C') => return Err(wrong(BAD_ESCAPE, r"\C")),
            Some('Q') => {
                let body = &whole[2..];
                let (quoted, rest) = body.split_once(r"\E").unwrap_or((body, ""));
                quoted.chars().for_each(|char| self.literal(char, 0));
                self.rest = rest;
            }
            _ => {
                let item = match Item::read(whole)? {
                    Some(set) => set,
                    None => Item::escape(whole)?,
                };
                self.rest = item.rest;
                match item.text {
                    Text::Char(char) => self.literal(char, 0),
                    Text::Set(set) => self.atom(&format!("[{set}]")),
                }
            }
        }
        Ok(())
    }

    /// A class in brackets, rewritten.
    fn class(&mut self) -> Result<String, String> {
        let whole = self.rest;
        let mut out = String::from("[");
        let mut rest = &whole[1..];
        if let Some(after) = rest.strip_prefix('^') {
            out.push('^');
            rest = after;
        }
        let mut first = true;
        while first || !rest.starts_with(']') {
            first = false;
            if let Some(end) = rest.strip_prefix("[:").and_then(|name| name.find(":]")) {
                let name = &rest[..end + 4];
                if !POSIX.contains(&name[2..end + 2].trim_start_matches('^')) || name.starts_with("[:^^") {
                    return Err(wrong(BAD_RANGE, name));
                }
                out.push_str(name);
                rest = &rest[end + 4..];
                continue;
            }
            if let Some(Item { text: Text::Set(set), rest: after }) = Item::read(rest)? {
                let _ = write!(out, "[{set}]");
                rest = after;
                continue;
            }
            let start = rest;
            let (low, after) = class_char(rest, whole)?;
            rest = after;
            let mut high = low;
            if rest.len() >= 2 && rest.starts_with('-') && !rest[1..].starts_with(']') {
                (high, rest) = class_char(&rest[1..], whole)?;
                if high < low {
                    return Err(wrong(BAD_RANGE, &start[..start.len() - rest.len()]));
                }
            }
            let _ = write!(out, r"\x{{{:X}}}", u32::from(low));
            if high != low {
                let _ = write!(out, r"-\x{{{:X}}}", u32::from(high));
            }
        }
        out.push(']');
        self.rest = &rest[1..];
        Ok(out)
    }
}

/// The classes of POSIX.
const POSIX: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// A character of a class, or the end of a range.
fn class_char<'p>(text: &'p str, class: &str) -> Result<(char, &'p str), String> {
    match text.chars().next() {
        None => Err(wrong("missing closing ]", class)),
        Some('\\') => match Item::escape(text)? {
            Item { text: Text::Char(char), rest } => Ok((char, rest)),
            Item { .. } => Err(wrong(BAD_ESCAPE, text)),
        },
        Some(char) => Ok((char, &text[char.len_utf8()..])),
    }
}

/// What an escape stands for, and what follows it.
struct Item<'p> {
    text: Text,
    rest: &'p str,
}

enum Text {
    Char(char),
    /// The inside of a class.
    Set(String),
}

impl<'p> Item<'p> {
    /// An escape that stands for a set: `\d`, `\pL`.
    fn read(text: &'p str) -> Result<Option<Self>, String> {
        let Some(escaped) = text.strip_prefix('\\') else { return Ok(None) };
        let set = match escaped.chars().next() {
            Some('d') => "0-9",
            Some('D') => "^0-9",
            Some('s') => r"\t\n\f\r ",
            Some('S') => r"^\t\n\f\r ",
            Some('w') => "0-9A-Za-z_",
            Some('W') => "^0-9A-Za-z_",
            Some('p' | 'P') => return Self::unicode(text).map(Some),
            _ => return Ok(None),
        };
        Ok(Some(Self { text: Text::Set(set.to_owned()), rest: &escaped[1..] }))
    }

    /// `\pL`, `\p{Greek}`, `\P{^Lu}`.
    fn unicode(text: &'p str) -> Result<Self, String> {
        let (whole, name) = match text[2..].chars().next() {
            Some('{') => match text.find('}') {
                Some(end) => (&text[..=end], &text[3..end]),
                None => return Err(wrong(BAD_RANGE, text)),
            },
            Some(letter) => (&text[..2 + letter.len_utf8()], &text[2..2 + letter.len_utf8()]),
            None => (text, ""),
        };
        let (name, inverted) = name.strip_prefix('^').map_or((name, false), |name| (name, true));
        let negative = text.starts_with(r"\P") != inverted;
        let letter = if negative { 'P' } else { 'p' };
        let set = match name {
            "Any" => format!(r"\{letter}{{Any}}"),
            _ if CATEGORIES.contains(&name) => format!(r"\{letter}{{gc={name}}}"),
            _ if is_script(name) => format!(r"\{letter}{{sc={name}}}"),
            _ => return Err(wrong(BAD_RANGE, whole)),
        };
        Ok(Self { text: Text::Set(set), rest: &text[whole.len()..] })
    }

    /// An escape that stands for a character.
    fn escape(text: &'p str) -> Result<Self, String> {
        let escaped = &text[1..];
        let mut chars = escaped.chars();
        let Some(first) = chars.next() else {
            return Err(wrong("trailing backslash at end of expression", ""));
        };
        let char = match first {
            '0'..='7' if first == '0' || chars.as_str().starts_with(|next: char| next.is_digit(8)) => {
                let mut value = u32::from(first) - u32::from('0');
                for _ in 0..2 {
                    let Some(digit) = chars.as_str().chars().next().and_then(|next| next.to_digit(8)) else {
                        break;
                    };
                    value = value * 8 + digit;
                    chars.next();
                }
                char::from_u32(value)
            }
            'x' => hexadecimal(&mut chars),
            'a' => Some('\u{7}'),
            'f' => Some('\u{c}'),
            'n' => Some('\n'),
            'r' => Some('\r'),
            't' => Some('\t'),
            'v' => Some('\u{b}'),
            _ if first.is_ascii() && !first.is_ascii_alphanumeric() => Some(first),
            _ => None,
        };
        match char {
            Some(char) => Ok(Self { text: Text::Char(char), rest: chars.as_str() }),
            None => Err(wrong(BAD_ESCAPE, &text[..text.len() - chars.as_str().len()])),
        }
    }
}

/// The digits behind `\x`; what was read of wrong ones is part of the error.
fn hexadecimal(chars: &mut std::str::Chars<'_>) -> Option<char> {
    let first = chars.next()?;
    if first != '{' {
        let second = chars.next();
        return char::from_u32(first.to_digit(16)? * 16 + second?.to_digit(16)?);
    }
    let mut value: Option<u32> = None;
    loop {
        match chars.next()? {
            '}' => return value.and_then(char::from_u32),
            digit => {
                let next = value.unwrap_or(0) * 16 + digit.to_digit(16)?;
                if next > u32::from(char::MAX) {
                    return None;
                }
                value = Some(next);
            }
        }
    }
}

/// The general categories of Unicode by their short names.
const CATEGORIES: [&str; 37] = [
    "C", "Cc", "Cf", "Cn", "Co", "L", "LC", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N", "Nd",
    "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So", "Z", "Zl", "Zp",
    "Zs",
];

/// Whether Unicode has a script of this name, in its usual form.
fn is_script(name: &str) -> bool {
    let usual = name.split('_').all(|word| {
        let mut letters = word.chars();
        letters.next().is_some_and(|first| first.is_ascii_uppercase())
            && letters.clone().count() > 0
            && letters.all(|letter| letter.is_ascii_lowercase())
    });
    usual && name.len() > 2 && ::regex::Regex::new(&format!(r"\p{{sc={name}}}")).is_ok()
}

/// A count (`{2}`, `{2,}`, `{2,3}`) at the start of a text, with its length. `None`: the brace is plain.
fn count(text: &str) -> Option<(u32, Option<u32>, usize)> {
    let end = text.find('}')?;
    let inside = &text[1..end];
    let (low, high) = inside.split_once(',').map_or((inside, None), |(low, high)| (low, Some(high)));
    let low = number(low)?;
    let high = match high {
        None => Some(low),
        Some("") => None,
        Some(high) => Some(number(high)?),
    };
    Some((low, high, end + 1))
}

/// A number without leading zeros; one that is too large for any count is just too large.
fn number(text: &str) -> Option<u32> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (plain && (text.len() == 1 || !text.starts_with('0'))).then(|| text.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_are_told_as_go_tells_them() {
        let cases = [
            ("a(", "missing closing ): `a(`"),
            ("a)", "unexpected ): `a)`"),
            ("[a-", "missing closing ]: `[a-`"),
            ("x[b-a]", "invalid character class range: `b-a`"),
            ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
            ("[a--b]", "invalid character class range: `a--`"),
            ("a{2,1}", "invalid repeat count: `{2,1}`"),
            ("a{1001}", "invalid repeat count: `{1001}`"),
            ("((a{100}){100}){100}", "invalid repeat count: `{100}`"),
            ("a+?*", "invalid nested repetition operator: `+?*`"),
            ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
            ("a|*", "missing argument to repetition operator: `*`"),
            ("(*a)", "missing argument to repetition operator: `*`"),
            ("+?a", "missing argument to repetition operator: `+?`"),
            ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
            ("(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"),
            ("(?", "invalid or unsupported Perl syntax: `(?`"),
            ("(?<=a)", "invalid named capture: `(?<=a)`"),
            ("(?P<n", "invalid named capture: `(?P<n`"),
            ("(?P<>a)", "invalid named capture: `(?P<>`"),
            ("(?P<n-x>a)", "invalid named capture: `(?P<n-x>`"),
            (r"\1", r"invalid escape sequence: `\1`"),
            (r"[a-\d]", r"invalid escape sequence: `\d`"),
            (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
            (r"\xg", r"invalid escape sequence: `\xg`"),
            (r"\p{Foo}", r"invalid character class range: `\p{Foo}`"),
            (r"\p", r"invalid character class range: `\p`"),
            ("\\", "trailing backslash at end of expression: ``"),
        ];
        for (pattern, error) in cases {
            assert_eq!(translate(pattern), Err(error.to_owned()), "{pattern}");
        }
    }
}
