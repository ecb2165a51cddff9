/**
 * WorkOS' identities: every row of the mapping, on objects that the real SDK has made from an API on the loopback interface.
 * Version 8 of the SDK is the last that supports Node.js 20, so both are used.
 */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { WorkOS } from "@workos-inc/node";
import { principalFromWorkOS } from "orthrus/workos";
import { WorkOS as WorkOS8 } from "workos-node-8";
import { createWorkOS } from "../support/workos.mjs";

const USER = { provider: "workos", type: "user", authenticated: true, impersonated: false, machine: false };
const CONTACT = { email: "user_1@example.test", emailVerified: true, metadata: {} };
const TOKEN = { ...USER, sessionId: "session_user_1", permissions: [], entitlements: [], featureFlags: [] };
const SESSION = { ...TOKEN, ...CONTACT, authenticationMethod: "SSO" };
const ANONYMOUS = {
  id: "anonymous",
  roles: ["anonymous"],
  attr: { provider: "workos", type: "anonymous", authenticated: false, impersonated: false, machine: false },
};
const user = (attr, roles = ["user"], id = "user_1") => ({ id, roles, attr });

const MEMBER = {
  sub: "user_1",
  org_id: "org_1",
  role: "admin",
  roles: ["admin", "billing"],
  permissions: ["invoices:read"],
  entitlements: ["audit-log"],
  feature_flags: ["beta"],
};
const IN_ORG = {
  org: { id: "org_1" },
  permissions: ["invoices:read"],
  entitlements: ["audit-log"],
  featureFlags: ["beta"],
};
const ROLES = ["user", "admin", "billing"];
const ACTED = { sub: "user_1", act: { sub: "eve@workos.test" } };
const EVE = { impersonator: { email: "eve@workos.test", reason: "ticket 42" } };
const impersonated = (impersonator) => ({ impersonated: true, impersonator });

/** Sessions: the claims of the token, what else WorkOS answers, and the attributes beside those of every session. */
const sessions = [
  ["a session without an organization", { sub: "user_1" }, {}, {}, ["user"]],
  ["a session in an organization", MEMBER, {}, IN_ORG, ROLES],
  [
    "one role, which older tokens do not list",
    { sub: "user_1", org_id: "org_1", role: "member" },
    {},
    { org: { id: "org_1" } },
    ["user", "member"],
  ],
  [
    "what is known of the user",
    { sub: "user_1" },
    { user: { email: "ann@acme.test", email_verified: false, external_id: "ann", metadata: { plan: "pro" } } },
    { email: "ann@acme.test", emailVerified: false, externalId: "ann", metadata: { plan: "pro" } },
    ["user"],
  ],
  [
    "how the user signed in",
    { sub: "user_1" },
    { authentication_method: "GoogleOAuth" },
    { authenticationMethod: "GoogleOAuth" },
    ["user"],
  ],
];

/** Directories of several identity providers: what they send differs, the mapping does not. */
const directories = [
  ["Okta", "okta scim v2.0", { id: "directory_group_01OKTA", idp_id: "00g1", name: "Engineering" }],
  ["Entra", "azure scim v2.0", { id: "directory_group_01ENTRA", idp_id: "3f2c-91", name: "sg-engineering" }],
  ["Google", "gsuite directory", { id: "directory_group_01GOOGLE", idp_id: "eng@acme.test", name: "Engineers" }],
];

const PROFILE = {
  id: "prof_1",
  idp_id: "00u1",
  organization_id: "org_1",
  connection_id: "conn_1",
  connection_type: "OktaSAML",
  email: "ann@acme.test",
  role: { slug: "admin" },
  groups: ["admin", "Eng"],
  custom_attributes: { cost: 1 },
  raw_attributes: { secret: 1 },
};
const PROFILED = {
  ...USER,
  idpId: "00u1",
  connection: { id: "conn_1", type: "OktaSAML" },
  org: { id: "org_1" },
  groups: ["admin", "Eng"],
  email: "ann@acme.test",
  customAttributes: { cost: 1 },
};
const DIRECTORY_USER = {
  id: "directory_user_1",
  organization_id: "org_1",
  roles: [{ slug: "editor" }],
  raw_attributes: { secret: 1 },
  groups: [{ id: "directory_group_1", name: "admin" }],
};
const SYNCED = {
  ...USER,
  directoryId: "directory_1",
  idpId: "idp_1",
  org: { id: "org_1" },
  groups: [{ id: "directory_group_1", name: "admin" }],
  groupNames: ["admin"],
  customAttributes: {},
};
const MEMBERSHIP = {
  id: "om_1",
  user_id: "user_1",
  organization_id: "org_1",
  role: { slug: "member" },
  roles: [{ slug: "member" }, { slug: "billing" }],
};
const JOINED = { ...USER, org: { id: "org_1", name: "Acme" }, directoryManaged: false, customAttributes: {} };
const API_KEY = {
  id: "api_key_1",
  name: "ci",
  owner: { type: "organization", id: "org_1" },
  permissions: ["posts:read"],
};
const KEY = {
  provider: "workos",
  type: "api_key",
  authenticated: true,
  impersonated: false,
  machine: true,
  apiKey: { id: "api_key_1", name: "ci" },
  org: { id: "org_1" },
  permissions: ["posts:read"],
};
const groupRoles = {
  org_1: { Eng: ["developer", "editor"], directory_group_1: "developer" },
  conn_1: { admin: "admin" },
  directory_1: { directory_group_1: "reviewer", admin: "owner" },
  org_2: { admin: "owner", directory_group_1: "owner" },
};

/** What is no session. */
const others = [
  ["an SSO profile", (w) => w.profile(PROFILE), {}, user(PROFILED, ["user", "admin"], "prof_1")],
  [
    "an SSO profile with its raw attributes",
    (w) => w.profile(PROFILE),
    { rawAttributes: true },
    user({ ...PROFILED, rawAttributes: { secret: 1 } }, ["user", "admin"], "prof_1"),
  ],
  [
    "a profile of a connection that belongs to no organization",
    (w) => w.profile({ id: "prof_1", connection_type: "GoogleOAuth", email: "ann@gmail.test" }),
    {},
    user(
      {
        ...USER,
        idpId: "idp_1",
        connection: { id: "conn_1", type: "GoogleOAuth" },
        groups: [],
        email: "ann@gmail.test",
      },
      ["user"],
      "prof_1",
    ),
  ],
  [
    "several roles of a profile",
    (w) => w.profile({ ...PROFILE, roles: [{ slug: "admin" }, { slug: "billing" }] }),
    {},
    user(PROFILED, ["user", "admin", "billing"], "prof_1"),
  ],
  [
    "groups of a profile that are worth roles, by organization and by connection",
    (w) => w.profile({ ...PROFILE, role: undefined }),
    { groupRoles },
    user(PROFILED, ["user", "developer", "editor", "admin"], "prof_1"),
  ],
  [
    "the same groups in an organization and connection that nobody has mapped",
    (w) => w.profile({ ...PROFILE, role: undefined, organization_id: "org_3", connection_id: "conn_3" }),
    { groupRoles },
    user({ ...PROFILED, org: { id: "org_3" }, connection: { id: "conn_3", type: "OktaSAML" } }, ["user"], "prof_1"),
  ],
  [
    "groups named like properties of objects",
    (w) =>
      w.profile({ ...PROFILE, role: undefined, groups: ["constructor", "__proto__"], organization_id: "toString" }),
    { groupRoles },
    user({ ...PROFILED, org: { id: "toString" }, groups: ["constructor", "__proto__"] }, ["user"], "prof_1"),
  ],
  [
    "a directory user",
    (w) => w.directoryUser(DIRECTORY_USER),
    {},
    user(SYNCED, ["user", "editor"], "directory_user_1"),
  ],
  [
    "a directory user with the raw attributes",
    (w) => w.directoryUser(DIRECTORY_USER),
    { rawAttributes: true },
    user({ ...SYNCED, rawAttributes: { secret: 1 } }, ["user", "editor"], "directory_user_1"),
  ],
  [
    "groups of a directory user that are worth roles, by id and never by name",
    (w) => w.directoryUser(DIRECTORY_USER),
    { groupRoles },
    user(SYNCED, ["user", "editor", "developer", "reviewer"], "directory_user_1"),
  ],
  [
    "a directory user without an organization, groups or roles",
    (w) => w.directoryUser({ id: "directory_user_1", email: "ann@acme.test" }),
    {},
    user(
      {
        ...USER,
        directoryId: "directory_1",
        idpId: "idp_1",
        groups: [],
        groupNames: [],
        email: "ann@acme.test",
        customAttributes: {},
      },
      ["user"],
      "directory_user_1",
    ),
  ],
  ...directories.map(([provider, type, group]) => [
    `a directory user of ${provider}`,
    (w) =>
      w.directoryUser({
        ...DIRECTORY_USER,
        directory_id: `directory_${provider}`,
        custom_attributes: { source: type },
        groups: [group],
      }),
    { groupRoles: { [`directory_${provider}`]: { [group.id]: "developer" } } },
    user(
      {
        ...SYNCED,
        directoryId: `directory_${provider}`,
        groups: [{ id: group.id, name: group.name }],
        groupNames: [group.name],
        customAttributes: { source: type },
      },
      ["user", "editor", "developer"],
      "directory_user_1",
    ),
  ]),
  ["a membership", (w) => w.membership(MEMBERSHIP), {}, user(JOINED, ["user", "member", "billing"])],
  [
    "a membership with its user",
    async (w) => ({ membership: await w.membership(MEMBERSHIP), user: await w.user({ id: "user_1" }) }),
    {},
    user({ ...JOINED, ...CONTACT }, ["user", "member", "billing"]),
  ],
  [
    "an organization's API key",
    async (w) => (await w.validateApiKey(API_KEY)).apiKey,
    {},
    { id: "api_key_1", roles: ["api_key"], attr: KEY },
  ],
  ["… as its validation", (w) => w.validateApiKey(API_KEY), {}, { id: "api_key_1", roles: ["api_key"], attr: KEY }],
  [
    "… as its owner",
    (w) => w.validateApiKey(API_KEY),
    { apiKeyId: "owner" },
    { id: "org_1", roles: ["api_key"], attr: KEY },
  ],
  ["an API key that does not exist", (w) => w.validateApiKey(null), {}, ANONYMOUS],
  ["no cookie", (w) => w.authenticateCookie(""), {}, ANONYMOUS],
  ["a token signed by somebody else", async (w) => w.authenticateCookie(await cookieOfElsewhere(w)), {}, ANONYMOUS],
  ["nobody, in the words of withAuth", () => ({ user: null }), {}, ANONYMOUS],
];

/** A cookie whose token has the signature of another one. */
async function cookieOfElsewhere(workos) {
  const [header, payload] = (await workos.accessToken({ sub: "user_1" })).split(".");
  const [, , signature] = (await workos.accessToken({ sub: "user_2" })).split(".");
  return workos.cookie({ sub: "user_1" }, { access_token: [header, payload, signature].join(".") });
}

for (const [version, SDK] of [
  ["current", WorkOS],
  ["8", WorkOS8],
]) {
  describe(`principalFromWorkOS maps what the SDK (${version}) makes:`, async () => {
    const workos = await createWorkOS({ WorkOS: SDK });
    after(() => workos.close());

    for (const [name, claims, response, attributes, roles] of sessions) {
      test(name, async () => {
        const expected = user({ ...SESSION, ...attributes }, roles);
        const cookie = await workos.cookie(claims, response);
        const session = await workos.authenticateCookie(cookie);
        assert.deepEqual(principalFromWorkOS(session), expected);
        assert.deepEqual(principalFromWorkOS(await workos.loadSession(cookie).authenticate()), expected);
        assert.deepEqual(principalFromWorkOS(await workos.loadSession(cookie).refresh()), expected);
        assert.deepEqual(principalFromWorkOS(await workos.signIn(claims, response)), expected);
        // withAuth() of @workos-inc/authkit-nextjs has the same properties but these two.
        const { authenticated: _, authenticationMethod, ...withAuth } = session;
        const { authenticationMethod: __, ...attr } = expected.attr;
        assert.deepEqual(principalFromWorkOS(withAuth), { ...expected, attr });
      });
    }

    test("an impersonated session", async () => {
      const expected = user({ ...SESSION, ...impersonated({ email: "eve@workos.test", reason: "ticket 42" }) });
      const cookie = await workos.cookie(ACTED, EVE);
      assert.deepEqual(principalFromWorkOS(await workos.loadSession(cookie).authenticate()), expected);
      assert.deepEqual(principalFromWorkOS(await workos.signIn(ACTED, EVE)), expected);
    });

    test("an impersonated session whose impersonator the SDK drops: the token remembers", async () => {
      const session = await workos.authenticateCookie(await workos.cookie(ACTED, EVE));
      assert.equal(session.impersonator, undefined);
      const expected = user({ ...SESSION, ...impersonated({ email: "eve@workos.test" }) });
      assert.deepEqual(principalFromWorkOS(session), expected);
    });

    test("an impersonated session whose token does not say so", async () => {
      const session = await workos.loadSession(await workos.cookie({ sub: "user_1" }, EVE)).authenticate();
      const { attr } = principalFromWorkOS(session);
      assert.deepEqual([attr.impersonated, attr.impersonator.email], [true, "eve@workos.test"]);
    });

    for (const act of [{}, true, "eve", ["eve"]]) {
      test(`an act of an unknown kind, ${JSON.stringify(act)}: somebody acts`, async () => {
        const session = await workos.authenticateCookie(await workos.cookie({ sub: "user_1", act }));
        assert.deepEqual(principalFromWorkOS(session), user({ ...SESSION, ...impersonated({}) }));
      });
    }

    for (const [name, make, options, expected] of others) {
      test(name, async () => assert.deepEqual(principalFromWorkOS(await make(workos), options), expected));
    }
  });
}

describe("principalFromWorkOS maps", async () => {
  const workos = await createWorkOS();
  after(() => workos.close());
  const claimsOf = async (claims) =>
    JSON.parse(Buffer.from((await workos.accessToken(claims)).split(".")[1], "base64url"));

  test("the claims of an access token", async () => {
    assert.deepEqual(principalFromWorkOS(await claimsOf(MEMBER)), user({ ...TOKEN, ...IN_ORG }, ROLES));
  });
  test("claims with custom ones that are named like properties of other identities", async () => {
    const custom = {
      object: "api_key",
      connectionId: "c",
      connectionType: "t",
      membership: {},
      user: null,
      apiKey: null,
    };
    assert.deepEqual(
      principalFromWorkOS(await claimsOf({ ...MEMBER, ...custom })),
      user({ ...TOKEN, ...IN_ORG }, ROLES),
    );
  });
  test("the claims of an impersonated session", async () => {
    const expected = user({ ...TOKEN, ...impersonated({ email: "eve@workos.test" }) });
    assert.deepEqual(principalFromWorkOS(await claimsOf(ACTED)), expected);
  });
  test("a user's API key, which version 8 of the SDK does not know", async () => {
    const owner = { type: "user", id: "user_1", organization_id: "org_1" };
    const validation = await workos.validateApiKey({ ...API_KEY, owner });
    const expected = { id: "api_key_1", roles: ["api_key"], attr: { ...KEY, userId: "user_1" } };
    assert.deepEqual(principalFromWorkOS(validation), expected);
    assert.deepEqual(principalFromWorkOS(validation, { apiKeyId: "owner" }), { ...expected, id: "user_1" });
  });
});
