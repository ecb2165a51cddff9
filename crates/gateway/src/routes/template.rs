//! Texts in which `{name}` stands for a part of the path.

use std::borrow::Cow;

use orthrus::text::Span;

/// A text with places to be filled.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// By its number among the named parts of the path.
    Part(usize),
}

/// A name that is no part of the path, and where it stands in the text, with its braces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UnknownPart {
    pub(super) name: String,
    pub(super) span: Span,
}

impl Template {
    /// Reads a text. A `{` that nothing closes is a letter like others.
    pub(super) fn parse(text: &str, names: &[String]) -> Result<Self, Vec<UnknownPart>> {
        let mut pieces = Vec::new();
        let mut unknown = Vec::new();
        let mut at = 0;
        while let Some((before, name)) = next_name(text.get(at..).unwrap_or_default()) {
            let start = at + before.len();
            at = start + name.len() + 2;
            match names.iter().position(|known| known == name) {
                Some(part) => pieces.extend([Piece::Text(before.to_owned()), Piece::Part(part)]),
                None => {
                    unknown.push(UnknownPart { name: name.to_owned(), span: Span::new(start, at) });
                }
            }
        }
        pieces.push(Piece::Text(text.get(at..).unwrap_or_default().to_owned()));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        if unknown.is_empty() { Ok(Self(pieces)) } else { Err(unknown) }
    }

    /// The text with the parts of a path.
    pub(super) fn fill(&self, parts: &[Cow<'_, str>]) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Part(index) => parts.get(*index).map_or("", AsRef::as_ref),
        });
        pieces.collect()
    }
}

/// What stands before the next pair of braces, and what in them.
fn next_name(text: &str) -> Option<(&str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, _) = rest.split_once('}')?;
    Some((before, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_stand_for_parts() {
        let names = ["a".to_owned(), "b".to_owned()];
        for (text, filled) in
            [("", ""), ("x", "x"), ("{b}{a}", "21"), ("x-{a}/{b}.", "x-1/2."), ("}{a}{", "}1{")]
        {
            let template = Template::parse(text, &names).unwrap();
            assert_eq!(template.fill(&["1".into(), "2".into()]), filled, "{text}");
        }
        let unknown = Template::parse("{a} {c} {} {é{a}", &names).unwrap_err();
        let unknown: Vec<_> = unknown.iter().map(|it| (it.name.as_str(), it.span.range())).collect();
        assert_eq!(unknown, [("c", 4..7), ("", 8..10), ("é{a", 11..17)]);
    }
}
