//! What an ordinary condition costs: no allocation, and a time that `cargo test --release --test
//! cel_performance -- --ignored --nocapture` prints.

#![expect(clippy::panic, reason = "a test whose expression does not compile stops")]

use std::hint::black_box;
use std::time::Instant;

use bumpalo::Bump;
use orthrus::cel::{Activation, Expr, List, Map, NoNames, Principal, Program, Resource, Value};

const CONDITIONS: [&str; 7] = [
    r#"R.attr.owner == P.id && R.attr.status == "open""#,
    r#"R.attr.owner == P.id || "admin" in P.roles"#,
    r#"R.attr.status in ["open", "pending", "review", "closed"]"#,
    "R.attr.amount < 1000.0 && !R.attr.locked",
    "has(R.attr.team) ? R.attr.team == P.attr.team : false",
    r#"R.attr.tags.exists(tag, tag == "public")"#,
    r#"R.attr.email.endsWith("@example.com") && R.attr.email.matches("^[a-z.]+@")"#,
];

fn with_programs(run: impl for<'a> FnOnce(&'a [Program], &Activation<'a>)) {
    let programs: Vec<Program> = CONDITIONS.iter().map(|text| program(text)).collect();
    let arena = Bump::new();
    let tags = [Value::String("internal"), Value::String("public")];
    let tags: &[Value<'_>] = &tags;
    let resource_attr = [
        ("amount", Value::Double(10.0)),
        ("email", Value::String("ann.doe@example.com")),
        ("locked", Value::Bool(false)),
        ("owner", Value::String("ann")),
        ("status", Value::String("open")),
        ("tags", Value::List(List::of_values(&tags))),
        ("team", Value::String("red")),
    ];
    let principal = Principal {
        id: "ann",
        roles: &["employee", "user"],
        attr: Map::of_sorted_fields(&[("team", Value::String("red"))]),
        ..Principal::default()
    };
    let resource =
        Resource { kind: "ticket", attr: Map::of_sorted_fields(&resource_attr), ..Resource::default() };
    run(&programs, &Activation::new(&arena, &principal, &resource));
}

fn program(text: &str) -> Program {
    match Expr::parse(text) {
        Ok(expr) => Program::lower(&expr, &NoNames),
        Err(issues) => panic!("{text}: {issues:?}"),
    }
}

#[test]
fn ordinary_conditions_allocate_nothing() {
    with_programs(|programs, activation| {
        for (text, program) in CONDITIONS.iter().zip(programs) {
            // A regular expression prepares its scratch space when it first runs.
            let first = program.eval(activation);
            let mut second = first;
            let count = allocation_counter::measure(|| second = program.eval(activation));
            assert_eq!(count.count_total, 0, "{text}");
            assert!(matches!(second, Ok(Value::Bool(_))), "{text}: {second:?}");
        }
    });
}

#[test]
#[ignore = "measures; run it in release"]
fn time_of_ordinary_conditions() {
    const ROUNDS: u32 = 1_000_000;
    with_programs(|programs, activation| {
        for (text, program) in CONDITIONS.iter().zip(programs) {
            let best = (0..5)
                .map(|_| {
                    let start = Instant::now();
                    for _ in 0..ROUNDS {
                        let _ = black_box(black_box(program).eval(black_box(activation)));
                    }
                    start.elapsed() / ROUNDS
                })
                .min();
            println!("{:>6} ns  {text}", best.unwrap_or_default().as_nanos());
        }
    });
    let start = Instant::now();
    for _ in 0..1_000 {
        let _ = black_box(Expr::parse(black_box(CONDITIONS[0])));
    }
    println!("{:>6} ns  parse, check and fold the first", (start.elapsed() / 1_000).as_nanos());
}
