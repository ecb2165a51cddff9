//! What is said about a text: where, why, and what to do.

use std::fmt::{self, Write};

use super::{Code, Position, Source, Span};

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Severity {
    /// The policy set is refused.
    Error,
    /// The policy set works, and probably not as meant.
    Warning,
}

impl Severity {
    /// `error` or `warning`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A marked place in a source. It carries the line it marks, so that it can be shown without the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Name of the source.
    pub file: String,
    /// Where the marked text starts.
    pub start: Position,
    /// Where the marked text ends (the position after its last character).
    pub end: Position,
    /// The line in which it starts; of a very long line, the part around the start.
    pub line_text: String,
    /// How many characters of that text stand before the start.
    pub offset: u32,
    /// What is to be said of this place; empty for a diagnostic's main place.
    pub note: String,
}

impl Label {
    /// Marks a span of a source.
    #[must_use]
    pub fn new(source: &Source, span: Span) -> Self {
        let start = source.position(span.start);
        let (line_text, offset) = clip(source.line(start.line), start.column - 1);
        Self {
            file: source.name().to_owned(),
            start,
            end: source.position(span.end),
            line_text,
            offset,
            note: String::new(),
        }
    }

    /// The same place with a note.
    #[must_use]
    pub fn with_note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    fn write_excerpt(&self, out: &mut String, gutter: usize) {
        let width = if self.end.line == self.start.line {
            self.end.column.saturating_sub(self.start.column).max(1) as usize
        } else {
            usize::MAX
        };
        let shown = self.line_text.chars().count().saturating_sub(self.offset as usize);
        let width = width.min(shown.max(1));
        // Tabs are kept before the caret, so that it stands below the text in every terminal.
        let before = self.line_text.chars().take(self.offset as usize);
        let indent: String = before.map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let note = if self.note.is_empty() { String::new() } else { format!(" {}", self.note) };
        let _ = writeln!(out, "{:gutter$}--> {}:{}", "", self.file, self.start);
        let _ = writeln!(out, "{:gutter$} |", "");
        let _ = writeln!(out, "{:>gutter$} | {}", self.start.line, self.line_text);
        let _ = writeln!(out, "{:gutter$} | {indent}{}{note}", "", "^".repeat(width));
    }
}

/// The part of a line that is shown, and how many of its characters stand before a position. A minified file is one
/// line of megabytes.
fn clip(line: &str, position: u32) -> (String, u32) {
    const BEFORE: u32 = 120;
    const SHOWN: usize = 240;
    if line.len() <= SHOWN {
        return (line.to_owned(), position);
    }
    let skipped = position.saturating_sub(BEFORE);
    let mut rest = line.chars().skip(skipped as usize);
    let (lead, room) = if skipped > 0 { ("…", SHOWN - 1) } else { ("", SHOWN) };
    let mut text: String = lead.chars().chain(rest.by_ref().take(room)).collect();
    if rest.next().is_some() {
        text.push('…');
    }
    (text, position - skipped + u32::from(skipped > 0))
}

/// One thing to say about a policy set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The kind of mistake.
    pub code: Code,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where; absent for a mistake that no text shows, such as an empty directory.
    pub label: Option<Label>,
    /// Other places that take part, each with its note.
    pub related: Vec<Label>,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error at a place.
    #[must_use]
    pub fn error(code: Code, source: &Source, span: Span, message: impl Into<String>) -> Self {
        Self { label: Some(Label::new(source, span)), ..Self::unplaced(code, message) }
    }

    /// An error that belongs to no text.
    #[must_use]
    pub fn unplaced(code: Code, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { severity: Severity::Error, code, message, label: None, related: Vec::new(), hint: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds another place.
    #[must_use]
    pub fn with_related(mut self, label: Label) -> Self {
        self.related.push(label);
        self
    }

    /// The diagnostic as people read it: the message, the source lines with carets, the hint.
    #[must_use]
    pub fn render(&self) -> String {
        let labels = self.label.iter().chain(&self.related);
        let gutter = labels.clone().map(|label| label.start.line.to_string().len()).max().unwrap_or(1);
        let mut out = format!("{}[{}]: {}\n", self.severity.as_str(), self.code, self.message);
        labels.for_each(|label| label.write_excerpt(&mut out, gutter));
        if let Some(hint) = &self.hint {
            let _ = writeln!(out, "{:gutter$} = help: {hint}", "");
        }
        out
    }
}

/// One line: `file:line:column: message`.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(label) = &self.label {
            write!(f, "{}:{}: ", label.file, label.start)?;
        }
        f.write_str(&self.message)
    }
}

/// Everything a stage has to say. A stage goes on after an error, so that all are reported together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Nothing said yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.0.push(diagnostic);
    }

    /// Adds all of another list.
    pub fn extend(&mut self, other: impl IntoIterator<Item = Diagnostic>) {
        self.0.extend(other);
    }

    /// Whether anything said is an error.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// Whether nothing was said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was said.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }

    /// In the order of files and positions, each thing said once.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        let place = |d: &Diagnostic| d.label.as_ref().map(|label| (label.file.clone(), label.start));
        self.0.sort_by_cached_key(|d| (place(d), d.code, d.message.clone()));
        self.0.dedup();
        self
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(diagnostic: Diagnostic) -> Self {
        Self(vec![diagnostic])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_excerpt_caret_and_help() {
        let source = Source::new("policies/doc.yaml", "a: 1\n\trules: [x]\n");
        let diagnostic =
            Diagnostic::error(Code::UnknownField, &source, Span::new(6, 11), "unknown field `rules`")
                .with_related(Label::new(&source, Span::new(0, 1)).with_note("first defined here"))
                .with_hint("remove it");
        let expected = "\
error[unknown-field]: unknown field `rules`
 --> policies/doc.yaml:2:2
  |
2 | \trules: [x]
  | \t^^^^^
 --> policies/doc.yaml:1:1
  |
1 | a: 1
  | ^ first defined here
  = help: remove it
";
        assert_eq!(diagnostic.render(), expected);
        assert_eq!(diagnostic.to_string(), "policies/doc.yaml:2:2: unknown field `rules`");
    }

    #[test]
    fn of_a_very_long_line_the_part_around_the_place_is_shown() {
        let text = format!("{}wrong{}", "a".repeat(1_000), "b".repeat(1_000));
        let source = Source::new("min.json", text);
        let label = Label::new(&source, Span::new(1_000, 1_005));
        assert!(label.line_text.chars().count() <= 242, "{}", label.line_text);
        let marked: String = label.line_text.chars().skip(label.offset as usize).take(5).collect();
        assert_eq!(marked, "wrong");
        let rendered = Diagnostic::error(Code::Syntax, &source, Span::new(1_000, 1_005), "m").render();
        let caret = rendered.lines().find(|line| line.contains('^')).unwrap_or_default();
        assert_eq!(caret.chars().filter(|c| *c == '^').count(), 5);
    }

    #[test]
    fn sorting_drops_repetitions() {
        let source = Source::new("b", "xy");
        let second = Diagnostic::error(Code::Syntax, &source, Span::at(1), "second");
        let first = Diagnostic::error(Code::Syntax, &source, Span::at(0), "first");
        let mut all = Diagnostics::from(second.clone());
        all.extend([first.clone(), second.clone()]);
        assert_eq!(all.sorted(), Diagnostics(vec![first, second]));
    }
}
