//! The compact form of a request: what crosses from JavaScript on every check.
//!
//! Building JSON and parsing it again costs several times as much as the decision itself. A frame is written straight
//! into a buffer that both sides see. All integers are little-endian.
//!
//! ```text
//! frame       flags u8 (1: metadata is wanted, 2: auxData follows), principal, auxData json, count, resource…
//! principal   id text, policyVersion text, scope text, roles texts, attributes
//! resource    kind text, id text, policyVersion text, scope text, attributes, actions texts
//! attributes  count, then of each: name text, value
//! value       0 null | 1 false | 2 true | 3 f64 | 4 text | 5 json
//! texts       count, text…
//! text        length u16, UTF-8
//! json        length u32, JSON in UTF-8
//! count       u16
//! ```
//!
//! The resources of a request are mostly of one kind. In each but the first, the length of `kind` or the count of
//! `actions` may be 0xffff: they are those of the resource before, and nothing follows. The count of `attributes` may
//! be 0xffff as well: they have the names that those of the resource before have, and only values follow.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::json;
use super::request::{self, CheckResourcesRequest, RequestError, ResourceEntry};
use crate::cel::{Map, Principal, Resource, Value};

const WITH_METADATA: u8 = 1;
const WITH_AUX_DATA: u8 = 2;
const AS_BEFORE: usize = 0xffff;

/// Bytes that are no frame. Only a fault of the writer makes such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request frame is malformed")
    }
}

impl std::error::Error for Malformed {}

impl<'a> CheckResourcesRequest<'a> {
    /// Reads a frame. A request that can be read and is wrong is an `Ok(Err(…))`: the JSON reader refuses the same
    /// requests in the same words.
    ///
    /// # Errors
    /// Bytes that are no frame, or more than one.
    #[allow(clippy::type_complexity, reason = "two kinds of failure: one is the writer's, one the caller's")]
    pub fn from_frame(frame: &'a [u8], arena: &'a Bump) -> Result<Result<Self, RequestError>, Malformed> {
        let mut reader = Reader { rest: frame, arena };
        let request = reader.request()?;
        if !reader.rest.is_empty() {
            return Err(Malformed);
        }
        Ok(request::validated(&request).map(|()| request))
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    arena: &'a Bump,
}

/// What a resource may have in common with the one before it.
struct Before<'a> {
    kind: &'a str,
    /// In the order of the frame.
    fields: &'a [(&'a str, Value<'a>)],
    actions: &'a [&'a str],
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Malformed)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(*taken)
    }

    fn byte(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| byte)
    }

    fn short(&mut self) -> Result<usize, Malformed> {
        self.array().map(|bytes| usize::from(u16::from_le_bytes(bytes)))
    }

    fn text(&mut self) -> Result<&'a str, Malformed> {
        let length = self.short()?;
        self.text_of(length)
    }

    fn text_of(&mut self, length: usize) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed)
    }

    fn json(&mut self) -> Result<&'a str, Malformed> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        std::str::from_utf8(self.take(length)?).map_err(|_| Malformed)
    }

    fn request(&mut self) -> Result<CheckResourcesRequest<'a>, Malformed> {
        let flags = self.byte()?;
        let principal = Principal {
            id: self.text()?,
            policy_version: self.text()?,
            scope: self.text()?,
            roles: self.texts()?,
            attr: self.principal_attributes()?,
        };
        let aux_data = if flags & WITH_AUX_DATA == 0 {
            None
        } else {
            let json = self.json()?;
            Some(request::aux_data_from_json(json, self.arena).map_err(|_| Malformed)?)
        };
        let count = self.short()?;
        let mut resources = Vec::with_capacity_in(count.min(self.rest.len()), self.arena);
        let mut before = None;
        for _ in 0..count {
            resources.push(self.resource(&mut before)?);
        }
        Ok(CheckResourcesRequest {
            request_id: "",
            include_meta: flags & WITH_METADATA != 0,
            principal,
            resources: resources.into_bump_slice(),
            aux_data,
        })
    }

    fn resource(&mut self, before: &mut Option<Before<'a>>) -> Result<ResourceEntry<'a>, Malformed> {
        let kind = match (self.short()?, &before) {
            (AS_BEFORE, Some(before)) => before.kind,
            (length, _) => self.text_of(length)?,
        };
        let (id, policy_version, scope) = (self.text()?, self.text()?, self.text()?);
        let fields = match (self.short()?, &before) {
            (AS_BEFORE, Some(before)) => self.fields_as(before.fields)?,
            (count, _) => self.fields(count)?,
        };
        let attr = self.map(fields);
        let actions = match (self.short()?, &before) {
            (AS_BEFORE, Some(before)) => before.actions,
            (count, _) => self.texts_of(count)?,
        };
        *before = Some(Before { kind, fields, actions });
        Ok(ResourceEntry { resource: Resource { kind, id, policy_version, scope, attr }, actions })
    }

    fn texts(&mut self) -> Result<&'a [&'a str], Malformed> {
        let count = self.short()?;
        self.texts_of(count)
    }

    fn texts_of(&mut self, count: usize) -> Result<&'a [&'a str], Malformed> {
        let mut texts = Vec::with_capacity_in(count.min(self.rest.len()), self.arena);
        for _ in 0..count {
            texts.push(self.text()?);
        }
        Ok(texts.into_bump_slice())
    }

    fn principal_attributes(&mut self) -> Result<Map<'a>, Malformed> {
        let count = self.short()?;
        let fields = self.fields(count)?;
        Ok(self.map(fields))
    }

    fn fields(&mut self, count: usize) -> Result<&'a [(&'a str, Value<'a>)], Malformed> {
        let mut fields = Vec::with_capacity_in(count.min(self.rest.len()), self.arena);
        for _ in 0..count {
            let name = self.text()?;
            fields.push((name, self.value()?));
        }
        Ok(fields.into_bump_slice())
    }

    /// Fields with the names of others.
    fn fields_as(
        &mut self,
        others: &[(&'a str, Value<'a>)],
    ) -> Result<&'a [(&'a str, Value<'a>)], Malformed> {
        let mut fields = Vec::with_capacity_in(others.len(), self.arena);
        for (name, _) in others {
            fields.push((*name, self.value()?));
        }
        Ok(fields.into_bump_slice())
    }

    fn map(&self, fields: &'a [(&'a str, Value<'a>)]) -> Map<'a> {
        if fields.is_sorted_by(|(a, _), (b, _)| a < b) {
            Map::of_sorted_fields(fields)
        } else {
            Map::of_fields(self.arena, fields)
        }
    }

    fn value(&mut self) -> Result<Value<'a>, Malformed> {
        Ok(match self.byte()? {
            0 => Value::Null,
            1 => Value::Bool(false),
            2 => Value::Bool(true),
            3 => Value::Double(f64::from_le_bytes(self.array()?)),
            4 => Value::String(self.text()?),
            5 => {
                let text = self.json()?;
                json::read(text, self.arena).map_err(|_| Malformed)?
            }
            _ => return Err(Malformed),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> std::vec::Vec<u8> {
        [&u16::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat()
    }

    fn json(text: &str) -> std::vec::Vec<u8> {
        [&u32::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes()].concat()
    }

    fn count(count: u16) -> std::vec::Vec<u8> {
        count.to_le_bytes().to_vec()
    }

    fn frame(action: &str) -> std::vec::Vec<u8> {
        [
            vec![3],
            text("ann"),
            text(""),
            text("acme"),
            [count(2), text("user"), text("org:admin")].concat(),
            [
                count(2),
                text("b"),
                vec![3],
                1.5_f64.to_le_bytes().to_vec(),
                text("a"),
                vec![5],
                json("[true]"),
            ]
            .concat(),
            json(r#"{"jwt":{"iss":"x"}}"#),
            count(1),
            [text("doc"), text("7"), text("v1"), text("")].concat(),
            [count(3), text("x"), vec![2], text("y"), vec![4], text("é"), text("z"), vec![0]].concat(),
            [count(1), text(action)].concat(),
        ]
        .concat()
    }

    #[test]
    fn reads_a_request() {
        let arena = Bump::new();
        let frame = frame("view");
        let request = CheckResourcesRequest::from_frame(&frame, &arena).unwrap().unwrap();
        assert!(request.include_meta);
        assert_eq!((request.principal.id, request.principal.scope), ("ann", "acme"));
        assert_eq!(request.principal.roles, ["user", "org:admin"]);
        assert_eq!(request.principal.attr.get("b"), Some(Value::Double(1.5)));
        assert!(matches!(request.principal.attr.get("a"), Some(Value::List(list)) if list.len() == 1));
        assert_eq!(request.aux_data.unwrap().jwt.get("iss"), Some(Value::String("x")));
        let resource = &request.resources[0].resource;
        assert_eq!((resource.kind, resource.id, resource.policy_version), ("doc", "7", "v1"));
        assert_eq!(resource.attr.get("x"), Some(Value::Bool(true)));
        assert_eq!(resource.attr.get("y"), Some(Value::String("é")));
        assert_eq!(resource.attr.get("z"), Some(Value::Null));
        assert_eq!(request.resources[0].actions, ["view"]);
    }

    #[test]
    fn resources_share_what_they_have_in_common() {
        let as_before = vec![0xff, 0xff];
        let first = [
            [text("doc"), text("7"), text(""), text("")].concat(),
            [count(2), text("y"), vec![2], text("x"), vec![4], text("a")].concat(),
            [count(2), text("view"), text("edit")].concat(),
        ]
        .concat();
        let second = [
            [as_before.clone(), text("8"), text(""), text("")].concat(),
            [as_before.clone(), vec![1], vec![0]].concat(),
            as_before.clone(),
        ]
        .concat();
        let head =
            [vec![0], text("ann"), text(""), text(""), [count(1), text("user")].concat(), count(0)].concat();
        let arena = Bump::new();
        let frame = [head.clone(), count(3), first, second.clone(), second.clone()].concat();
        let request = CheckResourcesRequest::from_frame(&frame, &arena).unwrap().unwrap();
        for (entry, id) in request.resources.iter().zip(["7", "8", "8"]) {
            assert_eq!((entry.resource.kind, entry.resource.id), ("doc", id));
            assert_eq!(entry.actions, ["view", "edit"]);
        }
        let attr = |index: usize, name| request.resources[index].resource.attr.get(name);
        assert_eq!((attr(0, "x"), attr(0, "y")), (Some(Value::String("a")), Some(Value::Bool(true))));
        assert_eq!((attr(2, "x"), attr(2, "y")), (Some(Value::Null), Some(Value::Bool(false))));
        // There is nothing before the first.
        let frame = [head, count(1), second].concat();
        assert_eq!(CheckResourcesRequest::from_frame(&frame, &arena).unwrap_err(), Malformed);
    }

    #[test]
    fn cut_altered_and_overlong_frames_are_refused() {
        let arena = Bump::new();
        let frame = frame("view");
        for end in 0..frame.len() {
            assert_eq!(CheckResourcesRequest::from_frame(&frame[..end], &arena).unwrap_err(), Malformed);
        }
        let longer = [&frame[..], &[0]].concat();
        assert_eq!(CheckResourcesRequest::from_frame(&longer, &arena).unwrap_err(), Malformed);
        for at in 0..frame.len() {
            let mut altered = frame.clone();
            altered[at] ^= 0xff;
            // Some alterations give another request; none may panic.
            let _ = CheckResourcesRequest::from_frame(&altered, &arena);
        }
    }

    #[test]
    fn wrong_requests_are_refused_as_from_json() {
        let arena = Bump::new();
        let frame = frame("");
        let refused = CheckResourcesRequest::from_frame(&frame, &arena).unwrap().unwrap_err();
        assert_eq!(refused.to_string(), "resources[0].actions[0]: the action must not be empty");
    }
}
