//! What the event parser refuses, said as a diagnostic.

use granit_parser::{ErrorKind, ScanError};

use super::build::Budget;
use crate::text::{Code, Diagnostic, Label, Source, Span};

/// Where reading stopped.
pub(super) struct Stopped {
    /// The offset after the last thing that was read.
    pub(super) cursor: usize,
    /// The bracket that is open, if what is read stands directly in one.
    pub(super) bracket: Option<Span>,
}

/// Describes a syntax error.
pub(super) fn diagnostic(
    error: &ScanError,
    source: &Source,
    stopped: &Stopped,
    budget: &Budget,
) -> Diagnostic {
    let offset = error.marker().byte_offset().unwrap_or(stopped.cursor);
    let here = character(source.text(), offset);
    let syntax = |span, message: &str| Diagnostic::error(Code::Syntax, source, span, message);
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => budget.too_deep(source, here),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            let span = tab(source.text(), offset).unwrap_or(here);
            syntax(span, "a tab cannot be used for indentation").with_hint("indent with spaces")
        }
        ErrorKind::ExpectedFlowMappingSeparator
        | ErrorKind::ExpectedFlowSequenceSeparator
        | ErrorKind::InvalidColonPlacement => {
            let error = syntax(here, "expected `,` or the closing bracket");
            match stopped.bracket {
                None => error,
                Some(open) => error.with_related(Label::new(source, open).with_note("opened here")),
            }
        }
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            let error = syntax(here, "a quoted string cannot be followed by other text");
            // In a block, the string most likely is the start of an expression.
            match quoted_value(source.text(), stopped.cursor).filter(|_| stopped.bracket.is_none()) {
                None => error,
                Some(value) => syntax(value, "a value that starts with a quote ends with that string")
                    .with_hint("put the whole value in quotes of the other kind, or in a block after `>-`"),
            }
        }
        ErrorKind::UnclosedQuotedScalar => syntax(here, "a quoted string is not closed"),
        ErrorKind::UnclosedFlowCollection { open } => syntax(here, &format!("`{open}` is not closed")),
        ErrorKind::MismatchedFlowCollectionEnd { open, close } => {
            syntax(here, &format!("`{open}` is closed by `{close}`"))
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey => {
            syntax(line_rest(source.text(), offset), "expected `key: value`")
                .with_hint("check the `:` and the indentation of this line")
        }
        ErrorKind::ExpectedBlockSequenceEntry => {
            syntax(line_rest(source.text(), offset), "expected `- item`")
                .with_hint("check the indentation of this line")
        }
        ErrorKind::MappingValueNotAllowed => syntax(here, "`:` is not allowed here")
            .with_hint("check the indentation and the line before; quote a value that contains `: `"),
        ErrorKind::UnexpectedCharacter { character } => {
            syntax(here, &format!("a value cannot start with `{character}`"))
                .with_hint("put the value in quotes")
        }
        ErrorKind::UnknownQuotedScalarEscape => syntax(here, "unknown escape in a double-quoted string")
            .with_hint("write `\\\\` for a backslash, or use single quotes"),
        kind => syntax(here, &format!("invalid YAML: {kind}")),
    }
}

/// The span of the character at an offset.
fn character(text: &str, offset: usize) -> Span {
    let length = text.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Span::new(offset, offset + length)
}

/// The tab in the indentation of an offset's line, or else the next one: a plain scalar is refused at its
/// start for a tab on a later line.
fn tab(text: &str, offset: usize) -> Option<Span> {
    let line = text.get(..offset)?.rfind('\n').map_or(0, |at| at + 1);
    let indentation = text.get(line..)?.find(|c| !matches!(c, ' ' | '\t')).map_or(text.len(), |at| line + at);
    let in_line = text.get(line..indentation)?.find('\t').map(|at| line + at);
    let at = in_line.or_else(|| text.get(offset..)?.find('\t').map(|at| offset + at))?;
    Some(Span::new(at, at + 1))
}

/// The span from an offset to the end of its line.
fn line_rest(text: &str, offset: usize) -> Span {
    let rest = text.get(offset..).unwrap_or_default();
    Span::new(offset, offset + rest.lines().next().map_or(0, |line| line.trim_end().len()))
}

/// The rest of the line from the first quote after `from`, unless brackets open before it: the scanner is
/// ahead of what was read.
fn quoted_value(text: &str, from: usize) -> Option<Span> {
    let (before, _) = text.get(from..)?.split_once(['"', '\''])?;
    (!before.contains(['[', '{', ','])).then(|| line_rest(text, from + before.len()))
}
