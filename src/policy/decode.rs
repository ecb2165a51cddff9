//! Nodes → values: the combinators from which the decoders of policies and test suites are made. They collect
//! every error and go on with a placeholder; a policy with errors is never given out.
//!
//! What is of the wrong type is reported at the value; what the format does not allow is reported at the
//! field's key or at the list item, as the PDP does.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::model::{Constant, ConstantValue, Definition, Spanned};
use super::rules::Rule;
use crate::text::{Code, Diagnostic, Diagnostics, Label, Source, Span, nearest};
use crate::yaml::{Budget, Kind, Node, Resolved, Text};

/// In bytes; no name of the format is longer.
const LONG_NAME: usize = 64;

/// What an object may hold.
pub struct Shape {
    /// What the object is called in a message, with its article.
    pub name: &'static str,
    /// Its fields, in lowerCamelCase; snake_case is accepted as well.
    pub fields: &'static [&'static str],
    /// Those fields of which exactly one must be given.
    pub one_of: &'static [&'static str],
}

/// A field of an object, or an item of a list.
#[derive(Clone, Copy)]
pub struct Field<'n> {
    /// The field of the format that it is, or that it is an entry or item of.
    pub name: &'static str,
    /// The name that the file gives to an entry of a mapping.
    entry: Option<&'n str>,
    /// The key; of a list item, its first line.
    pub key: Span,
    /// The value.
    pub value: &'n Node<'n>,
    merges: u32,
}

/// A mapping whose keys are known to be fields of a [`Shape`], none of them given twice.
pub struct Object<'n> {
    /// The whole mapping.
    pub span: Span,
    /// Where the lack of a field is reported.
    pub place: Span,
    shape: &'static Shape,
    fields: Vec<Field<'n>>,
    /// Fields that unknown keys were probably meant to be.
    meant: Vec<&'static str>,
}

impl<'n> Object<'n> {
    /// A field that is given.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Field<'n>> {
        self.fields.iter().find(|field| field.name == name).copied()
    }

    /// The one field that is given of those that exclude each other.
    #[must_use]
    pub fn choice(&self) -> Option<Field<'n>> {
        self.shape.one_of.iter().find_map(|name| self.get(name))
    }
}

/// Whether a field, or a list, must have a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Its absence has a meaning.
    Optional,
    /// Its absence is a mistake.
    Required,
}

/// A name of an enum of the format, with its number. `None`: known, but not to be used here.
pub type Variant<T> = (&'static str, i128, Option<T>);

/// Reads the nodes of one text, and collects what is wrong with them.
pub struct Decoder<'s> {
    /// The text.
    pub source: &'s Source,
    budget: &'s Budget,
    /// What is wrong so far.
    pub diagnostics: Diagnostics,
    /// Whether everything that gives names to values, variables and constants, is right so far.
    pub names_are_known: bool,
}

impl<'s> Decoder<'s> {
    /// A decoder that has seen nothing yet.
    #[must_use]
    pub fn new(source: &'s Source, budget: &'s Budget) -> Self {
        Self { source, budget, diagnostics: Diagnostics::new(), names_are_known: true }
    }

    /// Reads what gives names to values.
    pub(super) fn naming<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.diagnostics.iter().len();
        let value = read(self);
        self.names_are_known &= self.diagnostics.iter().len() == before;
        value
    }

    /// Whether to leave off; checked before each item of a mapping or list.
    fn is_spent(&self) -> bool {
        self.budget.is_spent(&self.diagnostics)
    }

    /// Reports a mistake.
    pub fn error(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::error(code, self.source, span, message));
    }

    fn error_with_hint(&mut self, code: Code, span: Span, message: String, hint: String) {
        self.diagnostics.push(Diagnostic::error(code, self.source, span, message).with_hint(hint));
    }

    fn wrong_type(&mut self, field: Field<'_>, expected: &str) {
        let message = format!("`{}`: expected {expected}, got {}", field.called(), field.value.type_name());
        self.error(Code::WrongType, self.first_line(field.value.span), message);
    }

    /// Reports a field without a value, unless a key was meant to be that field: then the key has been reported.
    fn missing(&mut self, object: &Object<'_>, place: Span, name: &str) {
        if !object.meant.contains(&name) {
            self.error(Code::MissingField, place, format!("`{name}` is missing in {}", object.shape.name));
        }
    }

    fn no_list(&mut self, field: Field<'_>) {
        let span = self.first_line(field.value.span);
        let message = format!("`{}`: expected list, got {}", field.name, field.value.type_name());
        match &field.value.kind {
            Kind::Scalar(scalar) if !scalar.text.is_empty() && scalar.resolve() != Resolved::Null => {
                let hint = format!("write `{}: [{}]`", field.name, self.source.slice(span));
                self.error_with_hint(Code::WrongType, span, message, hint);
            }
            Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_) => {
                self.error(Code::WrongType, span, message);
            }
        }
    }

    /// A span without what goes on to further lines.
    #[must_use]
    pub fn first_line(&self, span: Span) -> Span {
        let line = self.source.slice(span).lines().next().map_or(0, str::len);
        Span::new(span.start as usize, span.start as usize + line)
    }

    /// A field with its value where both stand on one line, or else its key.
    fn field_span(&self, field: Field<'_>) -> Span {
        let whole = field.key.to(field.value.span);
        let one_line = field.key.start <= field.value.span.start && !self.source.slice(whole).contains('\n');
        if one_line { whole } else { field.key }
    }

    /// Reads a mapping as an object; of anything else, says how it is written.
    pub(super) fn object_written<'n>(
        &mut self,
        field: Field<'n>,
        shape: &'static Shape,
        example: &str,
    ) -> Option<Object<'n>> {
        if !matches!(field.value.kind, Kind::Mapping(_)) {
            let message = format!("`{}`: expected mapping, got {}", field.called(), field.value.type_name());
            let span = self.first_line(field.value.span);
            self.error_with_hint(Code::WrongType, span, message, format!("write `{example}`"));
            return None;
        }
        self.object(field, shape)
    }

    /// Reads a mapping as an object.
    pub fn object<'n>(&mut self, field: Field<'n>, shape: &'static Shape) -> Option<Object<'n>> {
        let Kind::Mapping(entries) = &field.value.kind else {
            self.wrong_type(field, "mapping");
            return None;
        };
        let mut fields: Vec<Field<'n>> = Vec::with_capacity(entries.len());
        let mut meant = Vec::new();
        for entry in entries {
            if self.is_spent() {
                return None;
            }
            let Some(key) = self.key(&entry.key) else { continue };
            let Some(name) = shape.fields.iter().find(|name| is_name_of(key, name)) else {
                meant.extend(self.unknown_field(key, entry.key.span, shape));
                continue;
            };
            let new =
                Field { name, entry: None, key: entry.key.span, value: &entry.value, merges: entry.merges };
            match fields.iter_mut().find(|field| field.name == *name) {
                None => fields.push(new),
                // The same field by its two spellings.
                Some(old) if old.merges == new.merges => {
                    let first = Label::new(self.source, old.key).with_note("first defined here");
                    let message = format!("field `{name}` is already in this mapping");
                    let error = Diagnostic::error(Code::DuplicateKey, self.source, new.key, message);
                    self.diagnostics.push(error.with_related(first));
                }
                Some(old) if new.merges < old.merges => *old = new,
                Some(_) => {}
            }
        }
        let mut object = Object { span: field.value.span, place: field.key, shape, fields, meant };
        self.choose(&mut object);
        Some(object)
    }

    fn key<'n>(&mut self, key: &'n Node<'_>) -> Option<&'n str> {
        match &key.kind {
            Kind::Scalar(scalar) if scalar.resolve() == Resolved::String => Some(&scalar.text),
            Kind::Scalar(_) | Kind::Sequence(_) | Kind::Mapping(_) => {
                let message = format!("expected a string as key, got {}", key.type_name());
                self.error(Code::WrongType, self.first_line(key.span), message);
                None
            }
        }
    }

    /// Reports a key that is no field, and gives the field that it was probably meant to be.
    fn unknown_field(&mut self, key: &str, span: Span, shape: &Shape) -> Option<&'static str> {
        // It may have been meant to be the one with the names.
        self.names_are_known &= !shape.fields.iter().any(|field| matches!(*field, "variables" | "constants"));
        let message = format!("unknown field `{key}` in {}", shape.name);
        // What is much longer than any field was not meant to be one.
        let meant = if key.len() > LONG_NAME { None } else { nearest(key, shape.fields.iter().copied()) };
        let hint = match meant {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("the fields are {}", listing(shape.fields)),
        };
        self.error_with_hint(Code::UnknownField, span, message, hint);
        meant.and_then(|name| shape.fields.iter().find(|field| **field == name).copied())
    }

    /// Sees to it that exactly one of the fields that exclude each other is given. One that came by a merge
    /// gives way to one that stands nearer.
    fn choose(&mut self, object: &mut Object<'_>) {
        let Shape { name, one_of, .. } = object.shape;
        if one_of.is_empty() {
            return;
        }
        let is_choice = |field: &&Field<'_>| one_of.contains(&field.name);
        let code = if one_of.contains(&"resourcePolicy") { Code::PolicyType } else { Code::InvalidValue };
        let Some(first) = object.fields.iter().filter(is_choice).min_by_key(|field| field.merges).copied()
        else {
            if object.meant.iter().any(|name| one_of.contains(name)) {
                return;
            }
            let code = if code == Code::PolicyType { code } else { Code::MissingField };
            let message = format!("{name} needs one of {}", listing(one_of));
            self.error(code, object.place, message);
            return;
        };
        let is_other = |field: &Field<'_>| one_of.contains(&field.name) && field.name != first.name;
        for other in object.fields.iter().filter(|field| is_other(field) && field.merges == first.merges) {
            let label = Label::new(self.source, first.key).with_note("already given here");
            let message = format!("{name} has `{}` or `{}`, not both", first.name, other.name);
            let error = Diagnostic::error(code, self.source, other.key, message).with_related(label);
            self.diagnostics.push(error);
        }
        object.fields.retain(|field| !is_other(field));
    }

    /// A value in a string field: integers and booleans are taken as text, `null` as "".
    fn string_value(&mut self, field: Field<'_>) -> Option<String> {
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

    fn check(&mut self, value: &str, rule: &Rule, name: &str, place: Span) {
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

    /// A list of strings, none of them twice.
    pub fn strings(
        &mut self,
        object: &Object<'_>,
        name: &'static str,
        presence: Presence,
        rule: &Rule,
    ) -> Vec<Spanned<String>> {
        let strings: Vec<Spanned<String>> = self.list(object, name, presence, |decoder, item| {
            let value = decoder.string_value(item)?;
            decoder.check(&value, rule, name, item.key);
            Some(Spanned { value, span: item.value.span })
        });
        let mut seen: HashMap<&str, Span> = HashMap::with_capacity(strings.len());
        for string in &strings {
            let first = match seen.entry(string) {
                Entry::Vacant(entry) => {
                    entry.insert(string.span);
                    continue;
                }
                Entry::Occupied(entry) => *entry.get(),
            };
            if !self.is_spent() {
                let label = Label::new(self.source, first).with_note("first given here");
                let message = format!("`{name}` holds {:?} twice", string.value);
                let error = Diagnostic::error(Code::InvalidValue, self.source, string.span, message);
                self.diagnostics.push(error.with_related(label));
            }
        }
        strings
    }

    /// A list field; items for which `item` has no value are left out.
    pub fn list<'n, T>(
        &mut self,
        object: &Object<'n>,
        name: &'static str,
        presence: Presence,
        mut item: impl FnMut(&mut Self, Field<'n>) -> Option<T>,
    ) -> Vec<T> {
        let Some(field) = object.get(name) else {
            if presence == Presence::Required {
                self.missing(object, object.place, name);
            }
            return Vec::new();
        };
        let Kind::Sequence(nodes) = &field.value.kind else {
            self.no_list(field);
            return Vec::new();
        };
        if nodes.is_empty() && presence == Presence::Required {
            let message = format!("`{name}` needs at least one item");
            self.error(Code::MissingField, self.field_span(field), message);
        }
        let mut items = Vec::with_capacity(nodes.len());
        for node in nodes {
            if self.is_spent() {
                break;
            }
            let field = Field { name, entry: None, key: self.first_line(node.span), value: node, merges: 0 };
            items.extend(item(self, field));
        }
        items
    }

    /// A mapping field from names to values; names for which `value` has none are left out.
    pub fn definitions<'n, T>(
        &mut self,
        object: &Object<'n>,
        name: &'static str,
        mut value: impl FnMut(&mut Self, Field<'n>) -> Option<T>,
    ) -> Vec<Definition<T>> {
        let Some(field) = object.get(name) else { return Vec::new() };
        let Kind::Mapping(entries) = &field.value.kind else {
            self.wrong_type(field, "mapping");
            return Vec::new();
        };
        let mut definitions = Vec::with_capacity(entries.len());
        for entry in entries {
            if self.is_spent() {
                break;
            }
            let Some(key) = self.key(&entry.key) else { continue };
            let named = Some(key).filter(|key| key.len() <= LONG_NAME);
            let field = Field { name, entry: named, key: entry.key.span, value: &entry.value, merges: 0 };
            if let Some(value) = value(self, field) {
                let name = Spanned { value: key.to_owned(), span: entry.key.span };
                definitions.push(Definition { name, value });
            }
        }
        definitions
    }

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

impl<'n> Field<'n> {
    /// What it is called in messages.
    fn called(&self) -> &str {
        self.entry.unwrap_or(self.name)
    }

    /// A document's root, with what it is called in messages.
    #[must_use]
    pub fn root(name: &'static str, value: &'n Node<'n>, place: Span) -> Self {
        Self { name, entry: None, key: place, value, merges: 0 }
    }
}

/// Whether a key is a field's name in lowerCamelCase or in snake_case.
fn is_name_of(key: &str, name: &str) -> bool {
    if key == name {
        return true;
    }
    // The one field whose two names differ otherwise.
    if name == "$schema" {
        return key == "json_schema";
    }
    let mut rest = key.bytes();
    name.bytes().all(|byte| match byte {
        b'A'..=b'Z' => rest.next() == Some(b'_') && rest.next() == Some(byte.to_ascii_lowercase()),
        _ => rest.next() == Some(byte),
    }) && rest.next().is_none()
}

/// Names joined for a message: `` `a`, `b` ``.
fn listing(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn choices<T>(variants: &[Variant<T>]) -> String {
    let allowed = variants.iter().filter(|variant| variant.2.is_some());
    allowed.map(|variant| format!("`{}`", variant.0)).collect::<Vec<_>>().join(" or ")
}
