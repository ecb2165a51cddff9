//! Nothing that a policy or a request holds makes the engine panic or exhaust the stack.

use bumpalo::Bump;
use orthrus::cel::{Activation, Expr, Json, Map, NoNames, Principal, Program, Resource, Value};
use proptest::prelude::*;

/// Evaluates an expression, if it is one, against a small request, and writes the result as JSON.
fn run(text: &str) {
    let Ok(expr) = Expr::parse(text) else { return };
    let program = Program::lower(&expr, &NoNames);
    let arena = Bump::new();
    let list = [Value::Double(1.0), Value::String("a"), Value::Null];
    let attr = [
        ("flag", Value::Bool(true)),
        ("list", Value::list(&arena, &list)),
        ("number", Value::Double(2.5)),
        ("text", Value::String("éa.b")),
    ];
    let principal =
        Principal { id: "p", roles: &["r"], attr: Map::of_fields(&arena, &attr), ..Principal::default() };
    let resource =
        Resource { kind: "k", id: "i", attr: Map::of_fields(&arena, &attr), ..Resource::default() };
    match program.eval(&Activation::new(&arena, &principal, &resource)) {
        Ok(value) => drop(serde_json::to_string(&Json(value))),
        Err(error) => drop(error.to_string()),
    }
}

/// Words of the language, to be put together at random.
fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "P",
        "R",
        ".attr",
        ".id",
        ".list",
        ".text",
        "request",
        "V",
        ".x",
        "x",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "?",
        ".?",
        "[?",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "==",
        "!=",
        "<",
        ">=",
        " in ",
        "1",
        "2u",
        "0.5",
        "'a'",
        "b'\\xff'",
        "null",
        "true",
        "has",
        "size",
        ".map",
        ".all",
        ".exists",
        ".filter",
        "timestamp",
        "type",
        ".sortBy",
        "cel.bind",
        "optional.of",
        "9223372036854775807",
        "\"",
        "'",
        "\\",
        "`",
        "//",
        "é",
        "\u{0}",
    ])
}

/// Expressions that mostly parse: values of any kind, in the hands of any function.
fn expression() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "P.attr.flag",
        "P.attr.list",
        "P.attr.number",
        "R.attr.text",
        "R.attr.missing",
        "P.roles",
        "P",
        "request",
        "R.id",
        "dyn(1)",
        "dyn(-1)",
        "dyn(9223372036854775807)",
        "dyn(7u)",
        "dyn(0.0)",
        "dyn(double('NaN'))",
        "dyn('')",
        "dyn('a/b')",
        "dyn(b'x')",
        "dyn(null)",
        "dyn([])",
        "dyn([1, [2]])",
        "dyn({'a': 1, 2: 'b'})",
        "dyn(x)",
        "dyn(timestamp('2024-02-29T12:00:00Z'))",
        "dyn(duration('-1.5h'))",
        "dyn(optional.none())",
        "dyn(optional.of(1))",
        "dyn(ip('10.0.0.1'))",
        "dyn(cidr('10.0.0.0/8'))",
        "dyn(hierarchy('a.b'))",
        "dyn(spiffeID('spiffe://a/b'))",
        "dyn(spiffeTrustDomain('a'))",
        "dyn(type(1))",
        "dyn('Europe/Berlin')",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let functions: Vec<&'static str> = orthrus::cel::functions()
            .map(|function| function.name)
            .filter(|name| name.chars().all(|c| c.is_ascii_alphanumeric() || c == '.' || c == '_'))
            .collect();
        let operators = vec!["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", " in ", "&&", "||"];
        let macros = vec!["map", "filter", "all", "exists", "exists_one", "sortBy"];
        prop_oneof![
            (inner.clone(), prop::sample::select(operators), inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            (prop::sample::select(functions.clone()), prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(function, args)| format!("dyn({function}({}))", args.join(", "))),
            (inner.clone(), prop::sample::select(functions), prop::collection::vec(inner.clone(), 0..3))
                .prop_map(|(receiver, function, args)| format!(
                    "dyn({receiver}.{function}({}))",
                    args.join(", ")
                )),
            (inner.clone(), prop::sample::select(macros), inner.clone())
                .prop_map(|(range, name, body)| format!("dyn({range}.{name}(x, {body}))")),
            (inner.clone(), inner.clone()).prop_map(|(list, index)| format!("{list}[{index}]")),
            (inner.clone(), inner.clone()).prop_map(|(list, index)| format!("dyn({list}[?{index}])")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("has({a}.y)")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.prop_map(|a| format!("!{a}")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text(text in "\\PC*") {
        run(&text);
    }

    #[test]
    fn any_words(words in prop::collection::vec(word(), 0..30)) {
        run(&words.concat());
    }

    #[test]
    fn any_values_in_any_functions(text in expression()) {
        run(&format!("cel.bind(x, dyn(1), {text})"));
        run(&format!("[dyn(P.attr.text)].map(x, {text})"));
    }
}

/// The deepest expressions fit the smallest stack that a host gives; without optimisation they take more.
fn on_small_stack(run: impl FnOnce() + Send + 'static) {
    let size = if cfg!(debug_assertions) { 16 << 20 } else { 1 << 20 };
    let thread = std::thread::Builder::new().stack_size(size).spawn(run);
    assert!(thread.is_ok_and(|thread| thread.join().is_ok()));
}

#[test]
fn depth_is_bounded_whatever_nests() {
    on_small_stack(|| {
        let nested: [(&str, &str, &str); 9] = [
            ("(", "1", ")"),
            ("[", "1", "]"),
            ("{'a': ", "1", "}"),
            ("-(", "P.attr.number", ")"),
            ("size([", "P.id", "])"),
            ("[1].map(x, ", "P.id", ")"),
            ("true ? 1 : ", "1", ""),
            ("", "P.attr", ".a"),
            ("", "P.attr.number", " + 1"),
        ];
        for (open, middle, close) in nested {
            run(&format!("{}{middle}{}", open.repeat(120), close.repeat(120)));
            let levels = 5_000;
            assert!(
                Expr::parse(&format!("{}{middle}{}", open.repeat(levels), close.repeat(levels))).is_err(),
                "{open}"
            );
        }
        // Chains whose links nest again: the tree is deeper than the parser ever recurses.
        let mut text = "1".to_owned();
        for _ in 0..20 {
            text = format!("P.attr[{text}]{}", ".a".repeat(30));
        }
        let message = Expr::parse(&text).err().map(|issues| issues[0].message.clone());
        assert_eq!(message.as_deref(), Some("expression recursion limit exceeded: 250"));
    });
}

#[test]
fn size_is_bounded() {
    let text = format!("'{}'", "a".repeat(100_000));
    let message = Expr::parse(&text).err().map(|issues| issues[0].message.clone());
    assert_eq!(
        message.as_deref(),
        Some("expression code point size exceeds limit: size: 100002, limit 100000")
    );
}

#[test]
fn long_flat_expressions_are_no_depth() {
    let text = vec!["P.id == 'a'"; 5_000].join(" || ");
    assert!(Expr::parse(&text).is_ok());
}
