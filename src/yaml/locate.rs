//! A string value that knows where each of its characters stands in the file.

use super::node::Style;
use crate::text::{Source, Span};

/// A string of a policy: an expression, with the way back to the file.
#[derive(Clone, Debug)]
pub struct Text {
    /// The string, after escapes and folding.
    pub value: String,
    /// The whole scalar in the file, with its quotes or block header.
    pub span: Span,
    /// Where the PDP reports what is wrong with it: the key of an expression, the value of a variable.
    pub place: Span,
    style: Style,
    source: Source,
}

/// Texts are equal when their values are, wherever they stand.
impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl Text {
    pub(crate) fn new(value: String, style: Style, span: Span, place: Span, source: &Source) -> Self {
        Self { value, span, place, style, source: source.clone() }
    }

    /// Where a part of the value (byte offsets in [`value`](Self::value)) stands in the file. For a value
    /// that is not written as it reads (a number in a string field, `010` for "8") that is the whole scalar.
    #[must_use]
    pub fn locate(&self, part: Span) -> Span {
        let Some(pieces) = self.pieces() else { return self.span };
        let piece_of = |offset: u32| pieces.iter().rfind(|piece| piece.value.start <= offset);
        let Some(start) = piece_of(part.start).map(|piece| piece.file_at(part.start)) else {
            return Span::at(self.span.start as usize);
        };
        let last = part.end.saturating_sub(1).max(part.start);
        let end = if part.end <= part.start { None } else { piece_of(last) };
        Span { start, end: end.map_or(start, |piece| piece.file_after(part.end).max(start)) }
    }

    fn pieces(&self) -> Option<Vec<Piece>> {
        let mut aligner = Aligner { text: self.source.text(), value: &self.value, at: 0, pieces: Vec::new() };
        let Span { start, end } = self.span;
        let (start, end) = (start as usize, end as usize);
        let whole = match self.style {
            Style::Absent => Some(()),
            Style::Plain => aligner.flow(start, end, None),
            Style::SingleQuoted => aligner.flow(start + 1, end.checked_sub(1)?, Some('\'')),
            Style::DoubleQuoted => aligner.flow(start + 1, end.checked_sub(1)?, Some('"')),
            Style::Literal => aligner.literal(start),
            Style::Folded => aligner.folded(start),
        };
        whole.map(|()| aligner.pieces)
    }
}

/// A run of the value and what it was made from. Of equal length, it is a copy.
#[derive(Clone, Copy, Debug)]
struct Piece {
    value: Span,
    file: Span,
}

impl Piece {
    fn is_copy(self) -> bool {
        self.value.end - self.value.start == self.file.end - self.file.start
    }

    /// The place in the file of an offset at or after the start of this piece.
    fn file_at(self, offset: u32) -> u32 {
        if offset >= self.value.end {
            self.file.end
        } else if self.is_copy() {
            self.file.start + (offset - self.value.start)
        } else {
            self.file.start
        }
    }

    /// The place in the file after the character that ends at an offset in this piece.
    fn file_after(self, offset: u32) -> u32 {
        if self.is_copy() { self.file_at(offset) } else { self.file.end }
    }
}

/// Reads the written scalar and the value side by side. Every step compares: where they do not fit, there
/// is no alignment.
struct Aligner<'t> {
    text: &'t str,
    value: &'t str,
    /// How much of the value is aligned.
    at: usize,
    pieces: Vec<Piece>,
}

impl Aligner<'_> {
    fn rest(&self) -> &str {
        self.value.get(self.at..).unwrap_or_default()
    }

    /// Aligns the next `length` bytes of the value with a range of the file.
    fn push(&mut self, length: usize, start: usize, end: usize) {
        if length == 0 {
            return;
        }
        let value = Span::new(self.at, self.at + length);
        let file = Span::new(start, end);
        self.at += length;
        match self.pieces.last_mut() {
            Some(last)
                if last.is_copy()
                    && value.end - value.start == file.end - file.start
                    && last.file.end == file.start =>
            {
                last.value.end = value.end;
                last.file.end = file.end;
            }
            _ => self.pieces.push(Piece { value, file }),
        }
    }

    /// A plain or quoted scalar, between its quotes.
    fn flow(&mut self, start: usize, end: usize, quote: Option<char>) -> Option<()> {
        let mut at = start;
        while at < end {
            let raw = self.text.get(at..end)?;
            let step = if let Some(fold) = line_fold(raw, quote) {
                if !self.rest().starts_with(&*fold.becomes) {
                    return None;
                }
                self.push(fold.becomes.len(), at, at + fold.length);
                fold.length
            } else if let Some(length) = escape(raw, quote) {
                let becomes = self.rest().chars().next()?.len_utf8();
                self.push(becomes, at, at + length);
                length
            } else {
                let character = raw.chars().next()?;
                if !self.rest().starts_with(character) {
                    return None;
                }
                self.push(character.len_utf8(), at, at + character.len_utf8());
                character.len_utf8()
            };
            at += step;
        }
        self.rest().is_empty().then_some(())
    }

    /// A block after `|`: each line of the value is the end of its line in the file.
    fn literal(&mut self, start: usize) -> Option<()> {
        let value = self.value;
        for (raw, line) in block_lines(self.text, start)?.zip(value.split_inclusive('\n')) {
            let content = line.strip_suffix('\n').unwrap_or(line);
            if !raw.content.ends_with(content) {
                return None;
            }
            let end = raw.start + raw.content.len();
            self.push(content.len(), end - content.len(), end);
            self.push(line.len() - content.len(), end, raw.end);
        }
        self.rest().is_empty().then_some(())
    }

    /// A block after `>`: the lines of the file stand in the value in order, parted by a space or breaks.
    fn folded(&mut self, start: usize) -> Option<()> {
        let text = self.text;
        for raw in block_lines(text, start)? {
            if self.rest().is_empty() {
                break;
            }
            let written = raw.content.trim_start_matches(' ');
            if written.is_empty() {
                continue;
            }
            let end = raw.start + raw.content.len();
            // Breaks that come before the line, and the spaces of a line that is indented further.
            let breaks = self.rest().len() - self.rest().trim_start_matches('\n').len();
            self.push(breaks, raw.start, raw.start);
            let indent = self.rest().len() - self.rest().trim_start_matches(' ').len();
            if !self.rest().get(indent..)?.starts_with(written) {
                return None;
            }
            let length = indent + written.len();
            self.push(length, end.checked_sub(length)?, end);
            let folded = usize::from(self.rest().starts_with([' ', '\n']));
            self.push(folded, end, raw.end);
        }
        let breaks = self.rest().len();
        if self.rest().bytes().any(|byte| byte != b'\n') {
            return None;
        }
        let end = self.pieces.last().map_or(start, |piece| piece.file.end as usize);
        self.push(breaks, end, end);
        Some(())
    }
}

struct Fold {
    /// Bytes of the file that are folded.
    length: usize,
    /// What stands for them in the value.
    becomes: String,
}

/// Line folding at the start of `raw`: blanks, a line break, more blank lines, the next line's indentation.
fn line_fold(raw: &str, quote: Option<char>) -> Option<Fold> {
    let escaped = quote == Some('"') && (raw.starts_with("\\\n") || raw.starts_with("\\\r\n"));
    let mut rest = if escaped { &raw[1..] } else { raw.trim_start_matches([' ', '\t']) };
    let mut breaks = 0;
    while let Some(after) = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix('\n')) {
        breaks += 1;
        rest = after.trim_start_matches([' ', '\t']);
    }
    let becomes = match (breaks, escaped) {
        (0, _) => return None,
        (1, true) => String::new(),
        (1, false) => " ".to_owned(),
        (breaks, _) => "\n".repeat(breaks - 1),
    };
    Some(Fold { length: raw.len() - rest.len(), becomes })
}

/// The length of the escape at the start of `raw`.
fn escape(raw: &str, quote: Option<char>) -> Option<usize> {
    match quote {
        Some('\'') if raw.starts_with("''") => Some(2),
        Some('"') if raw.starts_with('\\') => Some(match raw.as_bytes().get(1)? {
            b'x' => 4,
            b'U' => 10,
            // A high surrogate takes the low one with it.
            b'u' if raw.as_bytes().get(2..4).is_some_and(is_high_surrogate) => 12,
            b'u' => 6,
            _ => 1 + raw.get(1..)?.chars().next()?.len_utf8(),
        }),
        _ => None,
    }
}

fn is_high_surrogate(hex: &[u8]) -> bool {
    matches!(hex, [b'd' | b'D', b'8' | b'9' | b'a' | b'A' | b'b' | b'B'])
}

struct RawLine<'t> {
    start: usize,
    /// Without the line break.
    content: &'t str,
    /// After the line break.
    end: usize,
}

/// The lines after the header of a block scalar.
fn block_lines(text: &str, header: usize) -> Option<impl Iterator<Item = RawLine<'_>>> {
    let mut start = header + text.get(header..)?.find('\n')? + 1;
    let lines = text.get(start..)?.split_inclusive('\n');
    Some(lines.map(move |line| {
        let content = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
        let raw = RawLine { start, content, end: start + line.len() };
        start = raw.end;
        raw
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml::{Budget, Kind, parse};

    /// The value of the key `e` in a text.
    fn text(yaml: &str) -> Text {
        let source = Source::new("test.yaml", yaml);
        let documents = parse(&source, &Budget::default()).unwrap();
        let Kind::Mapping(entries) = &documents[0].kind else { panic!("a mapping") };
        let value = &entries.iter().find(|entry| source.slice(entry.key.span) == "e").unwrap().value;
        let Kind::Scalar(scalar) = &value.kind else { panic!("a scalar") };
        Text::new(scalar.text.to_string(), scalar.style, value.span, value.span, &source)
    }

    /// What stands in the file where `part` stands in the value.
    fn located(yaml: &str, part: &str) -> String {
        let text = text(yaml);
        let start = text.value.find(part).unwrap_or_else(|| panic!("{part:?} in {:?}", text.value));
        let span = text.locate(Span::new(start, start + part.len()));
        text.source.slice(span).to_owned()
    }

    #[test]
    fn every_style_leads_back_to_the_file() {
        for (yaml, part, expected) in [
            ("e: a == b\n", "== b", "== b"),
            ("e: a ==\n  b  \n\n  c\n", "b", "b"),
            ("e: a ==\n  b\n", "== b", "==\n  b"),
            ("e: a ==\n  b\n\n  c # x\n", "c", "c"),
            ("e: 'it''s x'\n", "'", "''"),
            ("e: 'it''s x'\n", "s x", "s x"),
            ("e: \"a\\tb \\u00e9 c\"\n", "é", "\\u00e9"),
            ("e: \"a\\tb \\u00e9 c\"\n", " c", " c"),
            ("e: \"\\ud83d\\ude00 \\x41 \\U0001F600 c\"\n", "c", "c"),
            ("e: \"\\ud83d\\ude00 \\x41\"\n", "😀", "\\ud83d\\ude00"),
            ("e: \"a \\\n   b\"\n", "b", "b"),
            ("e: \"a\n\n\n  b\"\n", "b", "b"),
            ("e: |\n  x\n    y\n\n  z\n", "y", "y"),
            ("e: |\n  x\n    y\n\n  z\n", "z\n", "z\n"),
            ("e: |\r\n  x\r\n  y\r\n", "y", "y"),
            ("e: |2\n    x\n   y\n", "  x", "  x"),
            ("e: |-\n  é x", "x", "x"),
            ("e: >\n  x\n  y\n\n  z\n", "y", "y"),
            ("e: >\n  x\n  y\n\n  z\n", "z", "z"),
            ("e: >\n  x\n  y\n\n  z\n", "x y", "x\n  y"),
            ("e: >\n\n  x\n    y\n   z\n  w  \n  v\n", "z", "z"),
            ("e: >\n\n  x\n    y\n   z\n  w  \n  v\n", "v", "v"),
            ("e: >-\r\n  x\r\n  y\r\n", "y", "y"),
            ("a: &a |\n  x\n  y\ne: *a\n", "y", "y"),
        ] {
            assert_eq!(located(yaml, part), expected, "{part:?} in {yaml:?}");
        }
    }

    #[test]
    fn an_empty_part_is_a_place() {
        let text = text("e: |\n  ab\n  c\n");
        assert_eq!(text.value, "ab\nc\n");
        assert_eq!(text.locate(Span::at(0)), Span::at(7));
        assert_eq!(text.locate(Span::at(3)), Span::at(12));
        assert_eq!(text.locate(Span::at(5)), Span::at(14));
        assert_eq!(text.locate(Span::at(99)), Span::at(14));
        let quoted = super::tests::text("e: 'ab'\n");
        assert_eq!(quoted.locate(Span::at(2)), Span::at(6));
    }

    #[test]
    fn a_value_that_is_written_otherwise_is_its_whole_scalar() {
        let mut number = text("e: 010\n");
        number.value = "8".to_owned();
        assert_eq!(number.locate(Span::new(0, 1)), number.span);
        let empty = text("e: ''\n");
        assert_eq!(empty.locate(Span::new(0, 1)), Span::at(3));
    }
}
