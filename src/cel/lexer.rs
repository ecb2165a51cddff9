//! Text to tokens.

use crate::text::Span;

/// What a token is; its text is that of its span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Ident,
    /// `` `name-with.dashes` ``
    EscapedIdent,
    Int,
    UInt,
    Double,
    String,
    Bytes,
    /// An operator, bracket, or one of the words `in`, `true`, `false`, `null`.
    Symbol,
    End,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Token {
    pub(crate) kind: TokenKind,
    pub(crate) span: Span,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "+", "-", "*", "/", "%", "!", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}",
];

/// The tokens of a text, closed by an [`TokenKind::End`], and the places where there is none.
pub(crate) fn tokenize(text: &str) -> (Vec<Token>, Vec<Span>) {
    let mut tokens = Vec::new();
    let mut unknown = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let blank = blank_len(rest);
        if blank > 0 {
            at += blank;
            continue;
        }
        match token(rest) {
            Some((kind, len)) => {
                tokens.push(Token { kind, span: Span::new(at, at + len) });
                at += len;
            }
            None => {
                let len = unknown_len(rest);
                unknown.push(Span::new(at, at + len));
                at += len;
            }
        }
    }
    tokens.push(Token { kind: TokenKind::End, span: Span::at(text.len()) });
    (tokens, unknown)
}

/// Bytes that begin like a token and are none, with the character that does not fit.
fn unknown_len(text: &str) -> usize {
    let mut chars = text.chars();
    match chars.next() {
        Some('&' | '|' | '=') => {}
        Some(quote @ ('"' | '\'')) => {
            let escape = |chars: &mut std::str::Chars<'_>| escape_fits(chars);
            while let Some(char) = chars.next() {
                if matches!(char, '\n' | '\r') || (char == '\\' && !escape(&mut chars)) || char == quote {
                    break;
                }
            }
            return text.len() - chars.as_str().len();
        }
        first => return first.map_or(1, char::len_utf8),
    }
    chars.next();
    text.len() - chars.as_str().len()
}

/// Whether an escape follows a backslash; it is read as far as it fits, and one character more where it does not.
fn escape_fits(chars: &mut std::str::Chars<'_>) -> bool {
    let digits = match chars.next() {
        Some('a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '"' | '\'' | '\\' | '?' | '`') => 0,
        Some('x' | 'X') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some('0'..='3') => return (0..2).all(|_| chars.next().is_some_and(|digit| digit.is_digit(8))),
        _ => return false,
    };
    (0..digits).all(|_| chars.next().is_some_and(|digit| digit.is_ascii_hexdigit()))
}

/// Bytes of white space or of a comment.
fn blank_len(text: &str) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    text.bytes().take_while(|byte| b" \t\r\n\x0c".contains(byte)).count()
}

fn token(text: &str) -> Option<(TokenKind, usize)> {
    let first = text.bytes().next()?;
    if let Some((kind, len)) = string(text) {
        return Some((kind, len));
    }
    match first {
        b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
            let len = text.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
            let word = matches!(&text[..len], "in" | "true" | "false" | "null");
            Some((if word { TokenKind::Symbol } else { TokenKind::Ident }, len))
        }
        b'0'..=b'9' => Some(number(text)),
        b'.' if text.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => Some(number(text)),
        b'`' => {
            let len =
                text[1..].bytes().take_while(|b| b.is_ascii_alphanumeric() || b"_.-/ ".contains(b)).count();
            (len > 0 && text[1 + len..].starts_with('`')).then_some((TokenKind::EscapedIdent, len + 2))
        }
        _ => {
            let symbol = SYMBOLS.iter().find(|symbol| text.starts_with(**symbol))?;
            Some((TokenKind::Symbol, symbol.len()))
        }
    }
}

fn number(text: &str) -> (TokenKind, usize) {
    let bytes = text.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let unsigned = |len: usize| {
        if matches!(bytes.get(len), Some(b'u' | b'U')) {
            (TokenKind::UInt, len + 1)
        } else {
            (TokenKind::Int, len)
        }
    };
    if text.starts_with("0x") {
        let hex = bytes[2..].iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        if hex > 0 {
            return unsigned(2 + hex);
        }
    }
    let whole = digits(0);
    let mut len = whole;
    if bytes.get(len) == Some(&b'.') && digits(len + 1) > 0 {
        len += 1 + digits(len + 1);
    }
    if matches!(bytes.get(len), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(len + 1), Some(b'+' | b'-')));
        let exponent = bytes.get(len + 1 + sign..).map_or(0, |_| digits(len + 1 + sign));
        if exponent > 0 {
            len += 1 + sign + exponent;
        }
    }
    if len > whole { (TokenKind::Double, len) } else { unsigned(len) }
}

/// A string or bytes literal with its prefix and quotes. Escapes are looked at later, except that a
/// backslash keeps a quote from closing the literal.
fn string(text: &str) -> Option<(TokenKind, usize)> {
    let prefix = text.bytes().take_while(|byte| b"bBrR".contains(byte)).count();
    let (bytes, raw) = match text.get(..prefix)?.to_ascii_lowercase().as_str() {
        "" => (false, false),
        "r" => (false, true),
        "b" => (true, false),
        "br" => (true, true),
        _ => return None,
    };
    let body = &text[prefix..];
    // What begins with three quotes and never ends is an empty literal and more.
    let len = ["\"\"\"", "'''", "\"", "'"].into_iter().find_map(|quote| quoted_len(body, quote, raw))?;
    Some((if bytes { TokenKind::Bytes } else { TokenKind::String }, prefix + len))
}

/// The length of a literal with its quotes.
fn quoted_len(body: &str, quote: &str, raw: bool) -> Option<usize> {
    body.starts_with(quote).then_some(())?;
    let mut at = quote.len();
    loop {
        let rest = body.get(at..)?;
        if rest.starts_with(quote) {
            return Some(at + quote.len());
        }
        let next = rest.chars().next()?;
        if quote.len() == 1 && matches!(next, '\n' | '\r') {
            return None;
        }
        at += next.len_utf8();
        if next == '\\' && !raw {
            let mut chars = body.get(at..)?.chars();
            if !escape_fits(&mut chars) {
                return None;
            }
            at = body.len() - chars.as_str().len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<&str> {
        let (tokens, _) = tokenize(text);
        tokens.iter().filter_map(|token| text.get(token.span.range())).collect()
    }

    #[test]
    fn splits_a_text() {
        assert_eq!(texts("a.b<=1.5e-3u // no\n&&x"), ["a", ".", "b", "<=", "1.5e-3", "u", "&&", "x", ""]);
        assert_eq!(texts("0x1Fu 1u 1..2 .5"), ["0x1Fu", "1u", "1", ".", ".2", ".5", ""]);
        assert_eq!(texts(r#"r'\' b"\"" '''a'b''' `a-b`"#), [r"r'\'", r#"b"\"""#, "'''a'b'''", "`a-b`", ""]);
        assert_eq!(texts("in inner"), ["in", "inner", ""]);
    }

    #[test]
    fn says_where_there_is_no_token() {
        assert_eq!(tokenize("a ^ 'b").1, [Span::new(2, 3), Span::new(4, 6)]);
        assert_eq!(tokenize("é").1, [Span::new(0, 2)]);
        assert_eq!(tokenize("a & b").1, [Span::new(2, 4)]);
        assert_eq!(tokenize(r#""a\x1g" 1"#).1, [Span::new(0, 6), Span::new(6, 9)]);
        assert_eq!(tokenize("'''abc").1, [Span::new(2, 6)]);
    }
}
