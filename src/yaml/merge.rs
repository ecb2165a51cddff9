//! Merge keys (<https://yaml.org/type/merge.html>) and keys that stand twice.

use std::collections::{HashMap, HashSet, hash_map};

use super::scalar::is_merge_key;
use super::{Budget, Entry, Kind, Node};
use crate::text::{Code, Diagnostic, Diagnostics, Label, Source, Span};

/// Replaces the merge keys of a mapping by the entries that they bring. The mapping's own entries win over
/// merged ones, and of a list of mappings the earlier wins.
pub(super) fn merge<'s>(
    entries: Vec<Entry<'s>>,
    source: &Source,
    diagnostics: &mut Diagnostics,
) -> Vec<Entry<'s>> {
    if !entries.iter().any(|entry| is_merge_key(&entry.key)) {
        return entries;
    }
    let (merges, mut merged): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|entry| is_merge_key(&entry.key));
    let mut taken: HashSet<String> =
        merged.iter().filter_map(|entry| key_text(&entry.key)).map(str::to_owned).collect();
    for Entry { value, .. } in merges {
        for mapping in mappings(value, source, diagnostics) {
            for entry in mapping {
                if key_text(&entry.key).is_none_or(|text| taken.insert(text.to_owned())) {
                    merged.push(Entry { merges: entry.merges + 1, ..entry });
                }
            }
        }
    }
    merged
}

/// The mappings that the value of a merge key names: itself, or those in its list.
fn mappings<'s>(value: Node<'s>, source: &Source, diagnostics: &mut Diagnostics) -> Vec<Vec<Entry<'s>>> {
    let nodes = match value.kind {
        Kind::Sequence(nodes) => nodes,
        kind => vec![Node { kind, ..value }],
    };
    let mut mappings = Vec::with_capacity(nodes.len());
    for node in nodes {
        let type_name = node.type_name();
        match node.kind {
            Kind::Mapping(entries) => mappings.push(entries),
            Kind::Scalar(_) | Kind::Sequence(_) => {
                let message = format!("expected a mapping to merge, got {type_name}");
                let diagnostic = Diagnostic::error(Code::WrongType, source, node.span, message)
                    .with_hint("`<<` takes an alias of a mapping, a mapping, or a list of them");
                diagnostics.push(diagnostic);
            }
        }
    }
    mappings
}

/// Below this size, comparing all keys with each other is cheaper than hashing them.
const SMALL: usize = 8;

/// Reports every key that stands in the mapping before.
pub(super) fn report_duplicates(
    entries: &[Entry<'_>],
    source: &Source,
    budget: &Budget,
    diagnostics: &mut Diagnostics,
) {
    let mut report = |key: &Node<'_>, text: &str, first: Span| {
        if budget.is_spent(diagnostics) {
            return;
        }
        let message = format!("key `{text}` is already in this mapping");
        let first = Label::new(source, first).with_note("first defined here");
        diagnostics
            .push(Diagnostic::error(Code::DuplicateKey, source, key.span, message).with_related(first));
    };
    if entries.len() <= SMALL {
        for (index, Entry { key, .. }) in entries.iter().enumerate() {
            let Some(identity) = key_identity(key) else { continue };
            let mut before = entries[..index].iter();
            if let Some(first) = before.find(|entry| key_identity(&entry.key) == Some(identity)) {
                report(key, identity.0, first.key.span);
            }
        }
    } else {
        let mut seen = HashMap::with_capacity(entries.len());
        for Entry { key, .. } in entries {
            let Some(identity) = key_identity(key) else { continue };
            match seen.entry(identity) {
                hash_map::Entry::Vacant(entry) => _ = entry.insert(key.span),
                hash_map::Entry::Occupied(entry) => report(key, identity.0, *entry.get()),
            }
        }
    }
}

fn key_text<'n>(key: &'n Node<'_>) -> Option<&'n str> {
    match &key.kind {
        Kind::Scalar(scalar) => Some(&scalar.text),
        Kind::Sequence(_) | Kind::Mapping(_) => None,
    }
}

/// What tells keys apart; `<<` and `"<<"` are two.
fn key_identity<'n>(key: &'n Node<'_>) -> Option<(&'n str, bool)> {
    key_text(key).map(|text| (text, is_merge_key(key)))
}
