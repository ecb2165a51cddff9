/** `orthrus/workers` apart from any runtime: paths, routes, envelopes, revocation, and what options are refused. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { describe, test } from "node:test";

const require = createRequire(import.meta.url);
const {
  authWorker,
  authzWorker,
  KVRevocationList,
  normalizePath,
  principalFromClaims,
  Routes,
  singleWorker,
  TokenVerifier,
} = require("orthrus/workers");
const { Envelope, ENVELOPE_HEADER } = require("../../dist/workers/envelope.js");

describe("paths", () => {
  for (const [path, expected] of [
    ["/", "/"],
    ["//a///b/", "/a/b"],
    ["/%61dmin", "/admin"],
    ["/a%20b", "/a%20b"],
    ["/%C3%A9", "/%C3%A9"],
    ["/a+b@c", "/a%2Bb%40c"],
    ["/100%25", "/100%25"],
  ]) {
    test(`${path} is ${expected}`, () => assert.equal(normalizePath(path).text, expected));
  }
  for (const [path, problem] of [
    ["/a%2Fb", /encoded slash/],
    ["/a%5Cb", /backslash/],
    ["/a\\b", /backslash/],
    ["/a%00", /control character/],
    ["/a%1F", /control character/],
    ["/a;b", /semicolon/],
    ["/a%3Bb", /semicolon/],
    ["/%E0%A4%A", /no UTF-8/],
    ["/%FF", /no UTF-8/],
    ["/%2561", /double encoding/],
    ["/e%CC%81", /not composed/],
    ["/a/%2e%2e/b", /dot segment/],
    ["/a/./b", /dot segment/],
    ["*", /no slash/],
    ["", /no slash/],
    ["/a\tb", /control character/],
    ["/a#b", /fragment/],
    [`/${"a".repeat(2048)}`, /more than 2048/],
  ]) {
    test(`${path.slice(0, 20)} has ${problem.source}`, () => assert.match(normalizePath(path), problem));
  }
});

describe("routes", () => {
  const resource = { kind: "x" };
  const routes = new Routes([
    { path: "/{rest*}", resource: { kind: "any", id: "{rest}" }, action: "{method}" },
    {
      path: "/items/{id}",
      resource: { kind: "item", id: "{id}", scope: "acme.{id}" },
      action: { GET: "view", PUT: "edit" },
    },
    { path: "/items/new", methods: ["GET"], resource: { kind: "form" }, action: "open" },
    { path: "/items/new", methods: ["POST"], resource: { kind: "item" }, action: "create" },
    {
      path: "/tenants/{tenant}/files/{path*}",
      hosts: ["*.example.com"],
      resource: {
        kind: "file",
        id: "{path}",
        attr: { tenant: "{tenant}", agent: { header: "User-Agent" }, version: { query: "v" }, fixed: "yes" },
      },
      action: "read",
    },
  ]);
  const match = (method, address, headers = {}) => {
    const url = new URL(address, "https://api.example.com");
    return routes.match({ method, url, path: normalizePath(url.pathname), headers: new Headers(headers) });
  };

  for (const [method, path, kind, id, action] of [
    ["GET", "/items/7", "item", "7", "view"],
    ["PUT", "/items/7", "item", "7", "edit"],
    ["GET", "/items/new", "form", "/items/new", "open"],
    ["POST", "/items/new", "item", "/items/new", "create"],
    ["DELETE", "/elsewhere/deep", "any", "elsewhere/deep", "delete"],
    ["GET", "/", "any", "/", "get"],
    ["GET", "/Items/7", "any", "Items/7", "get"],
  ]) {
    test(`${method} ${path} is ${action} of ${kind}`, () => {
      const { resource, action: asked } = match(method, path);
      assert.deepEqual([resource.kind, resource.id, asked], [kind, id, action]);
    });
  }

  test("a method without an action fits no route, not even a wider one", () => {
    assert.equal(match("DELETE", "/items/7"), undefined);
  });

  test("attributes come from the path, headers and the query; what is not said is left out", () => {
    const url = "https://eu.example.com/tenants/t1/files/a/b?v=2";
    assert.deepEqual(match("GET", url).resource, {
      kind: "file",
      id: "a/b",
      attr: { tenant: "t1", version: "2", fixed: "yes" },
    });
    assert.equal(match("GET", url, { "user-agent": "x" }).resource.attr.agent, "x");
    assert.equal(match("GET", url.replace("eu.example.com", "example.org")).resource.kind, "any");
  });

  for (const [what, route, path, message] of [
    ["no path", { resource, action: "x" }, "routes[0].path", /begins with/],
    ["a relative path", { path: "a", resource, action: "x" }, "routes[0].path", /begins with/],
    ["a pattern", { path: "/a*", resource, action: "x" }, "routes[0].path", /segment "a\*"/],
    ["a rest in the middle", { path: "/{a*}/b", resource, action: "x" }, "routes[0].path", /segment/],
    ["a name twice", { path: "/{a}/{a}", resource, action: "x" }, "routes[0].path", /two segments/],
    [
      "an unknown name",
      { path: "/{a}", resource: { kind: "x", id: "{b}" }, action: "x" },
      "routes[0].resource.id",
      /no part of the path/,
    ],
    ["no kind", { path: "/", resource: {}, action: "x" }, "routes[0].resource.kind", /kind/],
    ["no action", { path: "/", resource }, "routes[0].action", /action/],
    [
      "a method without an action",
      { path: "/", methods: ["GET", "PUT"], resource, action: { GET: "view" } },
      "routes[0].action",
      /PUT/,
    ],
    [
      "a method in small letters",
      { path: "/", methods: ["get"], resource, action: "x" },
      "routes[0].methods",
      /capitals/,
    ],
    ["a host with a port", { path: "/", hosts: ["a:80"], resource, action: "x" }, "routes[0].hosts", /without port/],
    ["a slip", { path: "/", resource, action: "x", method: "GET" }, "routes[0].method", /methods/],
    [
      "an attribute of nothing",
      { path: "/", resource: { kind: "x", attr: { a: {} } }, action: "x" },
      "routes[0].resource.attr.a",
      /header/,
    ],
  ]) {
    test(`refuse ${what}`, () =>
      assert.throws(
        () => new Routes([route]),
        (error) => {
          assert.deepEqual([error.code, error.path], ["OPTIONS_INVALID", path]);
          assert.match(error.message, message);
          return true;
        },
      ));
  }

  test("refuse two for the same requests", () => {
    const one = { path: "/{a}", resource, action: "x" };
    assert.throws(
      () => new Routes([one, { ...one, path: "/{b}" }]),
      /routes\[1\]: stands for the same requests as \/\{a\}/,
    );
    const [get, put] = [
      { ...one, methods: ["GET"] },
      { ...one, path: "/{b}", methods: ["PUT"] },
    ];
    assert.ok(new Routes([get, put]));
    assert.throws(() => new Routes([get, put, get]), /routes\[2\]: stands for the same requests/);
  });

  test("refuse two whose hosts meet", () => {
    const at = (...hosts) => ({ path: "/", hosts, resource, action: "x" });
    assert.ok(new Routes([at("a.example.com", "b.example.com"), at("*.a.example.com"), at("example.com")]));
    for (const hosts of ["*.example.com", "*.b.example.com", "b.example.com"]) {
      assert.throws(() => new Routes([at("*.b.example.com", "b.example.com"), at(hosts)]), /same requests/, hosts);
    }
  });

  test("a method is no property that every object has", () => {
    const routes = new Routes([{ path: "/", resource, action: { GET: "view" } }]);
    const url = new URL("https://example.com/");
    const request = { url, path: normalizePath("/"), headers: new Headers() };
    assert.equal(routes.match({ ...request, method: "constructor" }), undefined);
    assert.equal(routes.match({ ...request, method: "GET" }).action, "view");
  });
});

describe("envelopes", () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const identity = { principal: { id: "ann", roles: ["user"] } };
  const envelope = new Envelope(secret, "envelopeSecret");
  const request = (options = {}) => new Request(options.url ?? "https://api.example.com/a?b=1", options);
  const opened = async (sealed, options = {}, by = envelope) =>
    by.open(request({ ...options, headers: { [ENVELOPE_HEADER]: sealed } }));

  test("open for the request that they were sealed for", async () => {
    assert.deepEqual(await opened(await envelope.seal(identity, request())), identity);
  });

  for (const [what, open] of [
    ["another method", (sealed) => opened(sealed, { method: "PUT" })],
    ["another path", (sealed) => opened(sealed, { url: "https://api.example.com/b?b=1" })],
    ["another query", (sealed) => opened(sealed, { url: "https://api.example.com/a?b=2" })],
    ["another host", (sealed) => opened(sealed, { url: "https://evil.example.com/a?b=1" })],
    ["another secret", (sealed) => opened(sealed, {}, new Envelope(`${secret}x`, ""))],
    // The last letter of a signature holds bits that nobody reads; the first does not.
    ["an altered one", (sealed) => opened(sealed.replace(/\.[^.](?=[^.]*$)/, (at) => (at === ".A" ? ".B" : ".A")))],
    ["none", () => envelope.open(request())],
  ]) {
    test(`do not open for ${what}`, async () =>
      assert.equal(await open(await envelope.seal(identity, request())), undefined));
  }

  test("do not open when they are old", async () => {
    const short = new Envelope(secret, "", -10);
    assert.equal(await opened(await short.seal(identity, request())), undefined);
  });

  test("need a secret", () =>
    assert.throws(() => new Envelope("short", "envelopeSecret"), /envelopeSecret: must be a secret of 32 bytes/));
});

describe("a pair with envelopes", () => {
  const secret = "0123456789abcdef0123456789abcdef";
  const verifier = new TokenVerifier({ jwksUrl: "https://login.example.com/jwks", issuer: "i", audience: "a" });
  verifier.verify = async (token) => ({ sub: token, roles: ["user"] });
  const engine = { checkResource: async ({ principal }) => ({ isAllowed: () => principal.id === "ann" }) };
  const quiet = { log: () => undefined };
  const authz = authzWorker({
    engine,
    routes: [{ path: "/{x*}", resource: { kind: "x" }, action: "get" }],
    origin: async (request) => Response.json(Object.fromEntries(request.headers)),
    envelopeSecret: secret,
    ...quiet,
  });
  const auth = authWorker({
    token: verifier,
    authz: { fetch: (request) => authz.fetch(request, {}, undefined) },
    envelopeSecret: secret,
    ...quiet,
  });
  const ask = (worker, headers) => worker.fetch(new Request("https://api.example.com/x", { headers }), {}, undefined);

  test("lets through whom the policies let through, and hides the envelope from the origin", async () => {
    const response = await ask(auth, { authorization: "Bearer ann" });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), {});
  });
  test("refuses others", async () => assert.equal((await ask(auth, { authorization: "Bearer eve" })).status, 403));
  test("refuses who goes around the auth-worker", async () => {
    for (const headers of [{}, { authorization: "Bearer ann" }, { [ENVELOPE_HEADER]: "e30.e30.e30" }]) {
      assert.equal((await ask(authz, headers)).status, 403);
    }
  });
});

describe("a failure", () => {
  const options = {
    token: { jwksUrl: "https://login.example.com/jwks", issuer: "i", audience: "a" },
    anonymous: { id: "anonymous", roles: ["anonymous"] },
    routes: [{ path: "/{x*}", resource: { kind: "x" }, action: "get" }],
    origin: async () => new Response("passed"),
  };
  const decided = { checkResource: async () => ({ isAllowed: () => true }) };
  const entries = [];
  const ask = async (others) => {
    const worker = singleWorker({ ...options, engine: decided, log: (entry) => entries.push(entry), ...others });
    return worker.fetch(new Request("https://api.example.com/x?token=s3cret"), {}, undefined);
  };

  for (const [what, others, status] of [
    ["none", {}, 200],
    ["policies that cannot be loaded", { engine: () => Promise.reject(new Error("s3cret")) }, 503],
    ["an engine that fails", { engine: { checkResource: async () => Promise.reject(new Error("s3cret")) } }, 503],
    ["an answer that is no decision", { engine: { checkResource: async () => ({ isAllowed: () => "yes" }) } }, 403],
    ["a rate limit that fails", { rateLimit: () => Promise.reject(new Error("down")) }, 503],
    ["a rate limit that says no", { rateLimit: () => false }, 429],
    ["a log that fails", { log: () => assert.fail("the log is full") }, 200],
    ["nobody where somebody is needed", { anonymous: undefined }, 401],
  ]) {
    test(`${what} is ${status}`, async () => {
      const response = await ask(others);
      assert.equal(response.status, status);
      assert.ok(!(await response.text()).includes("s3cret"));
    });
  }

  test("is counted, and told without the query", async () => {
    const points = [];
    await ask({ analytics: { writeDataPoint: (point) => points.push(point) }, anonymous: undefined });
    assert.deepEqual(
      [points[0].indexes, points[0].blobs],
      [["unauthenticated"], ["auth+authz", "unauthenticated", "NO_TOKEN", "", "GET"]],
    );
    const { outcome, status, reason, path } = entries.at(-1);
    assert.deepEqual([outcome, status, reason, path], ["unauthenticated", 401, "NO_TOKEN", "/x"]);
    assert.ok(!JSON.stringify(entries).includes("token="));
  });

  test("of a client to pass for somebody by an attribute", async () => {
    const seen = [];
    const worker = singleWorker({
      ...options,
      log: () => undefined,
      stripHeaders: ["X-Tenant"],
      routes: [
        {
          path: "/{x*}",
          resource: {
            kind: "x",
            attr: { tenant: { header: "x-tenant" }, agent: { header: "user-agent" } },
          },
          action: "get",
        },
      ],
      engine: { checkResource: async ({ resource }) => seen.push(resource.attr) && { isAllowed: () => true } },
    });
    const headers = { "x-tenant": "acme", "user-agent": "test" };
    await worker.fetch(new Request("https://api.example.com/x", { headers }), {}, undefined);
    assert.deepEqual(seen, [{ agent: "test" }]);
  });

  for (const [what, others, path] of [
    ["a slip", { rout: [] }, "rout"],
    ["no engine", { engine: undefined }, "engine"],
    [
      "an attribute by which a client could name itself",
      { routes: [{ path: "/", resource: { kind: "x", attr: { user: { header: "X-User-Id" } } }, action: "get" }] },
      "routes[0].resource.attr.user.header",
    ],
    ["an origin that is not set", { origin: undefined }, "origin"],
    ["an origin that is no URL", { origin: "example" }, "origin"],
    [
      "a key set by plain HTTP",
      { token: { ...options.token, jwksUrl: "http://login.example.com/jwks" } },
      "token.jwksUrl",
    ],
    ["a variable that is not set", { token: { ...options.token, jwksUrl: undefined } }, "token.jwksUrl"],
    ["no issuer", { token: { ...options.token, issuer: "" } }, "token.issuer"],
    ["no audience", { token: { ...options.token, audience: undefined } }, "token.audience"],
    ["an algorithm of secrets", { token: { ...options.token, algorithms: ["HS256"] } }, "token.algorithms"],
    ["a binding that is not there", { rateLimit: null }, "rateLimit"],
  ]) {
    test(`of options is told at once: ${what}`, () =>
      assert.throws(() => singleWorker({ ...options, engine: decided, ...others }), { code: "OPTIONS_INVALID", path }));
  }
});

test("tokens without an audience are believed where that is said", async () => {
  const { generateKeyPair, exportJWK, SignJWT } = await import("jose");
  const { publicKey, privateKey } = await generateKeyPair("ES256");
  const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: "1", alg: "ES256" }] });
  const server = createServer((_, response) => response.setHeader("content-type", "application/json").end(keys));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const jwksUrl = `http://127.0.0.1:${server.address().port}/jwks`;
    const token = await new SignJWT({ sub: "ann" })
      .setProtectedHeader({ alg: "ES256", kid: "1" })
      .setIssuer("i")
      .setExpirationTime("1m")
      .sign(privateKey);
    assert.equal((await new TokenVerifier({ jwksUrl, issuer: "i", audience: false }).verify(token)).sub, "ann");
    await assert.rejects(new TokenVerifier({ jwksUrl, issuer: "i", audience: "a" }).verify(token), {
      code: "JWT_CLAIM_MISSING",
    });
  } finally {
    server.close();
  }
});

describe("principals of claims", () => {
  test("have the roles of the claim, each once", () => {
    assert.deepEqual(principalFromClaims({ sub: "ann", roles: ["a", "b", "a"], iss: "i", org_id: "acme" }), {
      id: "ann",
      roles: ["a", "b"],
      attr: { authenticated: true, iss: "i", org: "acme" },
    });
  });
  test("are users without any", () => assert.deepEqual(principalFromClaims({ sub: "ann" }).roles, ["user"]));
  for (const [what, claims] of [
    ["a text as roles", { sub: "ann", roles: "superadmin" }],
    ["a number among roles", { sub: "ann", roles: ["a", 1] }],
    ["an empty role", { sub: "ann", roles: [""] }],
    ["no subject", { roles: ["a"] }],
  ]) {
    test(`are refused for ${what}`, () =>
      assert.throws(() => principalFromClaims(claims), { code: "IDENTITY_INVALID" }));
  }
});

describe("revocation in KV", () => {
  const namespace = () => {
    const values = new Map();
    return {
      values,
      get: async (key) => values.get(key) ?? null,
      put: async (key, value) => void values.set(key, value),
    };
  };

  test("is of a token, or of all of a subject or session until a moment", async () => {
    const kv = namespace();
    const list = new KVRevocationList(kv);
    await list.revoke({ jti: "t1" });
    await list.revoke({ sub: "ann", issuedBefore: new Date(1_000_000) });
    assert.equal(await list.isRevoked({ jti: "t1", iat: 9_999_999_999 }), true);
    assert.equal(await list.isRevoked({ jti: "t2", sub: "ann", iat: 900 }), true);
    assert.equal(await list.isRevoked({ jti: "t2", sub: "ann", iat: 1001 }), false);
    assert.equal(await list.isRevoked({ jti: "t2", sub: "max", iat: 900 }), false);
  });

  test("is never taken back by an earlier moment", async () => {
    const list = new KVRevocationList(namespace());
    await list.revoke({ sub: "ann", issuedBefore: new Date(2_000_000) });
    await list.revoke({ sub: "ann", issuedBefore: new Date(1_000_000) });
    assert.equal(await list.isRevoked({ sub: "ann", iat: 1500 }), true);
  });

  test("counts for all where the value is none of ours", async () => {
    const kv = namespace();
    kv.values.set("revoked:sub:ann", "yes");
    assert.equal(await new KVRevocationList(kv).isRevoked({ sub: "ann", iat: 9_999_999_999 }), true);
  });
});
