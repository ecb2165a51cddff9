/** `examples/workers`: the pair as it is deployed, in workerd, and who tries to get past it. */

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { buildExample, freePort, installExample, startExample } from "../../scripts/lib/examples.mjs";
import { skip } from "./support/app.mjs";
import { ask, startOne, startPair } from "./support/workers.mjs";

/** What Cloudflare takes on its free plan, at the least that it has ever taken. */
const MAX_UPLOAD = 3_000_000;

const people = {
  ann: { sub: "ann", roles: ["user"] },
  max: { sub: "max", roles: ["user", "premium"] },
  root: { sub: "root", roles: ["admin"] },
};

const bodies = {
  400: { error: "bad request" },
  401: { error: "unauthorized" },
  403: { error: "forbidden" },
  429: { error: "too many requests" },
  503: { error: "unavailable" },
};

const base64 = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const bearer = (token) => ({ authorization: `Bearer ${token}` });

describe("workers", { skip }, () => {
  let startIssuer;
  let issuer;
  let pair;
  const printed = [];

  before(async () => {
    const folder = await installExample("workers");
    await buildExample("workers", {}, { quiet: true, onLine: (line) => printed.push(line) });
    ({ startIssuer } = await import(`file://${folder}/issuer.mjs`));
    issuer = await startIssuer(0);
    pair = await startPair(issuer);
  });
  after(async () => {
    await pair?.close();
    await issuer?.close();
  });

  /** Asks as somebody: a person of the table, or with claims. */
  async function as(who, path, options = {}) {
    const claims = typeof who === "string" ? people[who] : who;
    const headers = { ...bearer(await issuer.token(claims)), ...options.headers };
    return ask(pair.url, path, { ...options, headers });
  }

  function isRefused({ status, body }, expected) {
    assert.equal(status, expected, JSON.stringify(body));
    assert.deepEqual(body, bodies[expected], "the client learns nothing else");
  }

  test("wrangler packs it, and it fits", () => {
    for (const worker of ["authz", "auth", "single", "hono"]) {
      const line = printed.find((text) => text.startsWith(`${worker}: Total Upload`));
      const [, gzip] = /gzip: ([\d.]+) KiB/.exec(line) ?? [];
      assert.ok(Number(gzip) * 1024 < MAX_UPLOAD, line);
      console.log(`# ${line}`);
    }
  });

  describe("the three rules", () => {
    for (const [who, method, path, status] of [
      ["root", "GET", "/admin/users", 200],
      ["root", "POST", "/admin/users", 200],
      ["root", "GET", "/admin", 200],
      ["ann", "GET", "/admin/users", 403],
      ["max", "GET", "/admin", 403],
      ["ann", "GET", "/profile/ann", 200],
      ["max", "GET", "/profile/ann", 200],
      ["ann", "PUT", "/profile/ann", 200],
      ["max", "PUT", "/profile/ann", 403],
      ["root", "PUT", "/profile/ann", 200],
      ["ann", "DELETE", "/profile/ann", 403],
      ["max", "GET", "/secret-data/plans/2027", 200],
      ["ann", "GET", "/secret-data/plans/2027", 403],
      ["root", "GET", "/secret-data", 403],
      ["root", "GET", "/", 403],
      ["root", "GET", "/administrators", 403],
      ["root", "GET", "/elsewhere", 403],
    ]) {
      test(`${who}: ${method} ${path} is ${status}`, async () => {
        const answer = await as(who, path, { method });
        if (status === 200) {
          assert.equal(answer.status, 200);
          assert.deepEqual([answer.body.method, answer.body.path], [method, path]);
        } else {
          isRefused(answer, status);
        }
      });
    }

    test("bodies and queries arrive", async () => {
      const answer = await as("ann", "/profile/ann?dry=1", { method: "PUT", body: "name=Ann" });
      assert.deepEqual([answer.body.path, answer.body.body], ["/profile/ann?dry=1", "name=Ann"]);
    });
  });

  describe("paths that servers read in several ways", () => {
    for (const [path, who, status, arrives] of [
      ["//admin", "ann", 403],
      ["/Admin", "ann", 403],
      ["/Admin", "root", 403],
      ["/%61dmin", "ann", 403],
      ["/%61dmin", "root", 200, "/admin"],
      ["//admin//users/", "root", 200, "/admin/users"],
      ["/%2561dmin", "root", 400],
      ["/admin/..;/profile/ann", "ann", 400],
      ["/profile/ann;x=1", "ann", 400],
      ["/profile/..%2fadmin", "ann", 400],
      ["/profile/%2e%2e/admin", "ann", 403],
      ["/profile/../admin", "ann", 403],
      ["/profile/ann/../../admin", "ann", 403],
      ["/profile/ann%5c..%5cadmin", "ann", 400],
      ["/\\admin", "ann", 403],
      ["/profile/ann%00", "ann", 400],
      ["/profile/ann%0d%0aX-User-Id:root", "ann", 400],
      ["/profile/%ff", "ann", 400],
      ["/profile/%c0%af", "ann", 400],
      ["/admin.", "ann", 403],
      ["/admin%20", "ann", 403],
      [`/profile/${"a".repeat(3000)}`, "ann", 400],
    ]) {
      test(`${who}: ${path.slice(0, 40)} is ${status}`, async () => {
        const answer = await as(who, path);
        if (status === 200) {
          assert.equal(answer.status, 200);
          assert.equal(answer.body.path, arrives, "what was decided upon is what arrives");
        } else {
          isRefused(answer, status);
        }
      });
    }
  });

  describe("tokens", () => {
    const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
    const past = Math.floor(Date.now() / 1000) - 3600;
    const ROOT = { sub: "root", roles: ["admin"] };
    for (const [what, forge] of [
      ["missing sub", () => issuer.token({ ...ROOT, sub: undefined })],
      ["an empty sub", () => issuer.token({ ...ROOT, sub: "" })],
      ["roles as a text", () => issuer.token({ sub: "eve", roles: "superadmin-not" })],
      ["roles as an object", () => issuer.token({ sub: "eve", roles: { 0: "admin" } })],
      ["no exp", () => issuer.token({ ...ROOT, exp: undefined })],
      ["expired", () => issuer.token({ ...ROOT, exp: past })],
      ["issued in the future", () => issuer.token({ ...ROOT, iat: past + 7200 })],
      ["not yet valid", () => issuer.token({ ...ROOT, nbf: past + 7200 })],
      ["another issuer", () => issuer.token({ ...ROOT, iss: "https://evil.example" })],
      ["no issuer", () => issuer.token({ ...ROOT, iss: undefined })],
      ["another audience", () => issuer.token({ ...ROOT, aud: "https://other.example.com" })],
      ["no audience", () => issuer.token({ ...ROOT, aud: undefined })],
      ["an unknown key", () => issuer.token(ROOT, { kid: "key-2" })],
      [
        "an extension that nobody knows",
        () =>
          issuer
            .token(ROOT, { crit: ["x"], x: 1 })
            .catch(() => `${base64({ alg: "RS256", kid: "key-1", crit: ["x"], x: 1 })}.${base64(ROOT)}.x`),
      ],
      ["alg none", async () => `${base64({ alg: "none" })}.${base64(claims(await issuer.token(ROOT)))}.`],
      [
        "HS256 by the public key",
        async () => {
          const content = `${base64({ alg: "HS256", kid: "key-1" })}.${base64(claims(await issuer.token(ROOT)))}`;
          return `${content}.${createHmac("sha256", JSON.stringify(issuer.jwk)).update(content).digest("base64url")}`;
        },
      ],
      [
        "other claims under the signature",
        async () =>
          (await issuer.token()).replace(/\.[^.]+\./, `.${base64({ ...claims(await issuer.token()), ...ROOT })}.`),
      ],
      ["no token at all", () => "x"],
      ["two tokens", async () => `${await issuer.token(ROOT)}, Bearer ${await issuer.token(ROOT)}`],
    ]) {
      test(`${what} is 401`, async () => {
        const answer = await ask(pair.url, "/admin", { headers: bearer(await forge()) });
        isRefused(answer, 401);
        assert.match(answer.headers["www-authenticate"], /^Bearer/);
      });
    }

    test("none is 401", async () => {
      isRefused(await ask(pair.url, "/admin"), 401);
      isRefused(await ask(pair.url, "/admin", { headers: { authorization: "Basic cm9vdDpyb290" } }), 401);
    });

    test("one of 15 KB is 401, and one that is longer than any request may be is not read", async () => {
      isRefused(await ask(pair.url, "/admin", { headers: bearer("x".repeat(15_000)) }), 401);
      const { status } = await ask(pair.url, "/admin", { headers: bearer("x".repeat(10_000_000)) }).catch(() => ({
        status: 431,
      }));
      assert.ok(status >= 400 && status < 500, String(status));
    });

    test("one that is revoked is 401, and so are all of a subject", async () => {
      const namespace = await pair.kv("auth", "IDENTITY");
      assert.equal((await as({ ...ROOT, jti: "stolen" }, "/admin")).status, 200);
      await namespace.put("revoked:jti:stolen", "Infinity");
      isRefused(await as({ ...ROOT, jti: "stolen" }, "/admin"), 401);
      await namespace.put("revoked:sub:mallory", String(Date.now() + 60_000));
      isRefused(await as({ sub: "mallory", roles: ["admin"] }, "/admin"), 401);
      assert.equal((await as("root", "/admin")).status, 200);
    });
  });

  describe("headers by which a client would be somebody else", () => {
    const spoofed = {
      "x-user-id": "root",
      "x-user-roles": '["admin"]',
      "x-forwarded-user": "root",
      "x-auth-request-user": "root",
      "x-orthrus-identity": "e30.e30.e30",
      "x-http-method-override": "PUT",
      "x-original-url": "/admin",
    };

    test("count for nothing without a token", async () =>
      isRefused(await ask(pair.url, "/admin", { headers: spoofed }), 401));
    test("change nothing with one", async () => isRefused(await as("ann", "/admin", { headers: spoofed }), 403));
    test("do not reach the origin, nor does the token", async () => {
      const { body } = await as("ann", "/profile/ann", { headers: spoofed });
      const { authorization, ...headers } = body.headers;
      assert.equal(authorization, undefined);
      assert.equal(headers["x-user-id"], "ann", "it is the worker that says so");
      assert.deepEqual(
        Object.keys(headers).filter((name) => name !== "x-user-id" && name in spoofed),
        [],
      );
    });
    test("a subject that no header can hold is encoded", async () => {
      const { status, body } = await as({ sub: "ann\u00e4\n\u{1f600}", roles: ["user"] }, "/profile/ann");
      assert.equal(status, 200);
      assert.equal(decodeURIComponent(body.headers["x-user-id"]), "ann\u00e4\n\u{1f600}");
    });
  });

  test("the authz-worker is of no use to whoever reaches it directly", async () => {
    const direct = await startPair(issuer, { entry: "authz" });
    try {
      const headers = { ...bearer(await issuer.token(people.root)), "x-user-id": "root", "x-user-roles": '["admin"]' };
      isRefused(await ask(direct.url, "/admin", { headers }), 403);
    } finally {
      await direct.close();
    }
  });

  test("without policies it is 503, and none of the origin's business", async () => {
    const empty = await startPair(issuer, { policies: false });
    try {
      const root = async () => ask(empty.url, "/admin", { headers: bearer(await issuer.token(people.root)) });
      isRefused(await root(), 503);
      await (await empty.kv("authz", "POLICIES")).put("policies.orb", "no bundle at all");
      isRefused(await root(), 503);
    } finally {
      await empty.close();
    }
  });

  test("keys that cannot be had: those that are known serve on, and without any it is 503", async () => {
    const other = await startIssuer(0);
    const first = await startPair(other);
    const ask503 = async (worker) => ask(worker.url, "/profile/ann", { headers: bearer(await other.token()) });
    try {
      assert.equal((await ask503(first)).status, 200);
      const known = await (await first.kv("auth", "IDENTITY")).get(`jwks:${other.jwksUrl}`);
      // It answers with errors from now on; another isolate has nothing but what KV keeps.
      other.answer = (_request, response) => response.writeHead(500).end();
      assert.equal((await ask503(first)).status, 200);
      const second = await startPair(other);
      try {
        const answer = await ask503(second);
        isRefused(answer, 503);
        assert.ok(Number(answer.headers["retry-after"]) > 0);
      } finally {
        await second.close();
      }
      const third = await startPair(other);
      try {
        await (await third.kv("auth", "IDENTITY")).put(`jwks:${other.jwksUrl}`, known);
        assert.equal((await ask503(third)).status, 200);
      } finally {
        await third.close();
      }
    } finally {
      await first.close();
      await other.close();
    }
  });

  for (const [what, respond] of [
    ["redirects", (_, response) => response.writeHead(302, { location: "http://localhost:1/" }).end()],
    ["lies", (_, response) => response.writeHead(200, { "content-type": "application/json" }).end('{"keys":"none"}')],
    ["answers with a page", (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>")],
    [
      "has 10,000 keys",
      (_, response) => {
        const keys = Array.from({ length: 10_000 }, (_, index) => ({ kty: "oct", k: "AA", kid: String(index) }));
        response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ keys }));
      },
    ],
    ["hangs", () => undefined],
  ]) {
    test(`a provider that ${what} is 503`, async () => {
      const other = await startIssuer(0);
      other.answer = respond;
      const worker = await startPair(other);
      try {
        isRefused(await ask(worker.url, "/profile/ann", { headers: bearer(await other.token()) }), 503);
      } finally {
        await worker.close();
        await other.close();
      }
    });
  }

  test("who tries too often gets 429", async () => {
    const limited = await startPair(issuer, {
      config: { ratelimits: { RATE_LIMITER: { simple: { limit: 3, period: 60 } } } },
    });
    try {
      const statuses = [];
      for (let request = 0; request < 5; request++) {
        statuses.push((await ask(limited.url, "/admin")).status);
      }
      assert.deepEqual(statuses, [401, 401, 401, 429, 429]);
    } finally {
      await limited.close();
    }
  });

  test("keys are fetched once, not for each request", async () => {
    const before = issuer.requests;
    for (let request = 0; request < 10; request++) {
      assert.equal((await as("ann", "/profile/ann")).status, 200);
    }
    assert.equal(issuer.requests, before);
  });

  test("the log tells why, and holds no secret", async () => {
    const token = await issuer.token({ ...people.ann, secret: "s3cret-claim" });
    await ask(pair.url, "/profile/max?password=hunter2", { method: "PUT", headers: bearer(token) });
    let last;
    for (let tries = 0; last === undefined && tries < 50; tries++) {
      await sleep(100);
      last = pair.lines
        .filter((line) => /^\{.*\}$/.test(line))
        .map((line) => JSON.parse(line))
        .findLast((entry) => entry.worker === "authz" && entry.action === "update" && entry.resource === "profile/max");
    }
    assert.deepEqual(
      [last.reason, last.status, last.route, last.principal, last.resource],
      ["DENIED", 403, "/profile/{id}", "ann", "profile/max"],
    );
    assert.match(last.policies, /^sha256:[0-9a-f]{64}$/);
    const log = pair.lines.join("\n");
    for (const secret of [token, token.split(".")[2], "hunter2", "s3cret-claim", "eyJ"]) {
      assert.ok(!log.includes(secret), secret);
    }
  });

  describe("in one worker", () => {
    let single;
    before(async () => {
      single = await startOne("single", issuer);
    });
    after(() => single?.close());

    for (const [who, method, path, status] of [
      ["root", "GET", "/admin/users", 200],
      ["ann", "GET", "/%61dmin", 403],
      ["ann", "PUT", "/profile/ann", 200],
      ["max", "PUT", "/profile/ann", 403],
      ["max", "GET", "/secret-data/1", 200],
      [undefined, "GET", "/admin", 401],
      ["root", "GET", "/profile/a%2fb", 400],
    ]) {
      test(`${who ?? "nobody"}: ${method} ${path} is ${status}`, async () => {
        const headers = who === undefined ? {} : bearer(await issuer.token(people[who]));
        const answer = await ask(single.url, path, { method, headers: { ...headers, "x-user-id": "root" } });
        if (status === 200) {
          assert.equal(answer.status, 200);
          assert.equal(answer.body.headers["x-user-id"], undefined);
        } else {
          isRefused(answer, status);
        }
      });
    }
  });

  describe("an application in Hono", () => {
    let app;
    before(async () => {
      app = await startOne("hono", issuer);
    });
    after(() => app?.close());

    for (const [who, path, status, body] of [
      ["root", "/admin", 200, { admin: true }],
      ["ann", "/admin", 403],
      ["ann", "/profile/ann", 200, { id: "ann", mayUpdate: true }],
      ["max", "/profile/ann", 200, { id: "ann", mayUpdate: false }],
      [undefined, "/profile/ann", 401],
    ]) {
      test(`${who ?? "nobody"}: ${path} is ${status}`, async () => {
        const headers = who === undefined ? {} : bearer(await issuer.token(people[who]));
        const answer = await ask(app.url, path, { headers });
        assert.equal(answer.status, status, JSON.stringify(answer.body));
        assert.deepEqual(answer.body, body ?? bodies[status]);
      });
    }

    test("a token that is expired is 401", async () => {
      const token = await issuer.token({ ...people.root, exp: 1 });
      assert.equal((await ask(app.url, "/admin", { headers: bearer(token) })).status, 401);
    });
  });

  test("`wrangler dev` runs all of it", async () => {
    const port = await freePort();
    const app = await startExample("workers", { port, env: { ISSUER_PORT: String(await freePort()) } });
    try {
      const [, token] = /root \(admin\):\s+(\S+)/.exec(app.output()) ?? [];
      const url = new URL(`http://127.0.0.1:${port}`);
      assert.equal((await ask(url, "/admin", { headers: bearer(token) })).status, 200);
      isRefused(await ask(url, "/secret-data/1", { headers: bearer(token) }), 403);
      isRefused(await ask(url, "/admin"), 401);
    } finally {
      await app.stop();
    }
  });
});
