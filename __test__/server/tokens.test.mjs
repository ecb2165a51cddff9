/** Tokens of requests: keys that are published, changed, and not to be had; revocation. */

import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Orthrus } from "orthrus";
import { comparable, lifetime, skip, startBoth } from "./both.mjs";
import { reflectedClient } from "./grpc.mjs";
import { post, startServer, temporary, until } from "./support.mjs";

const CERBOS = "cerbos.svc.v1.CerbosService";
const AUTHZEN = "authzen.authorization.v1.AuthorizationService";

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

test("keys that nobody knows are not looked for again and again", async (t) => {
  const one = keyPair("one");
  const published = await publish(t, [one.jwk]);
  const { ask } = await start(t, { keySets: [{ id: "login", remote: { url: published.url, cooldown: "1h" } }] });
  assert.deepEqual(await ask(tokenBy(one)), ALLOWED);
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(tokenBy(keyPair(`k${index}`)))));
  for (const answer of answers) {
    assert.deepEqual(answer, REFUSED);
  }
  assert.ok(published.asked <= 2, `${published.asked} times`);
  assert.deepEqual(await ask(tokenBy(one)), ALLOWED);
});

test("a revocation list that cannot be asked denies", async (t) => {
  const one = keyPair("one");
  const list = {
    isRevoked: async () => {
      throw new Error("no connection");
    },
  };
  const { ask, events } = await start(t, {
    keySets: [{ id: "one", local: { jwks: { keys: [one.jwk] } } }],
    revocation: { list },
  });
  assert.deepEqual(await ask(tokenBy(one)), UNAVAILABLE);
  assert.ok(events.some(({ level, logger }) => level === "error" && logger === "orthrus.tokens"));
});

test("a revocation list that never answers denies in the end", async (t) => {
  const one = keyPair("one");
  const { ask } = await start(t, {
    keySets: [{ id: "one", local: { jwks: { keys: [one.jwk] } } }],
    revocation: { list: { isRevoked: () => new Promise(() => undefined) }, timeout: "200ms" },
  });
  assert.deepEqual(await ask(tokenBy(one)), UNAVAILABLE);
});

test("who refuses a token is told why in the log alone", async (t) => {
  const one = keyPair("one");
  const { ask, events } = await start(t, { keySets: [{ id: "one", local: { jwks: { keys: [one.jwk] } } }] });
  for (const [token, code] of [
    [tokenBy(one, { exp: 1 }), "JWT_EXPIRED"],
    [tokenBy({ ...keyPair("one"), kid: "one" }), "JWT_SIGNATURE"],
    [tokenBy(keyPair("two")), "JWT_KEY_UNKNOWN"],
    ["x.y.z", "JWT_MALFORMED"],
  ]) {
    events.length = 0;
    assert.deepEqual(await ask(token), REFUSED);
    await until(() => events.length > 0);
    assert.deepEqual(
      events.map(({ logger, fields }) => [logger, fields.code]),
      [["orthrus.tokens", code]],
    );
    assert.ok(!JSON.stringify(events).includes(token));
  }
});

const TIMES = `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  rules:
    - name: claims
      actions: [one]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: { match: { expr: 'timestamp(request.auxData.jwt.exp) > now()' } }
      output: { when: { ruleActivated: request.auxData.jwt } }
    - name: named
      actions: [two]
      effect: EFFECT_ALLOW
      roles: [user]
      condition: { match: { expr: 'request.auxData.jwts.first.claims.team != request.auxData.jwts.second.claims.team' } }
      output: { when: { ruleActivated: '[request.auxData.jwts.first.claims, request.auxData.jwts.second.claims]' } }
`;

describe("policies read of tokens what the PDP lets them read", { skip }, () => {
  const { t, end } = lifetime();
  const key = keyPair("one");
  let published;
  let sides;

  before(async () => {
    const folder = temporary(t);
    writeFileSync(join(folder, "document.yaml"), TIMES);
    const file = join(temporary(t), "keys.json");
    writeFileSync(file, JSON.stringify({ keys: [key.jwk] }));
    published = await publish(t, [key.jwk]);
    const remote = { id: "remote", remote: { url: published.url } };
    const jwt = { keySets: [{ id: "local", local: { file } }, remote] };
    sides = await startBoth(t, folder, { auxData: { jwt } });
    for (const [side, { grpc }] of Object.entries(sides)) {
      sides[side].client = await reflectedClient(grpc, [CERBOS, AUTHZEN]);
    }
  });
  after(async () => {
    for (const { client } of Object.values(sides ?? {})) {
      client?.close();
    }
    await end();
  });

  const whole = Math.floor(Date.now() / 1000);
  const signed = (claims, keySetId = "local") => ({ token: tokenBy(key, claims), keySetId });
  const CLAIMS = {
    sub: "ann",
    iat: whole - 10,
    nbf: whole - 10,
    aud: "api",
    list: [1, "a", null, true, { b: 2.5 }],
    deep: { a: { b: [] } },
    large: 9007199254740991,
    nothing: null,
    empty: "",
  };

  /** `[what, auxData]` */
  for (const [what, auxData] of [
    ["a token", { jwt: signed(CLAIMS) }],
    ["a token for several", { jwt: signed({ ...CLAIMS, aud: ["a", "b"] }) }],
    ["a token with an end in parts of a second", { jwt: signed({ exp: whole + 600.5 }) }],
    ["a token by keys that are published", { jwt: signed(CLAIMS, "remote") }],
    ["tokens by name", { jwts: { first: signed({ team: "blue" }), second: signed({ team: "red", iat: whole - 1 }) } }],
    ["a token that is over", { jwt: signed({ exp: whole - 600 }) }],
    ["a token that begins later", { jwt: signed({ nbf: whole + 600 }) }],
    ["one token of two that is over", { jwts: { first: signed({}), second: signed({ exp: whole - 600 }) } }],
    ["no key set among several", { jwt: { token: tokenBy(key) } }],
    ["a key set that is not there", { jwt: signed({}, "none") }],
    ["no token", undefined],
  ]) {
    const message = {
      principal: { id: "ann", roles: ["user"] },
      resources: [{ resource: { kind: "document", id: "1" }, actions: ["one", "two"] }],
      ...(auxData === undefined ? {} : { auxData }),
    };

    test(`over HTTP: ${what}`, async () => {
      const [ours, pdp] = await Promise.all(
        [sides.ours, sides.pdp].map(({ url }) => post(`${url}/api/check/resources`, message)),
      );
      assert.equal(ours.status, pdp.status, ours.text);
      assert.deepEqual(comparable(ours.body), comparable(pdp.body));
    });

    test(`over gRPC: ${what}`, async () => {
      const [ours, pdp] = await Promise.all(
        [sides.ours, sides.pdp].map(({ client }) => client.call(CERBOS, "CheckResources", message)),
      );
      assert.deepEqual(comparable(ours), comparable(pdp));
    });

    // With several tokens the PDP answers 500, and it does not read which key set is named.
    if (auxData?.jwts !== undefined || auxData?.jwt?.keySetId) {
      continue;
    }
    test(`by AuthZEN: ${what}`, async () => {
      const evaluation = {
        subject: { type: "user", id: "ann", properties: { "cerbos.roles": ["user"] } },
        resource: { type: "document", id: "1" },
        action: { name: "one" },
        context: auxData === undefined ? {} : { "cerbos.auxData": auxData },
      };
      const [ours, pdp] = await Promise.all(
        [sides.ours, sides.pdp].map(({ url }) => post(`${url}/access/v1/evaluation`, evaluation)),
      );
      assert.equal(ours.status, pdp.status, ours.text);
      assert.deepEqual(comparable(ours.body), comparable(pdp.body));
    });
  }
});
