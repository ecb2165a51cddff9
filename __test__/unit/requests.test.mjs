/** What the addon is asked, and which requests never reach it. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fake, fakeEngine, lastRequest, PRINCIPAL, RESOURCE, request } from "../support/engine.mjs";

const encoded = (fields, options) => {
  fakeEngine(options).checkResourceSync(request(fields));
  return lastRequest();
};
const nested = (levels) => (levels === 0 ? 1 : [nested(levels - 1)]);

describe("encodes", () => {
  test("the smallest request", () => {
    assert.deepEqual(encoded(), {
      principal: { id: "ann", roles: ["user"] },
      resources: [{ resource: { kind: "document", id: "1" }, actions: ["view"] }],
    });
  });

  test("every field", () => {
    const subject = { policyVersion: "v2", scope: "acme.corp-1", attr: { a: [1, "x", true, null, { b: -0.5e-7 }] } };
    const full = encoded({
      requestId: "r-1",
      includeMetadata: true,
      principal: { ...PRINCIPAL, roles: ["user", "org:admin"], ...subject },
      resource: { ...RESOURCE, ...subject },
      actions: ["view", "edit"],
      requestContext: { annotations: { a: 1 } },
    });
    // The request's id stays on this side, for the response.
    assert.deepEqual(full, {
      includeMeta: true,
      principal: { id: "ann", roles: ["user", "org:admin"], ...subject },
      resources: [{ resource: { ...RESOURCE, ...subject }, actions: ["view", "edit"] }],
    });
  });

  test("the time, beside the request", () => {
    encoded({}, { now: () => new Date(1234) });
    assert.deepEqual(fake.instants, [1234]);
    encoded();
    assert.deepEqual(fake.instants, [undefined]);
  });

  test("several resources", () => {
    const resources = ["1", "2"].map((id) => ({ resource: { kind: "document", id }, actions: ["view", id] }));
    fakeEngine().checkResourcesSync({ principal: PRINCIPAL, resources });
    assert.deepEqual(lastRequest(), { principal: PRINCIPAL, resources });
  });

  test("one action", () => {
    fakeEngine().isAllowedSync({ principal: PRINCIPAL, resource: RESOURCE, action: "view" });
    assert.deepEqual(lastRequest(), { principal: PRINCIPAL, resources: [{ resource: RESOURCE, actions: ["view"] }] });
  });

  test("the deprecated attributes, which attr overrides", () => {
    assert.deepEqual(encoded({ resource: { ...RESOURCE, attributes: { a: 1 } } }).resources[0].resource.attr, { a: 1 });
    const both = { ...RESOURCE, attributes: { a: 1, b: 1 }, attr: { b: 2 } };
    assert.deepEqual(encoded({ resource: both }).resources[0].resource.attr, { a: 1, b: 2 });
  });

  const values = {
    "an empty object": [{}, {}],
    "an empty list": [[], []],
    "undefined properties, which are left out": [{ a: undefined, b: 1 }, { b: 1 }],
    "a Date": [new Date(0), "1970-01-01T00:00:00.000Z"],
    "an object with toJSON": [{ toJSON: () => ({ a: 1 }) }, { a: 1 }],
    "an object without a prototype": [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    "an object twice": [((it) => [it, it])({ a: 1 }), [{ a: 1 }, { a: 1 }]],
    "strings that JSON escapes": ['"\\\n\u0000\u2028é😀', '"\\\n\u0000\u2028é😀'],
    "long strings that JSON escapes": ['"'.repeat(100), '"'.repeat(100)],
    "keys that JSON escapes": [
      { 'a"\n': 1, "": 2 },
      { 'a"\n': 1, "": 2 },
    ],
    "a key named __proto__": [JSON.parse('{"__proto__": 1}'), JSON.parse('{"__proto__": 1}')],
    "64 levels, the map of attributes not counted": [nested(64), nested(64)],
    "the limits of numbers": [
      [Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53, 1e21, -0],
      [Number.MAX_VALUE, Number.MIN_VALUE, 2 ** 53, 1e21, 0],
    ],
  };
  for (const [name, [value, expected]] of Object.entries(values)) {
    test(name, () =>
      assert.deepEqual(encoded({ principal: { ...PRINCIPAL, attr: { value } } }).principal.attr.value, expected),
    );
  }

  test("more keys than it remembers", () => {
    const attr = Object.fromEntries(Array.from({ length: 5000 }, (_, index) => [`key${index}`, index]));
    assert.deepEqual(encoded({ principal: { ...PRINCIPAL, attr } }).principal.attr, attr);
  });

  test("a request made while another is encoded", () => {
    const orthrus = fakeEngine();
    const toJSON = () => orthrus.isAllowedSync({ principal: PRINCIPAL, resource: RESOURCE, action: "inner" });
    orthrus.checkResourceSync(request({ resource: { ...RESOURCE, attr: { before: 1, inner: { toJSON }, after: 2 } } }));
    assert.deepEqual(lastRequest().resources[0].resource.attr, { before: 1, inner: true, after: 2 });
  });
});

describe("refuses", () => {
  const cyclic = { name: "x", parts: [{}] };
  cyclic.parts[0].whole = cyclic;
  class Money {
    amount = 1;
  }
  const inAttr = (value) => ({ resource: { ...RESOURCE, attr: { a: value } } });
  const rows = [
    ["no principal", { principal: undefined }, "principal", /must be an object/],
    ["no principal id", { principal: { roles: ["user"] } }, "principal.id", /must be a string, not undefined/],
    ["an empty principal id", { principal: { id: "", roles: ["user"] } }, "principal.id", /must not be empty/],
    ["a principal id that is a number", { principal: { id: 1, roles: ["user"] } }, "principal.id", /not a number/],
    ["no roles", { principal: { id: "ann" } }, "principal.roles", /at least one/],
    ["an empty list of roles", { principal: { id: "ann", roles: [] } }, "principal.roles", /at least one/],
    ["roles that are a string", { principal: { id: "ann", roles: "admin" } }, "principal.roles", /list/],
    ["a role that is no string", { principal: { id: "ann", roles: ["a", null] } }, "principal.roles[1]", /not null/],
    ["an empty role", { principal: { id: "ann", roles: [""] } }, "principal.roles[0]", /must not be empty/],
    ["a role given twice", { principal: { id: "ann", roles: ["a", "b", "a"] } }, "principal.roles[2]", /repeats "a"/],
    ["no resource", { resource: undefined }, "resource", /must be an object/],
    ["no kind", { resource: { id: "1" } }, "resource.kind", /must be a string/],
    ["no resource id", { resource: { kind: "document" } }, "resource.id", /must be a string/],
    ["no actions", { actions: undefined }, "actions", /at least one/],
    ["an empty list of actions", { actions: [] }, "actions", /at least one/],
    ["an action given twice", { actions: ["a", "a"] }, "actions[1]", /repeats "a"/],
    [
      "one of many actions given twice",
      { actions: [...Array(40).keys(), 7].map(String) },
      "actions[40]",
      /repeats "7"/,
    ],
    ["a scope with a slash", { resource: { ...RESOURCE, scope: "a/b" } }, "resource.scope", /names joined by dots/],
    [
      "a policy version with a dot",
      { principal: { ...PRINCIPAL, policyVersion: "1.0" } },
      "principal.policyVersion",
      /digits/,
    ],
    [
      "a policy version that is a number",
      { resource: { ...RESOURCE, policyVersion: 1 } },
      "resource.policyVersion",
      /./,
    ],
    ["includeMetadata that is no boolean", { includeMetadata: "yes" }, "includeMetadata", /true or false/],
    ["a request id that is a number", { requestId: 7 }, "requestId", /string/],
    [
      "attributes that are a list",
      { principal: { ...PRINCIPAL, attr: [1] } },
      "principal.attr",
      /plain object, not a list/,
    ],
    ["attributes that are null", { resource: { ...RESOURCE, attr: null } }, "resource.attr", /not null/],
    [
      "an attribute without a name",
      { resource: { ...RESOURCE, attr: { "": 1 } } },
      'resource.attr[""]',
      /needs a name/,
    ],
    ["a bigint", inAttr(1n), "resource.attr.a", /not a bigint/],
    ["a function", inAttr(() => 1), "resource.attr.a", /not a function/],
    ["a symbol", inAttr(Symbol("s")), "resource.attr.a", /not a symbol/],
    ["NaN", inAttr([0, Number.NaN]), "resource.attr.a[1]", /finite number, not NaN/],
    ["infinity", inAttr({ "a b": Number.POSITIVE_INFINITY }), 'resource.attr.a["a b"]', /not Infinity/],
    ["undefined in a list", inAttr([undefined]), "resource.attr.a[0]", /not undefined/],
    ["a hole in a list", inAttr(new Array(1)), "resource.attr.a[0]", /not undefined/],
    ["a Map", inAttr(new Map()), "resource.attr.a", /not an instance of Map/],
    ["an instance of a class", inAttr({ total: new Money() }), "resource.attr.a.total", /not an instance of Money/],
    ["an invalid date", inAttr(new Date(Number.NaN)), "resource.attr.a", /valid date/],
    ["an unpaired surrogate", inAttr("\ud800"), "resource.attr.a", /well-formed/],
    ["an unpaired surrogate in a key", inAttr({ "\udc00": 1 }), 'resource.attr.a["\\udc00"]', /well-formed/],
    ["a cycle", inAttr(cyclic), "resource.attr.a.parts[0].whole", /contains itself/],
    [
      "a getter that throws",
      inAttr({
        get b() {
          throw new Error("no database");
        },
      }),
      "resource.attr.a.b",
      /no database/,
    ],
    ["65 levels", inAttr(nested(65)), /^resource\.attr\.a(\[0\]){64}$/, /deeper than 64/, "REQUEST_TOO_LARGE"],
    [
      "toJSON that returns itself",
      inAttr({
        toJSON() {
          return this;
        },
      }),
      "resource.attr.a",
      /deeper/,
      "REQUEST_TOO_LARGE",
    ],
    ["50 MB in one string", inAttr("x".repeat(50e6)), "resource.attr.a", /16 MiB/, "REQUEST_TOO_LARGE"],
    [
      "50 MB in many strings",
      inAttr(Array(500).fill("x".repeat(1e5))),
      /^resource\.attr\.a/,
      /16 MiB/,
      "REQUEST_TOO_LARGE",
    ],
    ["9 million letters of two bytes", inAttr("é".repeat(9e6)), "", /16 MiB/, "REQUEST_TOO_LARGE"],
    ["auxData that is no object", { auxData: "token" }, "auxData", /object/],
    ["a token", { auxData: { jwt: { token: "t" } } }, "auxData.jwt", /decodeJWTPayload/, "REQUEST_JWT_UNSUPPORTED"],
    ["an empty token", { auxData: { jwt: { token: "" } } }, "auxData.jwt.token", /not empty/],
    ["both kinds of tokens", { auxData: { jwt: { token: "t" }, jwts: {} } }, "auxData", /not both/],
  ];
  for (const [name, fields, path, problem, code = "REQUEST_INVALID"] of rows) {
    test(name, async () => {
      const orthrus = fakeEngine();
      const check = (error) => {
        assert.equal(error.name, "RequestError");
        assert.equal(error.code, code);
        path instanceof RegExp ? assert.match(error.path, path) : assert.equal(error.path, path);
        assert.match(error.message, problem);
        return true;
      };
      assert.throws(() => orthrus.checkResourceSync(request(fields)), check);
      await assert.rejects(orthrus.checkResource(request(fields)), check);
      assert.equal(fake.requests.length, 0);
    });
  }

  test("an exponential expansion, without building it", () => {
    let value = "x".repeat(1000);
    for (let level = 0; level < 60; level++) {
      value = [value, value];
    }
    assert.throws(() => fakeEngine().checkResourceSync(request(inAttr(value))), { code: "REQUEST_TOO_LARGE" });
  });

  test("a bad resource among several, by its place", () => {
    const resources = [
      { resource: RESOURCE, actions: ["view"] },
      { resource: { kind: "document", id: "" }, actions: ["view"] },
    ];
    const check = () => fakeEngine().checkResourcesSync({ principal: PRINCIPAL, resources });
    assert.throws(check, { path: "resources[1].resource.id" });
    resources[1] = { resource: { ...RESOURCE, attr: { amount: 1n } }, actions: ["view"] };
    assert.throws(check, { path: "resources[1].resource.attr.amount" });
    resources[1] = { resource: RESOURCE, actions: ["view", ""] };
    assert.throws(check, { path: "resources[1].actions[1]" });
    resources[1] = null;
    assert.throws(check, { path: "resources[1]" });
  });

  test("no resources, and what is no request at all", () => {
    const orthrus = fakeEngine();
    assert.throws(() => orthrus.checkResourcesSync({ principal: PRINCIPAL, resources: [] }), { path: "resources" });
    for (const nothing of [undefined, null, 1]) {
      assert.throws(() => orthrus.checkResourceSync(nothing), { code: "REQUEST_INVALID", path: "" });
    }
    assert.throws(() => orthrus.isAllowedSync({ principal: PRINCIPAL, resource: RESOURCE }), { path: "action" });
  });

  test("and encodes the next request well", () => {
    const orthrus = fakeEngine();
    assert.throws(() => orthrus.checkResourceSync(request(inAttr(1n))));
    assert.equal(orthrus.checkResourceSync(request()).isAllowed("view"), true);
  });
});
