//! Calls that are macros: recognised by name and number of arguments, as in cel-go.

use super::ast::{Comprehension, Kind, Node, Operation};
use super::{Const, Issue};
use crate::text::{Code, Span};

fn error(span: Span, message: impl Into<String>) -> Box<Issue> {
    Box::new(Issue { code: Code::ExpressionSyntax, span, message: message.into(), hint: None })
}

/// `name(args)`: a call, or `has`.
pub(crate) fn global(name: &str, mut args: Vec<Node>, span: Span) -> Result<Node, Box<Issue>> {
    if name == "has" && args.len() == 1 {
        let arg = args.remove(0);
        let arg_span = arg.span;
        return match arg.kind {
            Kind::Select { operand, field, optional: false } => {
                Ok(Node::new(Kind::Has { operand, field }, span))
            }
            _ => {
                let mut issue = error(arg_span, "invalid argument to has() macro");
                issue.hint = Some("it takes a field selection, such as `has(R.attr.owner)`".to_owned());
                Err(issue)
            }
        };
    }
    Ok(Node::new(Kind::Call { function: name.to_owned(), target: None, args }, span))
}

/// The macros over ranges by name, number of variables and number of arguments.
const COMPREHENSIONS: [(&str, usize, usize, Operation); 17] = [
    ("all", 1, 2, Operation::All),
    ("exists", 1, 2, Operation::Exists),
    ("exists_one", 1, 2, Operation::ExistsOne),
    ("filter", 1, 2, Operation::Filter),
    ("map", 1, 2, Operation::Map),
    ("map", 1, 3, Operation::Map),
    ("sortBy", 1, 2, Operation::SortBy),
    ("all", 2, 3, Operation::All),
    ("exists", 2, 3, Operation::Exists),
    ("existsOne", 2, 3, Operation::ExistsOne),
    ("exists_one", 2, 3, Operation::ExistsOne),
    ("transformList", 2, 3, Operation::TransformList),
    ("transformList", 2, 4, Operation::TransformList),
    ("transformMap", 2, 3, Operation::TransformMap),
    ("transformMap", 2, 4, Operation::TransformMap),
    ("transformMapEntry", 2, 3, Operation::TransformMapEntry),
    ("transformMapEntry", 2, 4, Operation::TransformMapEntry),
];

/// `target.name(args)`: a call or a macro.
pub(crate) fn member(target: Node, name: String, args: Vec<Node>, span: Span) -> Result<Node, Box<Issue>> {
    let known = COMPREHENSIONS.iter().find(|(known, _, count, _)| *known == name && *count == args.len());
    if let Some((_, vars, _, operation)) = known {
        return comprehension(*operation, *vars, target, args, span);
    }
    let namespace = match &target.kind {
        Kind::Ident { name, .. } => name.as_str(),
        _ => "",
    };
    match (namespace, name.as_str(), args.len()) {
        ("cel", "bind", 3) => bind(args, span),
        (_, "optMap" | "optFlatMap", 2) => optional_map(target, name == "optFlatMap", args, span),
        ("math", "greatest" | "least", count) => extreme(&name, count, target, args, span),
        _ => Ok(Node::new(Kind::Call { function: name, target: Some(Box::new(target)), args }, span)),
    }
}

fn comprehension(
    operation: Operation,
    vars: usize,
    range: Node,
    mut args: Vec<Node>,
    span: Span,
) -> Result<Node, Box<Issue>> {
    let rest = args.split_off(vars);
    let named = match (operation, vars) {
        (Operation::Map | Operation::Filter, 1) => "argument is not an identifier",
        _ => "argument must be a simple name",
    };
    let mut names = args.iter().map(|arg| variable(arg, named));
    let var = names.next().unwrap_or_else(|| Err(error(span, named)))?;
    let var2 = names.next().transpose()?;
    if var2.as_ref() == Some(&var) {
        return Err(error(span, "duplicate variable name"));
    }
    let mut rest = rest.into_iter().rev();
    let body = rest.next().ok_or_else(|| error(span, "argument must be an expression"))?;
    let filter = rest.next();
    let comprehension = Comprehension { operation, range, var, var2, filter, body };
    Ok(Node::new(Kind::Comprehension(Box::new(comprehension)), span))
}

fn variable(node: &Node, otherwise: &str) -> Result<String, Box<Issue>> {
    match &node.kind {
        Kind::Ident { name, absolute: false } => Ok(name.clone()),
        _ => Err(error(node.span, otherwise)),
    }
}

fn bind(args: Vec<Node>, span: Span) -> Result<Node, Box<Issue>> {
    match <[Node; 3]>::try_from(args) {
        Ok([var, value, body]) => {
            let var = variable(&var, "cel.bind() variable names must be simple identifiers")?;
            Ok(Node::new(Kind::Bind { var, value: Box::new(value), body: Box::new(body) }, span))
        }
        Err(_) => Err(error(span, "cel.bind() takes three arguments")),
    }
}

fn optional_map(target: Node, flat: bool, args: Vec<Node>, span: Span) -> Result<Node, Box<Issue>> {
    match <[Node; 2]>::try_from(args) {
        Ok([var, body]) => {
            let var = variable(&var, "optMap() variable name must be a simple identifier")?;
            Ok(Node::new(
                Kind::OptionalMap { target: Box::new(target), var, body: Box::new(body), flat },
                span,
            ))
        }
        Err(_) => Err(error(span, "optMap() takes two arguments")),
    }
}

/// `math.greatest` and `math.least` take any number of arguments: more than two are one list.
fn extreme(name: &str, count: usize, target: Node, args: Vec<Node>, span: Span) -> Result<Node, Box<Issue>> {
    if count == 0 {
        return Err(error(span, format!("math.{name}() requires at least one argument")));
    }
    let numeric = |node: &Node| match &node.kind {
        Kind::Literal(value) => matches!(value, Const::Int(_) | Const::UInt(_) | Const::Double(_)),
        Kind::List(_) | Kind::Map(_) | Kind::Message { .. } => false,
        _ => true,
    };
    match args.as_slice() {
        [Node { kind: Kind::List(elements), .. }]
            if !elements.is_empty() && elements.iter().all(|element| numeric(&element.value)) => {}
        [only] if !numeric(only) => {
            return Err(error(only.span, format!("math.{name}() invalid single argument value")));
        }
        several => {
            if let Some(wrong) = several.iter().find(|arg| !numeric(arg)) {
                let message = format!("math.{name}() simple literal arguments must be numeric");
                return Err(error(wrong.span, message));
            }
        }
    }
    let args = if count > 2 {
        let elements = args.into_iter().map(|value| super::ast::Element { value, optional: false }).collect();
        vec![Node::new(Kind::List(elements), span)]
    } else {
        args
    };
    Ok(Node::new(Kind::Call { function: name.to_owned(), target: Some(Box::new(target)), args }, span))
}
