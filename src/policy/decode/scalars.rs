//! Booleans, numbers, variants, and values of any type.

use super::{Decoder, Field, LONG_NAME, Object, Presence, Variant};
use crate::policy::model::{Constant, ConstantValue, Spanned};
use crate::text::{Code, nearest};
use crate::yaml::{Kind, Resolved};

impl Decoder<'_> {
    /// Any JSON value.
    pub fn constant(&mut self, field: Field<'_>) -> Option<Constant> {
        if self.is_spent() {
            return None;
        }
        let item = |value| Field { value, ..field };
        let value = match &field.value.kind {
            Kind::Scalar(scalar) => match scalar.resolve() {
                Resolved::Null => ConstantValue::Null,
                Resolved::Bool(value) => ConstantValue::Bool(value),
                #[allow(clippy::cast_precision_loss, reason = "JSON numbers are doubles, here as in the PDP")]
                Resolved::Integer(value) => ConstantValue::Number(value as f64),
                Resolved::Float(value) => ConstantValue::Number(value),
                Resolved::String => ConstantValue::String(scalar.text.to_string()),
                Resolved::NonFinite => {
                    self.wrong_type(field, "a JSON value");
                    return None;
                }
            },
            Kind::Sequence(nodes) => {
                ConstantValue::List(nodes.iter().filter_map(|node| self.constant(item(node))).collect())
            }
            Kind::Mapping(entries) => {
                let mut map = Vec::with_capacity(entries.len());
                for entry in entries {
                    let Some(key) = self.key(&entry.key) else { continue };
                    map.extend(self.constant(item(&entry.value)).map(|value| (key.to_owned(), value)));
                }
                map.sort_by(|(a, _), (b, _)| a.cmp(b));
                ConstantValue::Map(map)
            }
        };
        Some(Constant { span: field.value.span, value })
    }

    /// A boolean field, false when absent.
    pub fn boolean(&mut self, object: &Object<'_>, name: &str) -> bool {
        let Some(field) = object.get(name) else { return false };
        match &field.value.kind {
            Kind::Scalar(scalar) if matches!(scalar.resolve(), Resolved::Bool(_)) => {
                scalar.resolve() == Resolved::Bool(true)
            }
            Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_) => {
                self.wrong_type(field, "boolean");
                false
            }
        }
    }

    /// An unsigned 64-bit field, which may be written as a string.
    pub fn unsigned(&mut self, object: &Object<'_>, name: &str) -> Option<u64> {
        let field = object.get(name)?;
        let value = match &field.value.kind {
            Kind::Scalar(scalar) => match scalar.resolve() {
                Resolved::Integer(value) => u64::try_from(value).ok(),
                Resolved::String => scalar.text.parse().ok(),
                _ => None,
            },
            Kind::Sequence(_) | Kind::Mapping(_) => None,
        };
        if value.is_none() {
            self.wrong_type(field, "a whole number from 0 to 2^64-1");
        }
        value
    }

    /// An enum field by name or number; `None` when it is absent, null, or unspecified (number 0).
    pub fn variant<T: Copy>(
        &mut self,
        object: &Object<'_>,
        name: &str,
        presence: Presence,
        variants: &[Variant<T>],
    ) -> Option<Spanned<T>> {
        let field = object.get(name);
        let number = match field {
            None => Some(0),
            Some(field) => self.variant_number(field, variants),
        }?;
        let place = field.map_or(object.place, |field| self.field_span(field));
        if number == 0 {
            if presence == Presence::Required {
                self.missing(object, place, name);
            }
            return None;
        }
        let value = variants.iter().find(|variant| variant.1 == number).and_then(|variant| variant.2);
        if value.is_none() {
            let message = format!("`{name}` must be {}", choices(variants));
            self.error(Code::InvalidValue, place, message);
        }
        Some(Spanned { value: value?, span: field?.value.span })
    }

    /// A value of an enum by name or number, where a value must be: in a mapping or a list.
    pub fn variant_value<T: Copy>(&mut self, field: Field<'_>, variants: &[Variant<T>]) -> Option<T> {
        let number = self.variant_number(field, variants)?;
        let value = variants.iter().find(|variant| variant.1 == number).and_then(|variant| variant.2);
        if value.is_none() {
            let message = format!("`{}` must be {}", field.called(), choices(variants));
            self.error(Code::InvalidValue, field.value.span, message);
        }
        value
    }

    fn variant_number<T>(&mut self, field: Field<'_>, variants: &[Variant<T>]) -> Option<i128> {
        if let Kind::Scalar(scalar) = &field.value.kind {
            match scalar.resolve() {
                Resolved::Null => return Some(0),
                Resolved::Integer(number) => return Some(number),
                Resolved::String => {
                    let text = &*scalar.text;
                    let known = variants.iter().find(|variant| variant.0 == text);
                    if known.is_none() {
                        let message = format!("`{}` cannot be {text:?}", field.called());
                        let allowed = variants.iter().filter(|variant| variant.2.is_some());
                        let names = allowed.map(|variant| variant.0);
                        let hint = match nearest(text, names.filter(|_| text.len() <= LONG_NAME)) {
                            Some(name) => format!("did you mean `{name}`?"),
                            None => format!("it must be {}", choices(variants)),
                        };
                        self.error_with_hint(Code::InvalidValue, field.value.span, message, hint);
                    }
                    return known.map(|variant| variant.1);
                }
                Resolved::Bool(_) | Resolved::Float(_) | Resolved::NonFinite => {}
            }
        }
        self.wrong_type(field, "string");
        None
    }
}

fn choices<T>(variants: &[Variant<T>]) -> String {
    let allowed = variants.iter().filter(|variant| variant.2.is_some());
    allowed.map(|variant| format!("`{}`", variant.0)).collect::<Vec<_>>().join(" or ")
}
