//! One table of cases for this crate and for the TypeScript that does the same: `__test__/behaviour/gateway-parity.test.mjs`
//! reads it as well.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

use orthrus::text::{Diagnostic, Source};
use orthrus_gateway::{
    AskedRequest, ClaimsMapping, GatewayPrincipal, RouteMatch, Routes, names_identity, normalize_path,
};
use serde_json::{Map, Value, json};

fn cases(name: &str) -> Vec<Value> {
    let cases: Value = serde_json::from_str(include_str!("parity.json")).unwrap();
    cases[name].as_array().unwrap().clone()
}

#[test]
fn paths() {
    for case in cases("paths") {
        let path = case["path"].as_str().unwrap();
        let normal = match normalize_path(path) {
            Ok(normal) => json!({ "path": path, "text": normal.text, "segments": normal.segments }),
            Err(problem) => json!({ "path": path, "refused": problem }),
        };
        assert_eq!(normal, case);
    }
}

#[test]
fn headers_that_name_somebody() {
    for case in cases("headers") {
        assert_eq!(names_identity(case["name"].as_str().unwrap()), case["identity"], "{case}");
    }
}

#[test]
fn long_paths() {
    for case in cases("longPaths") {
        let letters = usize::try_from(case["letters"].as_u64().unwrap()).unwrap();
        let path = format!("/{}", case["letter"].as_str().unwrap().repeat(letters));
        assert_eq!(normalize_path(&path).err(), case["refused"].as_str(), "{case}");
    }
}

#[test]
fn tables_of_routes() {
    for table in cases("tables") {
        let source = Source::new("routes.json", table["routes"].to_string());
        let routes = match Routes::from_source(&source) {
            Ok(file) => file.routes,
            Err(diagnostics) => {
                let said: String = diagnostics.iter().map(Diagnostic::render).collect();
                assert_eq!(table["refused"], true, "{}:\n{said}", table["name"]);
                continue;
            }
        };
        assert_eq!(table["refused"], Value::Null, "{}", table["name"]);
        for request in table["requests"].as_array().unwrap() {
            let found = matching(&routes, request).as_ref().map_or(Value::Null, written);
            assert_eq!(found, request["match"], "{}: {request}", table["name"]);
        }
    }
}

fn matching(routes: &Routes, request: &Value) -> Option<RouteMatch> {
    let header = |name: &str| {
        let mut headers = request["headers"].as_object()?.iter();
        headers.find(|(it, _)| it.eq_ignore_ascii_case(name)).map(|(_, it)| it.as_str().unwrap().to_owned())
    };
    routes.matching(&AskedRequest {
        method: request["method"].as_str().unwrap(),
        host: request["host"].as_str().unwrap_or("localhost"),
        path: &normalize_path(request["path"].as_str().unwrap()).unwrap(),
        query: request["query"].as_str(),
        header: &header,
    })
}

/// Without what the route does not give.
fn written(found: &RouteMatch) -> Value {
    let RouteMatch { route, action, resource } = found;
    let mut written = json!({ "route": route, "action": action, "kind": resource.kind, "id": resource.id });
    for (name, value) in [("scope", &resource.scope), ("policyVersion", &resource.policy_version)] {
        if !value.is_empty() {
            written[name] = value.as_str().into();
        }
    }
    let attr = resource.attr.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
    let attr: Map<String, Value> = attr.collect();
    if !attr.is_empty() {
        written["attr"] = attr.into();
    }
    written
}

#[test]
fn principals_of_claims() {
    for case in cases("claims") {
        let mapping: ClaimsMapping = serde_json::from_value(case["mapping"].clone()).unwrap();
        let mut expected = case.clone();
        match mapping.principal(case["claims"].as_object().unwrap()) {
            Ok(GatewayPrincipal { id, roles, attr, scope, policy_version }) => {
                assert_eq!((scope.as_str(), policy_version.as_str()), ("", ""));
                expected["principal"] = json!({ "id": id, "roles": roles, "attr": attr });
            }
            Err(error) => {
                expected["refused"] = json!({ "code": error.code.as_str(), "message": error.message });
            }
        }
        assert_eq!(expected, case);
    }
}
