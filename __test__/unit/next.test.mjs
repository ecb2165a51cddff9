/** `orthrus/next`: the configuration, and what components, actions and `proxy.ts` call. Handlers are in the table of frameworks. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { fake, fakeEngine, PRINCIPAL, RESOURCE } from "../support/engine.mjs";

const { createAuthz, withOrthrus } = await import("orthrus/next");
const { NextRequest } = (await import("next/server.js")).default;

const EXTERNALS = ["orthrus/addon"];
const INTERRUPTS = { authInterrupts: true };

describe("withOrthrus", () => {
  const cases = [
    ["nothing", undefined, undefined, { serverExternalPackages: EXTERNALS, experimental: INTERRUPTS }],
    [
      "a configuration, which stays as it is",
      { reactStrictMode: true, serverExternalPackages: ["sharp"], experimental: { taint: true } },
      {},
      {
        reactStrictMode: true,
        serverExternalPackages: ["sharp", ...EXTERNALS],
        experimental: { taint: true, ...INTERRUPTS },
      },
    ],
    [
      "a configuration that has been through it",
      { serverExternalPackages: EXTERNALS, outputFileTracingIncludes: { "/*": ["policies/**/*"] } },
      { policies: "policies" },
      {
        serverExternalPackages: EXTERNALS,
        experimental: INTERRUPTS,
        outputFileTracingIncludes: { "/*": ["policies/**/*"] },
      },
    ],
    [
      "policies",
      { outputFileTracingIncludes: { "/*": ["a"], "/b": ["b"] } },
      { policies: ["./policies/", "../shared"] },
      {
        serverExternalPackages: EXTERNALS,
        experimental: INTERRUPTS,
        outputFileTracingIncludes: { "/*": ["a", "policies/**/*", "../shared/**/*"], "/b": ["b"] },
      },
    ],
    ["no interrupts, by option", {}, { authInterrupts: false }, { serverExternalPackages: EXTERNALS }],
    [
      "no interrupts, by the configuration",
      { experimental: { authInterrupts: false } },
      {},
      { serverExternalPackages: EXTERNALS, experimental: { authInterrupts: false } },
    ],
  ];
  for (const [name, config, options, expected] of cases) {
    test(`given ${name}`, () => {
      const before = structuredClone(config);
      assert.deepEqual(withOrthrus(config, options), expected);
      assert.deepEqual(config, before);
    });
  }

  test("given a promise, promises", async () => {
    const config = withOrthrus(Promise.resolve({ distDir: "out" }));
    assert.ok(config instanceof Promise);
    assert.deepEqual(await config, { distDir: "out", serverExternalPackages: EXTERNALS, experimental: INTERRUPTS });
  });

  test("given a function, returns one with the same parameters", () => {
    const config = withOrthrus((phase, { defaultConfig }) => ({ distDir: phase, env: defaultConfig.env }));
    assert.deepEqual(config("out", { defaultConfig: { env: { a: "b" } } }), {
      ...{ distDir: "out", env: { a: "b" } },
      ...{ serverExternalPackages: EXTERNALS, experimental: INTERRUPTS },
    });
  });

  test("given an asynchronous function, returns one", async () => {
    const config = withOrthrus(async (phase) => ({ distDir: phase }));
    assert.deepEqual((await config("out", {})).distDir, "out");
    assert.deepEqual((await config("out", {})).serverExternalPackages, EXTERNALS);
  });

  test("refuses a configuration in which React would be doubled", () => {
    assert.throws(() => withOrthrus({ serverExternalPackages: ["orthrus"] }), {
      code: "OPTIONS_INVALID",
      path: "serverExternalPackages",
    });
  });

  for (const [path, value] of [
    ["policies", ""],
    ["policies", ["policies", ""]],
    ["policies", 1],
    ["authInterrupts", "no"],
  ]) {
    test(`refuses ${path}: ${JSON.stringify(value)}`, () => {
      assert.throws(() => withOrthrus({}, { [path]: value }), { code: "OPTIONS_INVALID", path });
    });
  }

  test("refuses an unknown option", () => {
    assert.throws(() => withOrthrus({}, { polices: "policies" }), {
      code: "OPTIONS_INVALID",
      message: /did you mean policies/,
    });
  });
});

describe("components and actions", () => {
  const question = { resource: RESOURCE, action: "view" };
  const failing = (code) => () => {
    throw Object.assign(new Error("secret"), { code });
  };
  // What the build puts in where the configuration enables it.
  beforeEach(() => {
    process.env.__NEXT_EXPERIMENTAL_AUTH_INTERRUPTS = "1";
  });
  afterEach(() => {
    delete process.env.__NEXT_EXPERIMENTAL_AUTH_INTERRUPTS;
  });

  /** A guard whose engine denies or allows everything. */
  function guard({ principal = () => PRINCIPAL, answer = "A", ...setup } = {}) {
    const engine = fakeEngine();
    fake.answer = ({ resources }) => resources.map(({ actions }) => answer.repeat(actions.length)).join("");
    return createAuthz({ engine, principal, ...setup });
  }
  const interrupted = (status) => ({ digest: `NEXT_HTTP_ERROR_FALLBACK;${status}` });

  const cases = [
    ["what is allowed", {}, undefined],
    ["what is denied", { answer: "D" }, interrupted(403)],
    ["nobody", { principal: () => null }, interrupted(401)],
    ["an invalid credential", { principal: failing("JWT_EXPIRED") }, interrupted(401)],
    ["a credential that cannot be verified now", { principal: failing("JWT_KEYS_UNAVAILABLE") }, { status: 503 }],
    ["a failure", { principal: failing(undefined) }, { code: "AUTHORIZATION_UNDECIDED", status: 500 }],
  ];
  for (const [name, setup, error] of cases) {
    test(`authorize: ${name}`, async () => {
      const refusals = [];
      const decision = guard({ ...setup, log: (refusal) => refusals.push(refusal) }).authorize(question);
      if (error === undefined) {
        assert.equal((await decision).isAllowed("view"), true);
      } else {
        await assert.rejects(decision, error);
      }
      assert.equal(refusals.length, error === undefined ? 0 : 1);
    });
  }

  test("authorize: what Next.js throws to control itself goes through as it is", async () => {
    const { notFound, redirect } = (await import("next/navigation.js")).default;
    await assert.rejects(guard().authorize({ ...question, resource: () => notFound() }), interrupted(404));
    await assert.rejects(guard({ principal: () => redirect("/sign-in") }).authorize(question), /NEXT_REDIRECT/);
  });

  const answers = [
    ["what is allowed", {}, true],
    ["what is denied", { answer: "D" }, false],
    ["nobody", { principal: () => undefined }, false],
    ["an invalid credential", { principal: failing("IDENTITY_INVALID") }, false],
    ["a credential that cannot be verified now", { principal: failing("JWT_KEYS_UNAVAILABLE") }, { status: 503 }],
    ["a failure", { principal: failing(undefined) }, { status: 500 }],
  ];
  for (const [name, setup, expected] of answers) {
    test(`isAllowed: ${name}`, async () => {
      const answer = guard(setup).isAllowed(question);
      await (typeof expected === "boolean" ? assert.equal(await answer, expected) : assert.rejects(answer, expected));
    });
    test(`snapshot: ${name}`, async () => {
      const answer = guard(setup).snapshot([
        { resource: { ...RESOURCE, attr: { secret: 1 } }, actions: ["view", "edit"] },
      ]);
      const decisions = [{ resource: RESOURCE, actions: { view: expected, edit: expected } }];
      await (typeof expected === "boolean"
        ? assert.deepEqual(await answer, decisions)
        : assert.rejects(answer, expected));
    });
  }

  test("principal: who asks, or null", async () => {
    assert.equal(await guard().principal(), PRINCIPAL);
    assert.equal(await guard({ principal: () => undefined }).principal(), null);
  });

  test("a resource that was looked for and is not there is forbidden", async () => {
    await assert.rejects(guard().authorize({ ...question, resource: undefined }), interrupted(403));
    assert.equal(await guard().isAllowed({ ...question, resource: undefined }), false);
    await assert.rejects(guard().authorize({ action: "view" }), { code: "OPTIONS_INVALID", path: "resource" });
  });

  test("questions are checked when they are asked", async () => {
    await assert.rejects(guard().authorize({ resource: RESOURCE }), { code: "OPTIONS_INVALID", path: "action" });
    assert.throws(() => guard({ onDenied: () => undefined }), { code: "OPTIONS_INVALID", path: "onDenied" });
  });

  test("one request, one principal and one decision", () => {
    // React's cache exists only where server components are rendered.
    const script = fileURLToPath(new URL("../support/server-component.cjs", import.meta.url));
    const output = execFileSync(process.execPath, ["--conditions=react-server", script], { encoding: "utf8" });
    assert.deepEqual(JSON.parse(output), {
      principals: 1,
      // `view` asked twice of one resource, `edit` once, and the snapshot.
      requests: 3,
      same: true,
    });
  });

  describe("proxy", () => {
    const request = new NextRequest("http://localhost/admin", { headers: { cookie: "session=1" } });
    const bySession = ({ cookies }) => (cookies.has("session") ? PRINCIPAL : null);

    test("lets through what is allowed", async () => {
      assert.equal(await guard().proxy(question)(request), undefined);
    });

    test("asks for the principal of the request", async () => {
      const gate = guard({ principal: failing(undefined) }).proxy({ ...question, principal: bySession });
      assert.equal(await gate(request), undefined);
      assert.equal((await gate(new NextRequest("http://localhost/admin"))).status, 401);
    });

    for (const [status, setup] of [
      [403, { answer: "D" }],
      [401, { principal: () => null }],
      [503, { principal: failing("JWT_KEYS_UNAVAILABLE") }],
    ]) {
      test(`answers ${status}`, async () => {
        assert.equal((await guard(setup).proxy(question)(request)).status, status);
      });
    }

    test("lets the application answer", async () => {
      const onDenied = (_denial, { nextUrl }) =>
        Response.redirect(new URL(`/sign-in?from=${nextUrl.pathname}`, nextUrl));
      const response = await guard({ principal: () => null }).proxy({ ...question, onDenied })(request);
      assert.equal(response.headers.get("location"), "http://localhost/sign-in?from=/admin");
    });

    test("fails where it cannot decide", async () => {
      await assert.rejects(guard({ principal: failing(undefined) }).proxy(question)(request), { status: 500 });
    });
  });
});
