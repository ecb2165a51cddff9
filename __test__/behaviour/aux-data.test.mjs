/** Tokens in requests: verified by the engine, and read by policies as in Cerbos. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Orthrus } from "orthrus";
import { createVerifier, MemoryRevocationList } from "orthrus/jwt";
import { skip } from "../support/addon.mjs";
import { json, jwksServer, keyPair, sign } from "../support/jwt.mjs";

const POLICY = {
  "token.json": JSON.stringify({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: "token",
      version: "default",
      rules: [
        {
          actions: ["read"],
          effect: "EFFECT_ALLOW",
          roles: ["user"],
          condition: { match: { expr: 'request.auxData.jwt.sub == P.id && "api" in request.auxData.jwt.aud' } },
        },
        {
          actions: ["both"],
          effect: "EFFECT_ALLOW",
          roles: ["user"],
          condition: {
            match: { expr: "request.auxData.jwts.a.claims.sub == request.auxData.jwts.b.claims.sub" },
          },
        },
        {
          actions: ["soon"],
          effect: "EFFECT_ALLOW",
          roles: ["user"],
          condition: { match: { expr: 'timestamp(request.auxData.jwt.exp) - now() < duration("2m")' } },
        },
      ],
    },
  }),
};

const request = (action, auxData) => ({
  principal: { id: "ann", roles: ["user"] },
  resource: { kind: "token", id: "1" },
  action,
  auxData,
});

describe("a token in a request", { skip }, () => {
  let key;
  let other;
  let token;
  let folder;
  const opened = [];
  before(async () => {
    key = await keyPair("ES256", "ec");
    other = await keyPair("ES256", "ec");
    token = await sign(key);
    folder = mkdtempSync(join(tmpdir(), "orthrus-jwt-"));
    writeFileSync(join(folder, "jwks.json"), JSON.stringify({ keys: [key.jwk] }));
  });
  after(() => {
    for (const engine of opened) {
      engine.close();
    }
    rmSync(folder, { recursive: true, force: true });
  });

  const local = (more) => ({ keySets: [{ id: "ks", local: { file: join(folder, "jwks.json") } }], ...more });
  function open(jwt, options) {
    const engine = Orthrus.fromFilesSync(POLICY, { auxData: { jwt }, ...options });
    opened.push(engine);
    return engine;
  }

  test("is verified by the key sets of the options, with and without a promise", async () => {
    const engine = open(local());
    for (const jwt of [{ token }, { token, keySetId: "ks" }, { token, keySetId: "" }]) {
      assert.equal(engine.isAllowedSync(request("read", { jwt })), true);
      assert.equal(await engine.isAllowed(request("read", { jwt })), true);
    }
    assert.equal(engine.isAllowedSync(request("read")), false);
    assert.equal(engine.isAllowedSync(request("soon", { jwt: { token } })), true);
    assert.equal(engine.isAllowedSync(request("read", { jwt: { token: await sign(key, { sub: "eve" }) } })), false);
    assert.equal(engine.isAllowedSync(request("read", { jwt: { token: await sign(key, { aud: "web" }) } })), false);
  });

  test("is verified by a verifier of one's own", () => {
    assert.equal(open(createVerifier(local())).isAllowedSync(request("read", { jwt: { token } })), true);
  });

  test("is one of several", async () => {
    const engine = open(local());
    const bob = await sign(key, { sub: "bob" });
    assert.equal(engine.isAllowedSync(request("both", { jwts: { a: { token }, b: { token } } })), true);
    assert.equal(engine.isAllowedSync(request("both", { jwts: { a: { token }, b: { token: bob } } })), false);
    assert.throws(() => engine.isAllowedSync(request("both", { jwts: { a: { token }, b: { token: "x" } } })), {
      code: "REQUEST_JWT_INVALID",
      path: 'auxData.jwts["b"]',
    });
  });

  test("is judged by the clock of the engine", () => {
    const engine = open(local(), { now: () => new Date(Date.now() + 3600_000) });
    assert.throws(
      () => engine.isAllowedSync(request("read", { jwt: { token } })),
      ({ cause }) => cause.code === "JWT_EXPIRED",
    );
  });

  test("is told to onDecision as the policies read it", () => {
    const entries = [];
    const engine = open(local(), { onDecision: (entry) => entries.push(entry) });
    engine.isAllowedSync(request("read", { jwt: { token } }));
    const { jwt } = entries[0].method.inputs[0].auxData;
    assert.deepEqual([jwt.sub, jwt.aud], ["ann", ["api"]]);
    assert.match(jwt.exp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test("that is refused makes no decision", async () => {
    const engine = open(local());
    const rows = [
      [await sign(other), undefined, "JWT_SIGNATURE"],
      [await sign(key, { exp: 1 }), undefined, "JWT_EXPIRED"],
      [token, "no", "JWT_KEY_SET_UNKNOWN"],
      ["x", undefined, "JWT_MALFORMED"],
    ];
    for (const [token, keySetId, code] of rows) {
      const expected = (error) => {
        assert.deepEqual(
          [error.name, error.code, error.path, error.cause.code],
          ["RequestError", "REQUEST_JWT_INVALID", "auxData.jwt", code],
        );
        return true;
      };
      const refused = request("read", { jwt: { token, keySetId } });
      assert.throws(() => engine.isAllowedSync(refused), expected);
      await assert.rejects(engine.isAllowed(refused), expected);
      await assert.rejects(engine.withPrincipal(refused.principal, refused.auxData).isAllowed(refused), expected);
    }
  });

  test("waits for keys that have to be fetched; then it does not", async () => {
    const server = await jwksServer(json({ keys: [key.jwk] }));
    try {
      const engine = open({ keySets: [{ id: "ks", remote: { url: server.url } }] });
      const good = request("read", { jwt: { token } });
      assert.throws(() => engine.isAllowedSync(good), { code: "REQUEST_JWT_UNSUPPORTED", path: "auxData" });
      assert.equal(await engine.isAllowed(good), true);
      assert.equal(engine.isAllowedSync(good), true);
      assert.equal(server.requests, 1);
      server.respond = json({}, {}, 500);
      const failing = open({ keySets: [{ id: "ks", remote: { url: server.url } }] });
      await assert.rejects(failing.isAllowed(good), { code: "REQUEST_JWT_UNAVAILABLE", path: "auxData.jwt" });
    } finally {
      await server.close();
    }
  });

  test("that is refused later, beside one that is refused at once, is refused without harm", async () => {
    const server = await jwksServer(json({ keys: [key.jwk] }));
    const unhandled = [];
    const listen = (error) => unhandled.push(error);
    process.on("unhandledRejection", listen);
    try {
      const engine = open({ keySets: [{ id: "ks", remote: { url: server.url } }] });
      const jwts = { a: { token: await sign(other) }, b: { token: "" } };
      await assert.rejects(engine.isAllowed(request("both", { jwts })), { path: 'auxData.jwts["b"].token' });
      assert.equal(await engine.isAllowed(request("read", { jwt: { token } })), true);
      await new Promise(setImmediate);
      assert.deepEqual(unhandled, []);
    } finally {
      process.off("unhandledRejection", listen);
      await server.close();
    }
  });

  test("is looked up in the revocation list", async () => {
    const list = new MemoryRevocationList();
    const engine = open(local({ revocation: list }));
    const good = request("read", { jwt: { token } });
    assert.equal(engine.isAllowedSync(good), true);
    list.revoke({ sub: "ann" });
    assert.throws(
      () => engine.isAllowedSync(good),
      ({ cause }) => cause.code === "JWT_REVOKED",
    );
  });

  test("needs options that are right, which are checked when the engine is opened", () => {
    const rows = [
      [{ auxData: {} }, "auxData.jwt"],
      [{ auxData: { jwt: {}, jwts: {} } }, "auxData.jwts"],
      [{ auxData: { jwt: {} } }, "auxData.jwt.keySets"],
      [
        { auxData: { jwt: { keySets: [{ id: "ks", local: { jwks: { keys: [] } } }] } } },
        "auxData.jwt.keySets[0].local.jwks",
      ],
      [{ auxData: { jwt: local() }, decodeJWTPayload: () => ({}) }, "decodeJWTPayload"],
      [{ auxData: "x" }, "auxData"],
    ];
    for (const [options, path] of rows) {
      assert.throws(() => Orthrus.fromFilesSync(POLICY, options), { name: "OptionsError", path });
    }
    const without = Orthrus.fromFilesSync(POLICY);
    opened.push(without);
    assert.throws(() => without.isAllowedSync(request("read", { jwt: { token } })), {
      code: "REQUEST_JWT_UNSUPPORTED",
    });
  });
});
