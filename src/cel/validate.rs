//! Arguments that are known before evaluation, and wrong.

use super::ast::{Kind, Node};
use super::lib::{format_call, network, regex};
use super::{Const, Duration, Issue, Timestamp};
use crate::text::{Code, Span};

/// What is wrong with the literal arguments of a checked tree.
pub(crate) fn validate(root: &Node) -> Vec<Issue> {
    let mut issues = Vec::new();
    visit(root, &mut issues);
    issues.sort_by_key(|issue| issue.span);
    issues
}

fn visit(node: &Node, issues: &mut Vec<Issue>) {
    if let Kind::Call { function, target, args } = &node.kind {
        issues.extend(call(function, target.as_deref(), args));
    }
    node.for_each_child(|child| visit(child, issues));
}

fn call(function: &str, target: Option<&Node>, args: &[Node]) -> Option<Issue> {
    let (argument, value) = match (target, args) {
        (None, [first]) => (first, literal(first)?),
        // As in cel-go it is the first argument that is looked at, which only behind a receiver is the pattern.
        (None, [text, _]) if function == "matches" => (text, literal(text)?),
        (Some(_), [pattern]) if function == "matches" => (pattern, literal(pattern)?),
        (Some(target), [Node { kind: Kind::List(elements), .. }]) if function == "format" => {
            let Const::String(template) = literal(target)? else { return None };
            let types: Vec<_> =
                elements.iter().map(|element| (&element.value.ty, element.value.span)).collect();
            let (span, message) = format_call(template, target.span, &types)?;
            return Some(issue(span, message, None));
        }
        _ => return None,
    };
    let invalid = || format!("invalid {function} argument");
    let (message, hint) = match (function, value) {
        ("duration", Const::String(text)) if Duration::parse(text).is_none() => {
            (invalid(), duration_hint(text))
        }
        ("timestamp", Const::String(text)) if Timestamp::parse(text).is_err() => {
            (invalid(), Some("timestamps are written `2006-01-02T15:04:05Z` (RFC 3339)".to_owned()))
        }
        ("timestamp", Const::Int(seconds)) if Timestamp::new(*seconds, 0).is_none() => {
            (invalid(), Some("timestamps are of the years 1 to 9999".to_owned()))
        }
        ("duration" | "timestamp", Const::Null) => (invalid(), None),
        ("matches", Const::String(pattern)) => {
            (invalid(), Some(pattern_hint(regex::compile(pattern).err()?)))
        }
        ("ip", Const::String(text)) => (format!("{}: {}", invalid(), network::address(text).err()?), None),
        ("cidr", Const::String(text)) => (format!("{}: {}", invalid(), network::range(text).err()?), None),
        _ => return None,
    };
    Some(issue(argument.span, message, hint))
}

fn issue(span: Span, message: String, hint: Option<String>) -> Issue {
    Issue { code: Code::ExpressionType, span, message, hint }
}

fn literal(node: &Node) -> Option<&Const> {
    match &node.kind {
        Kind::Literal(value) => Some(value),
        _ => None,
    }
}

/// The error of a pattern, which the message leaves out, and what explains it.
fn pattern_hint(error: String) -> String {
    match regex::dialect(&error) {
        Some(dialect) => format!("{error}; {dialect}"),
        None => error,
    }
}

fn duration_hint(text: &str) -> Option<String> {
    let days: Option<u32> = text.strip_suffix('d').and_then(|days| days.parse().ok());
    match days.and_then(|days| days.checked_mul(24)) {
        Some(hours) => Some(format!("there is no unit for days: write `{hours}h`")),
        None => Some("the units are h, m, s, ms, us and ns".to_owned()),
    }
}
