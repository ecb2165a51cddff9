/**
 * Tokens in requests, answered by orthrus and by the real PDP on the same key sets. Each row says what both make of a token:
 * the claims that policies read, or a refusal. Where orthrus is meant to refuse what the PDP accepts, the row says so.
 */

import assert from "node:assert/strict";
import { KeyObject } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Orthrus } from "orthrus";
import { CI } from "../../scripts/lib/project.mjs";
import { forge, keyPair, now, sign } from "../support/jwt.mjs";
import { cerbos } from "./binary.mjs";
import { Pdp, Unanswered } from "./pdp.mjs";

const binary = await cerbos({ install: CI });
const skip =
  binary === undefined ? "SKIPPED: there is no PDP to compare with (npm run test:differential installs it)" : false;

/** Tells all that policies read of tokens. */
const FILES = {
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
          output: { when: { ruleActivated: "request.auxData" } },
        },
      ],
    },
  }),
};

const PRINCIPAL = { id: "ann", roles: ["user"] };
const RESOURCE = { kind: "token", id: "1" };
const SECRET = "a secret of thirty-two bytes or so";

/** What a request's tokens come to: what a policy reads, or the kind of refusal. */
async function theirs(pdp, auxData) {
  try {
    const { results } = await pdp.check({
      principal: PRINCIPAL,
      resources: [{ resource: RESOURCE, actions: ["read"] }],
      auxData,
    });
    return results[0].outputs[0].val;
  } catch (error) {
    assert.ok(error instanceof Unanswered, error.stack);
    const { message } = JSON.parse(error.message.replace(/^HTTP 400: /, ""));
    return message === "invalid auxData" ? "refused" : "invalid request";
  }
}

async function ours(orthrus, auxData) {
  try {
    const { outputs } = await orthrus.checkResource({
      principal: PRINCIPAL,
      resource: RESOURCE,
      actions: ["read"],
      auxData,
    });
    return outputs[0].value;
  } catch (error) {
    return { REQUEST_JWT_INVALID: "refused", REQUEST_INVALID: "invalid request" }[error.code] ?? error;
  }
}

/** Both engines on key sets; `more` are options that only orthrus has. */
async function start(jwt, more = {}) {
  const keySets = jwt.keySets?.map((keySet) => ({
    ...keySet,
    ...more,
    insecure: { ...keySet.insecure, optionalExp: true },
  }));
  const pdp = await Pdp.start(binary, FILES, {}, { jwt });
  const orthrus = Orthrus.fromFilesSync(FILES, { auxData: { jwt: keySets ? { ...jwt, keySets } : jwt } });
  return { pdp, orthrus, stop: () => Promise.all([pdp.stop(), orthrus.close()]) };
}

const inBase64 = (value) => Buffer.from(value).toString("base64");
const local = (...keys) => ({ local: { data: inBase64(JSON.stringify({ keys })) } });

describe("tokens, as in the PDP", { skip }, () => {
  const keys = {};
  let both;
  before(async () => {
    keys.rsa = await keyPair("RS256", "rsa", { use: "sig" });
    keys.ec = await keyPair("ES384", "ec");
    keys.ed = await keyPair("EdDSA", "ed");
    keys.enc = await keyPair("RS256", "enc", { use: "enc" });
    keys.other = await keyPair("RS256", "rsa");
    keys.node = KeyObject.from(keys.rsa.privateKey);
    const set = local(keys.rsa.jwk, keys.ec.jwk, keys.ed.jwk, keys.enc.jwk);
    both = await start({ keySets: [{ id: "ks", ...set }], acceptableTimeSkew: "10s" });
  });
  after(() => both?.stop());

  const head = { alg: "RS256", kid: "rsa" };
  const good = () => ({ sub: "ann", exp: now() + 60 });
  const forged = (payload, header = head) => forge(header, payload, keys.node);
  const rows = [
    ["RS256", () => sign(keys.rsa)],
    ["ES384", () => sign(keys.ec)],
    ["EdDSA", () => sign(keys.ed)],
    ["Ed25519", () => sign({ ...keys.ed, alg: "Ed25519" })],
    ["all registered claims", () => sign(keys.rsa, { nbf: now() - 5, jti: "j", aud: ["a", "b"] })],
    [
      "claims of all types",
      () => sign(keys.rsa, { o: { a: [1, null, "x", { b: true }] }, f: 1.5, n: 0, "https://x/y": "z" }),
    ],
    ["claims that are null", () => sign(keys.rsa, { z: null, o: { n: null } })],
    ["large numbers", () => forged(`{"big":12345678901234567890,"i":9007199254740993,"exp":${now() + 60}}`)],
    ["times with fractions", () => sign(keys.rsa, { exp: now() + 60.9, iat: 1.9 })],
    ["a NUL in a claim", () => sign(keys.rsa, { x: "a\0b" })],
    ["no exp", () => sign(keys.rsa, { exp: undefined })],
    ["expired within the skew", () => sign(keys.rsa, { exp: now() - 5 })],
    ["expired", () => sign(keys.rsa, { exp: now() - 15 })],
    ["nbf within the skew", () => sign(keys.rsa, { nbf: now() + 5 })],
    ["nbf to come", () => sign(keys.rsa, { nbf: now() + 15 })],
    ["iat to come", () => sign(keys.rsa, { iat: now() + 15 })],
    ["unknown kid", () => sign(keys.rsa, {}, { kid: "no" })],
    ["no kid", () => sign(keys.rsa, {}, { kid: undefined })],
    ["another key", () => sign(keys.other)],
    ["a key for encryption", () => sign(keys.enc)],
    ["alg none", () => forged(good(), { alg: "none", kid: "rsa" }).replace(/[^.]*$/, "")],
    ["kid of a key of another alg", () => sign(keys.ec, {}, { kid: "rsa" })],
    ["HS256 by the public key", () => forge({ alg: "HS256", kid: "rsa" }, good(), keys.rsa.pem, "HS256")],
    ["b64: false", () => forged(good(), { ...head, b64: false, crit: ["b64"] })],
    ["iss is a number", () => forged({ ...good(), iss: 1 })],
    ["iss is a list", () => forged({ ...good(), iss: ["a"] })],
    ["aud is an object", () => forged({ ...good(), aud: { a: 1 } })],
    ["aud is null", () => forged({ ...good(), aud: null })],
    ["sub is a number", () => forged({ ...good(), sub: 1 })],
    ["exp is null", () => forged({ ...good(), exp: null })],
    ["exp is text", () => forged({ ...good(), exp: "soon" })],
    ["exp is 1e300", () => forged({ ...good(), exp: 1e300 })],
    ["iat is negative", () => forged({ ...good(), iat: -5 })],
    ["a list as payload", () => forged("[1]")],
    ["padding", async () => `${await sign(keys.rsa)}=`],
    ["no token", () => "garbage"],
    // What the PDP lets pass, and orthrus does not.
    ["an unknown crit", () => forged(good(), { ...head, crit: ["x"], x: 1 }), "stricter"],
    ["a claim twice", () => forged(`{"role":"a","role":"b","exp":${now() + 60}}`), "stricter"],
    ["a member of the header twice", () => forged(good(), '{"alg":"RS256","kid":"rsa","kid":"rsa"}'), "stricter"],
    ["an alg that the key does not name", () => forged(good(), { alg: "RS512", kid: "rsa" }), "stricter"],
    ["exp is a number as text", () => forged({ ...good(), exp: String(now() + 60) }), "stricter"],
    ["exp is after 9999", () => forged({ exp: 253_402_300_800 }), "stricter"],
    ["sub is null", () => forged({ ...good(), sub: null }), "stricter"],
    ["another type", () => sign(keys.rsa, {}, { typ: "at+jwt" }), "stricter"],
    ["20 KB", () => sign(keys.rsa, { x: "y".repeat(20_000) }), "stricter"],
    ["a space before it", async () => ` ${await sign(keys.rsa)}`, "stricter"],
  ];
  for (const [name, make, stricter] of rows) {
    test(stricter ? `${name}: only the PDP accepts it` : name, async () => {
      const auxData = { jwt: { token: await make(), keySetId: "ks" } };
      const [pdp, orthrus] = [await theirs(both.pdp, auxData), await ours(both.orthrus, auxData)];
      if (stricter) {
        assert.equal(typeof pdp, "object");
        assert.equal(orthrus, "refused");
      } else {
        assert.deepEqual(orthrus, pdp);
      }
    });
  }

  const shapes = [
    ["no key set id", (token) => ({ jwt: { token } })],
    ["an empty key set id", (token) => ({ jwt: { token, keySetId: "" } })],
    ["an unknown key set", (token) => ({ jwt: { token, keySetId: "no" } })],
    ["an empty token", () => ({ jwt: { token: "" } })],
    ["several tokens", (token, other) => ({ jwts: { a: { token }, b: { token: other, keySetId: "ks" } } })],
    ["several tokens, one refused", (token) => ({ jwts: { a: { token }, b: { token: "x" } } })],
    ["several tokens, one empty", (token) => ({ jwts: { a: { token }, b: { token: "" } } })],
    ["one token and several", (token) => ({ jwt: { token }, jwts: { a: { token } } })],
  ];
  for (const [name, make] of shapes) {
    test(name, async () => {
      const auxData = make(await sign(keys.rsa), await sign(keys.ec, { sub: "bob" }));
      assert.deepEqual(await ours(both.orthrus, auxData), await theirs(both.pdp, auxData));
    });
  }

  const withoutKid = ({ kid: _, ...jwk }) => jwk;
  const withoutAlg = ({ alg: _, ...jwk }) => jwk;
  const sets = [
    [
      "keys without kid, where that is allowed",
      () => ({ ...local(withoutKid(keys.rsa.jwk)), insecure: { optionalKid: true } }),
    ],
    [
      "keys without alg, where that is allowed",
      () => ({ ...local(withoutAlg(keys.rsa.jwk)), insecure: { optionalAlg: true } }),
    ],
    [
      "keys in PEM",
      () => ({
        local: { pem: true, data: inBase64(keys.rsa.pem) },
        insecure: { optionalAlg: true, optionalKid: true },
      }),
    ],
    ["a JWK alone", () => ({ local: { data: inBase64(JSON.stringify(keys.rsa.jwk)) } })],
  ];
  for (const [name, make] of sets) {
    test(`by ${name}`, async () => {
      const { pdp, orthrus, stop } = await start({ keySets: [{ id: "ks", ...make() }] });
      try {
        for (const header of [{}, { kid: undefined }]) {
          for (const key of [keys.rsa, keys.other]) {
            const auxData = { jwt: { token: await sign(key, {}, header) } };
            assert.deepEqual(await ours(orthrus, auxData), await theirs(pdp, auxData));
          }
        }
      } finally {
        await stop();
      }
    });
  }

  test("by keys that lack kid or alg: the PDP refuses the tokens, orthrus the keys", async () => {
    for (const jwk of [withoutKid(keys.rsa.jwk), withoutAlg(keys.rsa.jwk)]) {
      const jwt = { keySets: [{ id: "ks", ...local(jwk) }] };
      const pdp = await Pdp.start(binary, FILES, {}, { jwt });
      try {
        assert.equal(await theirs(pdp, { jwt: { token: await sign(keys.rsa) } }), "refused");
      } finally {
        await pdp.stop();
      }
      const path = "auxData.jwt.keySets[0].local.data";
      assert.throws(() => Orthrus.fromFilesSync(FILES, { auxData: { jwt } }), { code: "OPTIONS_INVALID", path });
    }
  });

  test("by one of several key sets", async () => {
    const { pdp, orthrus, stop } = await start({
      keySets: [
        { id: "one", ...local(keys.rsa.jwk) },
        { id: "two", ...local(keys.ec.jwk) },
      ],
    });
    try {
      for (const keySetId of ["one", "two", undefined]) {
        for (const key of [keys.rsa, keys.ec]) {
          const auxData = { jwt: { token: await sign(key), keySetId } };
          assert.deepEqual(await ours(orthrus, auxData), await theirs(pdp, auxData));
        }
      }
    } finally {
      await stop();
    }
  });

  test("by a shared secret", async () => {
    const jwk = { kty: "oct", kid: "s", alg: "HS256", k: Buffer.from(SECRET).toString("base64url") };
    const { pdp, orthrus, stop } = await start({ keySets: [{ id: "ks", ...local(jwk) }] }, { algorithms: ["HS256"] });
    try {
      for (const secret of [SECRET, `${SECRET}.`]) {
        const auxData = { jwt: { token: forge({ alg: "HS256", kid: "s" }, good(), secret, "HS256") } };
        assert.deepEqual(await ours(orthrus, auxData), await theirs(pdp, auxData));
      }
    } finally {
      await stop();
    }
  });

  test("where verification is disabled", async () => {
    const { pdp, orthrus, stop } = await start({ disableVerification: true });
    try {
      const tokens = [
        await sign(keys.other),
        await sign(keys.rsa, { exp: undefined }),
        await sign(keys.rsa, { exp: now() - 5 }),
        await sign(keys.rsa, { nbf: now() + 50 }),
        await sign(keys.rsa, { iat: now() + 50 }),
        forged(good(), { alg: "none" }).replace(/[^.]*$/, ""),
        "x.y.z",
      ];
      for (const token of tokens) {
        for (const keySetId of [undefined, "any"]) {
          const auxData = { jwt: { token, keySetId } };
          assert.deepEqual(await ours(orthrus, auxData), await theirs(pdp, auxData));
        }
      }
    } finally {
      await stop();
    }
  });
});
