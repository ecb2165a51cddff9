//! What stands between brackets: arguments, and the literals of lists, maps and messages.

use super::{NAMES, Parsed, Parser};
use crate::cel::ast::{Element, Entry, Field, Kind, Node};
use crate::cel::lexer::TokenKind;
use crate::text::Span;

impl Parser<'_> {
    /// Expressions up to a closing bracket, whose span is returned with them.
    #[inline(never)]
    pub(super) fn arguments(&mut self, close: &str) -> Parsed<(Vec<Node>, Span)> {
        let mut args = Vec::new();
        self.open.push((")", true));
        self.operand_or(&[close])?;
        if self.peek_symbol() == Some(close) {
            return Ok((args, self.close(close)?));
        }
        loop {
            args.push(self.expression()?);
            if self.take(",").is_none() {
                return Ok((args, self.close(close)?));
            }
        }
    }

    /// What stands between brackets, up to the closing one, whose span is returned with it. A comma may stand
    /// before the closing bracket.
    fn elements<T>(
        &mut self,
        close: &'static str,
        begins: impl FnOnce(&mut Self) -> Parsed<()>,
        goes_on: impl Fn(&Self) -> bool,
        mut element: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<(Vec<T>, Span)> {
        self.at += 1;
        self.open.push((close, true));
        let mut elements = Vec::new();
        begins(self)?;
        if self.take(",").is_some() || self.peek_symbol() == Some(close) {
            return Ok((elements, self.close(close)?));
        }
        loop {
            elements.push(element(self)?);
            if self.take(",").is_none() {
                return Ok((elements, self.close_elements(close)?));
            }
            if !goes_on(self) {
                return Ok((elements, self.close(close)?));
            }
        }
    }

    fn begins_element(&self) -> bool {
        self.begins_operand(self.peek()) || self.peek_symbol() == Some("?")
    }

    #[inline(never)]
    pub(super) fn list(&mut self, start: Span) -> Parsed<Node> {
        let (elements, end) = self.elements(
            "]",
            |parser| parser.operand_or(&["]", ",", "?"]),
            Self::begins_element,
            |parser| {
                let optional = parser.take("?").is_some();
                Ok(Element { value: parser.expression()?, optional })
            },
        )?;
        Ok(Node::new(Kind::List(elements), start.to(end)))
    }

    #[inline(never)]
    pub(super) fn map(&mut self, start: Span) -> Parsed<Node> {
        let (entries, end) = self.elements(
            "}",
            |parser| parser.operand_or(&["}", ",", "?"]),
            Self::begins_element,
            |parser| {
                let optional = parser.take("?").is_some();
                let key = parser.expression()?;
                parser.expect(":")?;
                Ok(Entry { key, value: parser.expression()?, optional })
            },
        )?;
        Ok(Node::new(Kind::Map(entries), start.to(end)))
    }

    #[inline(never)]
    pub(super) fn message(&mut self, name: String, start: Span) -> Parsed<Node> {
        let (fields, end) = self.elements(
            "}",
            |parser| match (parser.peek().kind, parser.peek_symbol()) {
                (TokenKind::Ident | TokenKind::EscapedIdent, _) | (_, Some("}" | "," | "?")) => Ok(()),
                _ => {
                    let issue = parser.unexpected("{'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}");
                    let behind = parser.tokens.get(parser.at + 1).map(|token| token.kind);
                    let goes_on = matches!(behind, Some(TokenKind::Ident | TokenKind::EscapedIdent))
                        || matches!(parser.symbol_behind(), Some("}" | "," | "?"));
                    if !goes_on {
                        return Err(issue);
                    }
                    parser.pass_over(*issue);
                    Ok(())
                }
            },
            |parser| {
                matches!(parser.peek().kind, TokenKind::Ident | TokenKind::EscapedIdent)
                    || parser.peek_symbol() == Some("?")
            },
            |parser| {
                let optional = parser.take("?").is_some();
                let name = parser.field_name().ok_or_else(|| parser.unexpected(NAMES))?;
                parser.expect(":")?;
                Ok(Field { name, value: parser.expression()?, optional })
            },
        )?;
        Ok(Node::new(Kind::Message { name, fields }, start.to(end)))
    }
}
