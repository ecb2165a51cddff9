//! What the parser says of mistakes, and how it reads on behind them: in the words and by the rules of ANTLR's
//! parsers, of which cel-go's is one.

use super::{MAX_DEPTH, OPERATORS, Parsed, Parser, syntax_error};
use crate::cel::Issue;
use crate::cel::ast::{Kind, Node};
use crate::cel::hints::word_hint;
use crate::cel::lexer::{Token, TokenKind};
use crate::text::Span;

/// The symbols that can be expected, in the order in which messages list them.
const EXPECTED: [&str; 14] = ["[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", "true", "false", "null"];
/// Those that begin an operand.
const OPERANDS: [&str; 9] = ["[", "{", "(", ".", "-", "!", "true", "false", "null"];

impl<'t> Parser<'t> {
    #[inline(never)]
    pub(super) fn expected(&mut self, symbol: &str) -> Parsed<Span> {
        let issue = self.unexpected(&format!("'{symbol}'"));
        let token = self.peek();
        if self.symbol_behind() == Some(symbol) {
            self.pass_over(*issue);
            return self.expect(symbol);
        }
        if self.can_follow(symbol) {
            let found = self.found(token);
            let message = format!("Syntax error: missing '{symbol}' at '{found}'");
            self.issues.push(syntax_error(token.span, message));
            return Ok(Span::at(token.span.range().start));
        }
        Err(issue)
    }

    pub(super) fn symbol_behind(&self) -> Option<&'t str> {
        let token = self.tokens.get(self.at + 1).filter(|token| token.kind == TokenKind::Symbol)?;
        Some(self.text_of(*token))
    }

    /// What a macro made. Where it cannot be made that is reported, and reading goes on with a call in its place.
    pub(super) fn made_or_told(&mut self, made: Parsed<Node>, span: Span) -> Node {
        made.unwrap_or_else(|issue| {
            self.issues.push(*issue);
            Node::new(Kind::Call { function: String::new(), target: None, args: Vec::new() }, span)
        })
    }

    /// Reports a token that is too much, and goes on behind it.
    pub(super) fn pass_over(&mut self, mut issue: Issue) {
        issue.message = issue.message.replacen("mismatched", "extraneous", 1);
        self.issues.push(issue);
        self.at += 1;
    }

    /// Whether the next token could stand behind a symbol that is missing.
    pub(super) fn can_follow(&self, symbol: &str) -> bool {
        let token = self.peek();
        match symbol {
            ":" => self.begins_operand(token),
            _ => match token.kind {
                TokenKind::End => self.open.is_empty(),
                TokenKind::Symbol => {
                    let text = self.text_of(token);
                    let around = self.open.last();
                    matches!(text, "." | "[" | "?")
                        || OPERATORS.iter().any(|(operator, ..)| *operator == text)
                        || around.is_some_and(|(close, commas)| *close == text || (*commas && text == ","))
                }
                _ => false,
            },
        }
    }

    pub(super) fn begins_operand(&self, token: Token) -> bool {
        match token.kind {
            TokenKind::Symbol => OPERANDS.contains(&self.text_of(token)),
            TokenKind::EscapedIdent | TokenKind::End => false,
            _ => true,
        }
    }

    /// Sees to it that an operand, or one of some symbols, comes next; a token before it is passed over.
    pub(super) fn operand_or(&mut self, symbols: &[&str]) -> Parsed<()> {
        let fits = |token: Token| {
            self.begins_operand(token)
                || (token.kind == TokenKind::Symbol && symbols.contains(&self.text_of(token)))
        };
        if fits(self.peek()) {
            return Ok(());
        }
        let behind = self.tokens.get(self.at + 1).copied();
        let goes_on = behind.is_some_and(fits);
        let issue = self.operand_expected(symbols);
        if !goes_on {
            return Err(issue);
        }
        self.pass_over(*issue);
        Ok(())
    }

    #[inline(never)]
    pub(super) fn unexpected(&self, expected: &str) -> Box<Issue> {
        let token = self.peek();
        let found = self.found(token);
        let mut issue = syntax_error(
            token.span,
            format!("Syntax error: mismatched input '{found}' expecting {expected}"),
        );
        issue.hint = self.hint(found);
        Box::new(issue)
    }

    pub(super) fn found(&self, token: Token) -> &'t str {
        if token.kind == TokenKind::End { "<EOF>" } else { self.text_of(token) }
    }

    /// No way to read what begins with a symbol.
    #[inline(never)]
    pub(super) fn no_way(&self, symbol: Span) -> Box<Issue> {
        let token = self.peek();
        let mut read = String::new();
        let mut from = symbol.range().start;
        for unknown in self.unknown.iter().filter(|unknown| unknown.range().start >= symbol.range().start) {
            read.push_str(self.text.get(from..unknown.range().start).unwrap_or_default());
            from = unknown.range().end;
        }
        read.push_str(self.text.get(from..token.span.range().end).unwrap_or_default());
        let message = format!("Syntax error: no viable alternative at input '{read}'");
        let found = self.found(token);
        Box::new(Issue { hint: self.hint(found), ..syntax_error(token.span, message) })
    }

    /// A token after the expression; cel-go's parser calls it extraneous where nothing follows it.
    pub(super) fn left_over(&self) -> Box<Issue> {
        let mut issue = self.unexpected("<EOF>");
        if self.tokens.get(self.at + 1).is_none_or(|next| next.kind == TokenKind::End) {
            issue.message = issue.message.replacen("mismatched", "extraneous", 1);
        }
        issue
    }

    /// What people write who come from other languages.
    pub(super) fn hint(&self, found: &str) -> Option<String> {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        let before = before.map_or("", |token| self.text_of(*token));
        let hint = match (before, found) {
            (_, "not") if self.symbol_behind() == Some("in") => "write `!(x in list)`",
            ("<", ">") => "inequality is written `!=`",
            ("not" | "NOT", found) => word_hint(found).or_else(|| word_hint(before))?,
            _ => word_hint(found)?,
        };
        Some(hint.to_owned())
    }

    pub(super) fn too_deep(&self) -> Box<Issue> {
        let message = format!("expression recursion limit exceeded: {MAX_DEPTH}");
        Box::new(syntax_error(self.peek().span, message))
    }

    /// The error where neither an operand nor one of some symbols comes next.
    #[inline(never)]
    pub(super) fn operand_expected(&self, symbols: &[&str]) -> Box<Issue> {
        let expected = EXPECTED.iter().filter(|symbol| OPERANDS.contains(symbol) || symbols.contains(symbol));
        let expected: Vec<String> = expected.map(|symbol| format!("'{symbol}'")).collect();
        let expected = expected.join(", ");
        self.unexpected(&format!("{{{expected}, NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}}"))
    }
}
