//! String fields: names, by rule, and expressions, with their places.

use super::{Decoder, Field, Object};
use crate::policy::model::Spanned;
use crate::policy::rules::Rule;
use crate::text::{Code, Span};
use crate::yaml::{Kind, Resolved, Text};

impl Decoder<'_> {
    /// A value in a string field: integers and booleans are taken as text, `null` as "".
    pub(super) fn string_value(&mut self, field: Field<'_>) -> Option<String> {
        if let Kind::Scalar(scalar) = &field.value.kind {
            match scalar.resolve() {
                Resolved::String | Resolved::Bool(_) => return Some(scalar.text.to_string()),
                Resolved::Integer(value) => return Some(value.to_string()),
                Resolved::Null => return Some(String::new()),
                Resolved::Float(_) | Resolved::NonFinite => {
                    let got = field.value.type_name();
                    let message = format!("`{}`: expected string, got {got}", field.called());
                    let hint = "put it in quotes".to_owned();
                    self.error_with_hint(Code::WrongType, field.value.span, message, hint);
                    return None;
                }
            }
        }
        self.wrong_type(field, "string");
        None
    }

    pub(super) fn check(&mut self, value: &str, rule: &Rule, name: &str, place: Span) {
        if !(rule.allows)(value) {
            let message = format!("`{name}` must be {}, got {value:?}", rule.expected);
            self.error(Code::InvalidValue, place, message);
        }
    }

    /// A string field; `None` when it is absent or empty, which to the format is the same.
    pub fn string(&mut self, object: &Object<'_>, name: &str, rule: &Rule) -> Option<Spanned<String>> {
        let field = object.get(name)?;
        let value = self.string_value(field)?;
        if value.is_empty() {
            return None;
        }
        self.check(&value, rule, name, self.field_span(field));
        Some(Spanned { value, span: field.value.span })
    }

    /// A string field that must be there and not empty.
    pub fn required(&mut self, object: &Object<'_>, name: &str, rule: &Rule) -> Spanned<String> {
        let before = self.diagnostics.iter().len();
        let value = self.string(object, name, rule);
        if value.is_none() && self.diagnostics.iter().len() == before {
            let place = object.get(name).map_or(object.place, |field| self.field_span(field));
            self.missing(object, place, name);
        }
        value.unwrap_or_else(|| Spanned { value: String::new(), span: object.place })
    }

    /// A string field with a default.
    pub fn string_or(
        &mut self,
        object: &Object<'_>,
        name: &str,
        rule: &Rule,
        default: &str,
    ) -> Spanned<String> {
        let absent = Span::at(object.place.start as usize);
        self.string(object, name, rule).unwrap_or_else(|| Spanned { value: default.to_owned(), span: absent })
    }

    /// A field that must hold a string of its kind even if it is empty: one of a choice.
    pub fn chosen_string(&mut self, field: Field<'_>, rule: &Rule) -> Spanned<String> {
        let value = self.string_value(field);
        if let Some(value) = &value {
            self.check(value, rule, field.name, self.field_span(field));
        }
        Spanned { value: value.unwrap_or_default(), span: field.value.span }
    }

    /// An expression field.
    pub fn text(&mut self, field: Field<'_>) -> Option<Text> {
        self.text_at(field, field.key)
    }

    /// An expression that a name is defined as.
    pub fn defined_text(&mut self, field: Field<'_>) -> Option<Text> {
        self.text_at(field, field.value.span)
    }

    fn text_at(&mut self, field: Field<'_>, place: Span) -> Option<Text> {
        let value = self.string_value(field)?;
        let Kind::Scalar(scalar) = &field.value.kind else { return None };
        Some(Text::new(value, scalar.style, field.value.span, place, self.source))
    }
}
