//! Nodes → values: the combinators from which the decoders of policies and test suites are made. They collect
//! every error and go on with a placeholder; a policy with errors is never given out.
//!
//! What is of the wrong type is reported at the value; what the format does not allow is reported at the
//! field's key or at the list item, as the PDP does.

mod lists;
mod scalars;
mod texts;

use crate::text::{Code, Diagnostic, Diagnostics, Label, Source, Span, nearest};
use crate::yaml::{Budget, Kind, Node, Resolved};

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

    /// Reports a mistake, and what to do about it.
    pub fn error_with_hint(&mut self, code: Code, span: Span, message: String, hint: String) {
        self.diagnostics.push(Diagnostic::error(code, self.source, span, message).with_hint(hint));
    }

    fn wrong_type(&mut self, field: Field<'_>, expected: &str) {
        let message = format!("`{}`: expected {expected}, got {}", field.called(), field.value.type_name());
        self.error(Code::WrongType, self.first_line(field.value.span), message);
    }

    /// Reports a field without a value, unless a key was meant to be that field: then the key has been reported.
    pub fn missing(&mut self, object: &Object<'_>, place: Span, name: &str) {
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
