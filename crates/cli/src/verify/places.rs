//! Where rules are written: the compiled table does not know, so the policies are read once more when it is asked.

use std::collections::BTreeMap;

use orthrus::policy::{self, Body, Budget, FileKind, Policy, principal_rule_name, resource_rule_name};
use orthrus::text::{Source, Span};

use super::results::Place;

/// Rules by policy key and rule name; policies by their key and an empty name.
#[derive(Debug, Default)]
pub struct RulePlaces(BTreeMap<(String, String), Place>);

impl RulePlaces {
    /// The places in the policy files among the sources. Files that cannot be read have none.
    #[must_use]
    pub fn new(sources: &[Source]) -> Self {
        let mut places = Self::default();
        for source in sources.iter().filter(|source| FileKind::of(source.name()) == FileKind::Policy) {
            if let Ok(Some(policy)) = policy::parse_file(source, &Budget::default()) {
                places.add(&policy);
            }
        }
        places
    }

    pub(super) fn find(&self, policy: &str, rule: &str) -> Option<&Place> {
        self.0.get(&(policy.to_owned(), rule.to_owned()))
    }

    fn add(&mut self, policy: &Policy) {
        let key = policy.key();
        let mut add = |rule: &str, span: Span| {
            let place = Place::new(policy.source.name(), policy.source.position(span.start));
            self.0.entry((key.clone(), rule.to_owned())).or_insert(place);
        };
        add("", policy.name_span());
        match &policy.body {
            Body::Resource(body) => {
                for (index, rule) in body.rules.iter().enumerate() {
                    let name = resource_rule_name(rule.name.as_deref().map(String::as_str), index + 1);
                    add(&name, rule.span);
                }
            }
            Body::Principal(body) => {
                for rule in &body.rules {
                    for (index, action) in rule.actions.iter().enumerate() {
                        let name = action.name.as_deref().map(String::as_str);
                        add(&principal_rule_name(name, &rule.resource, index + 1), action.span);
                    }
                }
            }
            Body::Role(body) => {
                for rule in &body.rules {
                    add(rule.name.as_deref().map_or("", String::as_str), rule.span);
                }
            }
            Body::DerivedRoles(_) | Body::ExportVariables(_) | Body::ExportConstants(_) => {}
        }
    }
}
