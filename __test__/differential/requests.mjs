/** Random requests over the names that the policies of `policies.mjs` use, and some that they do not. */

import { attributes } from "./attributes.mjs";
import { ACTIONS, KINDS, PRINCIPALS, ROLES, SCOPES, VERSIONS } from "./names.mjs";

const scope = (rng) =>
  rng.weighted([
    [4, ""],
    [5, rng.pick(SCOPES)],
    [1, rng.pick(["a.x", "a.b.c.d", "z", "."])],
  ]);

const version = (rng) =>
  rng.weighted([
    [6, ""],
    [3, rng.pick(VERSIONS)],
    [0.5, "unknown"],
  ]);

/** Leaves out what is empty. */
const compact = (fields) => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== ""));

export function principal(rng) {
  const roles = [...rng.sample(ROLES, rng.int(1, 3)), ...(rng.chance(0.1) ? ["stranger"] : [])];
  return compact({
    id: rng.chance(0.1) ? "nobody" : rng.pick(PRINCIPALS),
    roles,
    attr: attributes(rng),
    policyVersion: version(rng),
    scope: scope(rng),
  });
}

export function resource(rng, id) {
  return compact({
    kind: rng.chance(0.05) ? "unknown" : rng.pick(KINDS),
    id,
    attr: attributes(rng),
    policyVersion: version(rng),
    scope: scope(rng),
  });
}

function token(rng) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const payload = {
    iss: "issuer",
    sub: rng.pick([...PRINCIPALS, "nobody"]),
    aud: ["x"],
    level: 7,
    nested: { a: [1, "b"] },
  };
  return `${part({ alg: "HS256", typ: "JWT" })}.${part(payload)}.${Buffer.from("signature").toString("base64url")}`;
}

/** A check of so many resources, each with some actions. */
export function checkRequest(rng, resources) {
  return {
    requestId: "r",
    includeMeta: true,
    principal: principal(rng),
    resources: rng.times(resources, (index) => ({
      resource: resource(rng, String(index)),
      actions: rng.sample(ACTIONS, rng.int(2, 7)),
    })),
    ...(rng.chance(0.3) ? { auxData: { jwt: { token: token(rng) } } } : {}),
  };
}
