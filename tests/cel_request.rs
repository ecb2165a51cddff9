//! How expressions see a request: fields, attributes, tokens, variables, derived roles.

#![expect(clippy::panic, reason = "a test whose expression does not compile stops")]

use bumpalo::Bump;
use orthrus::cel::{
    Activation, AuxData, Const, EvalError, Expr, Json, Map, Names, Principal, Program, Resource, Timestamp,
    Value, Variables,
};

/// Variables and constants by name; a variable's slot is its position.
struct Policy {
    variables: Vec<String>,
    constants: Vec<(&'static str, Const)>,
}

impl Names for Policy {
    fn variable(&self, name: &str) -> Option<u32> {
        self.variables.iter().position(|known| known == name).and_then(|slot| u32::try_from(slot).ok())
    }

    fn constant(&self, name: &str) -> Option<&Const> {
        self.constants.iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn variables(&self) -> Vec<(&str, u32)> {
        self.variables.iter().map(String::as_str).zip(0..).collect()
    }

    fn constants(&self) -> Vec<(&str, &Const)> {
        self.constants.iter().map(|(name, value)| (*name, value)).collect()
    }
}

fn program(text: &str, names: &Policy) -> Program {
    match Expr::parse(text) {
        Ok(expr) => Program::lower(&expr, names),
        Err(issues) => panic!("{text}: {issues:?}"),
    }
}

/// Evaluates an expression against a request in which everything is set; the result as JSON or as an error.
fn eval_with(
    text: &str,
    variables: &[(String, String)],
    adjust: impl for<'a> Fn(&mut Activation<'a>),
) -> String {
    let names = Policy {
        variables: variables.iter().map(|(name, _)| name.clone()).collect(),
        constants: vec![
            ("limit", Const::Int(10)),
            ("names", Const::list(vec![Const::string("a"), Const::string("b")])),
        ],
    };
    let programs: Vec<Program> = variables.iter().map(|(_, text)| program(text, &names)).collect();
    let main = program(text, &names);
    let arena = Bump::new();
    let attr = [("level", Value::Double(3.0)), ("name", Value::String("ann"))];
    let principal = Principal {
        id: "ann",
        roles: &["admin", "user"],
        attr: Map::of_sorted_fields(&attr),
        policy_version: "v1",
        scope: "acme.hr",
    };
    let resource = Resource { kind: "doc", id: "d1", ..Resource::default() };
    let claims = Map::of_sorted_fields(&[("iss", Value::String("issuer"))]);
    let aux_data = AuxData { jwt: claims, jwts: Map::of_fields(&arena, &[("main", Value::Map(claims))]) };
    let mut activation = Activation::new(&arena, &principal, &resource);
    activation.aux_data = Some(&aux_data);
    activation.globals = Map::of_sorted_fields(&[("env", Value::String("test"))]);
    activation.now = Timestamp::parse("2024-05-06T07:08:09Z").unwrap_or_default();
    activation.effective_derived_roles = Ok(&["editor", "owner"]);
    activation.variables = Variables::new_in(&arena, &programs);
    adjust(&mut activation);
    match main.eval(&activation) {
        Ok(value) => serde_json::to_string(&Json(value)).unwrap_or_else(|error| error.to_string()),
        Err(error) => format!("error: {error}"),
    }
}

fn eval(text: &str) -> String {
    eval_with(text, &[], |_| {})
}

#[test]
fn fields_in_every_spelling() {
    let cases = [
        ("P.id + request.principal.id", "\"annann\""),
        ("P.roles + ['x']", r#"["admin","user","x"]"#),
        ("P.policyVersion + P.policy_version + R.kind", "\"v1v1doc\""),
        ("request.principal.scope", "\"acme.hr\""),
        ("request.auxData.jwt.iss + request.aux_data.jwt['iss']", "\"issuerissuer\""),
        ("request.auxData.jwts.main.claims.iss", "\"issuer\""),
        ("request.auxData.jwts['main'].claims.size()", "1"),
        ("request.auxData.jwts.all(name, claims, claims.claims.iss == 'issuer')", "true"),
        ("runtime.effectiveDerivedRoles", r#"["editor","owner"]"#),
        ("'owner' in runtime.effective_derived_roles", "true"),
        ("globals.env + G.env", "\"testtest\""),
        ("constants.limit + C.limit", "20"),
        ("C.names.map(n, n + n)", r#"["aa","bb"]"#),
        ("string(now())", "\"2024-05-06T07:08:09Z\""),
        ("timeSince(now() - duration('1h')) == duration('60m')", "true"),
        ("P.attr['level'] + P.attr.level", "6"),
        ("cel.bind(p, P, p.attr.name + p.id)", "\"annann\""),
        ("[P, P].map(p, p.id)", r#"["ann","ann"]"#),
        ("cel.bind(r, request, r.principal.attr.level + double(r.resource.id.size()))", "5"),
    ];
    for (text, expected) in cases {
        assert_eq!(eval(text), expected, "{text}");
    }
}

#[test]
fn unset_fields_read_as_empty_and_are_not_had() {
    let cases = [
        ("R.scope", "\"\""),
        ("has(R.scope) || has(R.policyVersion) || has(R.attr)", "false"),
        ("has(P.scope) && has(P.id) && has(P.roles) && has(P.attr) && has(request.principal)", "true"),
        ("has(request.auxData) && has(request.auxData.jwt)", "true"),
        ("R.attr", "{}"),
        ("R.attr.x", "error: no such key: x"),
        ("has(R.attr.x)", "false"),
        ("has(R.attr.x.y)", "error: no such key: x"),
        ("has(P.attr.name.x)", "false"),
        ("has(G.env) && !has(G.other) && has(C.limit) && !has(C.other) && !has(V.other)", "true"),
        ("C.other", "error: undefined field 'other'"),
        ("G.other", "error: undefined field 'other'"),
    ];
    for (text, expected) in cases {
        assert_eq!(eval(text), expected, "{text}");
    }
    let without = |text| eval_with(text, &[], |activation| activation.aux_data = None);
    assert_eq!(without("has(request.auxData)"), "false");
    assert_eq!(without("has(request.auxData.jwt) || has(request.auxData.jwt.iss)"), "false");
    assert_eq!(without("request.auxData.jwt.iss"), "error: no such key: iss");
}

#[test]
fn derived_roles_that_are_not_known_are_an_error() {
    let unknown = |text| {
        eval_with(text, &[], |activation| {
            activation.effective_derived_roles = Err(EvalError::Message("strict"));
        })
    };
    assert_eq!(unknown("'x' in runtime.effectiveDerivedRoles"), "error: strict");
    assert_eq!(unknown("cel.bind(r, runtime, r.effectiveDerivedRoles)"), "error: strict");
    assert_eq!(unknown("true || 'x' in runtime.effectiveDerivedRoles"), "true");
}

#[test]
fn messages_compare_and_show_as_json() {
    assert_eq!(eval("P == request.principal && dyn(P) != dyn(R) && request == request"), "true");
    let principal = r#"{"attr":{"level":3,"name":"ann"},"id":"ann","policyVersion":"v1","roles":["admin","user"],"scope":"acme.hr"}"#;
    assert_eq!(eval("P"), principal);
    assert_eq!(eval("'%s%s'.format([type(P), type(R.attr)])"), "\"cerbos.engine.v1.Request.Principalmap\"");
}

fn variables(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn variables_refer_to_each_other() {
    let list = variables(&[
        ("base", "P.attr.level"),
        ("twice", "V.base * 2.0"),
        ("bad", "R.attr.missing"),
        ("worse", "V.bad + 1"),
    ]);
    let eval = |text| eval_with(text, &list, |_| {});
    assert_eq!(eval("V.twice + variables.base"), "9");
    assert_eq!(eval("V.bad"), "error: undefined field 'bad'");
    assert_eq!(eval("V.worse"), "error: undefined field 'worse'");
    assert_eq!(eval("has(V.base) && !has(V.bad)"), "true");
    assert_eq!(eval("V.bad == 1 || true"), "true");
    assert_eq!(eval("V.unknown"), "error: undefined field 'unknown'");
}

#[test]
fn variables_constants_and_globals_are_maps_where_they_are_used_whole() {
    let list =
        variables(&[("bad", "R.attr.missing"), ("double", "V.level * 2.0"), ("level", "P.attr.level")]);
    let cases = [
        ("V", r#"{"double":6,"level":3}"#),
        ("variables", r#"{"double":6,"level":3}"#),
        ("[C, G]", r#"[{"limit":10,"names":["a","b"]},{"env":"test"}]"#),
        ("dyn(V).level", "3"),
        ("dyn(V).bad", "error: no such key: bad"),
        ("has(dyn(V).bad)", "false"),
        ("V == V && V != C && type(V) == map", "true"),
    ];
    for (text, expected) in cases {
        assert_eq!(eval_with(text, &list, |_| {}), expected, "{text}");
    }
}

/// The texts are the PDP's.
#[test]
fn outputs_that_json_cannot_hold_are_errors() {
    let cases = [
        ("{1: 'a'}", "unsupported type conversion from 'int' to string"),
        ("{1u: 'a'}", "unsupported type conversion from 'uint' to string"),
        ("{1.5: 'a'}", "type conversion error from Double to 'string'"),
        ("{true: 'a'}", "type conversion error from bool to 'string'"),
        ("[{'a': {2: 1}}]", "unsupported type conversion from 'int' to string"),
        ("type(1)", "type conversion not supported for 'type'"),
        ("optional.none()", "optional.none() dereference"),
        ("ip('1.2.3.4')", "unsupported type conversion to '*structpb.Value'"),
        ("hierarchy('a.b')", "unsupported native conversion from hierarchy to '*structpb.Value'"),
        ("spiffeID('spiffe://a/b')", "unsupported native conversion from SPIFFEID to '*structpb.Value'"),
    ];
    for (text, expected) in cases {
        assert_eq!(eval(text), expected, "{text}");
    }
    assert_eq!(eval("{string(1): 'a'}"), r#"{"1":"a"}"#);
}

/// The values are the PDP's.
#[test]
fn literals_of_well_known_messages() {
    let cases = [
        ("google.protobuf.BoolValue{}", "false"),
        ("google.protobuf.BoolValue{value: true, value: false}", "false"),
        ("google.protobuf.BoolValue{?value: optional.of(true)}", "true"),
        ("google.protobuf.BoolValue{?value: optional.none()}", "false"),
        ("google.protobuf.Int64Value{value: 1} + 1", "2"),
        ("google.protobuf.Int32Value{value: 1} == google.protobuf.Int64Value{value: 1}", "true"),
        ("google.protobuf.Int32Value{} == null", "false"),
        ("[google.protobuf.Int32Value{value: 1}, 2, null]", "[1,2,null]"),
        ("true ? google.protobuf.Int32Value{value: 1} : null", "1"),
        ("google.protobuf.StringValue{value: P.id}.startsWith('a')", "true"),
        ("google.protobuf.FloatValue{value: 1.333}", "1.3329999446868896"),
        ("google.protobuf.FloatValue{value: 3.5e38} == double('inf')", "true"),
        ("google.protobuf.UInt64Value{value: 18446744073709551615u}", r#""18446744073709551615""#),
        ("type(google.protobuf.Int32Value{}) == int", "true"),
        ("google.protobuf.Value{}", "null"),
        ("google.protobuf.Value{null_value: google.protobuf.NullValue.NULL_VALUE}", "null"),
        ("google.protobuf.Value{string_value: 'a', bool_value: true}", "true"),
        ("google.protobuf.Value{struct_value: {'a': 1}}.a == 1.0", "true"),
        ("google.protobuf.Value{list_value: [1, 2.5, 'x']}", r#"[1,2.5,"x"]"#),
        ("google.protobuf.ListValue{values: [1]}[0]", "1"),
        (
            "google.protobuf.Struct{fields: {'a': b'xy', 'b': 9007199254740993, 'd': duration('90s')}}",
            r#"{"a":"eHk=","b":"9007199254740993","d":"90s"}"#,
        ),
        ("google.protobuf.Struct{fields: {'r': P.roles}}.r", r#"["admin","user"]"#),
        ("google.protobuf.Timestamp{seconds: 1, nanos: -1}", r#""1970-01-01T00:00:00.999999999Z""#),
        ("google.protobuf.Timestamp{seconds: 1, nanos: 1000000000} == timestamp(2)", "true"),
        ("google.protobuf.Duration{seconds: 1, nanos: 5}", r#""1.000000005s""#),
        ("google.protobuf.Duration{seconds: 9223372036854775807}", r#""9223372036.854776s""#),
        (".google.protobuf.Int32Value{value: 1}", "1"),
    ];
    for (text, expected) in cases {
        assert_eq!(eval(text), expected, "{text}");
    }
}

/// The values are the PDP's.
#[test]
fn keys_of_unlike_number_kinds() {
    let cases = [
        ("dyn(1) in {1.0: 'a'}", "false"),
        ("dyn(1) in {1u: 'a'}", "true"),
        ("{1: 'a'}[dyn(1.0)]", r#""a""#),
        ("{1: 'a', 1u: 'b'}[1]", r#""a""#),
        ("size({1: 'a', 1u: 'b'})", "2"),
        ("size({1: 'a', 1: 'b'})", "1"),
        ("dyn({1.0: 1}) == dyn({1: 1})", "true"),
        ("dyn({1: 1}) == dyn({1.0: 1})", "false"),
        ("timestamp(0).getHours('Local')", "0"),
        ("double('0x1p-2')", "0.25"),
    ];
    for (text, expected) in cases {
        assert_eq!(eval(text), expected, "{text}");
    }
}

#[test]
fn a_variable_is_evaluated_once() {
    let names = Policy { variables: vec!["v".to_owned()], constants: Vec::new() };
    let programs = [program("[P.id + '!']", &names)];
    let main = program("[V.v, V.v]", &names);
    let arena = Bump::new();
    let (principal, resource) = (Principal { id: "ann", ..Principal::default() }, Resource::default());
    let mut activation = Activation::new(&arena, &principal, &resource);
    activation.variables = Variables::new_in(&arena, &programs);
    let Ok(Value::List(list)) = main.eval(&activation) else { panic!("no list") };
    let elements: Vec<_> =
        list.iter().map(|element| format!("{element:p}", element = address(element))).collect();
    assert_eq!(elements[0], elements[1]);
}

/// Where the text in a one-element list lies.
fn address(value: Value<'_>) -> *const u8 {
    match value {
        Value::List(list) => match list.get(0) {
            Some(Value::String(text)) => text.as_ptr(),
            _ => std::ptr::null(),
        },
        _ => std::ptr::null(),
    }
}

#[test]
fn variables_in_a_circle_are_an_error() {
    let list = variables(&[("a", "V.b"), ("b", "V.a"), ("c", "V.c")]);
    for name in ["a", "b", "c"] {
        assert_eq!(
            eval_with(&format!("V.{name}"), &list, |_| {}),
            format!("error: undefined field '{name}'")
        );
    }
}

#[test]
fn a_long_chain_of_variables_is_no_deep_recursion() {
    let mut chain = vec![("v0".to_owned(), "1.0".to_owned())];
    chain.extend((1..5_000).map(|n| (format!("v{n}"), format!("V.v{} + P.attr.level", n - 1))));
    assert_eq!(eval_with("V.v4999", &chain, |_| {}), "14998");
    // Out of order, the same chain is refused.
    chain.reverse();
    assert_eq!(eval_with("V.v4999", &chain, |_| {}), "error: undefined field 'v4999'");
}

#[test]
fn errors_are_absorbed_as_in_cel_go() {
    let cases = [
        ("R.attr.x == 1 || true", "true"),
        ("true || R.attr.x == 1", "true"),
        ("R.attr.x == 1 && false", "false"),
        ("R.attr.x == 1 || false", "error: no such key: x"),
        ("R.attr.x == 1 || R.attr.y == 2", "error: no such key: x"),
        ("dyn(1) && R.attr.x", "error: no such overload"),
        ("[1, 2].exists(n, n == 2 || R.attr.x == n)", "true"),
        ("[1, 2].exists(n, R.attr.x == n)", "error: no such key: x"),
        ("[1, 2].all(n, n == 1 && R.attr.x == n)", "false"),
        ("[1, 2].exists_one(n, R.attr.x == n)", "error: no such key: x"),
        ("true ? 1 : R.attr.x", "1"),
        ("R.attr.x ? 1 : 2", "error: no such key: x"),
        ("cel.bind(x, R.attr.x, true || x)", "true"),
        ("cel.bind(x, R.attr.x, x)", "error: no such key: x"),
    ];
    for (text, expected) in cases {
        assert_eq!(eval(text), expected, "{text}");
    }
}

#[test]
fn specialised_operations_agree_with_the_general_ones() {
    let cases = [
        ("P.attr.name == 'ann' && 'ann' == P.attr.name && P.attr.level == 3.0", "true"),
        ("P.attr.level == dyn(3)", "true"),
        ("P.attr.level < double('NaN') || P.attr.level >= double('NaN')", "false"),
        (
            "dyn(double('NaN')) > dyn(P.attr) || double('NaN') <= dyn('x') || dyn('x') < dyn(double('NaN'))",
            "false",
        ),
        ("R.attr.x == 'a'", "error: no such key: x"),
        ("P.attr.name in ['x', 'y', 'z', 'ann']", "true"),
        ("P.attr.level in ['x', 'y', 'z', 'ann']", "false"),
        ("R.attr.x in ['x', 'y', 'z', 'ann']", "error: no such key: x"),
        ("P.attr.level.matches('a')", "error: no such overload"),
        ("P.attr.name.matches('^a.n$') && matches(P.attr.name, 'nn')", "true"),
    ];
    for (text, expected) in cases {
        assert_eq!(eval(text), expected, "{text}");
    }
}
