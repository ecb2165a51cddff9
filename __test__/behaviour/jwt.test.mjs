/** Tokens that are accepted, and attacks, each refused by its code. Signed by `jose` with keys made here. */

import assert from "node:assert/strict";
import { KeyObject } from "node:crypto";
import { before, describe, test } from "node:test";
import { createVerifier, JwtError } from "orthrus/jwt";
import { skip } from "../support/addon.mjs";
import { base64url, forge, keyPair, now, sign } from "../support/jwt.mjs";

const ISSUER = "https://issuer.test";
const RULES = { issuer: ISSUER, audience: "api", requiredClaims: ["sub"] };

/** The code by which a token is refused, `ok` if it is not. */
async function outcome(verifier, token, options) {
  try {
    await verifier.verify(token, options);
    return "ok";
  } catch (error) {
    assert.ok(error instanceof JwtError, error.stack);
    assert.equal(error.name, "JwtError");
    return error.code;
  }
}

describe("a token", { skip }, () => {
  const keys = {};
  let verifier;
  before(async () => {
    keys.rsa = await keyPair("RS256", "rsa", { use: "sig" });
    keys.pss = await keyPair("PS384", "pss");
    keys.ec = await keyPair("ES256", "ec");
    keys.ec384 = await keyPair("ES384", "ec384");
    keys.ed = await keyPair("EdDSA", "ed", { key_ops: ["verify"] });
    keys.enc = await keyPair("RS256", "enc", { use: "enc" });
    keys.other = await keyPair("RS256", "rsa");
    keys.node = KeyObject.from(keys.rsa.privateKey);
    const jwks = { keys: ["rsa", "pss", "ec", "ec384", "ed", "enc"].map((name) => keys[name].jwk) };
    verifier = createVerifier({ keySets: [{ id: "ks", local: { jwks }, ...RULES }] });
  });

  for (const name of ["rsa", "pss", "ec", "ec384", "ed"]) {
    test(`signed by the key ${name} is accepted`, async () => {
      const token = await sign(keys[name], { org: { id: "acme" }, aud: ["web", "api"] }, { typ: "JWT" });
      const { claims, header, keySetId } = await verifier.verify(token);
      assert.deepEqual(
        [claims.sub, claims.org, header.alg, header.kid, keySetId],
        ["ann", { id: "acme" }, keys[name].alg, name, "ks"],
      );
      assert.ok(Object.isFrozen(claims) && Object.isFrozen(claims.org) && Object.isFrozen(claims.aud));
    });
  }

  const head = { alg: "RS256", kid: "rsa" };
  const body = () => ({ sub: "ann", iss: ISSUER, aud: "api", exp: now() + 60 });
  const parts = async () => (await sign(keys.rsa)).split(".");
  const attacks = [
    ["has alg none", async () => `${base64url('{"alg":"none"}')}.${(await parts())[1]}.`, "JWT_ALGORITHM"],
    [
      "has alg none and a kid",
      async () => `${base64url('{"alg":"none","kid":"rsa"}')}.${(await parts())[1]}.`,
      "JWT_ALGORITHM",
    ],
    [
      "is HS256, signed with the public key",
      () => forge({ alg: "HS256", kid: "rsa" }, body(), keys.rsa.pem, "HS256"),
      "JWT_ALGORITHM",
    ],
    [
      "is HS256, signed with the public JWK",
      () => forge({ alg: "HS256", kid: "rsa" }, body(), JSON.stringify(keys.rsa.jwk), "HS256"),
      "JWT_ALGORITHM",
    ],
    ["has an unknown kid", () => sign(keys.rsa, {}, { kid: "no" }), "JWT_KEY_UNKNOWN"],
    ["has no kid", () => sign(keys.rsa, {}, { kid: undefined }), "JWT_KEY_UNKNOWN"],
    ["has a kid of a key of another alg", () => sign(keys.rsa, {}, { kid: "ec" }), "JWT_ALGORITHM"],
    [
      "has an alg that the key does not name",
      () => forge({ alg: "RS512", kid: "rsa" }, body(), keys.node),
      "JWT_ALGORITHM",
    ],
    ["is signed by a key for encryption", () => sign(keys.enc), "JWT_KEY_UNKNOWN"],
    ["is signed by another key of the same kid", () => sign(keys.other), "JWT_SIGNATURE"],
    ["brings its own key", () => sign(keys.other, {}, { jwk: keys.other.jwk }), "JWT_SIGNATURE"],
    [
      "names where its key is",
      () => sign(keys.other, {}, { jku: "https://evil.test", x5u: "https://evil.test" }),
      "JWT_SIGNATURE",
    ],
    ["has an unknown crit", () => forge({ ...head, crit: ["x"], x: 1 }, body(), keys.node), "JWT_CRITICAL"],
    [
      "is not encoded (b64: false)",
      () => forge({ ...head, crit: ["b64"], b64: false }, body(), keys.node),
      "JWT_CRITICAL",
    ],
    ["has b64: false without crit", () => forge({ ...head, b64: false }, body(), keys.node), "JWT_CRITICAL"],
    ["is of another type", () => sign(keys.rsa, {}, { typ: "at+jwt" }), "JWT_TYPE"],
    ["has expired", () => sign(keys.rsa, { exp: now() - 1 }), "JWT_EXPIRED"],
    ["is not valid yet", () => sign(keys.rsa, { nbf: now() + 30 }), "JWT_NOT_YET_VALID"],
    ["was issued in the future", () => sign(keys.rsa, { iat: now() + 30 }), "JWT_NOT_YET_VALID"],
    ["has no exp", () => sign(keys.rsa, { exp: undefined }), "JWT_CLAIM_MISSING"],
    [
      "has an exp that is a string",
      () => forge(head, { ...body(), exp: String(now() + 60) }, keys.node),
      "JWT_MALFORMED",
    ],
    ["has an exp of 1e300", () => forge(head, { ...body(), exp: 1e300 }, keys.node), "JWT_MALFORMED"],
    ["is of another issuer", () => sign(keys.rsa, { iss: "https://evil.test" }), "JWT_ISSUER"],
    ["is of an issuer whose name begins alike", () => sign(keys.rsa, { iss: `${ISSUER}.evil.test` }), "JWT_ISSUER"],
    ["has a list of issuers", () => forge(head, { ...body(), iss: [ISSUER] }, keys.node), "JWT_MALFORMED"],
    ["has a number as issuer", () => forge(head, { ...body(), iss: 1 }, keys.node), "JWT_MALFORMED"],
    ["has no issuer", () => sign(keys.rsa, { iss: undefined }), "JWT_CLAIM_MISSING"],
    ["is for another audience", () => sign(keys.rsa, { aud: ["web", "apis"] }), "JWT_AUDIENCE"],
    ["has an object as audience", () => forge(head, { ...body(), aud: { api: true } }, keys.node), "JWT_MALFORMED"],
    ["has no audience", () => sign(keys.rsa, { aud: undefined }), "JWT_CLAIM_MISSING"],
    ["has no sub, which is required", () => sign(keys.rsa, { sub: undefined }), "JWT_CLAIM_MISSING"],
    ["has an empty sub", () => sign(keys.rsa, { sub: "" }), "JWT_CLAIM_MISSING"],
    [
      "has a claim twice",
      () => forge(head, JSON.stringify(body()).replace("{", '{"role":"user","role":"admin",'), keys.node),
      "JWT_MALFORMED",
    ],
    [
      "has a claim twice, deep in another",
      () => forge(head, JSON.stringify(body()).replace("{", '{"a":[{"b":1,"b":2}],'), keys.node),
      "JWT_MALFORMED",
    ],
    [
      "has a member of its header twice",
      () => forge('{"alg":"RS256","kid":"rsa","kid":"rsa"}', body(), keys.node),
      "JWT_MALFORMED",
    ],
    ["has a list as payload", () => forge(head, "[]", keys.node), "JWT_MALFORMED"],
    [
      "has a payload that is nested 10,000 levels",
      () => forge(head, `{"a":${"[".repeat(5000)}${"]".repeat(5000)}}`, keys.node),
      "JWT_MALFORMED",
    ],
    ["has 10 MB", () => `${"a".repeat(10e6)}.b.c`, "JWT_TOO_LARGE"],
    ["has 16 KiB in characters, and more in bytes", () => "é".repeat(16 * 1024), "JWT_TOO_LARGE"],
    ["has lost its signature", async () => `${(await parts()).slice(0, 2).join(".")}.`, "JWT_SIGNATURE"],
    ["has lost its signature and the dot", async () => (await parts()).slice(0, 2).join("."), "JWT_MALFORMED"],
    [
      "has a changed payload",
      async () => (await parts()).with(1, base64url(JSON.stringify({ ...body(), sub: "eve" }))).join("."),
      "JWT_SIGNATURE",
    ],
    ["has a NUL in it", async () => (await sign(keys.rsa)).replace(".", "\0."), "JWT_MALFORMED"],
    [
      "has characters that are not of base64url",
      async () => (await sign(keys.rsa)).replace(".", "+/=."),
      "JWT_MALFORMED",
    ],
    ["has spaces around it", async () => ` ${await sign(keys.rsa)} `, "JWT_MALFORMED"],
    ["has the scheme before it", async () => `Bearer ${await sign(keys.rsa)}`, "JWT_MALFORMED"],
    ["is encrypted, with five parts", async () => `${await sign(keys.rsa)}.a.b`, "JWT_MALFORMED"],
    ["is JSON", () => JSON.stringify({ payload: "x" }), "JWT_MALFORMED"],
    ["has half a surrogate pair", () => "\ud800.a.b", "JWT_MALFORMED"],
    ["is empty", () => "", "JWT_MALFORMED"],
    ["is undefined", () => undefined, "JWT_MALFORMED"],
    ["is a list with a token", async () => [await sign(keys.rsa)], "JWT_MALFORMED"],
  ];
  for (const [name, make, code] of attacks) {
    test(`that ${name} is refused: ${code}`, async () => {
      const token = await make();
      assert.equal(await outcome(verifier, token), code);
      // A refusal is not remembered as a success.
      assert.equal(await outcome(verifier, token), code);
    });
  }

  test("with any character changed, left out or put in is refused", async () => {
    const token = await sign(keys.ed);
    assert.equal(await outcome(verifier, token), "ok");
    for (let at = 0; at < token.length; at++) {
      for (const other of ["A", "B", ".", "=", ""]) {
        const changed = token.slice(0, at) + other + token.slice(at + 1);
        if (changed !== token) {
          assert.notEqual(await outcome(verifier, changed), "ok", changed);
        }
      }
      assert.notEqual(await outcome(verifier, `${token.slice(0, at)}A${token.slice(at)}`), "ok");
    }
  });

  test("that is accepted once is refused when it has expired", async () => {
    const token = await sign(keys.rsa);
    let at = Date.now();
    const verifier = createVerifier({
      keySets: [{ id: "ks", local: { jwks: keys.rsa.jwk } }],
      now: () => new Date(at),
    });
    const first = await verifier.verify(token);
    assert.equal(await verifier.verify(token), first);
    at += 61_000;
    assert.equal(await outcome(verifier, token), "JWT_EXPIRED");
  });

  test("is refused by a clock that tells no time", async () => {
    const keySets = [{ id: "ks", local: { jwks: keys.rsa.jwk } }];
    const verifier = createVerifier({ keySets, now: () => new Date(Number.NaN) });
    await assert.rejects(verifier.verify(await sign(keys.rsa)), { code: "OPTIONS_INVALID", path: "now" });
  });

  test("is remembered among those used last", async () => {
    const keySets = [{ id: "ks", local: { jwks: keys.ed.jwk } }];
    const verifier = createVerifier({ keySets, cacheSize: 4 });
    const tokens = await Promise.all(Array.from({ length: 20 }, (_, n) => sign(keys.ed, { n })));
    const [often, ...rest] = tokens;
    const first = await verifier.verify(often);
    const once = [];
    for (const token of rest) {
      once.push(await verifier.verify(token));
      assert.equal(await verifier.verify(often), first);
    }
    // The last is known still, and of the others no more than three.
    assert.equal(await verifier.verify(rest.at(-1)), once.at(-1));
    assert.notEqual(await verifier.verify(rest[0]), once[0]);
    assert.notEqual(await verifier.verify(rest.at(-5)), once.at(-5));
    const none = createVerifier({ keySets, cacheSize: 0 });
    assert.notEqual(await none.verify(often), await none.verify(often));
  });

  const options = [
    [
      "by a key in PEM, of any kid",
      () => ({ local: { pem: keys.ec.pem } }),
      () => sign(keys.ec, {}, { kid: "any" }),
      "ok",
    ],
    [
      "by several keys in PEM",
      () => ({ local: { pem: `${keys.rsa.pem}\n${keys.ec.pem}` } }),
      () => sign(keys.ec, {}, { kid: undefined }),
      "ok",
    ],
    [
      "by PEM in base64, as in Cerbos",
      () => ({ local: { pem: true, data: Buffer.from(keys.ec.pem).toString("base64") } }),
      () => sign(keys.ec),
      "ok",
    ],
    [
      "by a JWK in base64, as in Cerbos",
      () => ({ local: { data: Buffer.from(JSON.stringify(keys.ec.jwk)).toString("base64") } }),
      () => sign(keys.ec),
      "ok",
    ],
    [
      "of a type that is allowed",
      () => ({ local: { jwks: keys.ec.jwk }, types: ["AT+JWT"] }),
      () => sign(keys.ec, {}, { typ: "application/at+jwt" }),
      "ok",
    ],
    [
      "without the type that is needed",
      () => ({ local: { jwks: keys.ec.jwk }, types: ["at+jwt"] }),
      () => sign(keys.ec),
      "JWT_TYPE",
    ],
    [
      "within the skew",
      () => ({ local: { jwks: keys.ec.jwk }, acceptableTimeSkew: "5s" }),
      () => sign(keys.ec, { exp: now() - 3, nbf: now() + 3, iat: now() + 3 }),
      "ok",
    ],
    [
      "beyond the skew",
      () => ({ local: { jwks: keys.ec.jwk }, acceptableTimeSkew: "5s" }),
      () => sign(keys.ec, { exp: now() - 6 }),
      "JWT_EXPIRED",
    ],
    [
      "without exp, where that is allowed",
      () => ({ local: { jwks: keys.ec.jwk }, insecure: { optionalExp: true } }),
      () => sign(keys.ec, { exp: undefined }),
      "ok",
    ],
    [
      "without kid, where that is allowed",
      () => ({ local: { jwks: keys.ec.jwk }, insecure: { optionalKid: true } }),
      () => sign(keys.ec, {}, { kid: undefined }),
      "ok",
    ],
    [
      "by a shared secret",
      () => ({ local: { secret: "s".repeat(32) }, algorithms: ["HS256"] }),
      () => forge({ alg: "HS256" }, body(), "s".repeat(32), "HS256"),
      "ok",
    ],
    [
      "by another shared secret",
      () => ({ local: { secret: "s".repeat(32) }, algorithms: ["HS256"] }),
      () => forge({ alg: "HS256" }, body(), "t".repeat(32), "HS256"),
      "JWT_SIGNATURE",
    ],
  ];
  for (const [name, keySet, make, code] of options) {
    test(`${name}: ${code}`, async () => {
      const verifier = createVerifier({ keySets: [{ id: "ks", ...keySet() }] });
      assert.equal(await outcome(verifier, await make()), code);
    });
  }

  test("is verified by the key set that is named", async () => {
    const verifier = createVerifier({
      keySets: [
        { id: "one", local: { jwks: keys.rsa.jwk } },
        { id: "two", local: { jwks: keys.ec.jwk } },
      ],
    });
    const token = await sign(keys.ec);
    assert.equal((await verifier.verify(token, { keySetId: "two" })).keySetId, "two");
    assert.equal(await outcome(verifier, token, { keySetId: "one" }), "JWT_KEY_UNKNOWN");
    assert.equal(await outcome(verifier, token, { keySetId: "no" }), "JWT_KEY_SET_UNKNOWN");
    assert.equal(await outcome(verifier, token), "JWT_KEY_SET_UNKNOWN");
    assert.equal(await outcome(verifier, token, { keySetId: "toString" }), "JWT_KEY_SET_UNKNOWN");
  });

  test("is not verified with options that are wrong", async () => {
    const verifier = createVerifier({ keySets: [{ id: "one", local: { jwks: keys.rsa.jwk } }] });
    const token = await sign(keys.rsa);
    for (const [options, path, message] of [
      [null, "", "the options must be an object"],
      ["one", "", "the options must be an object"],
      [{ keySetID: "one" }, "keySetID", "keySetID: there is no such option; did you mean keySetId?"],
      [{ keySetId: null }, "keySetId", "keySetId: must be a string"],
      [{ keySetId: 1 }, "keySetId", "keySetId: must be a string"],
    ]) {
      await assert.rejects(verifier.verify(token, options), { name: "OptionsError", path, message });
    }
    for (const options of [undefined, {}, { keySetId: undefined }, { keySetId: "" }]) {
      assert.equal((await verifier.verify(token, options)).keySetId, "one");
    }
  });

  test("is believed, but for its times, where verification is disabled", async () => {
    const verifier = createVerifier({ disableVerification: true });
    const { claims, keySetId } = await verifier.verify(await sign(keys.other));
    assert.deepEqual([claims.sub, keySetId], ["ann", undefined]);
    assert.equal(await outcome(verifier, await sign(keys.other, { exp: now() - 1 })), "JWT_EXPIRED");
    assert.equal(await outcome(verifier, "x"), "JWT_MALFORMED");
  });

  test("is refused with words for the log, and nothing to try again", async () => {
    await assert.rejects(verifier.verify(await sign(keys.rsa, { exp: now() - 1 })), {
      name: "JwtError",
      code: "JWT_EXPIRED",
      message: "the token has expired (exp)",
      retryable: false,
    });
  });
});
