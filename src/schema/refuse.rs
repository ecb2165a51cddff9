//! What is wrong with a value that a keyword refuses by itself.

use super::context::At;
use super::fits::length;
use super::model::Keyword;
use super::order::first_repetition;
use super::quote::{number, single};
use super::validate::Validator;
use crate::cel::{List, Map, Value};

impl Validator<'_, '_> {
    /// Tells what is wrong; always false.
    pub(super) fn refuse(&mut self, keyword: &Keyword, value: Value<'_>, at: At<'_>) -> bool {
        match (keyword, value) {
            (Keyword::Never, _) => self.fail(at, "", format_args!("not allowed")),
            (Keyword::Type { names, .. }, _) => {
                self.fail(at, "type", format_args!("expected {names}, but got {}", type_name(value)))
            }
            (Keyword::Const { message, .. }, _) => self.fail(at, "const", format_args!("{message}")),
            (Keyword::Enum { message, .. }, _) => self.fail(at, "enum", format_args!("{message}")),
            (_, Value::Map(map)) => self.refuse_map(keyword, map, at),
            (_, Value::List(list)) => self.refuse_list(keyword, list, at),
            (_, Value::String(text)) => self.refuse_text(keyword, text, at),
            (_, Value::Double(value)) => self.refuse_number(keyword, value, at),
            _ => false,
        }
    }

    fn refuse_map(&mut self, keyword: &Keyword, map: Map<'_>, at: At<'_>) -> bool {
        let count = map.len();
        let is_missing = |name: &str| map.get(name).is_none();
        match keyword {
            Keyword::MinProperties(min) => {
                let message = format_args!("minimum {min} properties allowed, but found {count} properties");
                self.fail(at, "minProperties", message)
            }
            Keyword::MaxProperties(max) => {
                let message = format_args!("maximum {max} properties allowed, but found {count} properties");
                self.fail(at, "maxProperties", message)
            }
            Keyword::Required(names) => {
                let missing: Vec<String> =
                    names.iter().filter(|name| is_missing(name)).map(|name| single(name)).collect();
                self.fail(at, "required", format_args!("missing properties: {}", missing.join(", ")))
            }
            Keyword::DependentRequired { name, required } => {
                let name = single(name);
                for missing in required.iter().filter(|name| is_missing(name)) {
                    let missing = single(missing);
                    let message = format_args!("property {missing} is required, if {name} property exists");
                    self.fail(at, "dependentRequired", message);
                }
                false
            }
            _ => false,
        }
    }

    fn refuse_list(&mut self, keyword: &Keyword, list: List<'_>, at: At<'_>) -> bool {
        let count = list.len();
        match keyword {
            Keyword::MinItems(min) => {
                let message = format_args!("minimum {min} items required, but found {count} items");
                self.fail(at, "minItems", message)
            }
            Keyword::MaxItems(max) => {
                let message = format_args!("maximum {max} items required, but found {count} items");
                self.fail(at, "maxItems", message)
            }
            Keyword::UniqueItems => {
                let (first, second) = first_repetition(list).unwrap_or_default();
                let message = format_args!("items at index {first} and {second} are equal");
                self.fail(at, "uniqueItems", message)
            }
            _ => false,
        }
    }

    fn refuse_text(&mut self, keyword: &Keyword, text: &str, at: At<'_>) -> bool {
        match keyword {
            Keyword::Format { name, .. } => {
                let message = format_args!("{} is not valid {}", single(text), single(name));
                self.fail(at, "format", message)
            }
            Keyword::MinLength(min) => {
                let message = format_args!("length must be >= {min}, but got {}", length(text));
                self.fail(at, "minLength", message)
            }
            Keyword::MaxLength(max) => {
                let message = format_args!("length must be <= {max}, but got {}", length(text));
                self.fail(at, "maxLength", message)
            }
            Keyword::Pattern { pattern, .. } => {
                self.fail(at, "pattern", format_args!("does not match pattern {}", single(pattern)))
            }
            _ => false,
        }
    }

    fn refuse_number(&mut self, keyword: &Keyword, value: f64, at: At<'_>) -> bool {
        let (name, sign, limit) = match keyword {
            Keyword::Minimum(limit) => ("minimum", ">=", limit),
            Keyword::ExclusiveMinimum(limit) => ("exclusiveMinimum", ">", limit),
            Keyword::Maximum(limit) => ("maximum", "<=", limit),
            Keyword::ExclusiveMaximum(limit) => ("exclusiveMaximum", "<", limit),
            Keyword::MultipleOf { factor, .. } => {
                let message = format_args!("{} not multipleOf {}", number(value), number(*factor));
                return self.fail(at, "multipleOf", message);
            }
            _ => return false,
        };
        let (limit, value) = (number(*limit), number(value));
        self.fail(at, name, format_args!("must be {sign} {limit} but found {value}"))
    }
}

fn type_name(value: Value<'_>) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Double(_) => "number",
        Value::String(_) => "string",
        Value::List(_) => "array",
        // Attributes are JSON: there is nothing else.
        _ => "object",
    }
}
