//! The generator of the differential test knows every function of the table, with every signature.

use orthrus::cel::functions;

/// Functions whose answers depend on when they are asked: two engines are asked one after the other.
const OF_THE_CLOCK: [&str; 2] = ["now", "timeSince"];
/// What the generator makes in other ways: `format` takes its arguments from the text.
const MADE_OTHERWISE: [&str; 1] = ["format"];

const GENERATOR: &str = include_str!("../__test__/differential/signatures.mjs");

/// A signature as receiver and arguments, each a type without its hint.
#[derive(Debug)]
struct Signature {
    name: String,
    member: bool,
    types: Vec<String>,
}

/// Splits at the commas that stand outside of parentheses.
fn split(text: &str) -> Vec<String> {
    let mut depth = 0;
    let parts = text.split(|c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ',' && depth == 0
    });
    parts.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// Reads `string:ip.inIPAddrRange(string:cidr) -> bool`; `names` are the functions that there are, with dots.
fn read(line: &str, names: &[&str]) -> Option<Signature> {
    let (call, _) = line.rsplit_once(" -> ")?;
    // The argument list opens where the last parenthesis of depth 0 does.
    let mut depth = 0;
    let open = call.char_indices().rev().find(|(_, c)| {
        depth += i32::from(*c == ')') - i32::from(*c == '(');
        depth == 0
    });
    let (head, args) = call.split_at(open?.0);
    let args = split(args.strip_prefix('(')?.strip_suffix(')')?);
    let (receiver, name) = match head.rsplit_once('.') {
        Some((receiver, name)) if !names.contains(&head) => (Some(receiver.to_owned()), name),
        _ => (None, head),
    };
    let name = if name == "_in_" { "@in" } else { name };
    let types = receiver.clone().into_iter().chain(args);
    let plain = |ty: String| without_hints(&ty);
    Some(Signature { name: name.to_owned(), member: receiver.is_some(), types: types.map(plain).collect() })
}

/// `list(string:ip)` is `list(string)`.
fn without_hints(ty: &str) -> String {
    let mut plain = String::new();
    let mut hint = false;
    for c in ty.chars() {
        match c {
            ':' => hint = true,
            ',' | ')' | '(' => {
                hint = false;
                plain.push(c);
            }
            _ if hint => {}
            _ => plain.push(c),
        }
    }
    plain
}

/// Whether the generator makes values of a type of the table where it writes `made`.
fn covers(made: &str, ty: &str) -> bool {
    let scalars = ["string", "int", "uint", "double", "bool", "bytes", "timestamp", "duration"];
    match made {
        "number" => ["int", "uint", "double"].contains(&ty),
        "ordered" => scalars.contains(&ty),
        _ if made == ty => true,
        _ => match (made.split_once('('), ty.split_once('(')) {
            (Some((a, made)), Some((b, ty))) if a == b => {
                let inner = |text: &str| split(text.strip_suffix(')').unwrap_or_default());
                let (made, ty) = (inner(made), inner(ty));
                made.len() == ty.len() && made.iter().zip(&ty).all(|(made, ty)| covers(made, ty))
            }
            // Keys and elements of any type are made as strings, or as of one simple type.
            (None, None) => match ty {
                "A" | "B" => matches!(made, "A" | "B" | "string"),
                "dyn" => made == "A",
                _ => false,
            },
            _ => false,
        },
    }
}

#[test]
fn every_signature_of_the_table_is_generated() {
    let names: Vec<&str> = functions().map(|function| function.name).collect();
    let made: Vec<Signature> = GENERATOR
        .split_once("const SIGNATURES = `")
        .and_then(|(_, rest)| rest.split_once('`'))
        .map(|(lines, _)| lines.lines().filter_map(|line| read(line, &names)).collect())
        .unwrap_or_default();
    let mut missing = Vec::new();
    for function in functions()
        .filter(|function| !OF_THE_CLOCK.contains(&function.name) && !MADE_OTHERWISE.contains(&function.name))
    {
        for text in function.signatures {
            let Some(wanted) = read(text, &names) else { panic!("{text}") };
            let found = made.iter().any(|made| {
                made.name == wanted.name
                    && made.member == wanted.member
                    && made.types.len() == wanted.types.len()
                    && made.types.iter().zip(&wanted.types).all(|(made, ty)| covers(made, ty))
            });
            if !found {
                missing.push(*text);
            }
        }
    }
    assert!(missing.is_empty(), "not generated: {missing:#?}");
}
