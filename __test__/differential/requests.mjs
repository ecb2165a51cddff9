/** Random requests over the names that the policies of `policies.mjs` use, and some that they do not. */

import { attributes } from "./attributes.mjs";
import { ACTIONS, CUSTOM_ROLES, KIND_ALIASES, KINDS, PRINCIPALS, ROLES, SCOPES, TOKENS, VERSIONS } from "./names.mjs";

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
  const roles = [
    ...rng.sample(ROLES, rng.int(1, 3)),
    ...rng.sample([...CUSTOM_ROLES, "stranger"], rng.chance(0.3) ? rng.int(1, 2) : 0),
  ];
  return compact({
    id: rng.chance(0.1) ? rng.pick(["nobody", "bob_x.org"]) : rng.pick(PRINCIPALS),
    roles,
    attr: attributes(rng),
    policyVersion: version(rng),
    scope: scope(rng),
  });
}

export function resource(rng, id, about) {
  const attr = attributes(rng);
  if (about.length > 0 && rng.chance(0.8)) {
    const { resource: kind, version: own, scope: within = "" } = rng.pick(about);
    const policyVersion = own === "default" && rng.chance(0.7) ? "" : own;
    return compact({ kind, id, attr, policyVersion, scope: within });
  }
  return compact({
    kind: rng.chance(0.1) ? rng.pick(["unknown", ...KIND_ALIASES]) : rng.pick(KINDS),
    id,
    attr,
    policyVersion: version(rng),
    scope: scope(rng),
  });
}

/** A token that nobody verifies: neither does the PDP (see `pdp.mjs`), but it refuses one that is expired. */
function token(rng) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = {
    iss: "issuer",
    sub: rng.pick([...PRINCIPALS, "nobody"]),
    aud: rng.pick(["x", ["x"], ["y", "z"]]),
    exp: rng.pick([4_000_000_000, "3900000000"]),
    nbf: 1_000_000_000,
    iat: rng.pick([1_600_000_000, 1_500_000_000.25]),
    jti: "id",
    level: rng.pick([7, 1.5, -1, "7"]),
    none: null,
    nested: { a: [1, "b"], none: null },
    admin: true,
  };
  const made = Object.fromEntries(Object.entries(claims).filter(() => rng.chance(0.8)));
  return `${part({ alg: "HS256", typ: "JWT" })}.${part(made)}.${Buffer.from("signature").toString("base64url")}`;
}

function auxData(rng) {
  const one = () => ({ token: token(rng) });
  const several = () => ({ jwts: Object.fromEntries(rng.sample(TOKENS, rng.int(1, 2)).map((name) => [name, one()])) });
  return rng.weighted([
    [14, {}],
    [4, { auxData: { jwt: one() } }],
    [2, { auxData: several() }],
    [0.5, { auxData: {} }],
  ]);
}

/** A check of so many resources, each with some actions; most resources are those that some resource policy is about. */
export function checkRequest(rng, resources, about = []) {
  return {
    requestId: "r",
    includeMeta: true,
    principal: principal(rng),
    resources: rng.times(resources, (index) => ({
      resource: resource(rng, String(index), about),
      actions: rng.sample(ACTIONS, rng.int(2, 7)),
    })),
    ...auxData(rng),
  };
}
