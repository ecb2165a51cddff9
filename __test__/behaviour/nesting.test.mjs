/**
 * What is nested deep ends in a decision or in a typed error, on both engines alike. WebAssembly has the stack of the runtime, which
 * is a tenth of a process' one: every limit of the engine has to be reached before it is used up.
 */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Orthrus } from "orthrus";
import { Orthrus as WasmOrthrus } from "orthrus/wasm";
import { skip } from "../support/addon.mjs";
import { skipWasm } from "../support/engines.mjs";

/** Beyond every limit. */
const TOO_DEEP = 5_000;

/** Longer than any stack is deep, were one link to lead to the next. */
const CHAIN = 1_000;

const around = (depth, before, inner, after = "") => before.repeat(depth) + inner + after.repeat(depth);

/** A resource policy on documents with a condition; `more` is further YAML of it. */
const policy = (expression, more = "") => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
${more}
  rules:
    - actions: [view]
      roles: [user]
      effect: EFFECT_ALLOW
      condition: { match: { expr: ${JSON.stringify(expression)} } }
`;

const expression = (text, attr) => ({ files: { "document.yaml": policy(text) }, attr });
const nested = (depth, before, inner, after) => JSON.parse(around(depth, before, inner, after));

const macros = (depth, macro, inner) =>
  Array.from({ length: depth }, (_, level) => `[1].${macro}(v${level}, `).join("") + inner + ")".repeat(depth);

const withSchema = (schema, attr) => ({
  files: {
    "document.yaml": policy("true", "  schemas: { resourceSchema: { ref: cerbos:///document.json } }"),
    "_schemas/document.json": schema,
  },
  options: { schemaEnforcement: "reject" },
  attr,
});

/** Parents, one of the other, until the role of the principal is one of them. */
const roleChain = (length) => ({
  "document.yaml": policy("true"),
  ...Object.fromEntries(
    Array.from({ length }, (_, level) => [
      `role_${level}.yaml`,
      `apiVersion: api.cerbos.dev/v1
rolePolicy:
  role: role_${level}
  parentRoles: [${level + 1 < length ? `role_${level + 1}` : "user"}]
  rules: [{ resource: document, allowActions: [view] }]
`,
    ]),
  ),
});

const variables = (length) =>
  `  variables:\n    local:\n      v0: P.id == "ann"\n${Array.from({ length }, (_, level) => `      v${level + 1}: V.v${level}\n`).join("")}`;

/** `[what, a depth that is taken, make(depth)]`. Chains have no limit, and no depth either. */
const CASES = [
  ["parentheses", 249, (depth) => expression(around(depth, "(", "1 == 1", ")"))],
  ["negations", 240, (depth) => expression(around(depth, "!(", "R.attr.x", ")"), { x: true })],
  ["lists", 240, (depth) => expression(`${around(depth, "[", "P.id", "]")} != R.attr.x`, { x: 1 })],
  ["maps", 240, (depth) => expression(`${around(depth, "{'a': ", "P.id", "}")} != R.attr.x`, { x: 1 })],
  ["fields", 240, (depth) => expression(`has(R.attr.x) || R.attr${around(depth, ".a", "")} == 1`, { x: 1 })],
  ["indices", 240, (depth) => expression(`has(R.attr.x) || ${around(depth, "R.attr[", "'a'", "]")} == 1`, { x: 1 })],
  ["conditionals", 240, (depth) => expression(around(depth, "R.attr.x ? false : ", "true"), { x: false })],
  ["sums", 240, (depth) => expression(`1${around(depth, " + 1", "")} == ${depth + 1}`)],
  ["calls", 120, (depth) => expression(`${around(depth, "size([", "1", "])")} == 1`)],
  ["methods", 240, (depth) => expression(`P.id${around(depth, ".lowerAscii()", "")} == 'ann'`)],
  ["macros that test", 240, (depth) => expression(macros(depth, "exists", "true"))],
  ["macros that map", 240, (depth) => expression(`size(${macros(depth, "map", "1")}) == 1`)],
  ["groups of a pattern", 249, (depth) => expression(`P.id.matches('${around(depth, "(", "ann", ")")}')`)],
  [
    "conditions in conditions",
    15,
    (depth) => ({
      files: {
        "document.yaml": policy("true").replace(
          /match: .* \}$/m,
          `match: {${around(depth, "all: {of: [{", "expr: 1 == 1", "}]}")}} }`,
        ),
      },
    }),
  ],
  [
    "globals",
    63,
    (depth) => ({
      ...expression("'%s'.format([G.deep]) != ''"),
      options: { globals: { deep: nested(depth, "[", "1", "]") } },
    }),
  ],
  [
    "attributes",
    64,
    (depth) =>
      expression("R.attr.x in [R.attr.x] && '%s'.format([R.attr.x]) != ''", { x: nested(depth, "[", "1", "]") }),
  ],
  [
    "schemas",
    64,
    (depth) =>
      withSchema(
        around(depth, '{"properties":{"a":', '{"type":"string"}', "}}"),
        nested(Math.min(depth, 64), '{"a":', '"x"', "}"),
      ),
  ],
  [
    "a schema of itself",
    64,
    (depth) =>
      withSchema(
        JSON.stringify({
          properties: { a: { $ref: "#" } },
          anyOf: [{ allOf: [{ type: ["object", "string"] }] }, false],
        }),
        nested(depth, '{"a":', '"x"', "}"),
      ),
  ],
  [
    "variables of variables",
    CHAIN,
    (depth) => ({
      files: { "document.yaml": policy(`V.v${depth}`, variables(depth)) },
    }),
  ],
  ["parents of parents", CHAIN, (depth) => ({ files: roleChain(depth), roles: ["role_0"] })],
];

/** `true` or `false`, or the code of an error. */
async function outcome(Engine, { files, options, attr = {}, roles = ["user"] }) {
  let engine;
  try {
    engine = await Engine.fromFiles(files, options);
    return engine.isAllowedSync({
      principal: { id: "ann", roles },
      resource: { kind: "document", id: "1", attr },
      action: "view",
    });
  } catch (error) {
    return error.code ?? error;
  } finally {
    engine?.close();
  }
}

describe("what is nested deep", { skip: skip || skipWasm }, () => {
  for (const [what, deepest, make] of CASES) {
    test(`${what}: taken as far as the limit`, async () => {
      const given = make(deepest);
      assert.equal(await outcome(Orthrus, given), true, "the addon");
      assert.equal(await outcome(WasmOrthrus, given), true, "WebAssembly");
    });
    if (deepest !== CHAIN) {
      test(`${what}: beyond the limit, both engines refuse alike`, async () => {
        const given = make(TOO_DEEP);
        const refused = await outcome(Orthrus, given);
        assert.match(String(refused), /^(?:POLICY_INVALID|REQUEST_TOO_LARGE|OPTIONS_INVALID)$/);
        assert.equal(await outcome(WasmOrthrus, given), refused);
      });
    }
  }
});
