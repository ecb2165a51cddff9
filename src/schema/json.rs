//! JSON text → values that know where they stand.
//!
//! Schemas are JSON and nothing else: YAML's reading of it differs in numbers (`1e3`), escapes and keys that stand
//! twice.

use serde::de::IgnoredAny;

use crate::cel::Const;
use crate::text::{Code, Diagnostic, Source, Span};

/// Deepest nesting of a schema file.
const MAX_DEPTH: u32 = 200;

/// A value and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) span: Span,
    pub(super) kind: Kind,
}

#[derive(Debug)]
pub(super) enum Kind {
    Null,
    Bool(bool),
    Number {
        value: f64,
        /// As it is written: messages quote it.
        text: Box<str>,
    },
    String(Box<str>),
    Array(Vec<Node>),
    /// Each key once: of keys that stand twice, the last.
    Object(Vec<Member>),
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) key: Box<str>,
    pub(super) key_span: Span,
    pub(super) value: Node,
}

impl Node {
    /// The value of a key, if this is an object that has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.member(key).map(|member| &member.value)
    }

    pub(super) fn member(&self, key: &str) -> Option<&Member> {
        self.members().iter().find(|member| &*member.key == key)
    }

    /// The members of an object; none of anything else.
    pub(super) fn members(&self) -> &[Member] {
        match &self.kind {
            Kind::Object(members) => members,
            _ => &[],
        }
    }

    pub(super) fn as_str(&self) -> Option<&str> {
        match &self.kind {
            Kind::String(text) => Some(text),
            _ => None,
        }
    }

    /// What the value is called in a message.
    pub(super) fn type_name(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "null",
            Kind::Bool(_) => "a boolean",
            Kind::Number { .. } => "a number",
            Kind::String(_) => "a string",
            Kind::Array(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }

    /// The value as a constant that attributes are compared with.
    pub(super) fn to_const(&self) -> Const {
        match &self.kind {
            Kind::Null => Const::Null,
            Kind::Bool(value) => Const::Bool(*value),
            Kind::Number { value, .. } => Const::Double(*value),
            Kind::String(text) => Const::string(&**text),
            Kind::Array(elements) => Const::list(elements.iter().map(Self::to_const).collect()),
            Kind::Object(members) => Const::map(
                members.iter().map(|member| (Const::string(&*member.key), member.value.to_const())).collect(),
            ),
        }
    }
}

/// Reads a text that is one JSON value.
pub(super) fn parse(source: &Source) -> Result<Node, Box<Diagnostic>> {
    if let Err(error) = serde_json::from_str::<IgnoredAny>(source.text()) {
        let message = error.to_string();
        let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
        let at = offset(source.text(), error.line(), error.column());
        return Err(invalid(source, Span::at(at), format!("the schema is not valid JSON: {reason}")));
    }
    Reader { source, at: 0 }.value(0)
}

fn invalid(source: &Source, span: Span, message: String) -> Box<Diagnostic> {
    Box::new(Diagnostic::error(Code::InvalidSchema, source, span, message))
}

/// The byte at a line and a column in bytes, both from 1.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let at = (before + column.saturating_sub(1)).min(text.len());
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// Reads text that is known to be JSON, so that it only has to find out where everything is.
struct Reader<'s> {
    source: &'s Source,
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.source.text().as_bytes().get(self.at).copied()
    }

    fn skip(&mut self, separator: impl Fn(u8) -> bool) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace() || separator(byte)) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: u32) -> Result<Node, Box<Diagnostic>> {
        self.skip(|_| false);
        let start = self.at;
        if depth > MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            return Err(Diagnostic::error(Code::TooLarge, self.source, Span::at(start), message).into());
        }
        let kind = match self.peek() {
            Some(b'{') => Kind::Object(self.members(depth)?),
            Some(b'[') => Kind::Array(self.elements(depth)?),
            Some(b'"') => Kind::String(self.string()?.0),
            Some(b'n') => self.word("null", Kind::Null),
            Some(b't') => self.word("true", Kind::Bool(true)),
            Some(b'f') => self.word("false", Kind::Bool(false)),
            _ => self.number()?,
        };
        Ok(Node { span: Span::new(start, self.at), kind })
    }

    fn word(&mut self, word: &str, kind: Kind) -> Kind {
        self.at += word.len();
        kind
    }

    fn members(&mut self, depth: u32) -> Result<Vec<Member>, Box<Diagnostic>> {
        self.at += 1;
        let mut members: Vec<Member> = Vec::new();
        loop {
            self.skip(|byte| byte == b',');
            if self.peek() != Some(b'"') {
                self.at += 1;
                break;
            }
            let (key, key_span) = self.string()?;
            self.skip(|byte| byte == b':');
            members.push(Member { key, key_span, value: self.value(depth + 1)? });
        }
        let mut seen = rustc_hash::FxHashSet::default();
        let mut kept: Vec<bool> = members.iter().rev().map(|member| seen.insert(&member.key)).collect();
        members.retain(|_| kept.pop().unwrap_or(true));
        Ok(members)
    }

    fn elements(&mut self, depth: u32) -> Result<Vec<Node>, Box<Diagnostic>> {
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            self.skip(|byte| byte == b',');
            if matches!(self.peek(), Some(b']') | None) {
                self.at += 1;
                return Ok(elements);
            }
            elements.push(self.value(depth + 1)?);
        }
    }

    fn string(&mut self) -> Result<(Box<str>, Span), Box<Diagnostic>> {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        let span = Span::new(start, self.at);
        let text = serde_json::from_str(self.source.slice(span));
        // Half a surrogate pair is all that can still be wrong.
        let text: String =
            text.map_err(|_| invalid(self.source, span, "invalid escape in a string".to_owned()))?;
        Ok((text.into(), span))
    }

    fn number(&mut self) -> Result<Kind, Box<Diagnostic>> {
        let start = self.at;
        while self.peek().is_some_and(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E')) {
            self.at += 1;
        }
        let span = Span::new(start, self.at);
        let text = self.source.slice(span);
        match text.parse::<f64>() {
            Ok(value) if value.is_finite() => Ok(Kind::Number { value, text: text.into() }),
            _ => Err(invalid(self.source, span, "the number is out of range".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Node, Box<Diagnostic>> {
        parse(&Source::new("_schemas/a.json", text))
    }

    #[test]
    fn values_know_where_they_stand() {
        let node = read(" {\"a\" : [1e3, \"é\\n\", null],\n\t\"b\":{\"c\":true} }").unwrap();
        let list = node.get("a").unwrap();
        assert_eq!((list.span, list.type_name()), (Span::new(8, 27), "a list"));
        let Kind::Array(elements) = &list.kind else { panic!("{list:?}") };
        assert!(
            matches!(&elements[0].kind, Kind::Number { value, text } if *value == 1000.0 && &**text == "1e3")
        );
        assert_eq!(elements[1].as_str(), Some("é\n"));
        assert_eq!(node.member("b").unwrap().key_span, Span::new(30, 33));
        assert!(matches!(node.get("b").and_then(|b| b.get("c")).unwrap().kind, Kind::Bool(true)));
    }

    #[test]
    fn of_keys_that_stand_twice_the_last_counts() {
        let node = read(r#"{"a":1,"b":2,"a":3}"#).unwrap();
        assert_eq!(node.members().len(), 2);
        assert!(matches!(node.get("a").unwrap().kind, Kind::Number { value: 3.0, .. }));
    }

    #[test]
    fn says_where_it_is_broken() {
        let cases = [
            ("{\n  \"a\": 1,\n}", "3:1"),
            ("{\"a\": nul}", "1:10"),
            ("[\"\\ud800\"]", "1:2"),
            ("[1e999]", "1:2"),
            ("{} {}", "1:4"),
            ("", "1:1"),
        ];
        for (text, place) in cases {
            let diagnostic = read(text).unwrap_err();
            assert_eq!(diagnostic.label.unwrap().start.to_string(), place, "{text}: {}", diagnostic.message);
        }
        assert_eq!(read(&"[".repeat(300)).unwrap_err().code, Code::InvalidSchema);
        let deep = format!("{}{}", "[".repeat(300), "]".repeat(300));
        assert_eq!(read(&deep).unwrap_err().code, Code::TooLarge);
    }
}
