/** A law of both mappers: whatever an identity turns into, there is a principal that the PDP accepts, or an `IdentityError`. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { principalFromClerk } from "orthrus/clerk";
import { principalFromWorkOS } from "orthrus/workos";
import { Rng } from "../differential/rng.mjs";
import { createClerk } from "../support/clerk.mjs";
import { principalsOf } from "../support/tenants.mjs";
import { createWorkOS } from "../support/workos.mjs";

const SEED = Number(process.env.ORTHRUS_SEED ?? 1);
const ROUNDS = 4000;
const VALUES = [
  null,
  "",
  "admin",
  "a:b",
  "user_2",
  [],
  ["admin"],
  [["admin"]],
  [null],
  {},
  { sub: "user_2" },
  0,
  -1,
  true,
];

const clerk = await createClerk();
const workos = await createWorkOS();
after(() => Promise.all([clerk.close(), workos.close()]));

const requireValid = ({ id, roles, attr }) => {
  assert.ok(typeof id === "string" && id !== "");
  assert.ok(roles.length > 0 && roles.every((role) => typeof role === "string" && role !== ""));
  assert.equal(new Set(roles).size, roles.length);
  for (const flag of ["authenticated", "impersonated", "machine"]) assert.equal(typeof attr[flag], "boolean");
  assert.ok(Object.values(attr).every((value) => value !== null && value !== undefined));
  assert.deepEqual(JSON.parse(JSON.stringify(attr)), attr);
};

/** All identities to start from, each with its mapper. */
async function identities() {
  const authOf = async (token) => (await clerk.authenticate(token)).toAuth();
  const org = { o: { id: "org_1", rol: "admin", per: "read", fpm: "1" }, fea: "o:a,u:b", pla: "o:pro" };
  const token = await clerk.session({ sub: "user_1", ...org, act: { sub: "user_9" } });
  const cookie = await workos.cookie({
    sub: "user_1",
    org_id: "org_1",
    role: "admin",
    roles: ["admin"],
    act: { sub: "e" },
  });
  const membership = await workos.membership({
    id: "om_1",
    user_id: "user_1",
    organization_id: "org_1",
    role: { slug: "a" },
  });
  const fromClerk = [
    await authOf(token),
    await clerk.verify(token),
    await clerk.verify(await clerk.sessionOfVersion1({ sub: "user_1", org_id: "org_1", org_permissions: ["org:a:b"] })),
    await authOf(clerk.apiKey({ id: "1", name: "ci", subject: "user_1", scopes: ["a"], claims: { a: 1 } })),
    await authOf(clerk.machineToken({ id: "1", subject: "mch_1", scopes: ["a"], claims: { a: 1 } })),
    await authOf(clerk.oauthToken({ id: "1", subject: "user_1", client_id: "client_1", scopes: ["a"] })),
    { sub: "mch_1", jti: "1", scopes: "a b", orgId: "org_1" },
    { sub: "user_1", client_id: "client_1", scp: ["a"], act: { sub: "user_9" } },
  ];
  const fromWorkOS = [
    await workos.loadSession(cookie).authenticate(),
    { sub: "user_1", sid: "session_1", org_id: "org_1", role: "admin", roles: ["admin"], permissions: ["a"] },
    await workos.profile({ id: "prof_1", connection_type: "OktaSAML", email: "a", role: { slug: "a" }, groups: ["g"] }),
    await workos.directoryUser({ id: "directory_user_1", roles: [{ slug: "a" }], groups: [{ id: "g_1", name: "g" }] }),
    membership,
    { membership, user: await workos.user({ id: "user_1" }) },
    await workos.validateApiKey({
      id: "key_1",
      name: "ci",
      owner: { type: "organization", id: "org_1" },
      permissions: ["a"],
    }),
  ];
  return [
    ...fromClerk.map((identity) => ({ map: principalFromClerk, identity })),
    ...fromWorkOS.map((identity) => ({ map: principalFromWorkOS, identity })),
  ];
}

/** The value with another one somewhere in it, or with something left out. */
function mutate(rng, value) {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  if (keys.length === 0 || rng.chance(0.2)) return rng.pick(VALUES);
  const key = rng.pick(keys);
  if (rng.chance(0.2) && !Array.isArray(value)) {
    const { [key]: _, ...rest } = value;
    return rest;
  }
  const changed = mutate(rng, value[key]);
  return Array.isArray(value) ? value.with(Number(key), changed) : { ...value, [key]: changed };
}

describe("the mappers", () => {
  test(`make a valid principal, or throw an IdentityError, of ${ROUNDS} malformed identities`, async () => {
    const rng = new Rng(SEED);
    const known = await identities();
    const outcomes = { mapped: 0, refused: 0 };
    for (let round = 0; round < ROUNDS; round += 1) {
      const { map, identity } = rng.pick(known);
      const input = mutate(rng, rng.chance(0.3) ? mutate(rng, identity) : identity);
      const options = map === principalFromClerk ? { claims: ["fea", "o", "act"] } : { rawAttributes: true };
      try {
        requireValid(map(input, options));
        outcomes.mapped += 1;
      } catch (error) {
        assert.equal(
          error.name,
          "IdentityError",
          `seed ${SEED}, round ${round}: ${JSON.stringify(input)}: ${error.stack}`,
        );
        outcomes.refused += 1;
      }
    }
    assert.ok(outcomes.mapped > ROUNDS / 10 && outcomes.refused > ROUNDS / 10, JSON.stringify(outcomes));
  });

  test("make valid principals of every kind", async () => {
    const principals = await principalsOf("org_1", "org_2", { clerk, workos });
    principals.push(...(await principalsOf(undefined, "org_2", { clerk, workos })));
    for (const principal of principals) requireValid(principal);
    const kinds = new Set(principals.map(({ attr }) => `${attr.provider} ${attr.type}`));
    assert.deepEqual([...kinds].sort(), [
      "clerk anonymous",
      "clerk api_key",
      "clerk machine",
      "clerk oauth_client",
      "clerk user",
      "workos anonymous",
      "workos api_key",
      "workos user",
    ]);
  });
});

describe("options of the mappers are refused when", () => {
  const rows = [
    ["a name is misspelt", { onUnauthenticatd: "throw" }, "onUnauthenticatd"],
    ["nobody is to be neither of the two", { onUnauthenticated: "deny" }, "onUnauthenticated"],
    ["a boolean is text", { requireOrganization: "true" }, "requireOrganization"],
    ["they are none", "throw", ""],
    ["they are null", null, ""],
  ];
  const own = [
    [principalFromClerk, { allowPending: 1 }, "allowPending"],
    [principalFromClerk, { orgRolePrefix: "none" }, "orgRolePrefix"],
    [principalFromClerk, { claims: "role" }, "claims"],
    [principalFromClerk, { groupRoles: {} }, "groupRoles"],
    [principalFromWorkOS, { groupRoles: ["admin"] }, "groupRoles"],
    [principalFromWorkOS, { rawAttributes: "false" }, "rawAttributes"],
    [principalFromWorkOS, { apiKeyId: "user" }, "apiKeyId"],
    [principalFromWorkOS, { allowPending: true }, "allowPending"],
  ];
  for (const map of [principalFromClerk, principalFromWorkOS]) {
    for (const [name, options, path] of rows) {
      test(`${name}: ${map.name}`, () => {
        assert.throws(() => map({ user: null, isAuthenticated: false }, options), { code: "OPTIONS_INVALID", path });
      });
    }
  }
  for (const [map, options, path] of own) {
    test(`${map.name} is given ${JSON.stringify(options)}`, () => {
      assert.throws(() => map({ user: null, isAuthenticated: false }, options), { code: "OPTIONS_INVALID", path });
    });
  }
});
