//! Tokens to a tree: precedence climbing. The grammar is that of the CEL specification
//! (<https://github.com/google/cel-spec/blob/master/doc/langdef.md#syntax>) with cel-go's optional syntax.

mod brackets;
mod recovery;

use super::ast::{Kind, Node, Relation};
use super::hints::{unknown_hint, word_hint};
use super::lexer::{Token, TokenKind, tokenize};
use super::lib::TABLE;
use super::{Const, Issue, literal, macros};
use crate::text::{Code, Span, nearest};

/// Longest expression, in characters; cel-go's limit.
const MAX_CHARS: usize = 100_000;
/// Deepest nesting; cel-go's limit. Every later stage recurses over the tree and relies on it.
pub(crate) const MAX_DEPTH: u16 = 250;

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
    let (tokens, unknown) = tokenize(text);
    let issue = |span: Span| {
        let hint = unknown_hint(text, span);
        let text = text.get(span.range()).unwrap_or_default();
        let text = text.replace('\t', "\\t").replace('\n', "\\n").replace('\r', "\\r");
        Issue { hint, ..syntax_error(span, format!("Syntax error: token recognition error at: '{text}'")) }
    };
    let issues = unknown.iter().copied().map(issue).collect();
    let mut parser = Parser { text, tokens, unknown, at: 0, depth: 0, open: Vec::new(), issues };
    match parser.whole() {
        Ok(node) if parser.issues.is_empty() => Ok(node),
        Ok(_) => Err(parser.issues),
        Err(issue) => {
            parser.issues.push(*issue);
            Err(parser.issues)
        }
    }
}

fn syntax_error(span: Span, message: impl Into<String>) -> Issue {
    Issue { code: Code::ExpressionSyntax, span, message: message.into(), hint: None }
}

/// Boxed: an issue is large, and every step of the parser returns one.
type Parsed<T> = Result<T, Box<Issue>>;

/// The functions through which nesting recurses are few; what they do not always need is kept out of their
/// frames (`inline(never)`), so that the deepest expression fits a small stack.
struct Parser<'t> {
    text: &'t str,
    tokens: Vec<Token>,
    /// Where there is no token.
    unknown: Vec<Span>,
    at: usize,
    depth: u16,
    /// The brackets that are open, as what closes them and whether commas stand between them, innermost last.
    open: Vec<(&'static str, bool)>,
    /// Mistakes behind which reading went on, as ANTLR's parsers do: a token too much, or one too few.
    issues: Vec<Issue>,
}

/// A binary operator.
#[derive(Clone, Copy)]
enum Operator {
    /// `||`, or `&&` when `and`: chains of them are one node.
    Logical {
        and: bool,
    },
    Relation(Relation),
    /// By the name of its function.
    Arithmetic(&'static str),
}

/// The binary operators with their level: higher binds tighter.
const OPERATORS: [(&str, u8, Operator); 14] = [
    ("||", 1, Operator::Logical { and: false }),
    ("&&", 2, Operator::Logical { and: true }),
    ("==", 3, Operator::Relation(Relation::Equal)),
    ("!=", 3, Operator::Relation(Relation::NotEqual)),
    ("<", 3, Operator::Relation(Relation::Less)),
    ("<=", 3, Operator::Relation(Relation::LessEqual)),
    (">", 3, Operator::Relation(Relation::Greater)),
    (">=", 3, Operator::Relation(Relation::GreaterEqual)),
    ("in", 3, Operator::Relation(Relation::In)),
    ("+", 4, Operator::Arithmetic("_+_")),
    ("-", 4, Operator::Arithmetic("_-_")),
    ("*", 5, Operator::Arithmetic("_*_")),
    ("/", 5, Operator::Arithmetic("_/_")),
    ("%", 5, Operator::Arithmetic("_%_")),
];

impl<'t> Parser<'t> {
    fn whole(&mut self) -> Parsed<Node> {
        let node = self.expression()?;
        match self.peek().kind {
            TokenKind::End => Ok(node),
            _ => Err(self.left_over()),
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

    /// Takes a symbol that must come next. One token before it is passed over, and where what follows is right
    /// the symbol is taken to be there: both are mistakes, but reading goes on.
    fn expect(&mut self, symbol: &str) -> Parsed<Span> {
        match self.take(symbol) {
            Some(span) => Ok(span),
            None => self.expected(symbol),
        }
    }

    /// Closes a bracket.
    fn close(&mut self, symbol: &str) -> Parsed<Span> {
        self.open.pop();
        self.expect(symbol)
    }

    /// Closes a list of elements: another element could follow.
    fn close_elements(&mut self, symbol: &str) -> Parsed<Span> {
        if self.peek_symbol() != Some(symbol) {
            let issue = self.unexpected(&format!("{{'{symbol}', ','}}"));
            if !self.symbol_behind().is_some_and(|behind| behind == symbol || behind == ",") {
                return Err(issue);
            }
            self.pass_over(*issue);
            self.take(",");
        }
        self.close(symbol)
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
        let mut node = self.binary(1)?;
        if self.take("?").is_some() {
            node = self.conditional(node)?;
        }
        self.depth -= 1;
        self.bounded(node)
    }

    #[inline(never)]
    fn conditional(&mut self, condition: Node) -> Parsed<Node> {
        let yes = self.binary(1)?;
        self.expect(":")?;
        let no = self.expression()?;
        let span = condition.span.to(no.span);
        let kind = Kind::Conditional { condition: Box::new(condition), yes: Box::new(yes), no: Box::new(no) };
        Ok(Node::new(kind, span))
    }

    /// Operands joined by operators of at least a level.
    fn binary(&mut self, lowest: u8) -> Parsed<Node> {
        let mut left = self.unary()?;
        loop {
            let symbol = self.peek_symbol().unwrap_or_default();
            let known = OPERATORS.iter().find(|(text, level, _)| *text == symbol && *level >= lowest);
            let Some((_, level, operator)) = known else { return Ok(left) };
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = match operator {
                Operator::Logical { and } => self.logical(symbol, *and, *level, [left, right])?,
                _ => join(*operator, left, right),
            };
            left = self.bounded(left)?;
        }
    }

    #[inline(never)]
    fn logical(&mut self, symbol: &str, and: bool, level: u8, first: [Node; 2]) -> Parsed<Node> {
        let mut terms = Vec::from(first);
        while self.take(symbol).is_some() {
            terms.push(self.binary(level + 1)?);
        }
        let span = terms.iter().fold(terms[0].span, |span, term| span.to(term.span));
        Ok(Node::new(if and { Kind::And(terms) } else { Kind::Or(terms) }, span))
    }

    /// `!` and `-` cancel in pairs, as in cel-go; a minus before a number belongs to the number.
    fn unary(&mut self) -> Parsed<Node> {
        self.operand_or(&[])?;
        let start = self.peek().span;
        for (symbol, function) in [("!", "!_"), ("-", "-_")] {
            let mut count = 0;
            while self.peek_symbol() == Some(symbol) && !self.at_negative_number() {
                self.take(symbol);
                count += 1;
            }
            if count > 0 {
                self.operand_behind(symbol, start)?;
                let operand = self.member()?;
                let span = start.to(operand.span);
                let negated = count % 2 == 1;
                return Ok(if negated { Node::new(call(function, vec![operand]), span) } else { operand });
            }
        }
        self.member()
    }

    #[inline(never)]
    fn operand_behind(&mut self, operator: &str, start: Span) -> Parsed<()> {
        if operator == "-" && !self.begins_operand(self.peek()) {
            return Err(self.no_way(start));
        }
        self.operand_or(&[]).map_err(|mut issue| {
            issue.message = issue.message.replacen("mismatched", "extraneous", 1);
            issue
        })
    }

    fn at_negative_number(&self) -> bool {
        let number = self.tokens.get(self.at + 1).map(|token| token.kind);
        self.peek_symbol() == Some("-") && matches!(number, Some(TokenKind::Int | TokenKind::Double))
    }

    fn member(&mut self) -> Parsed<Node> {
        let mut node = self.primary()?;
        loop {
            if let Some(dot) = self.take(".") {
                node = self.select(node, dot)?;
                node = self.bounded(node)?;
            } else if self.take("[").is_some() {
                self.open.push(("]", false));
                self.operand_or(&["?"])?;
                let optional = self.take("?").is_some();
                let index = self.expression()?;
                let end = self.close("]")?;
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

    #[inline(never)]
    fn select(&mut self, operand: Node, dot: Span) -> Parsed<Node> {
        let optional = self.take("?").is_some();
        let behind = self.tokens.get(self.at + 1).map(|token| token.kind);
        let is_name = |kind| matches!(kind, TokenKind::Ident | TokenKind::EscapedIdent);
        if optional && !is_name(self.peek().kind) && behind.is_some_and(is_name) {
            let issue = self.unexpected(NAMES);
            self.pass_over(*issue);
        }
        let token = self.peek();
        let Some(field) = self.field_name() else {
            return Err(if optional { self.unexpected(NAMES) } else { self.no_way(dot) });
        };
        if !optional && token.kind == TokenKind::Ident && self.take("(").is_some() {
            let (args, end) = self.arguments(")")?;
            let span = operand.span.to(end);
            let made = macros::member(operand, field, args, span);
            return Ok(self.made_or_told(made, span));
        }
        let span = operand.span.to(token.span);
        Ok(Node::new(Kind::Select { operand: Box::new(operand), field, optional }, span))
    }

    fn field_name(&mut self) -> Option<String> {
        let token = self.peek();
        let text = self.text_of(token);
        let name = match token.kind {
            TokenKind::Ident => text,
            TokenKind::EscapedIdent => text.trim_matches('`'),
            _ => return None,
        };
        self.at += 1;
        Some(name.to_owned())
    }

    fn primary(&mut self) -> Parsed<Node> {
        let token = self.peek();
        match token.kind {
            TokenKind::Ident => self.name(token.span, false),
            TokenKind::Symbol => match self.text_of(token) {
                "(" => {
                    self.at += 1;
                    self.open.push((")", false));
                    let mut node = self.expression()?;
                    node.span = token.span.to(self.close(")")?);
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
                _ => Err(self.operand_expected(&[])),
            },
            TokenKind::EscapedIdent | TokenKind::End => Err(self.operand_expected(&[])),
            _ => self.literal(token, false, token.span),
        }
    }

    fn constant(&mut self, value: Const) -> Node {
        let span = self.peek().span;
        self.at += 1;
        Node::new(Kind::Literal(value), span)
    }

    #[inline(never)]
    fn negative_number(&mut self, start: Span) -> Parsed<Node> {
        if !self.at_negative_number() {
            return Err(self.operand_expected(&[]));
        }
        self.at += 1;
        let token = self.peek();
        self.literal(token, true, start.to(token.span))
    }

    #[inline(never)]
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
    #[inline(never)]
    fn name(&mut self, start: Span, absolute: bool) -> Parsed<Node> {
        let token = self.peek();
        if token.kind != TokenKind::Ident {
            return Err(self.no_way(start));
        }
        let name = self.text_of(token);
        let span = start.to(token.span);
        if RESERVED.contains(&name) {
            let hint = word_hint(name).map(str::to_owned);
            let issue = syntax_error(span, format!("reserved identifier: {name}"));
            return Err(Box::new(Issue { hint, ..issue }));
        }
        self.at += 1;
        if self.take("(").is_some() {
            let (args, end) = self.arguments(")")?;
            // A function that there is not is told with its dot.
            if absolute && TABLE.find(name).is_none() {
                return Ok(Node::new(call(&format!(".{name}"), args), span.to(end)));
            }
            let span = span.to(end);
            let made = macros::global(name, args, span);
            return Ok(self.made_or_told(made, span));
        }
        Ok(Node::new(Kind::Ident { name: name.to_owned(), absolute }, span))
    }
}

/// What a field can be called.
const NAMES: &str = "{IDENTIFIER, ESC_IDENTIFIER}";

fn join(operator: Operator, left: Node, right: Node) -> Node {
    let span = left.span.to(right.span);
    let kind = match operator {
        Operator::Relation(operator) => {
            Kind::Relation { operator, left: Box::new(left), right: Box::new(right) }
        }
        Operator::Arithmetic(function) => call(function, vec![left, right]),
        Operator::Logical { and: true } => Kind::And(vec![left, right]),
        Operator::Logical { and: false } => Kind::Or(vec![left, right]),
    };
    Node::new(kind, span)
}

/// A call of a function of the table.
pub(crate) fn call(function: &str, args: Vec<Node>) -> Kind {
    Kind::Call { function: function.to_owned(), target: None, args }
}

/// "did you mean" for a name that is not among the candidates. Names of one or two letters are near to
/// everything, so for them only the case may differ.
pub(crate) fn did_you_mean<'c>(name: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    let nearest = nearest(name, candidates)?;
    let likely = name.len() > 2 || nearest.eq_ignore_ascii_case(name);
    likely.then(|| format!("did you mean `{nearest}`?"))
}
