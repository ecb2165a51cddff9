/**
 * What a machine of 32 bits, another compiler or a smaller stack might decide otherwise: sizes beyond 32 bits, the ends of numbers and
 * times, the text of floating-point numbers, deep nesting, and requests that are no ordinary ones.
 */

import { set } from "./sets.mjs";

/** Numbers whose text, or whose way from text, is easily a digit off. */
const DOUBLES = [
  "0.1 + 0.2",
  "1.0 / 3.0",
  "5e-324",
  "2.2250738585072014e-308",
  "1.7976931348623157e308",
  "1.7976931348623157e308 * 10.0",
  "-0.0",
  "0.0 / 0.0",
  "1e21",
  "1e20",
  "123456789012345680000.0",
  "1e-7",
  "9007199254740993.0",
  "1.38e-23",
  "100.0 / 7.0",
  "4.35 * 100.0",
  "0.000001234",
  "8.41e21",
  "2.0e-3 * 3.0e5",
];

/** Sizes that lose their upper half on a machine of 32 bits, and those around the ends of signed and unsigned ones. */
const SIZES = [
  "4294967296",
  "4294967295",
  "4294967297",
  "2147483648",
  "-1",
  "-4294967296",
  "9223372036854775807",
  "-9223372036854775807",
];

const withSizes = (...templates) =>
  templates.flatMap((template) => SIZES.map((size) => template.replaceAll("N", size)));

const attr = (value) => ({ resource: { attr: { x: value } } });

const nested = (depth) => {
  let value = 1;
  for (let level = 0; level < depth; level++) {
    value = level % 2 === 0 ? [value] : { a: value };
  }
  return value;
};

/** Expressions with what is asked. */
export const EDGES = [
  ...DOUBLES.flatMap((double) => [double, `string(${double})`, `[${double}].map(x, string(x) + "!")`]),
  ...DOUBLES.flatMap((double) => ["%.0f", "%.3f", "%.17e", "%d", "%s"].map((verb) => `"${verb}".format([${double}])`)),
  ...DOUBLES.flatMap((double) =>
    ["ceil", "floor", "round", "trunc", "sqrt", "sign"].map((fn) => `math.${fn}(${double})`),
  ),
  ...DOUBLES.flatMap((double) => [`int(${double})`, `uint(${double})`, `${double} == R.attr.x`]),
  ...withSizes(
    "[1, 2, 3][N]",
    "[1, 2, 3][?N].orValue(9)",
    "[1, 2, 3].slice(N, 3)",
    "[1, 2, 3].slice(0, N)",
    "[[1], [2]].flatten(N)",
    '"abc".charAt(N)',
    '"abc".substring(N)',
    '"abc".substring(0, N)',
    '"abc".indexOf("b", N)',
    '"abc".lastIndexOf("b", N)',
    '"a,b,c".split(",", N)',
    '"aaa".replace("a", "b", N)',
    "lists.range(N > 100 ? 3 : N)",
    "lists.range(N)",
    "math.bitShiftLeft(1, N)",
    "math.bitShiftRight(-1, N)",
    "math.bitAnd(N, 255)",
    "math.abs(N)",
    "{N: 1}[N]",
    "N in [4294967296, -1, 0]",
    "N == 0",
    "N % 7",
    "N / 3",
    "double(N)",
    "N == double(N)",
    "N < 4294967296.5",
    "duration(string(N) + 's')",
    "timestamp(N)",
    "string(N)",
    'hierarchy("a.b.c")[N]',
    'hierarchy("a.b.c").size() == N',
    '"%x %o %b %X".format([N, N, N, N])',
    '"%.Nf".format([1.5])',
    'regex.extract("abc", "b{N}")',
    '"abc".matches("a{N}")',
    'regex.replace("aaa", "a", "b", N)',
  ),
  'size("x") == 4294967297',
  "9223372036854775807 + 1",
  "-9223372036854775808 - 1",
  "9223372036854775807 * 2",
  "-9223372036854775808 / -1",
  "-9223372036854775808 % -1",
  "18446744073709551615u + 1u",
  "0u - 1u",
  "uint(18446744073709551615.0)",
  "int(9223372036854775807.0)",
  'timestamp("0001-01-01T00:00:00Z")',
  'timestamp("9999-12-31T23:59:59.999999999Z")',
  'timestamp("9999-12-31T23:59:59Z") + duration("1s")',
  'timestamp("0001-01-01T00:00:00Z") - duration("1ns")',
  'timestamp("2021-03-28T01:30:00Z").getHours("Europe/Berlin")',
  'timestamp("2021-10-31T01:30:00Z").getHours("Europe/Berlin")',
  'timestamp("1883-11-18T12:00:00Z").getMinutes("America/New_York")',
  'timestamp("2040-07-01T00:00:00Z").getDayOfYear("Australia/Lord_Howe")',
  'timestamp("2021-01-01T00:00:00Z").getHours("Nowhere/At_All")',
  'timestamp("2021-01-01T00:00:00Z").getHours("-03:30")',
  'duration("9223372036s").getMilliseconds()',
  'duration("9223372037s")',
  'duration("-2562047h47m16.854775808s")',
  "now()",
  "string(now())",
  'now() - timestamp("1970-01-01T00:00:00Z")',
  'timestamp("2021-01-01T00:00:00Z").timeSince()',
  "now().getFullYear() == 2021",
  '"ǅ ß İ ﬀ Σ".lowerAscii() + "ß".upperAscii()',
  '"a\\u0301𝒳👨‍👩‍👧".reverse()',
  'size("👨‍👩‍👧")',
  '"👨‍👩‍👧x".charAt(5)',
  'strings.quote("\\u0000\\u2028\\x7f\\U0010ffff")',
  '"%s".format([{"b": 1, "a": [1.0, true, null, b"x"], "c": {"z": 1u}}])',
  '{"z": 1, "y": 2, "x": 3, "w": 4, "v": 5, "u": 6, "t": 7, "s": 8, "r": 9}',
  '{"z": 1, "y": 2, "x": 3}.map(k, k)',
  '{1: "a", 2u: "b", true: "c", "d": "e"}',
  '{"b": 1, "a": 2}.transformList(k, v, k + string(v))',
  '{"b": 1, "a": 2}.transformMap(k, v, v * 2)',
  'base64.encode(b"\\xff\\x00\\xfe")',
  'string(base64.decode("/w=="))',
  'bytes("ü") == b"\\xc3\\xbc"',
  '"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!".matches("(a+)+$")',
  '"ſK".matches("(?i)^sk$")',
  '"x".matches("\\\\p{Greek}|\\\\pL")',
  '"a\\nb".matches("(?m)^b$")',
  '"ab".matches("(?s)a.*(b|c){1,1000}")',
  '"ab".matches("(a{1000}){1000}")',
  '"ab".matches("((a{100}){100}){100}")',
  '"ab".matches("(")',
  'regex.extractAll("id:123, id:456", "id:(\\\\d+)")',
  'regex.replace("John Smith", "(\\\\w+) (\\\\w+)", "\\\\2 \\\\1")',
  'ip("::ffff:192.168.0.1")',
  'cidr("10.0.0.0/8").containsIP("10.255.255.255")',
  "lists.range(1000).map(x, x * x).filter(x, x % 7 == 0).size()",
  "[3, 1, 2].sort()",
  '["b", "a", "C", "ä"].sort()',
  "[0.0, -0.0, 1.0].distinct()",
  "sets.intersects([1, 2u, 3.0], [3, 2])",
  "optional.of(1).or(optional.none()).value()",
  ...[1e21, 1e-7, 5e-324, 1.7976931348623157e308, -0, 2 ** 53, 0.1, 123456.789e3].flatMap((number) =>
    ["R.attr.x", "string(R.attr.x)", "R.attr", "R.attr.x + 0.1", "int(R.attr.x)"].map((it) => [it, attr(number)]),
  ),
  ...["\u0000", "\u2028\u2029", "\ud83d\ude00", "\u0301", "<&>\u007f", '\\"/\b\f\n\r\t'].flatMap((text) =>
    ["R.attr.x", "size(R.attr.x)", "R.attr.x.reverse()", "bytes(R.attr.x)", "{R.attr.x: R.attr}"].map((it) => [
      it,
      attr(text),
    ]),
  ),
  ...[10, 60, 63, 64, 65, 100].map((depth) => ["R.attr.x", attr(nested(depth))]),
  ["R.attr.x.map(y, R.attr.x.map(z, y + z).size()).size()", attr(Array.from({ length: 300 }, (_, index) => index))],
  ["R.attr.x.exists_one(y, y == 4294967296.0)", attr([0, 2 ** 32, 1])],
  ["R.attr.x[0]", attr({ 0: "a" })],
  ["size(R.attr.x) + size(R.attr.x + R.attr.x)", attr("ü".repeat(100_000))],
  ['R.attr.x.matches("^(ü|x)*$")', attr("ü".repeat(10_000))],
].map((edge) => (Array.isArray(edge) ? edge : [edge]));

const wrapped = (expression, depth, [open, close]) => `${open.repeat(depth)}${expression}${close.repeat(depth)}`;

/** A policy around an expression of so many levels. */
const deep = (name, expression) =>
  set(
    name,
    {
      "doc.json": JSON.stringify({
        apiVersion: "api.cerbos.dev/v1",
        resourcePolicy: {
          resource: "doc",
          version: "default",
          rules: [
            {
              actions: ["view"],
              roles: ["*"],
              effect: "EFFECT_ALLOW",
              output: { when: { ruleActivated: expression } },
            },
          ],
        },
      }),
    },
    {},
    [
      {
        includeMeta: true,
        principal: { id: "a", roles: ["u"] },
        resources: [{ resource: { kind: "doc", id: "1", attr: { x: true } }, actions: ["view"] }],
      },
    ],
  );

/** Condition trees of so many levels. */
function deepCondition(depth) {
  let match = { expr: "R.attr.x" };
  // What writes the JSON goes no deeper.
  for (let level = 0; level < Math.min(depth, 1000); level++) {
    match = { [["all", "any"][level % 2]]: { of: [match] } };
  }
  return {
    "doc.json": JSON.stringify({
      apiVersion: "api.cerbos.dev/v1",
      resourcePolicy: {
        resource: "doc",
        version: "default",
        rules: [{ actions: ["view"], roles: ["*"], effect: "EFFECT_ALLOW", condition: { match } }],
      },
    }),
  };
}

const DEPTHS = [10, 24, 31, 32, 33, 60, 100, 249, 250, 251, 1000, 10_000];

const VIEW = {
  includeMeta: true,
  principal: { id: "a", roles: ["u"] },
  resources: [{ resource: { kind: "doc", id: "1", attr: { x: true } }, actions: ["view"] }],
};

/** Policies at and beyond the limits, and texts that are none. */
export const LOADS = [
  ...DEPTHS.flatMap((depth) => [
    deep(`parentheses, ${depth}`, wrapped("R.attr.x", depth, ["(", ")"])),
    deep(`lists, ${depth}`, wrapped("R.attr.x", depth, ["[", "]"])),
    deep(`maps, ${depth}`, wrapped("R.attr.x", depth, ["{1: ", "}"])),
    deep(`negations, ${depth}`, `${"!".repeat(depth)}R.attr.x`),
    deep(`conditionals, ${depth}`, `${"R.attr.x ? ".repeat(depth)}1${" : 2".repeat(depth)}`),
    deep(`operators, ${depth}`, Array(depth).fill("R.attr.x").join(" && ")),
    deep(`sums, ${depth}`, Array(depth).fill("1").join(" + ")),
    deep(`calls, ${depth}`, `R.id${".trim()".repeat(depth)}`),
    deep(`fields, ${depth}`, `R.attr${".x".repeat(depth)}`),
    deep(`macros, ${depth}`, wrapped("R.attr.x", Math.min(depth, 40), ["[1].all(y, ", ")"])),
    set(`conditions, ${depth}`, deepCondition(depth), {}, [VIEW]),
    set(`YAML, ${depth}`, { "doc.yaml": `a: ${"[".repeat(depth)}${"]".repeat(depth)}` }),
    set(`JSON, ${depth}`, { "doc.json": `${'{"a":'.repeat(depth)}1${"}".repeat(depth)}` }),
    set(`schema, ${depth}`, {
      "_schemas/s.json": `${'{"type":"object","properties":{"x":'.repeat(depth)}{}${"}}".repeat(depth)}`,
      ...deepCondition(1),
    }),
  ]),
  ...[
    "",
    "\u0000",
    "\ufeffapiVersion: 1",
    "a: &a [*a]",
    "- - -",
    "%YAML 1.1\n---\n",
    "---\n---\n",
    "a: b: c",
    "\t",
    "{",
    "null",
    "\ud800",
  ].map((text) => set(`the text ${JSON.stringify(text)}`, { "doc.yaml": text })),
  set("no files", {}),
  set("billion laughs", {
    "doc.yaml": [
      "a0: &a0 [x]",
      ...Array.from(
        { length: 30 },
        (_, level) => `a${level + 1}: &a${level + 1} [${Array(9).fill(`*a${level}`).join(", ")}]`,
      ),
    ].join("\n"),
  }),
  ...[
    { defaultScope: 1 },
    { nothing: true },
    { globals: [] },
    { schemaEnforcement: "maybe" },
    { globals: { x: 1e308 } },
  ].map((options) => set(`options ${JSON.stringify(options)}`, deepCondition(1), options)),
  set(
    "policies by the hundred",
    Object.fromEntries(
      Array.from({ length: 300 }, (_, index) => [
        `p${index}.json`,
        deepCondition(2)["doc.json"].replace('"doc"', `"doc${index}"`),
      ]),
    ),
    {},
    [
      VIEW,
      {
        ...VIEW,
        resources: Array.from({ length: 300 }, (_, index) => ({
          resource: { kind: `doc${index}`, id: "1", attr: { x: index % 3 === 0 } },
          actions: ["view"],
        })),
      },
    ],
  ),
];

const actions = (count) => Array.from({ length: count }, (_, index) => `a${index}`);
const ask = (fields) => ({ ...VIEW, ...fields });
const about = (resource, asked = ["view"]) =>
  ask({ resources: [{ resource: { kind: "doc", id: "1", ...resource }, actions: asked }] });

/** Requests to one policy: many, large, wrong, and not even JSON. */
const ODD_REQUESTS = [
  VIEW,
  { ...VIEW, includeMeta: false },
  ...[1, 29, 30, 31, 32, 33, 63, 64, 65, 200].flatMap((count) => [
    { ...about({ attr: { x: true } }, actions(count)), includeMeta: false },
    about({ attr: { x: true } }, ["view", ...actions(count)]),
  ]),
  about({}, []),
  about({}, ["view", "view"]),
  about({}, [""]),
  about({ kind: "" }),
  about({ id: "" }),
  about({ scope: "a..b" }),
  about({ scope: "." }),
  about({ policyVersion: "\ud83d" }),
  about({ attr: { x: nested(60) } }),
  about({ attr: { x: nested(126) } }),
  about({ attr: { x: nested(127) } }),
  about({ attr: { x: nested(128) } }),
  about({ attr: { x: nested(2000) } }),
  about({ attr: { x: "x".repeat(1 << 20) } }),
  about({ attr: { x: "x".repeat(100_000) } }),
  about({ attr: Object.fromEntries(actions(5000).map((name) => [name, 1])) }),
  ask({ resources: [] }),
  ask({
    resources: Array.from({ length: 500 }, (_, id) => ({
      resource: { kind: "doc", id: String(id), attr: { x: id % 2 === 0 } },
      actions: ["view"],
    })),
  }),
  ask({ principal: { id: "a", roles: [] } }),
  ask({ principal: { id: "a", roles: ["u", "u", ""] } }),
  "",
  "null",
  "[]",
  "{",
  '{"principal":1}',
  '{"principal":{"id":"a","roles":["u"]},"resources":[{"resource":{"kind":"doc","id":"1","attr":{"x":1e999}},"actions":["view"]}]}',
  '{"principal":{"id":"a","roles":["u"]},"resources":[{"resource":{"kind":"doc","id":"1","attr":{"x":123456789012345678901234567890}},"actions":["view"]}]}',
  '{"principal":{"id":"a","roles":["u"]},"resources":[{"resource":{"kind":"doc","id":"1","attr":{"x":"\\ud800"}},"actions":["view"]}]}',
  '{"principal":{"id":"a","roles":["u"]},"principal":{"id":"b","roles":["u"]},"resources":[]}',
  '{"principal":{"id":"a","roles":["u"]},"resources":[{"resource":{"kind":"doc","id":"1","attr":{"x":true,"x":false}},"actions":["view"]}]}',
  `${'{"a":'.repeat(100_000)}`,
  "[".repeat(1_000_000),
];

export const REQUESTS = [
  set("a condition", deepCondition(1), {}, ODD_REQUESTS),
  set("a condition, strictly", deepCondition(1), { strictEvaluation: true }, ODD_REQUESTS),
];
