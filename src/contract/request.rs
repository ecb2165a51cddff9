//! Requests: read, and refused where they are not answerable.

use std::fmt;

use bumpalo::Bump;
use bumpalo::collections::Vec;

use super::json;
use super::path::Path;
use crate::cel::{AuxData, List, Map, Principal, Resource, Value};
use crate::text::nearest;

/// Up to this many names, each is compared with each; past it they are sorted.
const COMPARE_PAIRS: usize = 16;

/// One principal, and the resources and actions it asks about.
#[derive(Clone, Copy, Debug)]
pub struct CheckResourcesRequest<'a> {
    /// Comes back in the response.
    pub request_id: &'a str,
    /// Whether matched policies and effective derived roles are wanted.
    pub include_meta: bool,
    /// Who asks.
    pub principal: Principal<'a>,
    /// About what; at least one.
    pub resources: &'a [ResourceEntry<'a>],
    /// Claims.
    pub aux_data: Option<AuxData<'a>>,
}

/// A resource and what is to be done with it.
#[derive(Clone, Copy, Debug)]
pub struct ResourceEntry<'a> {
    /// The resource.
    pub resource: Resource<'a>,
    /// At least one; none twice.
    pub actions: &'a [&'a str],
}

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestError {
    /// Where in the request, such as `resources[0].actions`; empty for the request as a whole.
    pub path: String,
    /// What is wrong there, and what would be right.
    pub message: String,
}

impl RequestError {
    fn at(path: &Path<'_>, message: impl fmt::Display) -> Self {
        Self { path: path.to_string(), message: message.to_string() }
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            return f.write_str(&self.message);
        }
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for RequestError {}

impl<'a> CheckResourcesRequest<'a> {
    /// Reads a request from JSON with the fields of Cerbos' `CheckResourcesRequest`, except that `auxData` holds
    /// the claims of tokens (`{"jwt": {…}}`, `{"jwts": {"NAME": {…}}}`) and not the tokens: verifying them is not
    /// the engine's charge. Strings are borrowed from the text where they need no unescaping.
    ///
    /// # Errors
    /// Text that is no JSON, unknown fields, values of the wrong type, what is missing or stands twice.
    pub fn from_json(text: &'a str, arena: &'a Bump) -> Result<Self, RequestError> {
        let root = Path::Root;
        let value = json::read(text, arena).map_err(|error| {
            RequestError::at(&root, format_args!("the request is not valid JSON: {error}"))
        })?;
        let fields = Fields::new(
            &root,
            value,
            &["requestId", "includeMeta", "principal", "resources", "auxData", "requestContext"],
        )?;
        let principal = fields.required("principal", "an object with `id` and `roles`")?;
        let resources = fields.required("resources", "a list with at least one resource")?;
        let aux_data = fields.present("auxData").map(|value| read_aux_data(&root.field("auxData"), value));
        let request = Self {
            request_id: fields.string("requestId")?,
            include_meta: fields.boolean("includeMeta")?,
            principal: read_principal(&root.field("principal"), principal, arena)?,
            resources: read_resources(&root.field("resources"), resources, arena)?,
            aux_data: aux_data.transpose()?,
        };
        validated(&request).map(|()| request)
    }
}

/// Refuses what no check can answer: nothing asked, nobody asking, the same asked twice.
pub(super) fn validated(request: &CheckResourcesRequest<'_>) -> Result<(), RequestError> {
    let path = Path::Root.field("principal");
    let principal = &request.principal;
    check_name(&path, "id", principal.id)?;
    check_names(&path.field("roles"), "role", principal.roles)?;
    check_policy_version(&path, principal.policy_version)?;
    check_scope(&path, principal.scope)?;
    let path = Path::Root.field("resources");
    if request.resources.is_empty() {
        return Err(RequestError::at(&path, "at least one resource is needed"));
    }
    let mut checked: &[&str] = &[];
    for (index, entry) in request.resources.iter().enumerate() {
        let path = path.index(index);
        let resource_path = path.field("resource");
        check_name(&resource_path, "kind", entry.resource.kind)?;
        check_name(&resource_path, "id", entry.resource.id)?;
        check_policy_version(&resource_path, entry.resource.policy_version)?;
        check_scope(&resource_path, entry.resource.scope)?;
        // The resources of a frame mostly share their actions.
        if !std::ptr::eq(entry.actions, checked) || entry.actions.is_empty() {
            check_names(&path.field("actions"), "action", entry.actions)?;
            checked = entry.actions;
        }
    }
    Ok(())
}

/// The `auxData` of a request, from its JSON: claims of tokens that somebody has verified.
///
/// # Errors
/// Text that is no JSON, or values of the wrong type.
pub fn aux_data_from_json<'a>(text: &'a str, arena: &'a Bump) -> Result<AuxData<'a>, RequestError> {
    let path = Path::Root.field("auxData");
    let value = json::read(text, arena).map_err(|error| RequestError::at(&path, error))?;
    read_aux_data(&path, value)
}

fn check_name(path: &Path<'_>, field: &str, name: &str) -> Result<(), RequestError> {
    if name.is_empty() {
        return Err(RequestError::at(&path.field(field), "is required: a string that is not empty"));
    }
    Ok(())
}

/// At least one name, none empty, none twice.
fn check_names(path: &Path<'_>, what: &str, names: &[&str]) -> Result<(), RequestError> {
    if names.is_empty() {
        return Err(RequestError::at(path, format_args!("at least one {what} is needed")));
    }
    if let Some(index) = names.iter().position(|name| name.is_empty()) {
        return Err(RequestError::at(&path.index(index), format_args!("the {what} must not be empty")));
    }
    match first_repeated(names) {
        Some(index) => {
            let message = format_args!("the {what} `{}` stands twice; each may be given once", names[index]);
            Err(RequestError::at(&path.index(index), message))
        }
        None => Ok(()),
    }
}

fn check_policy_version(path: &Path<'_>, version: &str) -> Result<(), RequestError> {
    if is_policy_version(version) {
        return Ok(());
    }
    let message = format_args!("`{version}` is not a policy version: use letters, digits and `_`");
    Err(RequestError::at(&path.field("policyVersion"), message))
}

fn check_scope(path: &Path<'_>, scope: &str) -> Result<(), RequestError> {
    if is_scope(scope) {
        return Ok(());
    }
    let message =
        format_args!("`{scope}` is not a scope: use words of letters, digits, `_` and `-`, joined by dots");
    Err(RequestError::at(&path.field("scope"), message))
}

fn read_principal<'a>(
    path: &Path<'_>,
    value: Value<'a>,
    arena: &'a Bump,
) -> Result<Principal<'a>, RequestError> {
    let fields = Fields::new(path, value, &["id", "roles", "attr", "policyVersion", "scope"])?;
    let roles = fields.required("roles", "a list with at least one role")?;
    Ok(Principal {
        id: fields.string("id")?,
        roles: read_strings(&path.field("roles"), roles, arena)?,
        attr: fields.object("attr")?,
        policy_version: fields.string("policyVersion")?,
        scope: fields.string("scope")?,
    })
}

fn read_resources<'a>(
    path: &Path<'_>,
    value: Value<'a>,
    arena: &'a Bump,
) -> Result<&'a [ResourceEntry<'a>], RequestError> {
    let list = read_list(path, value)?;
    let mut entries = Vec::with_capacity_in(list.len(), arena);
    for (index, value) in list.iter().enumerate() {
        let path = path.index(index);
        let fields = Fields::new(&path, value, &["resource", "actions"])?;
        let resource = fields.required("resource", "an object with `kind` and `id`")?;
        let actions = fields.required("actions", "a list with at least one action")?;
        entries.push(ResourceEntry {
            resource: read_resource(&path.field("resource"), resource)?,
            actions: read_strings(&path.field("actions"), actions, arena)?,
        });
    }
    Ok(entries.into_bump_slice())
}

fn read_resource<'a>(path: &Path<'_>, value: Value<'a>) -> Result<Resource<'a>, RequestError> {
    let fields = Fields::new(path, value, &["kind", "id", "attr", "policyVersion", "scope"])?;
    Ok(Resource {
        kind: fields.string("kind")?,
        id: fields.string("id")?,
        attr: fields.object("attr")?,
        policy_version: fields.string("policyVersion")?,
        scope: fields.string("scope")?,
    })
}

fn read_aux_data<'a>(path: &Path<'_>, value: Value<'a>) -> Result<AuxData<'a>, RequestError> {
    let fields = Fields::new(path, value, &["jwt", "jwts"])?;
    let jwts = fields.object("jwts")?;
    let jwts_path = path.field("jwts");
    for (name, claims) in jwts.iter() {
        if !matches!(claims, Value::Map(_)) {
            let name = if let Value::String(name) = name { name } else { "" };
            return Err(wrong_type(&jwts_path.field(name), "an object of claims", claims));
        }
    }
    Ok(AuxData { jwt: fields.object("jwt")?, jwts })
}

fn read_strings<'a>(
    path: &Path<'_>,
    value: Value<'a>,
    arena: &'a Bump,
) -> Result<&'a [&'a str], RequestError> {
    let list = read_list(path, value)?;
    let mut strings = Vec::with_capacity_in(list.len(), arena);
    for (index, value) in list.iter().enumerate() {
        match value {
            Value::String(string) => strings.push(string),
            other => return Err(wrong_type(&path.index(index), "a string", other)),
        }
    }
    Ok(strings.into_bump_slice())
}

/// Index of the first name that has stood before.
#[must_use]
pub fn first_repeated<T: Ord>(names: &[T]) -> Option<usize> {
    if names.len() <= COMPARE_PAIRS {
        return (1..names.len()).find(|index| names[..*index].contains(&names[*index]));
    }
    let mut order: std::vec::Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|index| &names[*index]);
    order.windows(2).filter(|pair| names[pair[0]] == names[pair[1]]).map(|pair| pair[1]).min()
}

fn read_list<'a>(path: &Path<'_>, value: Value<'a>) -> Result<List<'a>, RequestError> {
    match value {
        Value::List(list) => Ok(list),
        other => Err(wrong_type(path, "a list", other)),
    }
}

/// An object of a request, its fields known by name.
struct Fields<'a, 'p> {
    path: &'p Path<'p>,
    map: Map<'a>,
}

impl<'a, 'p> Fields<'a, 'p> {
    fn new(path: &'p Path<'p>, value: Value<'a>, known: &[&str]) -> Result<Self, RequestError> {
        let Value::Map(map) = value else { return Err(wrong_type(path, "an object", value)) };
        for (key, _) in map.iter() {
            let Value::String(key) = key else { continue };
            if !known.contains(&key) {
                let hint = nearest(key, known.iter().copied());
                let hint = hint.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
                return Err(RequestError::at(&path.field(key), format_args!("unknown field{hint}")));
            }
        }
        Ok(Self { path, map })
    }

    /// `null` is the same as absent.
    fn present(&self, name: &str) -> Option<Value<'a>> {
        self.map.get(name).filter(|value| !matches!(value, Value::Null))
    }

    fn required(&self, name: &str, what: &str) -> Result<Value<'a>, RequestError> {
        let missing = || RequestError::at(&self.path.field(name), format_args!("is required: {what}"));
        self.present(name).ok_or_else(missing)
    }

    fn string(&self, name: &str) -> Result<&'a str, RequestError> {
        match self.present(name) {
            None => Ok(""),
            Some(Value::String(text)) => Ok(text),
            Some(other) => Err(wrong_type(&self.path.field(name), "a string", other)),
        }
    }

    fn boolean(&self, name: &str) -> Result<bool, RequestError> {
        match self.present(name) {
            None => Ok(false),
            Some(Value::Bool(value)) => Ok(value),
            Some(other) => Err(wrong_type(&self.path.field(name), "a boolean", other)),
        }
    }

    fn object(&self, name: &str) -> Result<Map<'a>, RequestError> {
        match self.present(name) {
            None => Ok(Map::EMPTY),
            Some(Value::Map(map)) => Ok(map),
            Some(other) => Err(wrong_type(&self.path.field(name), "an object", other)),
        }
    }
}

/// `^(^$|\.|[0-9a-zA-Z][\w\-]*(\.\w[\w\-]*)*)$`, as Cerbos' API has it.
#[must_use]
pub fn is_scope(scope: &str) -> bool {
    let is_segment = |segment: &str| {
        segment.bytes().next().is_some_and(is_word)
            && segment.bytes().all(|byte| is_word(byte) || byte == b'-')
    };
    scope.is_empty() || scope == "." || (!scope.starts_with('_') && scope.split('.').all(is_segment))
}

/// `^\w*$`, as Cerbos' API has it.
#[must_use]
pub fn is_policy_version(version: &str) -> bool {
    version.bytes().all(is_word)
}

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn wrong_type(path: &Path<'_>, expected: &str, got: Value<'_>) -> RequestError {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Int(_) | Value::UInt(_) | Value::Double(_) => "a number",
        Value::String(_) => "a string",
        Value::List(_) => "a list",
        _ => "an object",
    };
    RequestError::at(path, format_args!("must be {expected}, got {got}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"{"requestId":"r","includeMeta":true,
        "principal":{"id":"a","roles":["user"],"attr":{"n":1},"policyVersion":"v1","scope":"a.b-c"},
        "resources":[{"resource":{"kind":"doc","id":"1"},"actions":["view"]}],
        "auxData":{"jwt":{"iss":"x"}},"requestContext":{}}"#;

    fn refusal(text: &str) -> String {
        CheckResourcesRequest::from_json(text, &Bump::new()).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn reads_what_cerbos_reads() {
        let arena = Bump::new();
        let request = CheckResourcesRequest::from_json(GOOD, &arena).unwrap();
        assert_eq!((request.request_id, request.include_meta), ("r", true));
        assert_eq!((request.principal.id, request.principal.roles), ("a", &["user"][..]));
        assert_eq!(request.principal.attr.get("n"), Some(Value::Double(1.0)));
        assert_eq!(request.resources[0].actions, ["view"]);
        assert_eq!(request.aux_data.unwrap().jwt.get("iss"), Some(Value::String("x")));
    }

    #[test]
    fn refusals_say_where_and_what() {
        let cases = [
            ("[", "the request is not valid JSON"),
            ("[]", "must be an object, got a list"),
            ("{}", "principal: is required"),
            (&GOOD.replace("\"id\":\"a\",", ""), "principal.id: is required: a string that is not empty"),
            (&GOOD.replace("\"id\":\"a\"", "\"id\":7"), "principal.id: must be a string, got a number"),
            (&GOOD.replace("[\"user\"]", "[]"), "principal.roles: at least one role is needed"),
            (
                &GOOD.replace("[\"user\"]", "[\"a\",\"b\",\"a\"]"),
                "principal.roles[2]: the role `a` stands twice",
            ),
            (
                &GOOD.replace("[\"view\"]", "[\"view\",\"view\"]"),
                "resources[0].actions[1]: the action `view` stands",
            ),
            (&GOOD.replace("[\"view\"]", "[\"\"]"), "resources[0].actions[0]: the action must not be empty"),
            (&GOOD.replace("\"attr\"", "\"atr\""), "principal.atr: unknown field; did you mean `attr`?"),
            (&GOOD.replace("a.b-c", "a..b"), "principal.scope: `a..b` is not a scope"),
            (&GOOD.replace("v1", "v-1"), "principal.policyVersion: `v-1` is not a policy version"),
            (&GOOD.replace("{\"iss\":\"x\"}", "\"token\""), "auxData.jwt: must be an object, got a string"),
        ];
        for (text, expected) in cases {
            let refusal = refusal(text);
            assert!(refusal.starts_with(expected), "{refusal}\nexpected: {expected}");
        }
    }

    #[test]
    fn many_names_are_searched_for_repetitions_too() {
        let mut names: std::vec::Vec<String> = (0..100).map(|n| format!("r{n}")).collect();
        names.push("r7".to_owned());
        let names: std::vec::Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(first_repeated(&names), Some(100));
        assert_eq!(first_repeated(&names[..100]), None);
    }
}
