//! Answers in the form that crosses to JavaScript.

use bumpalo::Bump;
use napi::Result;
use napi::bindgen_prelude::Either;
use orthrus::Engine;
use orthrus::cel::Timestamp;
use orthrus::check::{Decision, Detail};
use orthrus::contract::{CheckResourcesRequest, ResultEntry};
use orthrus::policy::Effect;
use orthrus::table::{AttributeSet, NameMap};

use crate::error::Failure;

/// This many effects fit a small integer of JavaScript on every platform.
const MASK_BITS: usize = 30;

pub(crate) struct Answer<'a> {
    request: &'a CheckResourcesRequest<'a>,
    decisions: &'a [Decision<'a>],
    audit: Option<&'a NameMap<Box<str>>>,
}

impl<'a> Answer<'a> {
    pub(crate) fn of(
        engine: &'a Engine,
        request: &'a CheckResourcesRequest<'a>,
        now: Timestamp,
        audit: bool,
        arena: &'a Bump,
    ) -> Self {
        let detail =
            Detail { metadata: audit || request.include_meta, evaluation_errors: audit, trace: audit };
        let decisions = engine.check_resources(request, now, detail, arena);
        Self { request, decisions, audit: audit.then(|| engine.policy_sources()) }
    }

    /// The effects, resource by resource in the order of the request: as the bits of a number (1 allows, the
    /// first action lowest) where there are at most 30 and nothing else is to be said; else as a string of `A`
    /// and `D`, followed by a line break and a JSON list of details where there are any.
    pub(crate) fn encode(&self) -> Result<Either<i32, String>> {
        let details = self.entries().any(|entry| entry.has_details());
        let allowed = || {
            self.decisions.iter().flat_map(|decision| decision.actions).map(|it| it.effect == Effect::Allow)
        };
        if !details && allowed().count() <= MASK_BITS {
            return Ok(Either::A(allowed().rev().fold(0, |mask, allowed| mask << 1 | i32::from(allowed))));
        }
        let mut text: String = allowed().map(|allowed| if allowed { 'A' } else { 'D' }).collect();
        if details {
            let entries: Vec<_> = self.entries().collect();
            let json = serde_json::to_string(&entries).map_err(|error| Failure::Answer(error.to_string()))?;
            text.push('\n');
            text.push_str(&json);
        }
        Ok(Either::B(text))
    }

    fn entries(&self) -> impl Iterator<Item = ResultEntry<'a>> {
        let audit = self.audit;
        let include_meta = audit.is_some() || self.request.include_meta;
        let asked = self.request.resources.iter().zip(self.decisions);
        asked.map(move |(entry, decision)| ResultEntry { entry, decision, include_meta, audit })
    }
}

/// The names as a JSON list; `null` for all.
pub(crate) fn attributes_json(attributes: &AttributeSet) -> String {
    let names = (!attributes.all).then_some(&attributes.names);
    serde_json::to_string(&names).unwrap_or_else(|_| "null".to_owned())
}
