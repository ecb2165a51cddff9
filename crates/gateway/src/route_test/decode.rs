//! Nodes → tests of routes.

use orthrus::policy::decode::{Decoder, Field, Object, Shape};
use orthrus::policy::rules::{ANY, NOT_EMPTY, Rule};
use orthrus::text::{Code, nearest};
use orthrus::yaml::{Kind, Resolved};

use super::{Expected, RouteTest};
use crate::routes::METHOD;

static TEST: Shape = Shape { name: "a test of routes", fields: &["name", "request", "expect"], one_of: &[] };
static REQUEST: Shape =
    Shape { name: "the request of a test", fields: &["method", "path", "host", "headers"], one_of: &[] };
static EXPECT: Shape = Shape {
    name: "an expectation",
    fields: &["route", "kind", "id", "action", "scope", "policyVersion", "attr"],
    one_of: &[],
};
const FIELDS: [&str; 6] = ["route", "kind", "id", "action", "scope", "policyVersion"];

/// As a proxy tells it to the engine: without port.
static HOST: Rule = Rule {
    allows: |value| !value.contains(|c: char| c == ':' || c.is_ascii_uppercase()),
    expected: "a host, in small letters and without port",
};

/// Reads a test.
pub(crate) fn decode(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<RouteTest> {
    let object = decoder.object(field, &TEST)?;
    let name = decoder.string(&object, "name", &ANY).map(|name| name.value);
    let request = required(decoder, &object, "request").and_then(|field| decoder.object(field, &REQUEST));
    let request = request.map(|request| {
        let headers = decoder.definitions(&request, "headers", |decoder, field| {
            Some(decoder.chosen_string(field, &ANY).value)
        });
        (
            decoder.required(&request, "method", &METHOD).value,
            decoder.required(&request, "path", &NOT_EMPTY).value,
            decoder.string_or(&request, "host", &HOST, "").value,
            headers.into_iter().map(|header| (header.name.value, header.value)).collect(),
        )
    });
    let expected = required(decoder, &object, "expect").and_then(|field| expected(decoder, field));
    let (method, path, host, headers) = request?;
    Some(RouteTest {
        file: decoder.source.name().to_owned(),
        position: decoder.source.position(field.value.span.start),
        name,
        method,
        path,
        host,
        headers,
        expected: expected?,
    })
}

fn required<'n>(decoder: &mut Decoder<'_>, object: &Object<'n>, name: &str) -> Option<Field<'n>> {
    let field = object.get(name);
    if field.is_none() {
        decoder.missing(object, object.place, name);
    }
    field
}

/// `none`, `refused`, or what the route makes of the request.
fn expected(decoder: &mut Decoder<'_>, field: Field<'_>) -> Option<Expected> {
    if let Kind::Scalar(scalar) = &field.value.kind {
        match &*scalar.text {
            "none" => return Some(Expected::NoRoute),
            "refused" => return Some(Expected::Refused),
            text => {
                let message =
                    "`expect` must be `none`, `refused`, or a mapping of what is expected".to_owned();
                let hint = match nearest(text, ["none", "refused"]) {
                    Some(name) => format!("did you mean `{name}`?"),
                    None => "`none`: no route fits; `refused`: the path is refused".to_owned(),
                };
                decoder.error_with_hint(Code::InvalidExpectation, field.value.span, message, hint);
                return None;
            }
        }
    }
    let before = decoder.diagnostics.iter().len();
    let object = decoder.object(field, &EXPECT)?;
    let mut fields = Vec::new();
    for name in FIELDS {
        if let Some(given) = object.get(name) {
            fields.push((name, decoder.chosen_string(given, &ANY).value));
        }
    }
    let attr = decoder.definitions(&object, "attr", |decoder, field| {
        let is_null = matches!(&field.value.kind, Kind::Scalar(scalar) if scalar.resolve() == Resolved::Null);
        Some((!is_null).then(|| decoder.chosen_string(field, &ANY).value))
    });
    let attr: Vec<_> = attr.into_iter().map(|it| (it.name.value, it.value)).collect();
    if fields.is_empty() && attr.is_empty() && decoder.diagnostics.iter().len() == before {
        let message = "this expects nothing: any route would do";
        decoder.error(Code::InvalidExpectation, object.place, message);
    }
    Some(Expected::Match { fields, attr })
}
