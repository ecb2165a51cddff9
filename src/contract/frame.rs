//! The compact form of a request: what crosses from JavaScript on every check.
//!
//! Building JSON and parsing it again costs several times as much as the decision itself. A frame is one string of
//! fields, each followed by `\u{1}`:
//!
//! ```text
//! meta                     "1" with metadata, else "0"
//! principal                id, policyVersion, scope, number of roles, roles…, attributes
//! auxData                  "" or JSON
//! number of resources
//! each resource            kind, id, policyVersion, scope, attributes, number of actions, actions…
//! attributes               number of attributes, then name and value of each
//! value                    "s" + text | "n" + number | "t" | "f" | "0" (null) | "j" + JSON
//! ```
//!
//! The number of fields travels beside the frame. A text that itself holds `\u{1}` makes more fields than that,
//! never fewer, so that a frame cannot be misread: it is refused, and the caller sends JSON. The same holds for
//! U+FFFD, which stands where JavaScript had half a surrogate pair.

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::json;
use super::request::{self, CheckResourcesRequest, RequestError, ResourceEntry};
use crate::cel::{Map, Principal, Resource, Value};

const END_OF_FIELD: u8 = 1;

/// The frame does not say what it means; the same request as JSON will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

impl<'a> CheckResourcesRequest<'a> {
    /// Reads a frame that was made of `fields` fields.
    ///
    /// # Errors
    /// `Err(Ambiguous)` when the text cannot be told apart from its separators. A request that can be read and is
    /// wrong is an `Ok(Err(…))`: the JSON reader refuses the same requests in the same words.
    #[allow(
        clippy::type_complexity,
        reason = "two kinds of failure: one asks for JSON, one is for the caller"
    )]
    pub fn from_frame(
        text: &'a str,
        fields: usize,
        arena: &'a Bump,
    ) -> Result<Result<Self, RequestError>, Ambiguous> {
        let separators = text.bytes().filter(|byte| *byte == END_OF_FIELD).count();
        if separators != fields || (!text.is_ascii() && text.contains(char::REPLACEMENT_CHARACTER)) {
            return Err(Ambiguous);
        }
        let mut frame = Frame { rest: text, arena };
        frame.request().map(|request| request::validated(&request).map(|()| request))
    }
}

struct Frame<'a> {
    rest: &'a str,
    arena: &'a Bump,
}

impl<'a> Frame<'a> {
    fn field(&mut self) -> Result<&'a str, Ambiguous> {
        // Fields are short: a plain loop over bytes is faster here than any search that has to be set up.
        let end = self.rest.bytes().position(|byte| byte == END_OF_FIELD).ok_or(Ambiguous)?;
        let (field, rest) = self.rest.split_at(end);
        self.rest = &rest[1..];
        Ok(field)
    }

    fn count(&mut self) -> Result<usize, Ambiguous> {
        let count: usize = self.field()?.parse().map_err(|_| Ambiguous)?;
        // Each of what is counted takes at least its separator: a larger number cannot be true.
        if count > self.rest.len() { Err(Ambiguous) } else { Ok(count) }
    }

    fn request(&mut self) -> Result<CheckResourcesRequest<'a>, Ambiguous> {
        let include_meta = self.field()? == "1";
        let principal = Principal {
            id: self.field()?,
            policy_version: self.field()?,
            scope: self.field()?,
            roles: self.texts()?,
            attr: self.attributes()?,
        };
        let aux_data = match self.field()? {
            "" => None,
            json => Some(request::aux_data_from_json(json, self.arena).map_err(|_| Ambiguous)?),
        };
        let count = self.count()?;
        let mut resources = Vec::with_capacity_in(count, self.arena);
        for _ in 0..count {
            let resource = Resource {
                kind: self.field()?,
                id: self.field()?,
                policy_version: self.field()?,
                scope: self.field()?,
                attr: self.attributes()?,
            };
            resources.push(ResourceEntry { resource, actions: self.texts()? });
        }
        if !self.rest.is_empty() {
            return Err(Ambiguous);
        }
        Ok(CheckResourcesRequest {
            request_id: "",
            include_meta,
            principal,
            resources: resources.into_bump_slice(),
            aux_data,
        })
    }

    fn texts(&mut self) -> Result<&'a [&'a str], Ambiguous> {
        let count = self.count()?;
        let mut texts = Vec::with_capacity_in(count, self.arena);
        for _ in 0..count {
            texts.push(self.field()?);
        }
        Ok(texts.into_bump_slice())
    }

    fn attributes(&mut self) -> Result<Map<'a>, Ambiguous> {
        let count = self.count()?;
        let mut fields = Vec::with_capacity_in(count, self.arena);
        for _ in 0..count {
            let name = self.field()?;
            fields.push((name, self.value()?));
        }
        let is_sorted = fields.is_sorted_by(|(a, _), (b, _)| a < b);
        Ok(if is_sorted {
            Map::of_sorted_fields(fields.into_bump_slice())
        } else {
            Map::of_fields(self.arena, &fields)
        })
    }

    fn value(&mut self) -> Result<Value<'a>, Ambiguous> {
        let field = self.field()?;
        let text = field.get(1..).ok_or(Ambiguous)?;
        match field.as_bytes().first() {
            Some(b's') => Ok(Value::String(text)),
            Some(b'n') => text.parse().map(Value::Double).map_err(|_| Ambiguous),
            Some(b't') => Ok(Value::Bool(true)),
            Some(b'f') => Ok(Value::Bool(false)),
            Some(b'0') => Ok(Value::Null),
            Some(b'j') => json::read(text, self.arena).map_err(|_| Ambiguous),
            _ => Err(Ambiguous),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: [&str; 26] = [
        "1",
        "ann",
        "",
        "acme",
        "2",
        "user",
        "org:admin",
        "2",
        "a",
        "n1.5",
        "b",
        "j[true]",
        "",
        "1",
        "doc",
        "7",
        "v1",
        "",
        "3",
        "x",
        "t",
        "y",
        "f",
        "z",
        "0",
        "1",
    ];

    fn frame(extra: &[&str]) -> (String, usize) {
        let fields: std::vec::Vec<&str> = FIELDS.iter().chain(extra).copied().collect();
        (fields.iter().flat_map(|field| [*field, "\u{1}"]).collect(), fields.len())
    }

    #[test]
    fn reads_a_request() {
        let arena = Bump::new();
        let (text, fields) = frame(&["view"]);
        let request = CheckResourcesRequest::from_frame(&text, fields, &arena).unwrap().unwrap();
        assert!(request.include_meta);
        assert_eq!((request.principal.id, request.principal.scope), ("ann", "acme"));
        assert_eq!(request.principal.roles, ["user", "org:admin"]);
        assert_eq!(request.principal.attr.get("a"), Some(Value::Double(1.5)));
        let resource = &request.resources[0].resource;
        assert_eq!((resource.kind, resource.id, resource.policy_version), ("doc", "7", "v1"));
        assert_eq!(resource.attr.get("y"), Some(Value::Bool(false)));
        assert_eq!(resource.attr.get("z"), Some(Value::Null));
        assert_eq!(request.resources[0].actions, ["view"]);
    }

    #[test]
    fn a_separator_in_a_text_is_noticed() {
        let arena = Bump::new();
        let (text, fields) = frame(&["vi\u{1}ew"]);
        assert_eq!(CheckResourcesRequest::from_frame(&text, fields, &arena).unwrap_err(), Ambiguous);
        let (text, fields) = frame(&["vi\u{FFFD}ew"]);
        assert_eq!(CheckResourcesRequest::from_frame(&text, fields, &arena).unwrap_err(), Ambiguous);
    }

    #[test]
    fn no_cut_or_altered_frame_panics() {
        let arena = Bump::new();
        let (text, _) = frame(&["view"]);
        for end in 0..text.len() {
            let cut = &text[..end];
            let fields = cut.matches('\u{1}').count();
            assert!(CheckResourcesRequest::from_frame(cut, fields, &arena).is_err());
        }
    }

    #[test]
    fn wrong_requests_are_refused_as_from_json() {
        let arena = Bump::new();
        let (text, fields) = frame(&[""]);
        let refused = CheckResourcesRequest::from_frame(&text, fields, &arena).unwrap().unwrap_err();
        assert_eq!(refused.to_string(), "resources[0].actions[0]: the action must not be empty");
    }
}
