//! What authors read when an expression is wrong, and what the decision log says when evaluation fails.

use bumpalo::Bump;
use orthrus::cel::{Activation, Expr, List, Map, NoNames, Principal, Program, Resource, Value};

/// Each issue as `start..end message [help: hint]`.
fn issues(text: &str) -> Vec<String> {
    let Err(issues) = Expr::parse(text) else { return Vec::new() };
    let line = |issue: &orthrus::cel::Issue| {
        let hint = issue.hint.as_ref().map_or(String::new(), |hint| format!(" [help: {hint}]"));
        format!("{}..{} {}{hint}", issue.span.start, issue.span.end, issue.message)
    };
    issues.iter().map(line).collect()
}

#[test]
fn compile_errors() {
    let operand = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, \
                   IDENTIFIER}";
    let cases = [
        ("1 +", format!("3..3 Syntax error: mismatched input '<EOF>' expecting {operand}")),
        ("(1", "2..2 Syntax error: missing ')' at '<EOF>'".into()),
        ("1 2", "2..3 Syntax error: extraneous input '2' expecting <EOF>".into()),
        ("1 ^ 2", "2..3 Syntax error: token recognition error at: '^'".into()),
        (
            "true and false",
            "5..8 Syntax error: mismatched input 'and' expecting <EOF> [help: the operator is written `&&`]".into(),
        ),
        (
            "1 not in [1]",
            "2..5 Syntax error: mismatched input 'not' expecting <EOF> [help: write `!(x in list)`]".into(),
        ),
        ("for", "0..3 reserved identifier: for [help: lists are gone through by macros, such as `list.exists(x, …)`]".into()),
        ("let", "0..3 reserved identifier: let".into()),
        ("'\\q'", "0..3 Syntax error: token recognition error at: ''\\q' [help: what follows the backslash makes no escape; a backslash itself is written twice]".into()),
        ("1 + * 2", format!("4..5 Syntax error: extraneous input '*' expecting {operand}")),
        ("P.attr..x", "7..8 Syntax error: no viable alternative at input '..'".into()),
        ("P.attr[1", "8..8 Syntax error: missing ']' at '<EOF>'".into()),
        ("P.attr[1 2]", "9..10 Syntax error: extraneous input '2' expecting ']'".into()),
        ("{1 2}", "3..4 Syntax error: missing ':' at '2'".into()),
        ("[1 2", "3..4 Syntax error: mismatched input '2' expecting {']', ','}".into()),
        ("P.attr.a & true", "9..11 Syntax error: token recognition error at: '& ' [help: the operator is written `&&`]".into()),
        (
            "P.roles.filter(x, x)",
            "18..19 found no matching overload for '_?_:_' applied to '(string, list(string), list(string))' [help: the macro keeps elements by this condition: it must be a bool]".into(),
        ),
        (
            "[1].sortBy(x, [x])",
            "14..17 found no matching overload for '@sortByAssociatedKeys' applied to 'list(int).(list(list(int)))' [help: lists are sorted by numbers, strings, bytes, booleans and times]".into(),
        ),
        ("1.optMap(x, x)", "0..14 found no matching overload for 'hasValue' applied to 'int.()'".into()),
        ("math.greatest([P.id])", "0..21 found no matching overload for 'math.@max' applied to '(list(string))'".into()),
        ("9223372036854775808", "0..19 invalid int literal".into()),
        (
            "has(P)",
            "4..5 invalid argument to has() macro [help: it takes a field selection, such as `has(R.attr.owner)`]".into(),
        ),
        ("[1].all(1, true)", "8..9 argument must be a simple name".into()),
        ("foo", "0..3 undeclared reference to 'foo' (in container '')".into()),
        ("principal.id", "0..9 undeclared reference to 'principal' (in container '') [help: the principal is `P` or `request.principal`]".into()),
        ("google.protobuf.BoolValue{value: 1}", "33..34 expected type of field 'value' is 'bool' but provided type is 'int'".into()),
        ("google.protobuf.BoolValue{valu: true}", "32..36 undefined field 'valu' [help: did you mean `value`?]".into()),
        ("google.protobuf.BoolValue{?value: true}", "34..38 expected type 'optional_type(bool)' but found 'bool'".into()),
        ("google.protobuf.Int32Value{}.value", "0..34 type 'wrapper(int)' does not support field selection".into()),
        ("google.protobuf.Int32Value{} == 'a'", "0..35 found no matching overload for '_==_' applied to '(wrapper(int), string)'".into()),
        ("(true ? 2 : google.protobuf.Int64Value{}) + 'a'", "0..47 found no matching overload for '_+_' applied to '(int, string)'".into()),
        ("[google.protobuf.Int64Value{}, null] + 1", "0..40 found no matching overload for '_+_' applied to '(list(null), int)'".into()),
        ("google.protobuf.Int31Value{}", "0..28 undeclared reference to 'google.protobuf.Int31Value' (in container '') [help: did you mean `google.protobuf.Int32Value`?]".into()),
        ("Owner{id: 'a'}", "0..14 undeclared reference to 'Owner' (in container '') [help: policies can build only the well-known messages of protobuf]".into()),
        ("int{}", "0..5 'int' is not a message type [help: policies can build only the well-known messages of protobuf]".into()),
        ("reqest.principal.id == ''", "0..6 undeclared reference to 'reqest' (in container '') [help: did you mean `request`?]".into()),
        ("P.foo == 1", "0..5 undefined field 'foo' [help: attributes are below `attr`: write `attr.foo`]".into()),
        ("P.atr.x == 1", "0..5 undefined field 'atr' [help: did you mean `attr`?]".into()),
        ("1 == 'a'", "0..8 found no matching overload for '_==_' applied to '(int, string)'".into()),
        (
            "1 == 1.0",
            "0..8 found no matching overload for '_==_' applied to '(int, double)' [help: numbers of unlike types compare \
             when one is converted, as in `double(1) == 1.0`]"
                .into(),
        ),
        ("'a'.startsWith(1)", "0..17 found no matching overload for 'startsWith' applied to 'string.(int)'".into()),
        (
            "startsWith('a', 'b')",
            "0..20 found no matching overload for 'startsWith' applied to '(string, string)' [help: it is declared as \
             `string.startsWith(string) -> bool`]"
                .into(),
        ),
        ("'a'.startWith('b')", "0..18 undeclared reference to 'startWith' (in container '') [help: did you mean `startsWith`?]".into()),
        ("P.roles.length() == 1", "0..16 undeclared reference to 'length' (in container '') [help: did you mean `size`?]".into()),
        ("[1].existsOne(x, x == 1)", "0..24 undeclared reference to 'existsOne' (in container '') [help: with one variable the macro is `exists_one`]".into()),
        ("1 && true", "0..1 expected type 'bool' but found 'int'".into()),
        ("true ? 1 : 'a'", "0..14 found no matching overload for '_?_:_' applied to '(bool, int, string)'".into()),
        ("V['x'] == 1", "0..6 found no matching overload for '_[_]' applied to '(cerbos.Variables, string)' [help: variables and constants are read with a dot: `V.name`]".into()),
        ("(1).all(x, true)", "0..3 expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)".into()),
        ("P.id.name == ''", "0..9 type 'string' does not support field selection".into()),
        ("duration('1d') == duration('1h')", "9..13 invalid duration argument [help: there is no unit for days: write `24h`]".into()),
        ("timestamp('2024-01-01') == now()", "10..22 invalid timestamp argument [help: timestamps are written `2006-01-02T15:04:05Z` (RFC 3339)]".into()),
        ("P.id.matches('(?=a)')", "13..20 invalid matches argument [help: invalid or unsupported Perl syntax: `(?=`; patterns are those of RE2: without lookaround and backreferences]".into()),
        ("ip('1.2.3')", "3..10 invalid ip argument: IP Address \"1.2.3\" parse error during conversion from string: ParseAddr(\"1.2.3\"): IPv4 address too short".into()),
        ("'%d'.format(['a'])", "13..16 error during formatting: decimal clause can only be used on ints, uints, and doubles, was given string".into()),
    ];
    for (text, expected) in cases {
        assert_eq!(issues(text).first(), Some(&expected), "{text}");
    }
}

#[test]
fn words_of_other_languages() {
    let cases = [
        ("P.id = 'a'", "equality is written `==`"),
        ("P.id === 'a'", "equality is written `==`"),
        ("P.id is null", "equality is written `==`"),
        ("P.id !== 'a'", "inequality is written `!=`"),
        ("P.id <> 'a'", "inequality is written `!=`"),
        ("R.attr.n => 1", "at least is written `>=`"),
        ("not R.attr.ok", "the operator is written `!`"),
        ("not (R.attr.ok)", "the operator is written `!`"),
        ("R.attr.ok && not R.attr.done", "the operator is written `!`"),
        ("P.id not in ['a']", "write `!(x in list)`"),
        ("R.attr.a and R.attr.b", "the operator is written `&&`"),
        ("(R.attr.a AND R.attr.b)", "the operator is written `&&`"),
        ("R.attr.a or R.attr.b", "the operator is written `||`"),
        ("[R.attr.a or R.attr.b]", "the operator is written `||`"),
        ("R.attr.a | R.attr.b", "the operator is written `||`"),
        ("if P.id == 'a' then 1 else 2", "a choice is written `condition ? a : b`"),
        ("1 if P.id == 'a' else 2", "a choice is written `condition ? a : b`"),
        ("P.id == 'ann", "the string is not closed: a `'` is missing"),
        ("P.id == \"ann", "the string is not closed: a `\"` is missing"),
        ("'\\d+'", "what follows the backslash makes no escape; a backslash itself is written twice"),
    ];
    for (text, hint) in cases {
        let found = issues(text);
        assert!(
            found.first().is_some_and(|issue| issue.ends_with(&format!("[help: {hint}]"))),
            "{text}: {found:?}"
        );
    }
}

#[test]
fn a_misspelt_macro_is_one_mistake() {
    let cases = [
        ("P.roles.exist(t, t == 'a')", "exist", "exists"),
        ("P.roles.any(t, t == 'a')", "any", "exists"),
        ("P.roles.every(t, size(t) > 1)", "every", "all"),
        ("P.roles.fitler(t, t.startsWith('a')) == []", "fitler", "filter"),
        ("{'a': 1}.transformLst(k, v, v + 1) == []", "transformLst", "transformList"),
    ];
    for (text, written, meant) in cases {
        let found = issues(text);
        let message =
            format!("undeclared reference to '{written}' (in container '') [help: did you mean `{meant}`?]");
        assert!(found.len() == 1 && found[0].ends_with(&message), "{found:?}");
    }
    let other = issues("P.roles.exist(t, u == 'a')");
    assert!(other.len() == 2 && other[1].contains("undeclared reference to 'u'"), "{other:?}");
}

#[test]
fn names_that_people_mean() {
    let cases = [
        ("principal.id == ''", "the principal is `P` or `request.principal`"),
        ("user.id == ''", "the principal is `P` or `request.principal`"),
        ("current_user.id == ''", "the principal is `P` or `request.principal`"),
        ("resource.attr.owner == ''", "the resource is `R` or `request.resource`"),
        ("resorce.attr.owner == ''", "the resource is `R` or `request.resource`"),
        ("attr.owner == ''", "attributes are those of the resource, `R.attr`, or of the principal, `P.attr`"),
        (
            "request.attr.owner == ''",
            "attributes are those of the resource, `R.attr`, or of the principal, `P.attr`",
        ),
        ("request.user.id == ''", "the principal is `P` or `request.principal`"),
        ("request.action == 'view'", "expressions do not see the action: name it in the rule's `actions`"),
        ("request.jwt.sub == ''", "the claims of the token are `request.auxData.jwt`"),
        ("request.resorce.id == ''", "did you mean `resource`?"),
        ("'admin' in roles", "the roles of the principal are `P.roles`"),
        ("'owner' in derivedRoles", "derived roles are `runtime.effectiveDerivedRoles`"),
        ("'owner' in runtime.derivedRoles", "derived roles are `runtime.effectiveDerivedRoles`"),
        ("requst.principal.id == ''", "did you mean `request`?"),
        ("globls.env == ''", "did you mean `globals`?"),
        ("p.id == ''", "did you mean `P`?"),
        ("True", "truth values are written in lower case: `true`, `false`"),
        ("R.attr.owner == None", "the value is written `null`"),
        ("now > timestamp(0)", "`now` is a function; call it with parentheses"),
    ];
    for (text, hint) in cases {
        let found = issues(text);
        assert!(found.first().is_some_and(|issue| issue.ends_with(&format!("[help: {hint}]"))), "{found:?}");
    }
    assert_eq!(issues("foo == 1"), ["0..3 undeclared reference to 'foo' (in container '')"]);
}

#[test]
fn all_type_errors_are_reported_in_the_order_of_the_text() {
    let found = issues("P.foo == 1 || bar || R.attr.x == 1 + 'a'");
    let starts: Vec<&str> = found.iter().map(|issue| issue.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(starts, ["0..5", "14..17", "33..40"]);
}

#[test]
fn behind_a_macro_that_cannot_be_made_reading_goes_on() {
    let found = issues("math.least(math.greatest([{}]), math.least([])) + [1].map(1, math.least(1, 'a'))");
    let told: Vec<&str> = found.iter().filter_map(|issue| Some(issue.split_once(' ')?.1)).collect();
    let expected = [
        "math.greatest() invalid single argument value",
        "math.least() invalid single argument value",
        "math.least() simple literal arguments must be numeric",
        "argument is not an identifier",
    ];
    assert_eq!(told, expected);
}

#[test]
fn evaluation_errors() {
    let cases = [
        ("P.attr.ip_address", "no such key: ip_address"),
        ("P.attr.name.first", "no such key: first"),
        ("P.attr['x' + R.id]", "no such key: x"),
        ("[1][dyn(3)]", "index out of bounds: 3"),
        ("[1][dyn(P.attr.number * 1e15)]", "index out of bounds: 1e+15"),
        ("[1][dyn('a')]", "unsupported index type 'string' in list"),
        ("dyn([1])[1.5]", "unsupported index value 1.5 in list"),
        (
            "google.protobuf.Int32Value{value: 2147483648}",
            "field type conversion error for google.protobuf.Int32Value.value value type: integer overflow",
        ),
        (
            "google.protobuf.UInt32Value{value: 4294967296u}",
            "field type conversion error for google.protobuf.UInt32Value.value value type: unsigned integer overflow",
        ),
        (
            "google.protobuf.BytesValue{value: P.attr.name}",
            "field type conversion error for google.protobuf.BytesValue.value value type: unsupported native conversion from \
             string to '[]uint8'",
        ),
        (
            "google.protobuf.Struct{fields: dyn({1: 'a'})}",
            "field type conversion error for google.protobuf.Struct.fields value type: unsupported type conversion from 'int' \
             to string",
        ),
        (
            "google.protobuf.Struct{fields: dyn([1])}",
            "unsupported field type for google.protobuf.Struct.fields: list(dyn)",
        ),
        (
            "google.protobuf.ListValue{values: dyn(1)}",
            "unsupported field type for google.protobuf.ListValue.values: int",
        ),
        ("google.protobuf.Timestamp{seconds: 253402300800}", "timestamp overflow"),
        ("{1.0: 1}[dyn(1)]", "no such key: 1"),
        ("{'a': 1}[dyn(P.attr.number * 1234567.0)]", "no such key: 1.234567e+06"),
        ("{'a': 1}[dyn(1234567)]", "no such key: 1234567"),
        ("V.missing", "undefined field 'missing'"),
        ("G.missing", "undefined field 'missing'"),
        ("P.attr.name + 1", "no such overload"),
        ("P.attr.name < 1.0", "no such overload"),
        ("P.attr.name.startsWith(P.attr.number)", "no such overload"),
        ("P.attr.name && true", "no such overload"),
        ("P.attr.number.all(x, true)", "got 'types.Double', expected iterable type"),
        ("1 / 0", "division by zero"),
        ("1 % 0", "modulus by zero"),
        ("9223372036854775807 + 1", "integer overflow"),
        ("1u - 2u", "unsigned integer overflow"),
        ("int('x')", "type conversion error from 'string' to 'int'"),
        ("P.attr.name == 'ann' || int('x') == 1", "type conversion error from 'string' to 'int'"),
        ("P.attr.number.optMap(x, x)", "no such overload: hasValue(double)"),
        (
            "('%.101f' + P.attr.name).format([1.0])",
            "could not parse formatting clause: error while parsing precision: precision 101 exceeds maximum allowed precision 100",
        ),
        ("math.greatest(double('NaN'), 1.0)", "NaN values cannot be ordered: math.@max"),
        ("P.attr.number % 2", "no such overload: _%_"),
        ("size(P.attr.number)", "no such overload: size"),
        ("P.attr.number.trim()", "no such overload: trim(double)"),
        ("null < P.attr.number", "no such overload: _<_"),
        ("timestamp('9999-12-31T23:59:59Z') + duration('1h')", "timestamp overflow"),
        ("duration(P.attr.name)", "type conversion error from 'string' to 'google.protobuf.Duration'"),
        ("P.attr.name.inIPAddrRange('10.0.0.0/8')", "invalid IP address: ann"),
        ("'10.0.0.1'.inIPAddrRange(P.attr.name)", "invalid CIDR address: ann"),
        ("'abc'.charAt(9)", "index out of range: 9"),
        ("timestamp(0).getHours('utc')", "unknown time zone utc"),
        ("'a'.matches('(' + P.attr.name)", "error parsing regexp: missing closing ): `(ann`"),
        ("'a'.matches('x{' + P.attr.name + '(')", "error parsing regexp: missing closing ): `x{ann(`"),
        ("timestamp(0).getHours('/' + P.attr.name)", "time: invalid location name"),
        ("timestamp(0).getHours(P.attr.name + ':0')", "strconv.Atoi: parsing \"ann\": invalid syntax"),
        ("timestamp('2024-02-30T00:00:00Z' + P.attr.none)", "no such key: none"),
        ("base64.decode(P.attr.name + 'bb')", "illegal base64 data at input byte 4"),
        ("['a', P.attr.number].join()", "join: invalid input: 1"),
        ("[P.attr.number, 'a'].join()", "no such overload: join(list)"),
        (
            "joinPath(['a', P.attr.number])",
            "failed to convert list to string slice: type conversion error from Double to 'string'",
        ),
        ("relPath('c:x', P.attr.name)", "failed to encode base path c:x: unsupported Win32 path"),
        ("hasIntersection(P.attr.none, [1])", "no such overload"),
        ("hasIntersection(P.attr.none, P.attr.name)", "no such key: none"),
        ("P.attr.none.hasIntersection([1])", "no such key: none"),
        ("P.attr.number.flatten()", "no such overload: double.flatten()"),
        ("P.attr.number.ancestorOf(hierarchy('a'))", "no such overload: ancestorOf"),
        ("P.attr.name.ancestorOf(hierarchy('a'))", "no such overload"),
        ("dyn(hierarchy('a')) == P.attr.name", "no such overload"),
        (
            "dyn(spiffeID('spiffe://a/b')) < P.attr.name",
            "internal error: interface conversion: types.SPIFFEID is not traits.Comparer: missing method Compare",
        ),
        ("[1][dyn(P.roles)]", "invalid qualifier type: *types.baseList"),
        ("P.attr.name[G]", "invalid qualifier type: types.VariablesMap"),
        ("[1][G.list]", "invalid qualifier type: []interface {}"),
        ("[1][G.list[0]]", "invalid qualifier type: map[interface {}]interface {}"),
        ("[1][G.map]", "invalid qualifier type: map[interface {}]interface {}"),
        ("[1][G.map.list]", "invalid qualifier type: *types.baseList"),
        ("[1][G.none]", "invalid qualifier type: <nil>"),
        ("dyn(P)['name']", "no such field 'name'"),
        ("P.attr.number.transformList(k, v, v)", "unsupported comprehension range type: types.Double"),
        ("math.greatest(1, P.attr.name, 2)", "no such overload: math.@max"),
        ("P.attr.name.ip()", "no such overload: ip(string)"),
        // What is known of the types leaves one overload, and the value is not for it.
        ("math.greatest(P.attr.list.slice(0, 2).sort())", "no such overload: math.@max(list)"),
        ("math.greatest(P.attr.list.sortBy(k, false).sort())", "no such overload: math.@max(list)"),
        ("math.abs(P.attr.list.slice(0, 2).sort()[0])", "no such overload: math.abs(double)"),
        ("math.greatest(P.attr.list.slice(0, 2).sort()[0], 1)", "no such overload: math.@max(double, int)"),
        ("string(P.attr.list.slice(0, 2).sort()[0])", "no such overload: string(double)"),
        (
            "P.attr.list.slice(0, 2).map(k, k == 1u || math.abs(k) == 2u)",
            "no such overload: math.abs(double)",
        ),
        ("spiffeMatchOneOf(['x', P.attr.name])", "no such overload"),
        ("string(dyn(int))", "no such overload: string(type)"),
        ("optional.none().value()", "optional.none() dereference"),
    ];
    let arena = Bump::new();
    let numbers = [Value::Double(2.0), Value::Double(1.0)];
    let attr = [
        ("list", Value::list(&arena, &numbers)),
        ("name", Value::String("ann")),
        ("number", Value::Double(1.0)),
    ];
    let principal = Principal { attr: Map::of_sorted_fields(&attr), ..Principal::default() };
    let resource = Resource::default();
    let within = Map::of_fields(&arena, &[("list", Value::List(List::EMPTY))]);
    let list = [Value::Map(within)];
    let globals = [("list", Value::list(&arena, &list)), ("map", Value::Map(within)), ("none", Value::Null)];
    let activation = Activation {
        globals: Map::of_fields(&arena, &globals),
        ..Activation::new(&arena, &principal, &resource)
    };
    for (text, expected) in cases {
        let program = Expr::parse(text).map(|expr| Program::lower(&expr, &NoNames));
        let program = arena.alloc(program.unwrap_or_else(|issues| panic!("{text}: {issues:?}")));
        let error = program.eval(&activation).err().map(|error| error.to_string());
        assert_eq!(error.as_deref(), Some(expected), "{text}");
    }
}
