//! Nodes → routes, with all mistakes of a file at once.

mod path;

use orthrus::policy::decode::{Decoder, Field, Object, Presence, Shape};
use orthrus::policy::rules::{NOT_EMPTY, Rule};
use orthrus::text::{Code, Diagnostics, Source, Span, nearest};
use orthrus::yaml::{self, Budget, Kind};

use super::template::Template;
use super::{Action, Attribute, ResourceTemplate, Route, Routes, RoutesFile, rivals};
use crate::headers::names_identity;
use crate::route_test;
use path::Path;

static FILE: Shape = Shape { name: "a file of routes", fields: &["routes", "tests"], one_of: &[] };
static ROUTE: Shape =
    Shape { name: "a route", fields: &["path", "methods", "hosts", "resource", "action"], one_of: &[] };
static RESOURCE: Shape = Shape {
    name: "the resource of a route",
    fields: &["kind", "id", "scope", "policyVersion", "attr"],
    one_of: &[],
};
static ATTRIBUTE: Shape =
    Shape { name: "an attribute", fields: &["header", "query"], one_of: &["header", "query"] };

/// `^[A-Z]+$`
pub(crate) static METHOD: Rule = Rule {
    allows: |value| !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_uppercase()),
    expected: "a method, in capitals",
};

/// `^(\*\.)?[a-z0-9.-]+$`
static HOST: Rule = Rule {
    allows: |value| {
        let name = value.strip_prefix("*.").unwrap_or(value);
        let is_of_host =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-');
        !name.is_empty() && name.bytes().all(is_of_host)
    },
    expected: "a host, in small letters and without port",
};

static KIND: Rule = Rule {
    allows: |value| !value.is_empty() && !value.contains('{'),
    expected: "the kind of a resource, without `{`",
};

/// `^[!#$%&'*+.^_`|~0-9A-Za-z-]+$` (RFC 9110)
static HEADER: Rule = Rule {
    allows: |value| {
        let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        !value.is_empty() && value.bytes().all(is_of_token) && !names_identity(value)
    },
    expected: "the name of a header, and of none by which a client could name itself, such as X-User-Id",
};

/// Reads the one document of a file.
pub(super) fn file(source: &Source) -> Result<RoutesFile, Diagnostics> {
    let budget = Budget::default();
    let documents = yaml::parse(source, &budget)?;
    let mut decoder = Decoder::new(source, &budget);
    let mut tests = Vec::new();
    let mut routes = Vec::new();
    match &*documents {
        [] => decoder.error(Code::MissingField, Span::at(0), "the file is empty"),
        [document] => {
            let place = decoder.first_line(document.span);
            let root = Field::root("routes", document, place);
            if let Kind::Sequence(items) = &document.kind {
                let fields =
                    items.iter().map(|item| Field::root("routes", item, decoder.first_line(item.span)));
                let fields: Vec<_> = fields.collect();
                routes = fields.into_iter().filter_map(|field| route(&mut decoder, field)).collect();
            } else if let Some(object) = root_object(&mut decoder, root) {
                routes = decoder.list(&object, "routes", Presence::Required, route);
                tests = decoder.list(&object, "tests", Presence::Optional, route_test::decode);
            }
        }
        [_, second, ..] => {
            let span = Span::at(second.span.start as usize);
            let message = "a file of routes holds one document, and here a second one starts";
            decoder.error(Code::MultipleDocuments, span, message);
        }
    }
    rivals::refuse(&mut decoder, &routes);
    if !decoder.diagnostics.is_empty() {
        return Err(decoder.diagnostics.sorted());
    }
    let mut routes: Vec<Route> = routes.into_iter().map(|(route, _)| route).collect();
    routes.sort_by(|one, other| one.segments.cmp(&other.segments));
    Ok(RoutesFile { routes: Routes { routes }, tests })
}

fn root_object<'n>(decoder: &mut Decoder<'_>, root: Field<'n>) -> Option<Object<'n>> {
    if !matches!(root.value.kind, Kind::Mapping(_)) {
        let message = format!("expected a list of routes, got {}", root.value.type_name());
        let hint = "a file of routes is a list of them, or `{ routes: […], tests: […] }`".to_owned();
        decoder.error_with_hint(Code::WrongType, root.key, message, hint);
        return None;
    }
    decoder.object(root, &FILE)
}

/// A route, with the place of its path. What is wrong beside the path does not hide its rivals.
fn route(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<(Route, Span)> {
    let object = decoder.object(field, &ROUTE)?;
    let path = path::path(decoder, &object);
    let methods = strings(decoder, &object, "methods", &METHOD);
    let hosts = strings(decoder, &object, "hosts", &HOST);
    let resource = match object.get("resource") {
        Some(field) => resource(decoder, field, path.as_ref()),
        None => {
            decoder.missing(&object, object.place, "resource");
            None
        }
    };
    let action = action(decoder, &object, methods.as_deref());
    let Path { text, segments, place, .. } = path?;
    Some((
        Route {
            path: text,
            segments,
            methods,
            hosts,
            resource: resource.unwrap_or_default(),
            action: action.unwrap_or_default(),
        },
        place,
    ))
}

/// A list that may be left out, but not be empty: nothing would ever fit.
fn strings(
    decoder: &mut Decoder<'_>,
    object: &Object<'_>,
    name: &'static str,
    rule: &Rule,
) -> Option<Vec<String>> {
    object.get(name)?;
    let strings = decoder.strings(object, name, Presence::Required, rule);
    Some(strings.into_iter().map(|string| string.value).collect())
}

fn resource(decoder: &mut Decoder<'_>, field: Field<'_>, path: Option<&Path>) -> Option<ResourceTemplate> {
    let object = decoder.object(field, &RESOURCE)?;
    let text = |decoder: &mut Decoder<'_>, name: &str| {
        object.get(name).and_then(|field| template(decoder, field, path)).unwrap_or_default()
    };
    Some(ResourceTemplate {
        id: text(decoder, "id"),
        scope: text(decoder, "scope"),
        policy_version: text(decoder, "policyVersion"),
        kind: decoder.required(&object, "kind", &KIND).value,
        attr: decoder
            .definitions(&object, "attr", |decoder, field| attribute(decoder, field, path))
            .into_iter()
            .map(|definition| (definition.name.value, definition.value))
            .collect(),
    })
}

fn attribute(decoder: &mut Decoder<'_>, field: Field<'_>, path: Option<&Path>) -> Option<Attribute> {
    if !matches!(field.value.kind, Kind::Mapping(_)) {
        return template(decoder, field, path).map(Attribute::Text);
    }
    let object = decoder.object(field, &ATTRIBUTE)?;
    let source = object.choice()?;
    Some(match source.name {
        "header" => Attribute::Header(decoder.chosen_string(source, &HEADER).value),
        _ => Attribute::Query(decoder.chosen_string(source, &NOT_EMPTY).value),
    })
}

/// A text in which `{name}` stands for a part of the path. Of a path that is wrong, no part is known.
fn template(decoder: &mut Decoder<'_>, field: Field<'_>, path: Option<&Path>) -> Option<Template> {
    let text = decoder.text(field)?;
    let path = path?;
    let unknown = match Template::parse(&text.value, &path.names) {
        Ok(template) => return Some(template),
        Err(unknown) => unknown,
    };
    for part in unknown {
        let message = format!("`{{{}}}` is no part of the path `{}`", part.name, path.text);
        let hint = match nearest(&part.name, path.names.iter().map(String::as_str)) {
            Some(name) => format!("did you mean `{{{name}}}`?"),
            None => path.parts(),
        };
        decoder.error_with_hint(Code::UnknownPathPart, text.locate(part.span), message, hint);
    }
    None
}

/// A name for all methods, or one for each.
fn action(decoder: &mut Decoder<'_>, object: &Object<'_>, methods: Option<&[String]>) -> Option<Action> {
    let Some(field) = object.get("action") else {
        decoder.missing(object, object.place, "action");
        return None;
    };
    if !matches!(field.value.kind, Kind::Mapping(_)) {
        return Some(Action::Named(decoder.chosen_string(field, &NOT_EMPTY).value));
    }
    let actions = decoder
        .definitions(object, "action", |decoder, field| Some(decoder.chosen_string(field, &NOT_EMPTY).value));
    for method in actions.iter().map(|it| &it.name).filter(|name| !(METHOD.allows)(name)) {
        let message =
            format!("`action` must be a name, or names by methods in capitals: got {:?}", method.value);
        decoder.error(Code::InvalidValue, method.span, message);
    }
    for method in methods.unwrap_or_default() {
        if !actions.iter().any(|it| it.name.value == *method) {
            let message = format!("`action` has none for {method}, which is among the methods of the route");
            decoder.error(Code::MissingField, field.key, message);
        }
    }
    Some(Action::ByMethod(actions.into_iter().map(|it| (it.name.value, it.value)).collect()))
}
