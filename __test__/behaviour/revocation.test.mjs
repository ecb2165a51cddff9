/** Revoked tokens: lists in memory and in a real Redis, and what becomes of tokens when a list fails. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Redis } from "ioredis";
import { createVerifier, MemoryRevocationList, RedisRevocationList } from "orthrus/jwt";
import { createClient } from "redis";
import { skip } from "../support/addon.mjs";
import { keyPair, now, sign } from "../support/jwt.mjs";
import { startRedis } from "../support/redis.mjs";

const redis = await startRedis();
const redisSkip = redis === undefined ? "SKIPPED: there is no redis-server (apt-get install redis-server)" : false;
after(() => redis?.stop());

/** Each list: how it is made, and how it is closed. */
const LISTS = [
  ["in memory", false, async () => [new MemoryRevocationList(), () => undefined]],
  [
    "in Redis, by the package redis",
    redisSkip,
    async () => {
      const client = createClient({ socket: { path: redis.path } });
      await client.connect();
      await client.flushAll();
      return [new RedisRevocationList(client), () => client.close()];
    },
  ],
  [
    "in Redis, by the package ioredis",
    redisSkip,
    async () => {
      const client = new Redis({ path: redis.path });
      await client.flushall();
      return [new RedisRevocationList(client, { prefix: "other:" }), () => client.quit()];
    },
  ],
];

const at = (seconds) => new Date((now() + seconds) * 1000);

for (const [where, skip, make] of LISTS) {
  describe(`a revocation list ${where}`, { skip }, () => {
    let list;
    let close;
    before(async () => {
      [list, close] = await make();
    });
    after(() => close());

    const rows = [
      [
        "a token",
        { jti: "1" },
        [
          [{ jti: "1" }, true],
          [{ jti: "2" }, false],
          [{ sub: "1", sid: "1" }, false],
          [{}, false],
        ],
      ],
      [
        "the tokens of a subject until now",
        { sub: "ann" },
        [
          [{ sub: "ann", iat: now() - 5 }, true],
          [{ sub: "ann", iat: now() + 5 }, false],
          [{ sub: "ann" }, true],
          [{ sub: "ann", iat: "soon" }, true],
          [{ sub: "bob", iat: 0 }, false],
        ],
      ],
      [
        "the tokens of a session until a moment",
        { sid: "s", issuedBefore: at(-60) },
        [
          [{ sid: "s", sub: "x", iat: now() - 61 }, true],
          [{ sid: "s", iat: now() - 60 }, true],
          [{ sid: "s", iat: now() - 59 }, false],
        ],
      ],
      ["nothing, when it is over", { jti: "old", expiresAt: at(-1) }, [[{ jti: "old" }, false]]],
      ["a token until it is over", { jti: "new", expiresAt: at(60) }, [[{ jti: "new" }, true]]],
      [
        "odd names",
        { jti: "a:b\n\0é" },
        [
          [{ jti: "a:b\n\0é" }, true],
          [{ jti: "a:b" }, false],
        ],
      ],
    ];
    for (const [name, revocation, answers] of rows) {
      test(`revokes ${name}`, async () => {
        await list.revoke(revocation);
        for (const [claims, expected] of answers) {
          assert.equal(await list.isRevoked(claims), expected, JSON.stringify(claims));
        }
      });
    }

    test("keeps what was revoked before", async () => {
      await list.revoke({ sub: "cy", issuedBefore: at(0) });
      await list.revoke({ sub: "cy", issuedBefore: at(-100), expiresAt: at(-1) });
      assert.equal(await list.isRevoked({ sub: "cy", iat: now() - 5 }), true);
      await list.revoke({ jti: "long", expiresAt: at(60) });
      await list.revoke({ jti: "long", expiresAt: at(-1) });
      assert.equal(await list.isRevoked({ jti: "long" }), true);
    });

    test("needs to be told what to revoke", async () => {
      for (const revocation of [
        {},
        { jti: "" },
        { sub: 1 },
        { jti: "a", sub: "a" },
        { sub: "a", issuedBefore: new Date(Number.NaN) },
      ]) {
        await assert.rejects(async () => list.revoke(revocation), TypeError);
      }
    });
  });
}

test("a list in memory lets go of what is over", () => {
  const list = new MemoryRevocationList();
  list.revoke({ jti: "kept" });
  for (let n = 0; n < 5000; n++) {
    list.revoke({ jti: String(n), expiresAt: at(-1) });
  }
  assert.ok(list.size < 1100, `${list.size}`);
  assert.equal(list.isRevoked({ jti: "kept" }), true);
});

test("a list in Redis needs a client", () => {
  for (const client of [undefined, {}, "redis://localhost"]) {
    assert.throws(() => new RedisRevocationList(client), TypeError);
  }
});

describe("a verifier with a revocation list", { skip }, () => {
  let key;
  before(async () => {
    key = await keyPair("ES256", "ec");
  });
  const verifierWith = (revocation) =>
    createVerifier({ keySets: [{ id: "ks", local: { jwks: key.jwk } }], revocation });
  const outcome = async (verifier, token) =>
    verifier.verify(token).then(
      () => "ok",
      ({ code }) => code,
    );

  test("asks about every token, remembered or not", async () => {
    const list = new MemoryRevocationList();
    const verifier = verifierWith(list);
    const token = await sign(key, { jti: "1" });
    assert.equal(await outcome(verifier, token), "ok");
    list.revoke({ jti: "1" });
    assert.equal(await outcome(verifier, token), "JWT_REVOKED");
    assert.equal(await outcome(verifier, await sign(key, { jti: "2" })), "ok");
  });

  const failing = {
    throws: () => {
      throw new Error("down");
    },
    rejects: () => Promise.reject(new Error("down")),
    "does not answer": () => new Promise(() => undefined),
    "answers undefined": () => undefined,
    "answers 0, in a promise": async () => 0,
  };
  for (const [name, isRevoked] of Object.entries(failing)) {
    test(`that ${name} denies, unless it is told to allow`, async () => {
      const token = await sign(key);
      await assert.rejects(verifierWith({ list: { isRevoked }, timeout: "50ms" }).verify(token), {
        code: "JWT_REVOCATION_UNAVAILABLE",
        retryable: true,
      });
      assert.equal(
        await outcome(verifierWith({ list: { isRevoked }, timeout: "50ms", onError: "allow" }), token),
        "ok",
      );
      const forged = `${token.slice(0, -4)}AAAA`;
      assert.equal(await outcome(verifierWith({ list: { isRevoked }, onError: "allow" }), forged), "JWT_SIGNATURE");
    });
  }

  test("in Redis denies when Redis is gone", { skip: redisSkip }, async () => {
    const own = await startRedis();
    const client = createClient({ socket: { path: own.path, reconnectStrategy: false } });
    client.on("error", () => undefined);
    await client.connect();
    const list = new RedisRevocationList(client);
    const verifier = verifierWith(list);
    const token = await sign(key, { sid: "s" });
    assert.equal(await outcome(verifier, token), "ok");
    await list.revoke({ sid: "s" });
    assert.equal(await outcome(verifier, token), "JWT_REVOKED");
    await own.stop();
    assert.equal(await outcome(verifier, token), "JWT_REVOCATION_UNAVAILABLE");
    // It has closed itself, because it may not connect again.
    assert.equal(client.isOpen, false);
  });
});
