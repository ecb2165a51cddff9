/** Tokens of requests: keys that are published, changed, and not to be had; revocation. */

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { createServer } from "node:http";
import { test } from "node:test";
import { Orthrus } from "orthrus";
import { post, startServer } from "./support.mjs";

const POLICY = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules:
    - actions: [view]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: { match: { expr: request.auxData.jwt.team == "blue" } }
`;

function keyPair(kid) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  return { kid, privateKey, jwk: { ...publicKey.export({ format: "jwk" }), kid, alg: "EdDSA", use: "sig" } };
}

function tokenBy({ kid, privateKey }, claims = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const all = { team: "blue", exp: Math.floor(Date.now() / 1000) + 600, ...claims };
  const message = `${part({ alg: "EdDSA", kid, typ: "JWT" })}.${part(all)}`;
  return `${message}.${sign(undefined, Buffer.from(message), privateKey).toString("base64url")}`;
}

/** Publishes keys; `keys` may be changed, and with `broken` it answers no more. */
async function publish(t, keys) {
  const published = { keys, broken: false, asked: 0 };
  const server = createServer((_, response) => {
    published.asked++;
    response.writeHead(published.broken ? 500 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify({ keys: published.keys }));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  });
  published.url = `http://localhost:${server.address().port}/jwks.json`;
  return published;
}

async function start(t, jwt) {
  const { url, events } = await startServer(t, await Orthrus.fromFiles({ "document.yaml": POLICY }), {
    auxData: { jwt },
  });
  const ask = async (token, keySetId) => {
    const jwtOf = { token, ...(keySetId === undefined ? {} : { keySetId }) };
    const { status, body } = await post(`${url}/api/check/resources`, {
      principal: { id: "ann", roles: ["user"] },
      resources: [{ resource: { kind: "document", id: "1" }, actions: ["view"] }],
      auxData: { jwt: jwtOf },
    });
    return { status, code: body.code, effect: body.results?.[0].actions.view };
  };
  return { ask, events };
}

const ALLOWED = { status: 200, code: undefined, effect: "EFFECT_ALLOW" };
const REFUSED = { status: 400, code: 3, effect: undefined };
const UNAVAILABLE = { status: 503, code: 14, effect: undefined };

test("keys that are published, and others that take their place", async (t) => {
  const [one, two] = [keyPair("one"), keyPair("two")];
  const published = await publish(t, [one.jwk]);
  const remote = { url: published.url, cooldown: "0s" };
  const { ask } = await start(t, { keySets: [{ id: "login", remote }] });
  assert.deepEqual(await ask(tokenBy(one)), ALLOWED);
  assert.deepEqual(await ask(tokenBy(one, { team: "red" })), { ...ALLOWED, effect: "EFFECT_DENY" });
  assert.equal(published.asked, 1, "keys are fetched once");
  assert.deepEqual(await ask(tokenBy(two)), REFUSED);
  published.keys = [two.jwk];
  assert.deepEqual(await ask(tokenBy(two)), ALLOWED, "a key that is not known is looked for");
  assert.deepEqual(await ask(tokenBy(one)), REFUSED);
});

test("keys that cannot be had deny, and are tried again", async (t) => {
  const one = keyPair("one");
  const published = await publish(t, [one.jwk]);
  published.broken = true;
  const { ask, events } = await start(t, {
    keySets: [{ id: "login", remote: { url: published.url, cooldown: "0s" } }],
  });
  assert.deepEqual(await ask(tokenBy(one)), UNAVAILABLE);
  assert.ok(events.some(({ level, logger }) => level === "error" && logger === "orthrus.tokens"));
  published.broken = false;
  assert.deepEqual(await ask(tokenBy(one)), ALLOWED);
});

test("several key sets are named", async (t) => {
  const [one, two] = [keyPair("k"), keyPair("k")];
  const local = ({ jwk }) => ({ jwks: { keys: [jwk] } });
  const { ask } = await start(t, {
    keySets: [
      { id: "one", local: local(one) },
      { id: "two", local: local(two) },
    ],
  });
  assert.deepEqual(await ask(tokenBy(one), "one"), ALLOWED);
  assert.deepEqual(await ask(tokenBy(one), "one"), ALLOWED, "it is known now");
  assert.deepEqual(await ask(tokenBy(one), "two"), REFUSED, "but to the one key set alone");
  assert.deepEqual(await ask(tokenBy(one)), REFUSED);
  assert.deepEqual(await ask(tokenBy(one), "three"), REFUSED);
});

test("tokens that are over, also those that are known", async (t) => {
  const one = keyPair("one");
  const { ask } = await start(t, { keySets: [{ id: "one", local: { jwks: { keys: [one.jwk] } } }] });
  const token = tokenBy(one, { exp: Math.floor(Date.now() / 1000) + 2 });
  assert.deepEqual(await ask(token), ALLOWED);
  await new Promise((resolve) => setTimeout(resolve, 2100));
  assert.deepEqual(await ask(token), REFUSED);
});

test("tokens that are revoked, also those that are known", async (t) => {
  const one = keyPair("one");
  const revoked = new Set();
  const { ask } = await start(t, {
    keySets: [{ id: "one", local: { jwks: { keys: [one.jwk] } } }],
    revocation: { list: { isRevoked: async ({ jti }) => revoked.has(jti) } },
  });
  const token = tokenBy(one, { jti: "7" });
  assert.deepEqual(await ask(token), ALLOWED);
  revoked.add("7");
  assert.deepEqual(await ask(token), REFUSED);
  assert.deepEqual(await ask(tokenBy(one, { jti: "8" })), ALLOWED);
});

test("without verification the claims count, but for the times", async (t) => {
  const { ask } = await start(t, { disableVerification: true });
  assert.deepEqual(await ask(tokenBy(keyPair("any"))), ALLOWED);
  assert.deepEqual(await ask(tokenBy(keyPair("any"), { exp: 1 })), REFUSED);
});

test("where nothing is said of tokens, none is believed", async (t) => {
  const { ask } = await start(t, undefined);
  assert.deepEqual(await ask(tokenBy(keyPair("any"))), REFUSED);
});
