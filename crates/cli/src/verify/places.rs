//! Where rules and conditions are written: the compiled table does not know, so the policies are read once more when it
//! is asked.

use std::collections::BTreeMap;

use orthrus::policy::{
    self, Body, Budget, Condition, ConditionKind, Effect, FileKind, Policy, ScopePermissions, Spanned,
};
use orthrus::table::Matcher;
use orthrus::text::{Source, Span};

use super::trace::Place;

/// What the policy files say, by policy key.
#[derive(Debug, Default)]
pub struct RulePlaces {
    /// By the number of the rule; 0 is the policy itself.
    rules: BTreeMap<(String, usize), Written>,
    derived_roles: BTreeMap<(String, String), Written>,
}

/// A rule or a derived role as it is written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) place: Place,
    pub(super) condition: Option<WrittenCondition>,
    /// Whether the table has the negation of the condition.
    pub(super) is_negated: bool,
}

/// A node of a condition as it is written, with the nodes below it.
#[derive(Debug)]
pub(super) struct WrittenCondition {
    pub(super) place: Place,
    pub(super) of: Vec<WrittenCondition>,
}

impl RulePlaces {
    /// The places in the policy files among the sources. Files that cannot be read have none.
    #[must_use]
    pub fn new(sources: &[Source]) -> Self {
        let mut places = Self::default();
        for source in sources.iter().filter(|source| FileKind::of(source.name()) == FileKind::Policy) {
            match policy::parse_file(source, &Budget::default()) {
                Ok(Some(policy)) if !policy.disabled => places.add(&policy),
                _ => {}
            }
        }
        places
    }

    /// A rule, by its number in the compiled policy.
    pub(super) fn rule(&self, policy: &str, number: usize) -> Option<&Written> {
        self.rules.get(&(policy.to_owned(), number))
    }

    pub(super) fn derived_role(&self, policy: &str, name: &str) -> Option<&Written> {
        self.derived_roles.get(&(policy.to_owned(), name.to_owned()))
    }

    fn add(&mut self, policy: &Policy) {
        let key = policy.key();
        let written = |span: Span, condition: Option<&Condition>, is_negated: bool| Written {
            place: place(policy, span),
            condition: condition.map(|condition| written(policy, condition)),
            is_negated,
        };
        let is_pattern = |name: &str| Matcher::new(name).is_ok();
        let mut rules = vec![written(policy.name_span(), None, false)];
        match &policy.body {
            Body::Resource(body) => rules.extend(body.rules.iter().map(|rule| {
                let is_negated = needs_consent(body.scope_permissions.as_ref(), rule.effect);
                written(rule.span, rule.condition.as_ref(), is_negated)
            })),
            // Rules whose patterns cannot be read are not in the table.
            Body::Principal(body) => {
                let actions = body.rules.iter().filter(|rule| is_pattern(&rule.resource));
                let actions = actions.flat_map(|rule| &rule.actions).filter(|it| is_pattern(&it.action));
                rules.extend(actions.map(|action| {
                    let is_negated = needs_consent(body.scope_permissions.as_ref(), action.effect);
                    written(action.span, action.condition.as_ref(), is_negated)
                }));
            }
            Body::Role(body) => {
                let readable = body.rules.iter().filter(|rule| is_pattern(&rule.resource));
                rules.extend(readable.map(|rule| written(rule.span, rule.condition.as_ref(), true)));
            }
            Body::DerivedRoles(body) => {
                for role in &body.definitions {
                    let written = written(role.span, role.condition.as_ref(), false);
                    self.derived_roles.insert((key.clone(), role.name.value.clone()), written);
                }
            }
            Body::ExportVariables(_) | Body::ExportConstants(_) => {}
        }
        for (number, rule) in rules.into_iter().enumerate() {
            self.rules.entry((key.clone(), number)).or_insert(rule);
        }
    }
}

/// Whether an ALLOW with a condition acts as a DENY of those who do not meet it.
fn needs_consent(permissions: Option<&Spanned<ScopePermissions>>, effect: Effect) -> bool {
    effect == Effect::Allow
        && permissions.is_some_and(|it| it.value == ScopePermissions::RequireParentalConsentForAllows)
}

fn written(policy: &Policy, condition: &Condition) -> WrittenCondition {
    match &condition.kind {
        ConditionKind::Expr(text) => {
            WrittenCondition { place: place(policy, text.locate(Span::at(0))), of: Vec::new() }
        }
        ConditionKind::All(of) | ConditionKind::Any(of) | ConditionKind::None(of) => WrittenCondition {
            place: place(policy, condition.span),
            of: of.iter().map(|condition| written(policy, condition)).collect(),
        },
    }
}

fn place(policy: &Policy, span: Span) -> Place {
    Place::new(policy.source.name(), policy.source.position(span.start))
}
