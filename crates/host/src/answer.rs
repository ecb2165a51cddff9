//! Answers in the form that crosses to a host.

use orthrus::check::Decision;
use orthrus::contract::{CheckResourcesRequest, ResultEntry};
use orthrus::policy::Effect;
use orthrus::table::{AttributeSet, NameMap};

use crate::failure::Failure;

/// This many effects fit a small integer of JavaScript on every platform.
const MASK_BITS: usize = 30;

/// The effects of a request, resource by resource in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// At most 30 effects as bits, and nothing else to tell: 1 allows, and the first action is the lowest. Never negative.
    Mask(i32),
    /// A letter an effect (`A` allows, `D` denies), followed by a line break and a JSON list with one entry a resource where
    /// there are details.
    Text(String),
}

/// What was asked, what was decided, and how much of it is to be told.
pub(crate) struct Decided<'a> {
    pub(crate) request: &'a CheckResourcesRequest<'a>,
    pub(crate) decisions: &'a [Decision<'a>],
    /// For an audit log: the files of policies.
    pub(crate) audit: Option<&'a NameMap<Box<str>>>,
}

impl<'a> Decided<'a> {
    pub(crate) fn answer(&self) -> Result<Answer, Failure> {
        let details = self.entries().any(|entry| entry.has_details());
        let allowed = || {
            self.decisions.iter().flat_map(|decision| decision.actions).map(|it| it.effect == Effect::Allow)
        };
        if !details && allowed().count() <= MASK_BITS {
            let mask = allowed().rev().fold(0, |mask, allowed| mask << 1 | i32::from(allowed));
            return Ok(Answer::Mask(mask));
        }
        let mut text: String = allowed().map(|allowed| if allowed { 'A' } else { 'D' }).collect();
        if details {
            let entries: Vec<_> = self.entries().collect();
            let json = serde_json::to_string(&entries).map_err(|error| Failure::Answer(error.to_string()))?;
            text.push('\n');
            text.push_str(&json);
        }
        Ok(Answer::Text(text))
    }

    fn entries(&self) -> impl Iterator<Item = ResultEntry<'a>> {
        let audit = self.audit;
        let include_meta = audit.is_some() || self.request.include_meta;
        let asked = self.request.resources.iter().zip(self.decisions);
        asked.map(move |(entry, decision)| ResultEntry { entry, decision, include_meta, audit })
    }
}

/// The names as a JSON list; `null` for all.
#[must_use]
pub fn attributes_json(attributes: &AttributeSet) -> String {
    let names = (!attributes.all).then_some(&attributes.names);
    serde_json::to_string(&names).unwrap_or_else(|_| "null".to_owned())
}
