//! Every keyword of JSON Schema: what it refuses, where, and in which words; and what is wrong with schemas.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails and says so")]

use bumpalo::Bump;
use orthrus::cel::{Value, ValueSeed};
use orthrus::schema::{Compiler, Finished, Library};
use orthrus::text::{Diagnostic, Label, Source, Span};
use serde::de::DeserializeSeed;

const DRAFT_4: &str = r#""$schema": "http://json-schema.org/draft-04/schema#""#;
const DRAFT_7: &str = r#""$schema": "http://json-schema.org/draft-07/schema#""#;
const DRAFT_2019: &str = r#""$schema": "https://json-schema.org/draft/2019-09/schema""#;

/// Files by their path below `_schemas`; the first is what is validated against.
fn violations(files: &[(&str, &str)], attributes: &str) -> Vec<String> {
    let library = library(files);
    let mut compiler = Compiler::new(&library);
    let root = compiler.reference(&format!("cerbos:///{}", files[0].0), referrer());
    let Finished { schemas, errors, .. } = compiler.finish();
    let rendered: String = errors.iter().map(Diagnostic::render).collect();
    assert!(errors.is_empty(), "{rendered}");
    let arena = Bump::new();
    let mut json = serde_json::Deserializer::from_str(attributes);
    let Value::Map(map) = ValueSeed::new(&arena).deserialize(&mut json).unwrap() else {
        panic!("{attributes}")
    };
    let violations = schemas.validate(root.unwrap(), map, &arena);
    violations.iter().map(|it| format!("{} {}: {}", it.path, it.keyword, it.message)).collect()
}

fn library(files: &[(&str, &str)]) -> Library {
    let source = |(path, text): &(&str, &str)| {
        ((*path).to_owned(), Source::new(format!("_schemas/{path}"), (*text).to_owned()))
    };
    Library::new(files.iter().map(source))
}

fn referrer() -> Label {
    Label::new(&Source::new("doc.yaml", "ref: x"), Span::new(5, 6))
}

/// `v` satisfies the first value's schema, and each further value is refused with the violations beside it.
fn check(schema: &str, accepted: &[&str], refused: &[(&str, &[&str])]) {
    let schema = format!(r#"{{"properties": {{"v": {schema}}}}}"#);
    for value in accepted {
        let found = violations(&[("s.json", &schema)], &format!(r#"{{"v": {value}}}"#));
        assert_eq!(found, [""; 0], "{schema} {value}");
    }
    for (value, expected) in refused {
        let found = violations(&[("s.json", &schema)], &format!(r#"{{"v": {value}}}"#));
        assert_eq!(found, *expected, "{schema} {value}");
    }
}

#[test]
fn types_and_constants() {
    check("true", &["1", "null"], &[]);
    check("false", &[], &[("1", &["/v : not allowed"])]);
    check(
        r#"{"type": "integer", "minimum": 2}"#,
        &["2", "3.0"],
        &[
            ("2.5", &["/v type: expected integer, but got number"]),
            ("1", &["/v minimum: must be >= 2 but found 1"]),
        ],
    );
    check(
        r#"{"type": ["object", "null"]}"#,
        &["{}", "null"],
        &[("[]", &["/v type: expected object or null, but got array"])],
    );
    for (name, good, bad, got) in [
        ("null", "null", "0", "number"),
        ("boolean", "true", "\"\"", "string"),
        ("object", "{}", "null", "null"),
        ("array", "[]", "{}", "object"),
        ("number", "1.5", "true", "boolean"),
        ("string", "\"\"", "1", "number"),
    ] {
        let message = format!("/v type: expected {name}, but got {got}");
        check(&format!(r#"{{"type": "{name}"}}"#), &[good], &[(bad, &[message.as_str()])]);
    }
    check(r#"{"const": 5.0}"#, &["5"], &[("6", &[r#"/v const: value must be "5.0""#])]);
    check(r#"{"const": {"a": [1]}}"#, &[r#"{"a": [1.0]}"#], &[("1", &["/v const: const failed"])]);
    check(r#"{"const": false}"#, &["false"], &[("0", &["/v const: value must be false"])]);
    check(r#"{"enum": ["a"]}"#, &["\"a\""], &[("1", &[r#"/v enum: value must be "a""#])]);
    check(
        r#"{"enum": ["a", 2.50, null, true]}"#,
        &["2.5", "null"],
        &[("\"b\"", &[r#"/v enum: value must be one of "a", "2.50", <nil>, true"#])],
    );
    check(r#"{"enum": [[1], 2]}"#, &["[1]", "2"], &[("1", &["/v enum: enum failed"])]);
}

#[test]
fn objects() {
    check(
        r#"{"minProperties": 1, "maxProperties": 2}"#,
        &[r#"{"a": 1}"#, "[]"],
        &[
            ("{}", &["/v minProperties: minimum 1 properties allowed, but found 0 properties"]),
            (
                r#"{"a":1,"b":1,"c":1}"#,
                &["/v maxProperties: maximum 2 properties allowed, but found 3 properties"],
            ),
        ],
    );
    check(
        r#"{"required": ["b", "a"]}"#,
        &[r#"{"a": null, "b": 1}"#],
        &[("{}", &["/v required: missing properties: 'b', 'a'"])],
    );
    check(
        r#"{"properties": {"a/~": {"type": "string"}}, "patternProperties": {"^x": {"type": "null"}}, "additionalProperties": false}"#,
        &[r#"{"a/~": "", "xy": null}"#],
        &[
            (r#"{"a/~": 1}"#, &["/v/a~1~0 type: expected string, but got number"]),
            (
                r#"{"c": 1, "b": 1, "x": 1}"#,
                &[
                    "/v/x type: expected null, but got number",
                    "/v additionalProperties: additionalProperties 'b', 'c' not allowed",
                ],
            ),
        ],
    );
    check(
        r#"{"additionalProperties": {"type": "null"}}"#,
        &[r#"{"a": null}"#],
        &[(r#"{"é": 1}"#, &["/v/%C3%A9 type: expected null, but got number"])],
    );
    check(
        r#"{"propertyNames": {"maxLength": 1}}"#,
        &[r#"{"a": 1}"#],
        &[(r#"{"ab": 1}"#, &["/v/ab maxLength: length must be <= 1, but got 2"])],
    );
    check(
        r#"{"dependentRequired": {"a": ["b", "c"]}}"#,
        &["{}", r#"{"a": 1, "b": 1, "c": 1}"#],
        &[(
            r#"{"a": 1}"#,
            &[
                "/v dependentRequired: property 'b' is required, if 'a' property exists",
                "/v dependentRequired: property 'c' is required, if 'a' property exists",
            ],
        )],
    );
    check(
        r#"{"dependentSchemas": {"a": {"maxProperties": 1}}}"#,
        &[r#"{"a": 1}"#, r#"{"b": 1, "c": 1}"#],
        &[(
            r#"{"a": 1, "b": 1}"#,
            &["/v maxProperties: maximum 1 properties allowed, but found 2 properties"],
        )],
    );
    check(
        r#"{"dependencies": {"a": ["b"], "c": {"required": ["d"]}}}"#,
        &["{}"],
        &[
            (r#"{"a": 1}"#, &["/v dependentRequired: property 'b' is required, if 'a' property exists"]),
            (r#"{"c": 1}"#, &["/v required: missing properties: 'd'"]),
        ],
    );
}

#[test]
fn arrays() {
    check(
        r#"{"minItems": 1, "maxItems": 2, "uniqueItems": true}"#,
        &["[1]", "[1, \"1\"]", "{}"],
        &[
            ("[]", &["/v minItems: minimum 1 items required, but found 0 items"]),
            ("[1, 2, 3]", &["/v maxItems: maximum 2 items required, but found 3 items"]),
            ("[1, 1.0]", &["/v uniqueItems: items at index 0 and 1 are equal"]),
        ],
    );
    check(
        r#"{"prefixItems": [{"type": "string"}], "items": false}"#,
        &["[]", "[\"\"]"],
        &[("[1, 2]", &["/v/0 type: expected string, but got number", "/v/1 : not allowed"])],
    );
    check(
        r#"{"contains": {"const": 3}, "minContains": 2, "maxContains": 3}"#,
        &["[3, 3]", "[3, 1, 3, 3]"],
        &[
            ("[]", &["/v minContains: valid must be >= 2, but got 0"]),
            ("[3, 1]", &[r#"/v/1 const: value must be "3""#]),
            ("[3, 3, 3, 3]", &["/v maxContains: valid must be <= 3, but got 4"]),
        ],
    );
    check(r#"{"contains": {"const": 3}, "minContains": 0}"#, &["[]", "[1]"], &[]);
    check(r#"{"minContains": 5}"#, &["[]"], &[]);
}

#[test]
fn strings_and_numbers() {
    check(
        r#"{"minLength": 2, "maxLength": 3}"#,
        &["\"ab\"", "\"\\u00e9\\ud83d\\ude00x\"", "1"],
        &[
            ("\"é\"", &["/v minLength: length must be >= 2, but got 1"]),
            ("\"abcd\"", &["/v maxLength: length must be <= 3, but got 4"]),
        ],
    );
    check(
        r#"{"pattern": "^'a\\d$"}"#,
        &["\"'a1\""],
        &[("\"b\"", &[r"/v pattern: does not match pattern '^\'a\\d$'"])],
    );
    check(
        r#"{"format": "date"}"#,
        &["\"2024-02-29\"", "5"],
        &[("\"it's\"", &[r"/v format: 'it\'s' is not valid 'date'"])],
    );
    check(r#"{"format": "colour"}"#, &["\"x\""], &[]);
    check(
        r#"{"exclusiveMinimum": 1, "exclusiveMaximum": 1e6}"#,
        &["1.5", "\"0\""],
        &[
            ("1", &["/v exclusiveMinimum: must be > 1 but found 1"]),
            ("1e6", &["/v exclusiveMaximum: must be < 1e+06 but found 1e+06"]),
        ],
    );
    check(r#"{"maximum": 5}"#, &["5"], &[("5.1", &["/v maximum: must be <= 5 but found 5.1"])]);
    check(r#"{"multipleOf": 0.1}"#, &["0.3", "-7"], &[("0.35", &["/v multipleOf: 0.35 not multipleOf 0.1"])]);
}

#[test]
fn contents() {
    check(
        r#"{"contentEncoding": "base64", "contentMediaType": "application/json", "contentSchema": {"required": ["a"]}}"#,
        &["\"eyJhIjoxfQ==\"", "\"eyJhI\\njoxfQ==\"", "1"],
        &[
            ("\"!\"", &["/v contentEncoding: value is not base64 encoded"]),
            ("\"e30=\"", &["/v required: missing properties: 'a'"]),
            (
                "\"Ww==\"",
                &[
                    "/v contentMediaType: value is not of mediatype 'application/json'",
                    "/v contentSchema: value is not valid json",
                ],
            ),
        ],
    );
    check(r#"{"contentEncoding": "base32", "contentMediaType": "application/json"}"#, &["\"[\""], &[]);
    check(r#"{"contentMediaType": "text/html"}"#, &["\"<\""], &[]);
}

#[test]
fn combinations() {
    check(r#"{"not": {"type": "string"}}"#, &["1"], &[("\"\"", &["/v not: not failed"])]);
    check(
        r#"{"allOf": [{"minimum": 2}, {"maximum": 0}]}"#,
        &["\"\""],
        &[("1", &["/v minimum: must be >= 2 but found 1", "/v maximum: must be <= 0 but found 1"])],
    );
    check(
        r#"{"anyOf": [{"type": "string"}, {"minimum": 2}]}"#,
        &["\"\"", "2"],
        &[("1", &["/v type: expected string, but got number", "/v minimum: must be >= 2 but found 1"])],
    );
    check(
        r#"{"oneOf": [{"type": "string"}, {"minLength": 2}, {"type": "null"}]}"#,
        &["\"a\"", "1"],
        &[
            ("\"ab\"", &["/v oneOf: valid against schemas at indexes 0 and 1"]),
            ("null", &["/v oneOf: valid against schemas at indexes 1 and 2"]),
        ],
    );
    check(
        r#"{"oneOf": [{"type": "string"}, {"type": "null"}]}"#,
        &[],
        &[("1", &["/v type: expected string, but got number", "/v type: expected null, but got number"])],
    );
    check(
        r#"{"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"type": "null"}}"#,
        &["\"ab\"", "null"],
        &[
            ("\"a\"", &["/v minLength: length must be >= 2, but got 1"]),
            ("1", &["/v type: expected null, but got number"]),
        ],
    );
    check(r#"{"then": false, "else": false}"#, &["1"], &[]);
}

#[test]
fn what_is_left_unevaluated() {
    check(
        r#"{"allOf": [{"properties": {"a": true}}], "anyOf": [{"required": ["b"], "properties": {"b": true}}, true],
            "unevaluatedProperties": false}"#,
        &["{}", r#"{"a": 1, "b": 1}"#],
        &[(r#"{"a": 1, "c": 1}"#, &["/v/c : not allowed"])],
    );
    check(
        r#"{"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "else": {"properties": {"b": true}},
            "unevaluatedProperties": {"type": "null"}}"#,
        &[r#"{"a": 1, "c": null}"#, r#"{"b": 1}"#],
        &[(r#"{"a": 1, "b": 1}"#, &["/v/b type: expected null, but got number"])],
    );
    check(
        r#"{"prefixItems": [true], "contains": {"type": "string"}, "unevaluatedItems": false}"#,
        &["[1, \"a\"]"],
        &[("[1, \"a\", 2]", &["/v/2 : not allowed"])],
    );
    check(r#"{"additionalProperties": true, "unevaluatedProperties": false}"#, &[r#"{"a": 1}"#], &[]);
}

#[test]
fn references() {
    let files = [
        (
            "people/s.json",
            r##"{"properties": {
            "home": {"$ref": "address.json"}, "work": {"$ref": "/people/address.json#/$defs/city"},
            "mail": {"$ref": "cerbos:///people/address.json#zip"}, "next": {"$ref": "#"},
            "odd": {"$ref": "#/x-parts/a~1b"}}, "x-parts": {"a/b": {"type": "null"}}}"##,
        ),
        (
            "people/address.json",
            r##"{"type": "object", "properties": {"city": {"$ref": "#/$defs/city"}},
            "$defs": {"city": {"type": "string"}, "zip": {"$anchor": "zip", "type": "integer"}}}"##,
        ),
    ];
    assert_eq!(
        violations(&files, r#"{"next": {"next": {"home": {"city": "x"}, "work": "y", "mail": 1}}}"#),
        [""; 0]
    );
    let found = violations(&files, r#"{"next": {"home": {"city": 1}, "work": 1, "mail": 1.5, "odd": 1}}"#);
    let expected = [
        "/next/home/city type: expected string, but got number",
        "/next/mail type: expected integer, but got number",
        "/next/odd type: expected null, but got number",
        "/next/work type: expected string, but got number",
    ];
    assert_eq!(found, expected);
}

#[test]
fn embedded_and_dynamic_references() {
    let embedded = r##"{"$id": "https://example.com/root.json", "properties": {"v": {"$ref": "item.json"}},
        "$defs": {"item": {"$id": "item.json", "$ref": "#/$defs/text", "$defs": {"text": {"type": "string"}}}}}"##;
    assert_eq!(
        violations(&[("s.json", embedded)], r#"{"v": 1}"#),
        ["/v type: expected string, but got number"]
    );
    let strict = r##"{"$id": "strict", "$dynamicAnchor": "node", "$ref": "tree.json", "unevaluatedProperties": false}"##;
    let tree = r##"{"$id": "tree", "$dynamicAnchor": "node",
        "properties": {"data": true, "children": {"items": {"$dynamicRef": "#node"}}}}"##;
    let files = [("strict.json", strict), ("tree.json", tree)];
    // What a schema has looked at does not count where it refuses the value.
    let found = violations(&files, r#"{"children": [{"daat": 1}]}"#);
    assert_eq!(found, ["/children/0/daat : not allowed", "/children : not allowed"]);
    assert_eq!(violations(&[files[1]], r#"{"children": [{"daat": 1}]}"#), [""; 0]);
}

#[test]
fn older_dialects() {
    let v = |draft: &str, schema: &str| {
        format!(
            r#"{{{draft}, "properties": {{"v": {schema}}}, "definitions": {{"s": {{"type": "string"}}}}}}"#
        )
    };
    let found =
        |draft, schema, value| violations(&[("s.json", &v(draft, schema))], &format!(r#"{{"v": {value}}}"#));
    let tuple = r#"{"items": [{"type": "null"}], "additionalItems": false}"#;
    assert_eq!(
        found(DRAFT_7, tuple, "[1, 2]"),
        [
            "/v/0 type: expected null, but got number",
            "/v additionalItems: only 1 items are allowed, but found 2 items"
        ]
    );
    let open = r#"{"items": [true], "additionalItems": {"type": "null"}}"#;
    assert_eq!(found(DRAFT_2019, open, "[1, 2]"), ["/v/1 type: expected null, but got number"]);
    let sibling = r##"{"$ref": "#/definitions/s", "minLength": 5}"##;
    assert_eq!(found(DRAFT_7, sibling, "\"a\""), [""; 0]);
    assert_eq!(found(DRAFT_2019, sibling, "\"a\""), ["/v minLength: length must be >= 5, but got 1"]);
    let exclusive = r#"{"minimum": 1, "exclusiveMinimum": true, "maximum": 5, "exclusiveMaximum": true}"#;
    assert_eq!(found(DRAFT_4, exclusive, "1"), ["/v exclusiveMinimum: must be > 1 but found 1"]);
    assert_eq!(found(DRAFT_4, exclusive, "5"), ["/v exclusiveMaximum: must be < 5 but found 5"]);
    assert_eq!(found(DRAFT_4, r#"{"const": 1}"#, "2"), [""; 0]);
    let recursive = format!(
        r##"{{{DRAFT_2019}, "$recursiveAnchor": true, "properties": {{"n": {{"$recursiveRef": "#"}}, "v": {{"type": "null"}}}}}}"##
    );
    assert_eq!(
        violations(&[("s.json", &recursive)], r#"{"n": {"v": 1}}"#),
        ["/n/v type: expected null, but got number"]
    );
}

#[test]
fn deep_attributes_are_refused_and_harm_nobody() {
    let schema = r##"{"allOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"properties": {"v": {"allOf": [{"$ref": "#"}]}}}}}"##;
    let nested = |depth: usize| format!("{}1{}", r#"{"v":"#.repeat(depth), "}".repeat(depth));
    assert_eq!(violations(&[("s.json", schema)], &nested(50)), [""; 0]);
    let found = violations(&[("s.json", schema)], &nested(90));
    assert!(found.len() == 1 && found[0].ends_with(": nested too deeply to be validated"), "{found:?}");
}

/// What is wrong with a schema, as `line:column message (hint)`.
fn mistakes(schema: &str) -> Vec<String> {
    let library = library(&[("s.json", schema), ("address.json", "{}")]);
    let mut compiler = Compiler::new(&library);
    // Whether it can be found is not the question.
    let _ = compiler.reference("cerbos:///s.json", referrer());
    let mistakes = compiler.finish().errors;
    let place = |it: &Diagnostic| it.label.as_ref().unwrap().start.to_string();
    let hint = |it: &Diagnostic| it.hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    mistakes.iter().map(|it| format!("{} {}{}", place(it), it.message, hint(it))).collect()
}

#[test]
fn mistakes_in_schemas_are_told_where_they_are() {
    let cases: &[(&str, &[&str])] = &[
        ("[1]", &["1:1 a schema must be an object or a boolean, not a list"]),
        (r#"{"type": "strng"}"#, &["1:10 `strng` is not a type (did you mean `string`?)"]),
        (r#"{"type": []}"#, &["1:10 `type` needs at least one name of a type"]),
        (r#"{"type": 5}"#, &["1:10 `type` must be the name of a type, or a list of names, not 5"]),
        (r#"{"minLength": -1}"#, &["1:15 `minLength` must be a whole number from 0 on, not -1"]),
        (r#"{"maxItems": 1.5}"#, &["1:14 `maxItems` must be a whole number from 0 on, not 1.5"]),
        (r#"{"maximum": "5"}"#, &["1:13 `maximum` must be a number, not a string"]),
        (r#"{"multipleOf": 0}"#, &["1:16 `multipleOf` must be greater than 0"]),
        (r#"{"required": "a"}"#, &["1:14 `required` must be a list of names, not a string"]),
        (r#"{"required": ["a", "a"]}"#, &["1:20 `a` stands twice in `required`"]),
        (r#"{"properties": {"a": 1}}"#, &["1:22 a schema must be an object or a boolean, not a number"]),
        (r#"{"properties": []}"#, &["1:16 `properties` must be an object, not a list"]),
        (r#"{"items": [true]}"#, &["1:11 a schema must be an object or a boolean, not a list"]),
        (r#"{"allOf": []}"#, &["1:11 `allOf` needs at least one schema"]),
        (r#"{"anyOf": {}}"#, &["1:11 `anyOf` must be a list, not an object"]),
        (r#"{"uniqueItems": "yes"}"#, &["1:17 `uniqueItems` must be a boolean, not a string"]),
        (r#"{"title": 5}"#, &["1:11 `title` must be a string, not 5"]),
        (
            r#"{"$schema": "https://example.com/meta"}"#,
            &[
                "1:13 `https://example.com/meta` is not a dialect of JSON Schema that is known here (write `https://json-schema.org/draft/2020-12/schema`, or leave `$schema` out)",
            ],
        ),
        (r#"{"$vocabulary": {}}"#, &["1:17 `$vocabulary` is for meta-schemas, which are not supported"]),
        (
            r##"{"$ref": "#/$defs/a"}"##,
            &[
                "1:10 there is no `#/$defs/a` in `cerbos:///s.json` (refer to a part of a schema by its path, such as `#/$defs/address`, or by its `$anchor`)",
            ],
        ),
        (
            r#"{"$ref": "adress.json"}"#,
            &["1:10 cannot find the schema `cerbos:///adress.json` (did you mean `cerbos:///address.json`?)"],
        ),
        (
            r#"{"$ref": "https://example.com/a.json"}"#,
            &[
                "1:10 cannot load the schema `https://example.com/a.json`: only files below `_schemas` are read (save it below `_schemas`, and refer to it by `cerbos:///`)",
            ],
        ),
        (
            r##"{"anyOf": [true, {"$ref": "#"}]}"##,
            &[
                "1:27 the schema refers to itself without end (a schema may only come back to itself for a part of the value, such as a property)",
            ],
        ),
        ("{\n \"a\": }", &["2:7 the schema is not valid JSON: expected value"]),
    ];
    for (schema, expected) in cases {
        assert_eq!(mistakes(schema), *expected, "{schema}");
    }
    let pattern = mistakes(r#"{"pattern": "a(?=b)", "patternProperties": {"(": true}}"#);
    assert_eq!(pattern.len(), 2, "{pattern:?}");
    assert!(pattern.iter().all(|mistake| mistake.contains("invalid regular expression: ")), "{pattern:?}");
}

#[test]
fn mistakes_in_what_nothing_refers_to_are_told_apart() {
    let files = [("s.json", r#"{"$defs": {"a": {"type": "strng"}}}"#), ("broken.json", "{")];
    let library = library(&files);
    let mut compiler = Compiler::new(&library);
    compiler.reference("cerbos:///s.json", referrer()).unwrap();
    let Finished { errors, unused, .. } = compiler.finish();
    let places: Vec<String> = unused.iter().map(|it| it.label.as_ref().unwrap().file.clone()).collect();
    assert!(errors.is_empty());
    assert_eq!(places, ["_schemas/broken.json", "_schemas/s.json"]);
}
