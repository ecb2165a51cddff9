//! Lists and mappings from names.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{Decoder, Field, LONG_NAME, Object, Presence};
use crate::policy::model::{Definition, Spanned};
use crate::policy::rules::Rule;
use crate::text::{Code, Diagnostic, Label, Span};
use crate::yaml::Kind;

impl Decoder<'_> {
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
}
