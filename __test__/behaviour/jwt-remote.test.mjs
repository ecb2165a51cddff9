/** Key sets that an issuer publishes: when they are fetched, and what of their servers is refused. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createVerifier } from "orthrus/jwt";
import { skip } from "../support/addon.mjs";
import { json, jwksServer, keyPair, sign } from "../support/jwt.mjs";

const MINUTE = 60_000;

describe("a published key set", { skip }, () => {
  const keys = {};
  let server;
  /** Added to the clock, in milliseconds. */
  let later;
  before(async () => {
    keys.one = await keyPair("ES256", "one");
    keys.two = await keyPair("ES256", "two");
    keys.other = await keyPair("ES256", "one");
    server = await jwksServer();
  });
  after(() => server.close());

  // The clock of the verifiers stands still, so that a slow machine makes no difference.
  const start = Math.floor(Date.now() / 1000);
  const now = () => new Date(start * 1000 + later);
  const set = (...names) => ({ keys: names.map((name) => keys[name].jwk) });
  /** Tokens that outlive the clock of the test. */
  const token = (key, claims) => sign(key, { iat: start, exp: start + 1e6, ...claims });

  /** A verifier on the server, which answers with `respond`; nothing is counted and no time has passed. */
  function verifierOn(respond, remote = {}, more = {}) {
    Object.assign(server, { respond, requests: 0 });
    later = 0;
    return createVerifier({ keySets: [{ id: "ks", remote: { url: server.url, ...remote } }], now, ...more });
  }

  const outcome = (verifier, token) =>
    verifier.verify(token).then(
      () => "ok",
      ({ code, retryable }) => (retryable ? `${code}, retryable` : code),
    );

  test("is fetched once for all who wait, and then kept for an hour", async () => {
    const verifier = verifierOn(json(set("one")));
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => token(keys.one, { n })));
    assert.deepEqual(new Set(await Promise.all(tokens.map((token) => outcome(verifier, token)))), new Set(["ok"]));
    assert.equal(server.requests, 1);
    later = 40 * MINUTE;
    await verifier.verify(tokens[0]);
    assert.equal(server.requests, 1);
    later = 61 * MINUTE;
    await verifier.verify(tokens[0]);
    assert.equal(server.requests, 2);
  });

  const lifetimes = [
    ["Cache-Control: max-age=600", { "cache-control": "public, max-age=600" }, 600],
    ["max-age less Age", { "cache-control": "max-age=600", age: "100" }, 500],
    ["Expires", () => ({ expires: new Date(Date.now() + 600_000).toUTCString(), date: new Date().toUTCString() }), 600],
    ["a max-age below the cool-down", { "cache-control": "max-age=1" }, 30],
    ["no-store", { "cache-control": "no-store" }, 30],
    ["Expires: 0", { expires: "0" }, 30],
    ["a max-age of ten years", { "cache-control": "max-age=315360000" }, 86_400],
    ["nothing", {}, 3600],
  ];
  for (const [name, headers, seconds] of lifetimes) {
    test(`stays fresh by ${name}: ${seconds} s`, async () => {
      const verifier = verifierOn(json(set("one"), typeof headers === "function" ? headers() : headers));
      const good = await token(keys.one);
      await verifier.verify(good);
      // Before four fifths of the time nobody asks again; when all of it is over, all wait for new keys.
      later = (seconds * 0.8 - 2) * 1000;
      await verifier.verify(good);
      assert.equal(server.requests, 1);
      server.respond = json(set("two"), {});
      later = (seconds + 2) * 1000;
      assert.equal(await outcome(verifier, good), "JWT_KEY_UNKNOWN");
      assert.equal(server.requests, 2);
    });
  }

  test("stays fresh for refreshInterval, whatever the server says", async () => {
    const verifier = verifierOn(json(set("one"), { "cache-control": "max-age=5" }), { refreshInterval: "2h" });
    const good = await token(keys.one);
    await verifier.verify(good);
    later = 90 * MINUTE;
    await verifier.verify(good);
    assert.equal(server.requests, 1);
    later = 121 * MINUTE;
    await verifier.verify(good);
    assert.equal(server.requests, 2);
  });

  test("stays fresh for the cool-down at least, whatever refreshInterval says", async () => {
    const verifier = verifierOn(json(set("one")), { refreshInterval: 0 });
    const good = await token(keys.one);
    await verifier.verify(good);
    await verifier.verify(good);
    assert.equal(server.requests, 1);
  });

  test("is fetched ahead of time, and nobody waits for it", async () => {
    const verifier = verifierOn(json(set("one")));
    const good = await token(keys.one);
    await verifier.verify(good);
    // The next answer never comes.
    server.respond = () => undefined;
    later = 50 * MINUTE;
    assert.equal(await outcome(verifier, good), "ok");
    while (server.requests < 2) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(await outcome(verifier, good), "ok");
    assert.equal(server.requests, 2);
  });

  test("is fetched again for an unknown kid, but not within the cool-down", async () => {
    const verifier = verifierOn(json(set("one")));
    await verifier.verify(await token(keys.one));
    server.respond = json(set("one", "two"));
    const rotated = await token(keys.two);
    assert.equal(await outcome(verifier, rotated), "JWT_KEY_UNKNOWN");
    assert.equal(server.requests, 1);
    later = 31_000;
    assert.equal(await outcome(verifier, rotated), "ok");
    assert.equal(server.requests, 2);
    const unknown = await token({ ...keys.two, kid: "no" });
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => outcome(verifier, unknown)));
    assert.deepEqual(new Set(outcomes), new Set(["JWT_KEY_UNKNOWN"]));
    assert.equal(server.requests, 2);
  });

  test("says that keys are missing, not that the token is bad, when it cannot be fetched for an unknown kid", async () => {
    const verifier = verifierOn(json(set("one")));
    await verifier.verify(await token(keys.one));
    server.respond = json({}, {}, 500);
    later = 31_000;
    assert.equal(await outcome(verifier, await token(keys.two)), "JWT_KEYS_UNAVAILABLE, retryable");
    assert.equal(await outcome(verifier, await token(keys.one)), "ok");
  });

  test("forgets tokens that it accepted by keys that it has no longer", async () => {
    const verifier = verifierOn(json(set("one")));
    const good = await token(keys.one);
    assert.equal(await outcome(verifier, good), "ok");
    server.respond = json(set("other"));
    later = 61 * MINUTE;
    assert.equal(await outcome(verifier, good), "JWT_SIGNATURE");
  });

  test("serves for an hour more when it cannot be fetched, and then no longer", async () => {
    const verifier = verifierOn(json(set("one")));
    const good = await token(keys.one);
    await verifier.verify(good);
    server.respond = json({}, {}, 503);
    later = 61 * MINUTE;
    assert.equal(await outcome(verifier, good), "ok");
    assert.equal(server.requests, 2);
    // The next try has to wait.
    assert.equal(await outcome(verifier, good), "ok");
    assert.equal(server.requests, 2);
    later = 119 * MINUTE;
    assert.equal(await outcome(verifier, good), "ok");
    later = 121 * MINUTE;
    assert.equal(await outcome(verifier, good), "JWT_KEYS_UNAVAILABLE, retryable");
    server.respond = json(set("one"));
    later = 125 * MINUTE;
    assert.equal(await outcome(verifier, good), "ok");
  });

  test("keeps nobody waiting while the old one may serve and the server, which has failed, hangs", async () => {
    const verifier = verifierOn(json(set("one")), { timeout: "1h" });
    const good = await token(keys.one);
    await verifier.verify(good);
    server.respond = json({}, {}, 503);
    later = 61 * MINUTE;
    assert.equal(await outcome(verifier, good), "ok");
    server.respond = () => undefined;
    for (later of [62 * MINUTE, 63 * MINUTE, 119 * MINUTE]) {
      assert.equal(await outcome(verifier, good), "ok");
    }
    while (server.requests < 3) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  });

  test("is asked for again a second after a failure, then two, then four", async () => {
    const verifier = verifierOn(json({}, {}, 500));
    const good = await token(keys.one);
    for (const [at, requests] of [
      [0, 1],
      [500, 1],
      [1100, 2],
      [2900, 2],
      [3200, 3],
      [6900, 3],
      [7300, 4],
    ]) {
      later = at;
      assert.equal(await outcome(verifier, good), "JWT_KEYS_UNAVAILABLE, retryable");
      assert.equal(server.requests, requests, `after ${at} ms`);
    }
  });

  const many = (count) => ({ keys: Array.from({ length: count }, (_, n) => ({ ...keys.one.jwk, kid: `k${n}` })) });
  const lies = [
    ["redirects", (_, response) => response.writeHead(302, { location: server.url }).end(), /redirect \(HTTP 302\)/],
    ["answers HTTP 500", json("{}", {}, 500), /HTTP 500/],
    ["answers HTTP 204", (_, response) => response.writeHead(204).end(), /HTTP 204/],
    [
      "answers HTML",
      (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      /no JSON, but of type "text\/html"/,
    ],
    ["answers keys as text", () => json(set("one"), { "content-type": "text/plain" }), /of type "text\/plain"/],
    ["answers what is no JSON", json("<html>"), /no JSON/],
    ["answers JSON that is no key set", json({ error: "x" }), /no JWK set/],
    ["answers a list", json([]), /no JWK set/],
    ["answers no keys", json({ keys: [] }), /no keys in it/],
    ["answers 101 keys", () => json(many(101)), /101 keys; at most 100/],
    ["answers 10,000 keys", () => json(many(10_000)), /more than 262144 bytes/],
    [
      "answers more than 256 KiB, and says so",
      (_, response) =>
        response
          .writeHead(200, { "content-type": "application/json", "content-length": 300_000 })
          .end(" ".repeat(300_000)),
      /more than 262144 bytes/,
    ],
    ["answers without end", endless, /more than 262144 bytes/],
    [
      "answers a shared secret",
      json({ keys: [{ kty: "oct", kid: "one", alg: "HS256", k: "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2Vj" }] }),
      /a secret \(kty oct\)/,
    ],
    [
      "answers keys without alg",
      () => json({ keys: [{ ...keys.one.jwk, alg: undefined }] }),
      /missing algorithm \(alg\)/,
    ],
    [
      "answers bytes that are not UTF-8",
      (_, response) =>
        response.writeHead(200, { "content-type": "application/json" }).end(Buffer.from([0x7b, 0xff, 0x7d])),
      /not UTF-8/,
    ],
    ["hangs up", (request) => request.socket.destroy(), /cannot be had from http:\/\/127/],
    ["hangs", () => undefined, /no answer within 200 ms/],
    [
      "hangs after the headers",
      (_, response) => response.writeHead(200, { "content-type": "application/json" }).write("{"),
      /no answer within 200 ms/,
    ],
  ];
  function endless(_, response) {
    response.writeHead(200, { "content-type": "application/json" });
    const more = () => {
      while (!response.destroyed && response.write(" ".repeat(65_536)));
    };
    response.on("drain", more);
    more();
  }
  for (const [name, respond, reason] of lies) {
    test(`is not taken from a server that ${name}`, async () => {
      const verifier = verifierOn(undefined, { timeout: "200ms" });
      server.respond = respond.length === 0 && respond() ? respond() : respond;
      await assert.rejects(verifier.verify(await token(keys.one)), ({ code, retryable, message }) => {
        assert.deepEqual([code, retryable], ["JWT_KEYS_UNAVAILABLE", true]);
        assert.match(message, reason);
        return true;
      });
    });
  }

  test("with another key under the kid verifies nothing", async () => {
    assert.equal(await outcome(verifierOn(json(set("other"))), await token(keys.one)), "JWT_SIGNATURE");
  });

  test("may hold keys of other kinds and uses beside the one that counts", async () => {
    const secret = { kty: "oct", kid: "s", alg: "HS256", k: "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2Vj" };
    const odd = [secret, { kty: "FOO" }, { kty: "EC", crv: "P-521", kid: "p", alg: "ES512", x: "AA", y: "AA" }, 1];
    const verifier = verifierOn(json({ keys: [...odd, { ...keys.two.jwk, use: "enc" }, keys.one.jwk] }));
    assert.equal(await outcome(verifier, await token(keys.one)), "ok");
    assert.equal(await outcome(verifier, await token(keys.two)), "JWT_KEY_UNKNOWN");
  });

  test("is not fetched for tokens that are refused anyway", async () => {
    const verifier = verifierOn(json(set("one")));
    await verifier.verify(await token(keys.one));
    later = 31_000;
    for (const header of [{ typ: "at+jwt" }, { kid: undefined }]) {
      await outcome(verifier, await sign(keys.two, {}, header));
    }
    await outcome(verifier, "a.b.c");
    assert.ok(server.requests <= 2);
  });
});
