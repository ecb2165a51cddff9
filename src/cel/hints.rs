//! What was probably meant, where a name or an operand is wrong.

use super::ast::Relation;
use super::lib::TABLE;
use super::parser::did_you_mean;
use super::types::{MessageType, Type};
use super::well_known;
use crate::text::{Span, nearest};

/// What people call the parts of a request, in lower case and without underscores, and what to write.
const MEANT: [(&[&str], &str); 14] = [
    (&["resource", "resources", "res", "object"], "the resource is `R` or `request.resource`"),
    (
        &["principal", "user", "subject", "actor", "identity", "account", "currentuser"],
        "the principal is `P` or `request.principal`",
    ),
    (
        &["attr", "attrs", "attribute", "attributes"],
        "attributes are those of the resource, `R.attr`, or of the principal, `P.attr`",
    ),
    (&["roles", "role"], "the roles of the principal are `P.roles`"),
    (&["id"], "write `R.id` for the resource, `P.id` for the principal"),
    (&["kind"], "the kind of the resource is `R.kind`"),
    (&["action", "actions"], "expressions do not see the action: name it in the rule's `actions`"),
    (&["jwt", "token", "claims", "auxdata"], "the claims of the token are `request.auxData.jwt`"),
    (&["derivedroles", "effectivederivedroles"], "derived roles are `runtime.effectiveDerivedRoles`"),
    (&["variable", "vars", "var"], "variables are read with `V` or `variables`"),
    (&["constant", "consts", "const"], "constants are read with `C` or `constants`"),
    (&["global", "env"], "globals are read with `G` or `globals`"),
    (&["none", "nil", "null", "undefined"], "the value is written `null`"),
    (&["true", "false"], "truth values are written in lower case: `true`, `false`"),
];

/// What the words of other languages are in this one.
pub(crate) fn word_hint(word: &str) -> Option<&'static str> {
    Some(match word {
        "and" | "AND" => "the operator is written `&&`",
        "or" | "OR" => "the operator is written `||`",
        "not" | "NOT" => "the operator is written `!`",
        "is" => "equality is written `==`",
        "if" | "then" | "else" => "a choice is written `condition ? a : b`",
        "for" | "while" => "lists are gone through by macros, such as `list.exists(x, …)`",
        _ => return None,
    })
}

/// What was probably meant where no token begins.
pub(crate) fn unknown_hint(text: &str, at: Span) -> Option<String> {
    let (before, rest) = (text.get(..at.range().start)?, text.get(at.range().start..)?);
    let unknown = text.get(at.range())?;
    let hint = match unknown.chars().next()? {
        '=' if before.ends_with("!=") => "inequality is written `!=`",
        '=' if unknown.starts_with("=>") => "at least is written `>=`",
        '=' => "equality is written `==`",
        '&' => "the operator is written `&&`",
        '|' => "the operator is written `||`",
        quote @ ('"' | '\'') if !rest.get(1..)?.lines().next().unwrap_or_default().contains(quote) => {
            return Some(format!("the string is not closed: a `{quote}` is missing"));
        }
        '"' | '\'' if unknown.contains('\\') => {
            "what follows the backslash makes no escape; a backslash itself is written twice"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// The advice for a name that people use for something of another name.
fn meant(name: &str) -> Option<&'static str> {
    let name = name.replace('_', "").to_ascii_lowercase();
    MEANT.iter().find(|(names, _)| names.contains(&name.as_str())).map(|(_, advice)| *advice)
}

/// The advice for a name that no identifier has; `known` are those that do.
pub(crate) fn name_hint<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    if let Some(advice) = meant(name) {
        return Some(advice.to_owned());
    }
    did_you_mean(name, known).or_else(|| {
        if TABLE.find(name).is_some() {
            return Some(format!("`{name}` is a function; call it with parentheses"));
        }
        // Short names are near to everything.
        let aliases = MEANT.iter().flat_map(|(names, _)| *names).copied().filter(|alias| alias.len() > 5);
        nearest(name, aliases).and_then(meant).map(str::to_owned)
    })
}

/// The advice for a field that belongs elsewhere.
fn field_meant(message: MessageType, field: &str) -> Option<&'static str> {
    match (message, field) {
        (MessageType::Request | MessageType::Runtime, _) => meant(field),
        _ => None,
    }
}

/// The advice for a literal of a message that cannot be built.
pub(crate) fn message_hint(name: &str) -> String {
    let names: Vec<String> = well_known::names().collect();
    did_you_mean(name, names.iter().map(String::as_str))
        .unwrap_or_else(|| "policies can build only the well-known messages of protobuf".to_owned())
}

pub(crate) fn field_hint(message: MessageType, field: &str) -> Option<String> {
    let attributed = matches!(message, MessageType::Principal | MessageType::Resource);
    if let Some(meant) = field_meant(message, field) {
        return Some(meant.to_owned());
    }
    did_you_mean(field, message.fields().iter().copied())
        .or_else(|| attributed.then(|| format!("attributes are below `attr`: write `attr.{field}`")))
}

/// The macros that go over lists and maps.
const MACROS: [&str; 10] = [
    "all",
    "exists",
    "exists_one",
    "existsOne",
    "filter",
    "map",
    "sortBy",
    "transformList",
    "transformMap",
    "transformMapEntry",
];

/// The macro that was probably meant by the name of a member function that there is not.
pub(crate) fn macro_meant(name: &str) -> Option<&'static str> {
    match name {
        "any" | "some" => Some("exists"),
        "every" | "forall" => Some("all"),
        "where" => Some("filter"),
        _ => nearest(name, TABLE.names().chain(MACROS)).filter(|near| MACROS.contains(near)),
    }
}

pub(crate) fn function_hint(name: &str, args: usize) -> Option<String> {
    match (name, args) {
        ("existsOne", 3) => Some("with one variable the macro is `exists_one`".to_owned()),
        ("all" | "exists" | "filter" | "map" | "exists_one", _) => {
            Some(format!("write `list.{name}(x, …)`: a variable and an expression"))
        }
        ("not", _) => Some("the operator is written `!`".to_owned()),
        ("length" | "len" | "count", _) => Some("did you mean `size`?".to_owned()),
        ("includes" | "has", _) => Some("did you mean `x in list`, or `contains` of a string?".to_owned()),
        ("lower" | "toLowerCase" | "toLower", _) => Some("did you mean `lowerAscii`?".to_owned()),
        ("upper" | "toUpperCase" | "toUpper", _) => Some("did you mean `upperAscii`?".to_owned()),
        _ => {
            let likely = did_you_mean(name, TABLE.names().chain(["has"]).chain(MACROS));
            likely.or_else(|| macro_meant(name).map(|meant| format!("did you mean `{meant}`?")))
        }
    }
}

pub(crate) fn relation_hint(operator: Relation, left: &Type, right: &Type) -> Option<String> {
    let number = |ty: &Type| matches!(ty, Type::Int | Type::UInt | Type::Double);
    let hint = match (operator, left, right) {
        (Relation::Equal | Relation::NotEqual, left, right) if number(left) && number(right) => {
            "numbers of unlike types compare when one is converted, as in `double(1) == 1.0`"
        }
        (Relation::In, _, Type::String) => "to look into a string, use `text.contains(part)`",
        _ => return None,
    };
    Some(hint.to_owned())
}

/// What would have fitted, for a function that is called in the wrong style.
pub(crate) fn overload_hint(name: &str, args: &[Type], member: bool) -> Option<String> {
    if name == "_[_]" && matches!(args, [Type::Message(MessageType::Variables), _]) {
        return Some("variables and constants are read with a dot: `V.name`".to_owned());
    }
    let (_, function) = TABLE.find(name)?;
    let fitting = function.overloads.iter().any(|overload| overload.member == member);
    let signatures: Vec<&str> = function.overloads.iter().map(|overload| overload.text).collect();
    (!fitting).then(|| format!("it is declared as `{}`", signatures.join("`, `")))
}
