//! Tokens to a tree: precedence climbing. The grammar is that of the CEL specification
//! (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax>) with cel-go's optional syntax.

use super::ast::{Element, Entry, Kind, Node, Relation};
use super::lexer::{Token, TokenKind, tokenize};
use super::{Const, Issue, literal, macros};
use crate::text::{Code, Span, nearest};

/// Longest expression, in characters; cel-go's limit.
const MAX_CHARS: usize = 100_000;
/// Deepest nesting; cel-go's limit. Every later stage recurses over the tree and relies on it.
const MAX_DEPTH: u16 = 250;

/// Words that are no identifiers.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Parses an expression and turns macros into their nodes.
pub(crate) fn parse(text: &str) -> Result<Node, Vec<Issue>> {
    let chars = text.chars().count();
    if chars > MAX_CHARS {
        let message = format!("expression code point size exceeds limit: size: {chars}, limit {MAX_CHARS}");
        return Err(vec![syntax_error(Span::new(0, text.len()), message)]);
    }
    let tokens = tokenize(text).map_err(|unknown| {
        let issue = |span: Span| {
            let text = text.get(span.range()).unwrap_or_default();
            syntax_error(span, format!("Syntax error: token recognition error at: '{text}'"))
        };
        unknown.into_iter().map(issue).collect::<Vec<_>>()
    })?;
    let mut parser = Parser { text, tokens, at: 0, depth: 0 };
    parser.whole().map_err(|issue| vec![*issue])
}

fn syntax_error(span: Span, message: impl Into<String>) -> Issue {
    Issue { code: Code::ExpressionSyntax, span, message: message.into(), hint: None }
}

/// Boxed: an issue is large, and every step of the parser returns one.
type Parsed<T> = Result<T, Box<Issue>>;

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    at: usize,
    depth: u16,
}

/// Operators of arithmetic with their level: higher binds tighter.
const ARITHMETIC: [(&str, u8, &str); 5] =
    [("*", 2, "_*_"), ("/", 2, "_/_"), ("%", 2, "_%_"), ("+", 1, "_+_"), ("-", 1, "_-_")];

const RELATIONS: [(&str, Relation); 7] = [
    ("==", Relation::Equal),
    ("!=", Relation::NotEqual),
    ("<", Relation::Less),
    ("<=", Relation::LessEqual),
    (">", Relation::Greater),
    (">=", Relation::GreaterEqual),
    ("in", Relation::In),
];

impl<'t> Parser<'t> {
    fn whole(&mut self) -> Parsed<Node> {
        let node = self.expression()?;
        match self.peek().kind {
            TokenKind::End => Ok(node),
            _ => Err(self.unexpected("<EOF>")),
        }
    }

    fn peek(&self) -> Token {
        let end = Token { kind: TokenKind::End, span: Span::at(self.text.len()) };
        self.tokens.get(self.at).copied().unwrap_or(end)
    }

    fn text_of(&self, token: Token) -> &'t str {
        self.text.get(token.span.range()).unwrap_or_default()
    }

    fn peek_symbol(&self) -> Option<&'t str> {
        let token = self.peek();
        (token.kind == TokenKind::Symbol).then(|| self.text_of(token))
    }

    /// Takes a symbol if it comes next.
    fn take(&mut self, symbol: &str) -> Option<Span> {
        let span = (self.peek_symbol() == Some(symbol)).then(|| self.peek().span)?;
        self.at += 1;
        Some(span)
    }

    fn expect(&mut self, symbol: &str) -> Parsed<Span> {
        self.take(symbol).ok_or_else(|| self.unexpected(&format!("'{symbol}'")))
    }

    fn unexpected(&self, expected: &str) -> Box<Issue> {
        let token = self.peek();
        let found = if token.kind == TokenKind::End { "<EOF>" } else { self.text_of(token) };
        let mut issue = syntax_error(
            token.span,
            format!("Syntax error: mismatched input '{found}' expecting {expected}"),
        );
        issue.hint = self.hint(found);
        Box::new(issue)
    }

    /// What people write who come from other languages.
    fn hint(&self, found: &str) -> Option<String> {
        let hint = match found {
            "and" | "AND" => "the operator is written `&&`",
            "or" | "OR" => "the operator is written `||`",
            "not" | "NOT" => "the operator is written `!`",
            _ if found == "in" && self.text[..self.peek().span.range().start].trim_end().ends_with("not") => {
                "write `!(x in list)`"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn too_deep(&self) -> Box<Issue> {
        let message = format!("expression recursion limit exceeded: {MAX_DEPTH}");
        Box::new(syntax_error(self.peek().span, message))
    }

    /// Chains (`a.b.c`, `a + b + c`) make the tree higher without recursion of the parser.
    fn bounded(&self, node: Node) -> Parsed<Node> {
        if node.height() > MAX_DEPTH { Err(self.too_deep()) } else { Ok(node) }
    }

    fn expression(&mut self) -> Parsed<Node> {
        if self.depth >= MAX_DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let node = self.conditional()?;
        self.depth -= 1;
        self.bounded(node)
    }

    fn conditional(&mut self) -> Parsed<Node> {
        let condition = self.or()?;
        if self.take("?").is_none() {
            return Ok(condition);
        }
        let yes = self.or()?;
        self.expect(":")?;
        let no = self.expression()?;
        let span = condition.span.to(no.span);
        let kind = Kind::Conditional { condition: Box::new(condition), yes: Box::new(yes), no: Box::new(no) };
        Ok(Node::new(kind, span))
    }

    fn or(&mut self) -> Parsed<Node> {
        self.logical("||", Kind::Or, Self::and)
    }

    fn and(&mut self) -> Parsed<Node> {
        self.logical("&&", Kind::And, Self::relation)
    }

    fn logical(
        &mut self,
        symbol: &str,
        kind: fn(Vec<Node>) -> Kind,
        term: fn(&mut Self) -> Parsed<Node>,
    ) -> Parsed<Node> {
        let first = term(self)?;
        if self.peek_symbol() != Some(symbol) {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.take(symbol).is_some() {
            terms.push(term(self)?);
        }
        let span = terms.iter().fold(terms[0].span, |span, term| span.to(term.span));
        Ok(Node::new(kind(terms), span))
    }

    fn relation(&mut self) -> Parsed<Node> {
        let mut left = self.arithmetic(1)?;
        while let Some((symbol, operator)) =
            self.peek_symbol().and_then(|symbol| RELATIONS.into_iter().find(|(text, _)| *text == symbol))
        {
            self.take(symbol);
            let right = self.arithmetic(1)?;
            let span = left.span.to(right.span);
            let kind = Kind::Relation { operator, left: Box::new(left), right: Box::new(right) };
            left = self.bounded(Node::new(kind, span))?;
        }
        Ok(left)
    }

    fn arithmetic(&mut self, lowest: u8) -> Parsed<Node> {
        let mut left = self.unary()?;
        while let Some((symbol, level, function)) = self.peek_symbol().and_then(|symbol| {
            ARITHMETIC.into_iter().find(|(text, level, _)| *text == symbol && *level >= lowest)
        }) {
            self.take(symbol);
            let right = self.arithmetic(level + 1)?;
            let span = left.span.to(right.span);
            left = self.bounded(Node::new(call(function, vec![left, right]), span))?;
        }
        Ok(left)
    }

    /// `!` and `-` cancel in pairs, as in cel-go; a minus before a number belongs to the number.
    fn unary(&mut self) -> Parsed<Node> {
        let start = self.peek().span;
        for (symbol, function) in [("!", "!_"), ("-", "-_")] {
            let mut count = 0;
            while self.peek_symbol() == Some(symbol) && !self.at_negative_number() {
                self.take(symbol);
                count += 1;
            }
            if count > 0 {
                let operand = self.member()?;
                let span = start.to(operand.span);
                let negated = count % 2 == 1;
                return Ok(if negated { Node::new(call(function, vec![operand]), span) } else { operand });
            }
        }
        self.member()
    }

    fn at_negative_number(&self) -> bool {
        let number = self.tokens.get(self.at + 1).map(|token| token.kind);
        self.peek_symbol() == Some("-") && matches!(number, Some(TokenKind::Int | TokenKind::Double))
    }

    fn member(&mut self) -> Parsed<Node> {
        let mut node = self.primary()?;
        loop {
            if self.take(".").is_some() {
                node = self.select(node)?;
                node = self.bounded(node)?;
            } else if self.take("[").is_some() {
                let optional = self.take("?").is_some();
                let index = self.expression()?;
                let end = self.expect("]")?;
                let span = node.span.to(end);
                let kind = Kind::Index { operand: Box::new(node), index: Box::new(index), optional };
                node = self.bounded(Node::new(kind, span))?;
            } else if self.peek_symbol() == Some("{") {
                let Some(name) = node.qualified_name() else { return Ok(node) };
                let span = node.span;
                node = self.message(name, span)?;
                node = self.bounded(node)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn select(&mut self, operand: Node) -> Parsed<Node> {
        let optional = self.take("?").is_some();
        let token = self.peek();
        let field = self.field_name()?;
        if !optional && token.kind == TokenKind::Ident && self.take("(").is_some() {
            let (args, end) = self.arguments(")")?;
            let span = operand.span.to(end);
            return macros::member(operand, field, args, span);
        }
        let span = operand.span.to(token.span);
        Ok(Node::new(Kind::Select { operand: Box::new(operand), field, optional }, span))
    }

    fn field_name(&mut self) -> Parsed<String> {
        let token = self.peek();
        let text = self.text_of(token);
        let name = match token.kind {
            TokenKind::Ident => text,
            TokenKind::EscapedIdent => text.trim_matches('`'),
            _ => return Err(self.unexpected("IDENTIFIER")),
        };
        self.at += 1;
        Ok(name.to_owned())
    }

    /// Expressions up to a closing bracket, whose span is returned with them.
    fn arguments(&mut self, close: &str) -> Parsed<(Vec<Node>, Span)> {
        let mut args = Vec::new();
        if let Some(end) = self.take(close) {
            return Ok((args, end));
        }
        loop {
            args.push(self.expression()?);
            if self.take(",").is_none() {
                return Ok((args, self.expect(close)?));
            }
        }
    }

    fn primary(&mut self) -> Parsed<Node> {
        let token = self.peek();
        match token.kind {
            TokenKind::Ident => self.name(token.span, false),
            TokenKind::Symbol => match self.text_of(token) {
                "(" => {
                    self.at += 1;
                    let mut node = self.expression()?;
                    node.span = token.span.to(self.expect(")")?);
                    Ok(node)
                }
                "[" => self.list(token.span),
                "{" => self.map(token.span),
                "." => {
                    self.at += 1;
                    self.name(token.span, true)
                }
                "-" => self.negative_number(token.span),
                "true" => Ok(self.constant(Const::Bool(true))),
                "false" => Ok(self.constant(Const::Bool(false))),
                "null" => Ok(self.constant(Const::Null)),
                _ => Err(self.operand_expected()),
            },
            TokenKind::EscapedIdent | TokenKind::End => Err(self.operand_expected()),
            _ => self.literal(token, false, token.span),
        }
    }

    fn operand_expected(&self) -> Box<Issue> {
        self.unexpected(
            "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}",
        )
    }

    fn constant(&mut self, value: Const) -> Node {
        let span = self.peek().span;
        self.at += 1;
        Node::new(Kind::Literal(value), span)
    }

    fn negative_number(&mut self, start: Span) -> Parsed<Node> {
        if !self.at_negative_number() {
            return Err(self.operand_expected());
        }
        self.at += 1;
        let token = self.peek();
        self.literal(token, true, start.to(token.span))
    }

    fn literal(&mut self, token: Token, negative: bool, span: Span) -> Parsed<Node> {
        let text = self.text_of(token);
        let error = |message: &str| Box::new(syntax_error(span, message));
        let value = match token.kind {
            TokenKind::Int => {
                literal::int(text, negative).map(Const::Int).ok_or_else(|| error("invalid int literal"))
            }
            TokenKind::UInt => {
                literal::uint(text).map(Const::UInt).ok_or_else(|| error("invalid uint literal"))
            }
            TokenKind::Double => literal::double(text)
                .map(|value| Const::Double(if negative { -value } else { value }))
                .ok_or_else(|| error("invalid double literal")),
            TokenKind::Bytes => literal::bytes(text).map(|bytes| Const::Bytes(bytes.into())).map_err(error),
            _ => literal::string(text).map(Const::string).map_err(error),
        }?;
        self.at += 1;
        Ok(Node::new(Kind::Literal(value), span))
    }

    /// A name, or a call of a global function.
    fn name(&mut self, start: Span, absolute: bool) -> Parsed<Node> {
        let token = self.peek();
        if token.kind != TokenKind::Ident {
            return Err(self.unexpected("IDENTIFIER"));
        }
        let name = self.text_of(token);
        let span = start.to(token.span);
        if RESERVED.contains(&name) {
            return Err(Box::new(syntax_error(span, format!("reserved identifier: {name}"))));
        }
        self.at += 1;
        if self.take("(").is_some() {
            let (args, end) = self.arguments(")")?;
            return macros::global(name, args, span.to(end));
        }
        Ok(Node::new(Kind::Ident { name: name.to_owned(), absolute }, span))
    }

    fn list(&mut self, start: Span) -> Parsed<Node> {
        self.at += 1;
        let mut elements = Vec::new();
        loop {
            if let Some(end) = self.take("]") {
                return Ok(Node::new(Kind::List(elements), start.to(end)));
            }
            let optional = self.take("?").is_some();
            elements.push(Element { value: self.expression()?, optional });
            if self.take(",").is_none() {
                let end = self.expect("]")?;
                return Ok(Node::new(Kind::List(elements), start.to(end)));
            }
        }
    }

    fn map(&mut self, start: Span) -> Parsed<Node> {
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            if let Some(end) = self.take("}") {
                return Ok(Node::new(Kind::Map(entries), start.to(end)));
            }
            let optional = self.take("?").is_some();
            let key = self.expression()?;
            self.expect(":")?;
            entries.push(Entry { key, value: self.expression()?, optional });
            if self.take(",").is_none() {
                let end = self.expect("}")?;
                return Ok(Node::new(Kind::Map(entries), start.to(end)));
            }
        }
    }

    fn message(&mut self, name: String, start: Span) -> Parsed<Node> {
        self.expect("{")?;
        let mut fields = Vec::new();
        loop {
            if let Some(end) = self.take("}") {
                return Ok(Node::new(Kind::Message { name, fields }, start.to(end)));
            }
            self.take("?");
            let field = self.field_name()?;
            self.expect(":")?;
            fields.push((field, self.expression()?));
            if self.take(",").is_none() {
                let end = self.expect("}")?;
                return Ok(Node::new(Kind::Message { name, fields }, start.to(end)));
            }
        }
    }
}

/// A call of a function of the table.
pub(crate) fn call(function: &str, args: Vec<Node>) -> Kind {
    Kind::Call { function: function.to_owned(), target: None, args }
}

/// "did you mean" for a name that is not among the candidates.
pub(crate) fn did_you_mean<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(name, candidates).map(|nearest| format!("did you mean `{nearest}`?"))
}
