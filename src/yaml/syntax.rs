//! What the event parser refuses, said as a diagnostic.

use granit_parser::{ErrorKind, ScanError};

use super::build::Budget;
use crate::text::{Code, Diagnostic, Source, Span};

/// Describes a syntax error. `cursor` is the offset after the last thing that was read without one.
pub(super) fn diagnostic(error: &ScanError, source: &Source, cursor: usize, budget: &Budget) -> Diagnostic {
    let offset = error.marker().byte_offset().unwrap_or(cursor);
    let here = character(source.text(), offset);
    match error.kind() {
        ErrorKind::RecursionLimitExceeded => budget.too_deep(source, here),
        ErrorKind::TabNotAllowed
        | ErrorKind::TabInBlockIndentation
        | ErrorKind::TabInIndentation
        | ErrorKind::TabAtBlockScalarStart
        | ErrorKind::TabInPlainScalar => {
            let tab = source.text().get(offset..).and_then(|rest| rest.find('\t'));
            let span = tab.map_or(here, |at| Span::new(offset + at, offset + at + 1));
            Diagnostic::error(Code::Syntax, source, span, "a tab cannot be used for indentation")
                .with_hint("indent with spaces")
        }
        ErrorKind::InvalidTrailingDoubleQuotedScalar | ErrorKind::InvalidTrailingSingleQuotedScalar => {
            let span = quoted_value(source.text(), cursor).unwrap_or(here);
            Diagnostic::error(Code::Syntax, source, span, "a quoted string ends before its line does")
                .with_hint("put the whole value in quotes of the other kind, or in a block after `>-`")
        }
        ErrorKind::UnclosedQuotedScalar => {
            Diagnostic::error(Code::Syntax, source, here, "a quoted string is not closed")
        }
        ErrorKind::UnclosedFlowCollection { open } => {
            Diagnostic::error(Code::Syntax, source, here, format!("`{open}` is not closed"))
        }
        ErrorKind::SimpleKeyExpected | ErrorKind::ExpectedBlockMappingKey => {
            Diagnostic::error(Code::Syntax, source, line_rest(source.text(), offset), "expected `key: value`")
                .with_hint("check the `:` and the indentation of this line")
        }
        ErrorKind::MappingValueNotAllowed => {
            Diagnostic::error(Code::Syntax, source, here, "`:` is not allowed here")
                .with_hint("check the indentation and the line before; quote a value that contains `: `")
        }
        ErrorKind::UnknownQuotedScalarEscape => {
            Diagnostic::error(Code::Syntax, source, here, "unknown escape in a double-quoted string")
                .with_hint("write `\\\\` for a backslash, or use single quotes")
        }
        kind => Diagnostic::error(Code::Syntax, source, here, format!("invalid YAML: {kind}")),
    }
}

/// The span of the character at an offset.
fn character(text: &str, offset: usize) -> Span {
    let length = text.get(offset..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
    Span::new(offset, offset + length)
}

/// The span from an offset to the end of its line.
fn line_rest(text: &str, offset: usize) -> Span {
    let rest = text.get(offset..).unwrap_or_default();
    Span::new(offset, offset + rest.lines().next().map_or(0, |line| line.trim_end().len()))
}

/// The rest of the line from the first quote after `from`.
fn quoted_value(text: &str, from: usize) -> Option<Span> {
    let at = from + text.get(from..)?.find(['"', '\''])?;
    Some(line_rest(text, at))
}
