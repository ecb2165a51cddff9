/** Opening, options, promises, tokens, closing, and how the addon's failures come through. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { fake, fakeEngine, lastRequest, Orthrus, PRINCIPAL, RESOURCE, request } from "../support/engine.mjs";

const failure = (failure) => new Error(JSON.stringify(failure));

describe("opening", () => {
  test("hands directory, files and options to the addon", async () => {
    fake.reset();
    const options = {
      defaultPolicyVersion: "v1",
      defaultScope: "a.b",
      lenientScopeSearch: true,
      strictEvaluation: true,
      globals: { a: [1] },
    };
    await Orthrus.open("policies", options);
    Orthrus.openSync(pathToFileURL("/policies"));
    await Orthrus.fromFiles({ "a.yaml": "x" }, { globals: {} });
    Orthrus.fromFilesSync({}, { now: () => new Date(), decodeJWTPayload: () => ({}), defaultScope: undefined });
    assert.deepEqual(fake.opened, [
      ["open", "policies", options],
      ["openSync", "/policies", {}],
      ["fromFiles", { "a.yaml": "x" }, { globals: {} }],
      ["fromFilesSync", {}, {}],
    ]);
  });

  const bad = [
    [
      "an option with a slip",
      {},
      { lenientScopeSerach: true },
      "lenientScopeSerach",
      /did you mean lenientScopeSearch\?/,
    ],
    ["an option that nothing resembles", {}, { xyz: true }, "xyz", /there are defaultPolicyVersion, /],
    ["a string where a boolean belongs", {}, { strictEvaluation: "yes" }, "strictEvaluation", /must be a boolean/],
    ["null", {}, { defaultScope: null }, "defaultScope", /must be a string/],
    [
      "a mode that is none",
      {},
      { schemaEnforcement: "strict" },
      "schemaEnforcement",
      /must be one of none, warn, reject/,
    ],
    ["a word for a callback", {}, { onValidationError: "log" }, "onValidationError", /must be a function or "throw"/],
    ["a list for globals", {}, { globals: [] }, "globals", /must be an object/],
    ["globals that JSON cannot carry", {}, { globals: { a: [1n] } }, "globals.a[0]", /bigint/],
    ["options that are no object", {}, "strict", "", /must be an object/],
    ["a file that is no text", { "a.yaml": Buffer.from("x") }, {}, 'files["a.yaml"]', /text/],
    ["files that are a list", [], {}, "files", /object/],
  ];
  for (const [name, files, options, path, problem] of bad) {
    test(`refuses ${name}`, async () => {
      const check = (error) => {
        assert.deepEqual([error.name, error.code, error.path], ["OptionsError", "OPTIONS_INVALID", path]);
        assert.match(error.message, problem);
        return true;
      };
      assert.throws(() => Orthrus.fromFilesSync(files, options), check);
      await assert.rejects(Orthrus.fromFiles(files, options), check);
    });
  }

  for (const dir of [undefined, "", 1, new URL("https://example.com/")]) {
    test(`refuses the directory ${String(dir)}`, async () => {
      assert.throws(() => Orthrus.openSync(dir), { code: "OPTIONS_INVALID", path: "dir" });
      await assert.rejects(Orthrus.open(dir), { code: "OPTIONS_INVALID", path: "dir" });
    });
  }
});

describe("a failure of the addon becomes", () => {
  const diagnostic = {
    severity: "error",
    code: "unknown-field",
    message: "unknown field `rulez`",
    file: "a.yaml",
    line: 3,
    column: 2,
    related: [],
  };
  const rows = [
    [
      "PolicyError",
      {
        code: "POLICY_INVALID",
        message: "error[unknown-field]: …",
        diagnostics: [diagnostic, { ...diagnostic, severity: "warning" }],
      },
      {
        diagnostics: [diagnostic, { ...diagnostic, severity: "warning" }],
        message: "1 error and 1 warning in the policies\n\nerror[unknown-field]: …",
      },
    ],
    [
      "StoreError",
      { code: "STORE_UNREADABLE", message: "there is no directory x", path: "x" },
      { path: "x", message: "there is no directory x" },
    ],
    [
      "OptionsError",
      { code: "OPTIONS_INVALID", message: "bad", path: "globals" },
      { path: "globals", message: "globals: bad" },
    ],
    [
      "RequestError",
      { code: "REQUEST_INVALID", message: "bad", path: "principal.id" },
      { path: "principal.id", message: "principal.id: bad" },
    ],
    ["RequestError", { code: "REQUEST_TOO_LARGE", message: "too large" }, { path: "", message: "too large" }],
    ["ClosedError", { code: "ENGINE_CLOSED", message: "closed" }, {}],
    ["OrthrusError", { code: "RESPONSE_INVALID", message: "output is NaN" }, { message: "output is NaN" }],
  ];
  for (const [name, native, fields] of rows) {
    test(`${name} for ${native.code}`, async () => {
      fake.reset();
      fake.openError = failure(native);
      const expected = { name, code: native.code, ...fields };
      assert.throws(() => Orthrus.openSync("x"), expected);
      assert.throws(() => Orthrus.fromFilesSync({}), expected);
      await assert.rejects(Orthrus.open("x"), expected);
      await assert.rejects(Orthrus.fromFiles({}), expected);
      const orthrus = fakeEngine();
      fake.answer = () => {
        throw failure(native);
      };
      assert.throws(() => orthrus.checkResourceSync(request()), expected);
    });
  }

  for (const error of [new Error("out of memory"), new Error("{}"), "text"]) {
    test(`a fault for what is no failure: ${error}`, () => {
      const orthrus = fakeEngine();
      fake.answer = () => {
        throw error;
      };
      assert.throws(() => orthrus.checkResourceSync(request()), {
        name: "OrthrusError",
        code: "ENGINE_FAULT",
        cause: error,
      });
    });
  }
});

describe("promises", () => {
  test("decide before they are returned, and settle in the next microtask", async () => {
    const orthrus = fakeEngine();
    const promise = orthrus.isAllowed({ principal: PRINCIPAL, resource: RESOURCE, action: "view" });
    assert.equal(fake.requests.length, 1);
    let settled = false;
    promise.then(() => {
      settled = true;
    });
    await null;
    assert.equal(settled, true);
    assert.equal(await promise, true);
  });

  test("are rejected, never thrown, for bad requests", async () => {
    const orthrus = fakeEngine();
    for (const method of ["checkResources", "checkResource", "isAllowed"]) {
      await assert.rejects(orthrus[method](undefined), { code: "REQUEST_INVALID" });
    }
  });

  test("honour a signal that is aborted", async () => {
    const orthrus = fakeEngine();
    const reason = new Error("enough");
    await assert.rejects(orthrus.checkResource(request(), { signal: AbortSignal.abort(reason) }), reason);
    assert.equal(fake.requests.length, 0);
    await orthrus.checkResource(request(), { signal: new AbortController().signal });
  });
});

describe("tokens", () => {
  const jwt = { token: "t", keySetId: "k" };
  const withToken = request({ auxData: { jwt } });

  test("become claims", () => {
    const seen = [];
    const decodeJWTPayload = (jwt) => {
      seen.push(jwt);
      return { sub: "ann", n: 1 };
    };
    const orthrus = fakeEngine({ decodeJWTPayload });
    orthrus.checkResourceSync(withToken);
    assert.deepEqual(seen, [jwt]);
    assert.deepEqual(lastRequest().auxData, { jwt: { sub: "ann", n: 1 } });
    orthrus.checkResourceSync(request({ auxData: { jwts: { a: jwt, b: jwt } } }));
    assert.deepEqual(lastRequest().auxData, { jwts: { a: { sub: "ann", n: 1 }, b: { sub: "ann", n: 1 } } });
    orthrus.checkResourceSync(request({ auxData: { jwts: {} } }));
    assert.equal(lastRequest().auxData, undefined);
    orthrus.checkResourceSync(request({ auxData: {} }));
    assert.equal(lastRequest().auxData, undefined);
  });

  test("may be decoded later, but not without a promise", async () => {
    const orthrus = fakeEngine({ decodeJWTPayload: async ({ token }) => ({ sub: token }) });
    await orthrus.checkResource(withToken);
    assert.deepEqual(lastRequest().auxData, { jwt: { sub: "t" } });
    await orthrus.isAllowed({
      principal: PRINCIPAL,
      resource: RESOURCE,
      action: "view",
      auxData: { jwts: { a: jwt } },
    });
    assert.deepEqual(lastRequest().auxData, { jwts: { a: { sub: "t" } } });
    assert.throws(() => orthrus.checkResourceSync(withToken), { code: "REQUEST_JWT_UNSUPPORTED", path: "auxData" });
  });

  test("that are refused refuse the request", async () => {
    const cause = new Error("expired");
    const expected = { name: "RequestError", code: "REQUEST_JWT_INVALID", path: "auxData.jwt", cause };
    const refusing = fakeEngine({
      decodeJWTPayload: () => {
        throw cause;
      },
    });
    assert.throws(() => refusing.checkResourceSync(withToken), expected);
    await assert.rejects(
      fakeEngine({ decodeJWTPayload: () => Promise.reject(cause) }).checkResource(withToken),
      expected,
    );
    const sync = fakeEngine({ decodeJWTPayload: () => Promise.reject(cause) });
    assert.throws(() => sync.checkResourceSync(withToken), { code: "REQUEST_JWT_UNSUPPORTED" });
    for (const claims of [null, undefined, "x", []]) {
      const orthrus = fakeEngine({ decodeJWTPayload: () => claims });
      assert.throws(() => orthrus.checkResourceSync(withToken), { code: "REQUEST_JWT_INVALID" });
    }
  });

  test("with claims that JSON cannot carry are refused by path", () => {
    const orthrus = fakeEngine({ decodeJWTPayload: () => ({ n: 1n }) });
    assert.throws(() => orthrus.checkResourceSync(withToken), { path: "auxData.jwt.n" });
    assert.throws(() => orthrus.checkResourceSync(request({ auxData: { jwts: { a: jwt } } })), {
      path: "auxData.jwts.a.n",
    });
  });

  test("are not awaited past an abort or a close", async () => {
    const controller = new AbortController();
    const orthrus = fakeEngine({ decodeJWTPayload: async () => ({}) });
    const aborted = orthrus.checkResource(withToken, { signal: controller.signal });
    controller.abort();
    await assert.rejects(aborted, { name: "AbortError" });
    const closed = orthrus.checkResource(withToken);
    orthrus.close();
    await assert.rejects(closed, { code: "ENGINE_CLOSED" });
    assert.equal(fake.requests.length, 0);
  });
});

describe("withPrincipal", () => {
  test("adds the principal and its tokens", async () => {
    const orthrus = fakeEngine({ decodeJWTPayload: ({ token }) => ({ token }) });
    const ann = orthrus.withPrincipal(PRINCIPAL, { jwt: { token: "hers" } });
    assert.equal(ann.client, orthrus);
    assert.equal(await ann.isAllowed({ resource: RESOURCE, action: "view" }), true);
    assert.deepEqual(lastRequest(), {
      auxData: { jwt: { token: "hers" } },
      principal: PRINCIPAL,
      resources: [{ resource: RESOURCE, actions: ["view"] }],
    });
    assert.equal(ann.isAllowedSync({ resource: RESOURCE, action: "view" }), true);
    assert.equal((await ann.checkResource({ resource: RESOURCE, actions: ["view"] })).allAllowed(), true);
    assert.equal(ann.checkResourceSync({ resource: RESOURCE, actions: ["view"] }).allAllowed(), true);
    const resources = [{ resource: RESOURCE, actions: ["view"] }];
    assert.equal((await ann.checkResources({ resources })).allAllowed(RESOURCE), true);
    assert.equal(
      ann.checkResourcesSync({ resources, auxData: { jwt: { token: "other" } } }).allAllowed(RESOURCE),
      true,
    );
    assert.deepEqual(lastRequest().auxData, { jwt: { token: "other" } });
  });

  test("lets no request name another principal", () => {
    const ann = fakeEngine().withPrincipal(PRINCIPAL);
    ann.checkResourceSync(request({ principal: { id: "eve", roles: ["admin"] } }));
    assert.deepEqual(lastRequest().principal, PRINCIPAL);
  });

  test("rejects what is no request", async () => {
    await assert.rejects(fakeEngine().withPrincipal(PRINCIPAL).checkResource(undefined), { code: "REQUEST_INVALID" });
  });
});

describe("the engine", () => {
  test("tells its warnings and how many policies it has", () => {
    const orthrus = fakeEngine();
    const warnings = [{ severity: "warning", code: "x", message: "y", related: [] }];
    fake.warnings = JSON.stringify(warnings);
    assert.deepEqual(orthrus.warnings, warnings);
    assert.equal(orthrus.policyCount, 3);
  });

  test("fails once it is closed", async () => {
    const orthrus = fakeEngine();
    const ann = orthrus.withPrincipal(PRINCIPAL);
    orthrus.close();
    orthrus.close();
    assert.equal(fake.closed.filter((engine) => engine === fake.lastEngine).length, 1);
    const closed = { name: "ClosedError", code: "ENGINE_CLOSED" };
    for (const method of ["checkResources", "checkResource", "isAllowed"]) {
      await assert.rejects(orthrus[method](request()), closed);
      assert.throws(() => orthrus[`${method}Sync`](request()), closed);
      await assert.rejects(ann[method](request()), closed);
    }
    assert.throws(() => orthrus.warnings, closed);
    assert.throws(() => orthrus.policyCount, closed);
    assert.equal(fake.requests.length, 0);
  });

  test("frees its policies when it is forgotten", async () => {
    setFlagsFromString("--expose-gc");
    const collectGarbage = runInNewContext("gc");
    fakeEngine();
    for (let round = 0; round < 50 && !fake.closed.includes(fake.lastEngine); round++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      collectGarbage();
    }
    assert.ok(fake.closed.includes(fake.lastEngine));
  });

  test("refuses a clock that gives no time", () => {
    for (const now of [() => 0, () => new Date(Number.NaN)]) {
      assert.throws(() => fakeEngine({ now }).checkResourceSync(request()), { code: "OPTIONS_INVALID", path: "now" });
    }
  });
});
