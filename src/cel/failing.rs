//! Constants that an expression cannot be begun with. Before the PDP evaluates an expression it carries out the
//! conversions of constants and prepares what stands between brackets; where that fails it evaluates nothing,
//! whatever `||` and `? :` would have made of the error. A rule whose condition is such an expression is passed
//! over without a word, a DENY rule too, and where a variable is such an expression the PDP does not start.

use bumpalo::Bump;

use super::activation::{Activation, Principal, Resource};
use super::ast::{Kind, Node};
use super::lib::regex;
use super::lower::Lowering;
use super::native::go_type;
use super::program::NoNames;
use super::{Const, Issue};
use crate::text::Code;

/// The functions whose calls with constants are carried out beforehand.
const CONVERSIONS: [&str; 10] =
    ["bool", "bytes", "double", "duration", "dyn", "int", "string", "timestamp", "type", "uint"];

/// How the error of a pattern begins.
const PATTERN_ERROR: &str = "error parsing regexp: ";

const HINT: &str =
    "correct the constant: the PDP passes over a rule with this in its condition, even a rule that denies";

/// The first constant of a tree that fails, with the error of evaluation as its message.
pub(super) fn failing(node: &Node) -> Option<Issue> {
    let mut found = None;
    node.for_each_child(|child| {
        if found.is_none() {
            found = failing(child);
        }
    });
    found.or_else(|| {
        let message = match &node.kind {
            Kind::Call { target: None, args, .. } if is_conversion(node) && args.iter().all(is_constant) => {
                error_of(node)
            }
            // A pattern behind a receiver is checked with the types.
            Kind::Call { function, target: None, args } if function == "matches" => match args.as_slice() {
                [_, Node { kind: Kind::Literal(Const::String(pattern)), .. }] => {
                    regex::compile(pattern).err().map(|why| format!("{PATTERN_ERROR}{why}"))
                }
                _ => None,
            },
            Kind::Index { index, .. } => match &index.kind {
                Kind::Literal(
                    Const::Bool(_) | Const::Int(_) | Const::UInt(_) | Const::Double(_) | Const::String(_),
                ) => None,
                Kind::Literal(value) => Some(format!("invalid qualifier type: {}", go_type(value.value()))),
                _ => None,
            },
            _ => None,
        }?;
        let dialect = message.strip_prefix(PATTERN_ERROR).and_then(regex::dialect);
        let hint = dialect.map_or_else(|| HINT.to_owned(), |dialect| format!("{dialect}; {HINT}"));
        Some(Issue { code: Code::ExpressionConstant, span: node.span, message, hint: Some(hint) })
    })
}

fn is_conversion(node: &Node) -> bool {
    matches!(&node.kind, Kind::Call { function, target: None, args }
        if args.len() == 1 && CONVERSIONS.contains(&function.as_str()))
}

/// Whether a node is a constant where the expression is prepared: a literal, or a conversion of one.
fn is_constant(node: &Node) -> bool {
    match &node.kind {
        // The names of types are looked up when the expression is evaluated.
        Kind::Literal(value) => !matches!(value, Const::Type(_)),
        Kind::Call { args, .. } => is_conversion(node) && args.iter().all(is_constant),
        Kind::List(elements) => {
            elements.iter().all(|element| !element.optional && is_constant(&element.value))
        }
        _ => false,
    }
}

fn error_of(node: &Node) -> Option<String> {
    let program = Lowering::lower(node, &NoNames);
    let arena = Bump::new();
    let (principal, resource) = (Principal::default(), Resource::default());
    let result = program.eval(&Activation::new(&arena, &principal, &resource));
    result.err().map(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::HINT;
    use crate::cel::{Expr, Issue};

    fn failure(text: &str) -> Option<String> {
        issue(text).map(|issue| issue.message)
    }

    fn issue(text: &str) -> Option<Issue> {
        match Expr::parse(text) {
            Ok(expr) => expr.failure().cloned(),
            Err(issues) => panic!("{text}: {issues:?}"),
        }
    }

    #[test]
    fn conversions_of_constants_fail_beforehand() {
        let no_int = "type conversion error from 'string' to 'int'";
        let cases = [
            ("int('abc') == 1", no_int),
            ("R.attr.x || int('abc') == 1", no_int),
            ("R.attr.x || int('a' + 'bc') == 1", no_int),
            ("R.attr.x || int(['abc'][0]) == 1", no_int),
            ("R.attr.x ? 1 : int('abc')", no_int),
            ("R.attr.l.exists(x, int('abc') == x)", no_int),
            ("now() == now() || int(string('abc')) == 1", no_int),
            ("bool(dyn('x'))", "type conversion error from 'string' to 'bool'"),
            ("uint(3 - 4) == 1u", "unsigned integer overflow"),
            ("string(dyn(null)) == ''", "no such overload: string(null_type)"),
            ("timestamp(dyn('x')) == now()", "invalid RFC 3339 timestamp \"x\""),
            ("matches(R.attr.x, '[' + 'a')", "error parsing regexp: missing closing ]: `[a`"),
            ("R.attr.x[null] == 1", "invalid qualifier type: types.Null"),
            ("R.attr.x[?[1]] == R", "invalid qualifier type: *types.baseList"),
            ("R.attr.x[int]", "invalid qualifier type: *types.Type"),
        ];
        for (text, message) in cases {
            assert_eq!(failure(text).as_deref(), Some(message), "{text}");
        }
    }

    #[test]
    fn patterns_of_other_dialects_are_told_of_re2() {
        let hint = |text: &str| issue(text).and_then(|issue| issue.hint);
        let dialect = "patterns are those of RE2: without lookaround and backreferences";
        for pattern in ["a(?=b)", "(?<!a)b", "(a)\\\\1"] {
            let text = format!("matches(R.attr.x, '{pattern}')");
            assert_eq!(hint(&text), Some(format!("{dialect}; {HINT}")), "{text}");
        }
        assert_eq!(hint("matches(R.attr.x, '[a')").as_deref(), Some(HINT));
    }

    #[test]
    fn what_is_folded_away_or_known_at_evaluation_does_not() {
        for text in [
            "true || int('abc') == 1",
            "int('abc') == 1 || true",
            "R.attr.x || (false && int('abc') == 1)",
            "true ? 1 : int('abc')",
            "R.attr.x || 1 / 0 == 1",
            "R.attr.x || [1][5] == 1",
            "R.attr.x || timestamp('20' + '24') == timestamp(0)",
            "R.attr.x || 'a'.matches('(' + '')",
            "now() == now() || int('a' + 'bc') == 1",
            "cel.bind(x, 'abc', R.attr.x || int(x) == 1)",
            "int(R.attr.x) == 1",
            "R.attr.x[R.attr.y]",
        ] {
            assert_eq!(failure(text), None, "{text}");
        }
    }
}
