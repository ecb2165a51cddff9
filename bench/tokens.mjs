/** What tokens cost: verified for the first time, and known; against the same check without one, and against `jose`. */

import { createRequire } from "node:module";
import { exportJWK, generateKeyPair, jwtVerify, SignJWT } from "jose";
import { percentile } from "./measure.mjs";
import { loadOrthrus } from "./peers/orthrus.mjs";
import { random } from "./workload.mjs";

const load = (name) => createRequire(new URL("../package.json", import.meta.url))(name);

const POLICY = {
  "document.json": JSON.stringify({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: "document",
      version: "default",
      rules: [
        {
          actions: ["view", "edit", "delete"],
          effect: "EFFECT_ALLOW",
          roles: ["user"],
          condition: { match: { expr: "R.attr.orgId == P.attr.orgId" } },
        },
        {
          actions: ["read"],
          effect: "EFFECT_ALLOW",
          roles: ["user"],
          condition: { match: { expr: "R.attr.orgId == request.auxData.jwt.org_id" } },
        },
      ],
    },
  }),
};

const CLAIMS = { sub: "user_1", org_id: "org_1", sid: "sess_1", role: "member", permissions: ["docs:read", "docs:write"] };

async function token(alg) {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const text = await new SignJWT(CLAIMS)
    .setProtectedHeader({ alg, kid: alg, typ: "JWT" })
    .setIssuer("https://issuer.test")
    .setAudience("api")
    .setIssuedAt()
    .setExpirationTime("1h")
    .sign(privateKey);
  return { text, publicKey, jwk: { ...(await exportJWK(publicKey)), alg, kid: alg } };
}

const principalOf = ({ sub, org_id }) => ({ id: sub, roles: ["user"], attr: { orgId: org_id } });
const requestOf = (principal) => ({
  principal,
  resource: { kind: "document", id: "1", attr: { orgId: "org_1", ownerId: "user_1", status: "draft" } },
  actions: ["view", "edit", "delete"],
});

function expectAllowed(result, action) {
  if (result.isAllowed(action) !== true) throw new Error(`${action} is denied`);
}

/**
 * Measures everything in turns, so that a slow moment of the machine hits all.
 * @returns a list of `{ name, p50 }`, ns
 */
export async function benchTokens({ rounds, batch }) {
  const { Orthrus } = loadOrthrus();
  const { createVerifier } = load("orthrus/jwt");
  const tokens = { RS256: await token("RS256"), ES256: await token("ES256"), EdDSA: await token("EdDSA") };
  const keySets = [{ id: "ks", local: { jwks: { keys: Object.values(tokens).map(({ jwk }) => jwk) } } }];
  const known = createVerifier({ keySets });
  const unknown = createVerifier({ keySets, cacheSize: 0 });
  const engine = Orthrus.fromFilesSync(POLICY, { auxData: { jwt: known } });
  const jwt = { token: tokens.RS256.text };

  const subjects = [
    [
      "check, no token",
      batch,
      async () => expectAllowed(await engine.checkResource(requestOf(principalOf(CLAIMS))), "edit"),
    ],
    [
      "known token: verify, map, check",
      batch,
      async () => {
        const { claims } = await known.verify(tokens.RS256.text);
        expectAllowed(await engine.checkResource(requestOf(principalOf(claims))), "edit");
      },
    ],
    [
      "known token in auxData, read by the policy",
      batch,
      async () => {
        const request = { ...requestOf({ id: "user_1", roles: ["user"] }), actions: ["read"], auxData: { jwt } };
        expectAllowed(await engine.checkResource(request), "read");
      },
    ],
    ...Object.entries(tokens).flatMap(([alg, { text, publicKey }]) => [
      [`${alg}, new token: verify`, batch / 100, () => unknown.verify(text)],
      [`${alg}, new token: jose`, batch / 100, () => jwtVerify(text, publicKey)],
    ]),
  ].map(([name, calls, call]) => ({ name, calls: Math.max(1, calls), call, samples: [] }));

  const next = random(rounds);
  for (let round = -Math.ceil(rounds / 4); round < rounds; round++) {
    for (const subject of subjects.sort(() => next() - 0.5)) {
      const started = performance.now();
      for (let i = 0; i < subject.calls; i++) await subject.call();
      // The first rounds warm up.
      if (round >= 0) subject.samples.push(((performance.now() - started) / subject.calls) * 1e6);
    }
  }
  engine.close();
  const figures = subjects.map(({ name, samples }) => ({ name, p50: percentile(samples, 0.5) }));
  return figures.sort((a, b) => a.p50 - b.p50);
}
