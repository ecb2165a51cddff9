/** WorkOS' identities: every row of the mapping, and what must not be trusted. Shapes as @workos-inc/node 8 returns them. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { principalFromWorkOS } from "orthrus/workos";

const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
const token = (claims = {}) =>
  `${encode({ alg: "RS256" })}.${encode({ sub: "user_1", sid: "session_1", ...claims })}.signature`;

const user = {
  object: "user",
  id: "user_1",
  email: "ann@acme.test",
  emailVerified: true,
  externalId: null,
  metadata: { plan: "pro" },
  firstName: "Ann",
  lastSignInAt: null,
};
const session = (fields = {}) => ({
  authenticated: true,
  user,
  sessionId: "session_1",
  accessToken: token(),
  ...fields,
});
const profile = (fields = {}) => ({
  id: "prof_1",
  idpId: "00u1",
  organizationId: "org_1",
  connectionId: "conn_1",
  connectionType: "OktaSAML",
  email: "ann@acme.test",
  role: { slug: "admin" },
  groups: ["admin", "Eng"],
  customAttributes: { cost: 1 },
  rawAttributes: { secret: 1 },
  ...fields,
});
const directoryUser = (fields = {}) => ({
  object: "directory_user",
  id: "directory_user_1",
  directoryId: "directory_1",
  organizationId: "org_1",
  idpId: "00u1",
  email: null,
  state: "active",
  roles: [{ slug: "editor" }],
  customAttributes: {},
  rawAttributes: { secret: 1 },
  groups: [{ id: "directory_group_1", idpId: "g1", name: "admin", rawAttributes: {} }],
  ...fields,
});
const membership = (fields = {}) => ({
  object: "organization_membership",
  id: "om_1",
  userId: "user_1",
  organizationId: "org_1",
  organizationName: "Acme",
  status: "active",
  directoryManaged: false,
  role: { slug: "member" },
  roles: [{ slug: "member" }, { slug: "billing" }],
  customAttributes: {},
  ...fields,
});
const apiKey = (fields = {}) => ({
  object: "api_key",
  id: "api_key_1",
  owner: { type: "organization", id: "org_1" },
  name: "ci",
  obfuscatedValue: "sk_…",
  permissions: ["posts:read"],
  ...fields,
});

const BASE = { provider: "workos", type: "user", authenticated: true, machine: false, impersonated: false };
const CONTACT = { email: "ann@acme.test", emailVerified: true, metadata: { plan: "pro" } };
const SESSION = { ...BASE, ...CONTACT, sessionId: "session_1", permissions: [], entitlements: [], featureFlags: [] };
const PROFILE = {
  ...BASE,
  idpId: "00u1",
  connection: { id: "conn_1", type: "OktaSAML" },
  org: { id: "org_1" },
  groups: ["admin", "Eng"],
  email: "ann@acme.test",
  customAttributes: { cost: 1 },
};
const DIRECTORY_USER = {
  ...BASE,
  directoryId: "directory_1",
  idpId: "00u1",
  org: { id: "org_1" },
  groups: [{ id: "directory_group_1", name: "admin" }],
  groupNames: ["admin"],
  customAttributes: {},
};
const MEMBERSHIP = { ...BASE, org: { id: "org_1", name: "Acme" }, directoryManaged: false, customAttributes: {} };
const API_KEY = {
  provider: "workos",
  type: "api_key",
  authenticated: true,
  impersonated: false,
  machine: true,
  apiKey: { id: "api_key_1", name: "ci" },
  org: { id: "org_1" },
  permissions: ["posts:read"],
};
const ANONYMOUS = {
  id: "anonymous",
  roles: ["anonymous"],
  attr: { provider: "workos", type: "anonymous", authenticated: false, impersonated: false, machine: false },
};
const groupRoles = {
  org_1: { Eng: ["developer", "editor"], directory_group_1: "developer" },
  conn_1: { admin: "admin" },
  org_2: { admin: "owner" },
};

const rows = [
  ["a session without an organization", session(), {}, { id: "user_1", roles: ["user"], attr: SESSION }],
  [
    "a session in an organization",
    session({
      organizationId: "org_1",
      role: "admin",
      roles: ["admin", "billing"],
      permissions: ["p"],
      entitlements: ["e"],
      featureFlags: ["f"],
      authenticationMethod: "SSO",
    }),
    {},
    {
      id: "user_1",
      roles: ["user", "admin", "billing"],
      attr: {
        ...SESSION,
        org: { id: "org_1" },
        permissions: ["p"],
        entitlements: ["e"],
        featureFlags: ["f"],
        authenticationMethod: "SSO",
      },
    },
  ],
  [
    "a session of withAuth",
    { user, sessionId: "session_1", accessToken: token() },
    {},
    { id: "user_1", roles: ["user"], attr: SESSION },
  ],
  [
    "an impersonated session",
    session({
      impersonator: { email: "eve@workos.test", reason: null },
      accessToken: token({ act: { sub: "eve@workos.test" } }),
    }),
    {},
    {
      id: "user_1",
      roles: ["user"],
      attr: { ...SESSION, impersonated: true, impersonator: { email: "eve@workos.test" } },
    },
  ],
  [
    "an impersonated session whose impersonator the SDK dropped",
    session({ accessToken: token({ act: { sub: "eve@workos.test" } }) }),
    {},
    {
      id: "user_1",
      roles: ["user"],
      attr: { ...SESSION, impersonated: true, impersonator: { email: "eve@workos.test" } },
    },
  ],
  [
    "an act without a subject, still impersonated",
    session({ accessToken: token({ act: true }) }),
    {},
    { id: "user_1", roles: ["user"], attr: { ...SESSION, impersonated: true, impersonator: {} } },
  ],
  ["no session (cookie)", { authenticated: false, reason: "no_session_cookie_provided" }, {}, ANONYMOUS],
  ["no session (withAuth)", { user: null }, {}, ANONYMOUS],
  ["an SSO profile", profile(), {}, { id: "prof_1", roles: ["user", "admin"], attr: PROFILE }],
  [
    "an SSO profile with its raw attributes",
    profile(),
    { rawAttributes: true },
    { id: "prof_1", roles: ["user", "admin"], attr: { ...PROFILE, rawAttributes: { secret: 1 } } },
  ],
  [
    "groups of a profile that are worth roles",
    profile({ role: undefined }),
    { groupRoles },
    { id: "prof_1", roles: ["user", "developer", "editor", "admin"], attr: PROFILE },
  ],
  [
    "groups named like properties of objects",
    profile({ role: undefined, groups: ["constructor", "__proto__"], organizationId: "toString" }),
    { groupRoles },
    {
      id: "prof_1",
      roles: ["user"],
      attr: { ...PROFILE, org: { id: "toString" }, groups: ["constructor", "__proto__"] },
    },
  ],
  [
    "a directory user",
    directoryUser(),
    {},
    { id: "directory_user_1", roles: ["user", "editor"], attr: DIRECTORY_USER },
  ],
  [
    "groups of a directory user that are worth roles",
    directoryUser(),
    { groupRoles },
    { id: "directory_user_1", roles: ["user", "editor", "developer"], attr: DIRECTORY_USER },
  ],
  [
    "a directory user without an organization or groups",
    directoryUser({ organizationId: null, groups: undefined }),
    {},
    {
      id: "directory_user_1",
      roles: ["user", "editor"],
      attr: { ...BASE, directoryId: "directory_1", idpId: "00u1", groups: [], groupNames: [], customAttributes: {} },
    },
  ],
  ["a membership", membership(), {}, { id: "user_1", roles: ["user", "member", "billing"], attr: MEMBERSHIP }],
  [
    "a membership with its user",
    { membership: membership(), user },
    {},
    { id: "user_1", roles: ["user", "member", "billing"], attr: { ...MEMBERSHIP, ...CONTACT } },
  ],
  ["an API key", apiKey(), {}, { id: "api_key_1", roles: ["api_key"], attr: API_KEY }],
  ["an API key as its owner", apiKey(), { apiKeyId: "owner" }, { id: "org_1", roles: ["api_key"], attr: API_KEY }],
  [
    "a user's API key",
    apiKey({ owner: { type: "user", id: "user_1", organizationId: "org_1" } }),
    {},
    { id: "api_key_1", roles: ["api_key"], attr: { ...API_KEY, userId: "user_1" } },
  ],
];

describe("principalFromWorkOS maps", () => {
  for (const [name, identity, options, expected] of rows) {
    test(name, () => assert.deepEqual(principalFromWorkOS(identity, options), expected));
  }
});

describe("principalFromWorkOS refuses", () => {
  const refused = [
    [
      "no session, where told to",
      { authenticated: false, reason: "invalid_jwt" },
      { onUnauthenticated: "throw" },
      "IDENTITY_UNAUTHENTICATED",
    ],
    [
      "a user that is not the token's subject",
      session({ accessToken: token({ sub: "user_EVIL" }) }),
      {},
      "IDENTITY_INVALID",
    ],
    ["a token without a subject", session({ accessToken: token({ sub: undefined }) }), {}, "IDENTITY_INVALID"],
    ["a session without its token", session({ accessToken: undefined }), {}, "IDENTITY_INVALID"],
    ["a token that is none", session({ accessToken: "x.y.z" }), {}, "IDENTITY_INVALID"],
    ["a token without claims", session({ accessToken: `a.${encode([])}.b` }), {}, "IDENTITY_INVALID"],
    ["a user without an id", session({ user: {} }), {}, "IDENTITY_INVALID"],
    ["an inactive directory user", directoryUser({ state: "inactive" }), {}, "IDENTITY_INACTIVE"],
    ["a directory user without a state", directoryUser({ state: undefined }), {}, "IDENTITY_INACTIVE"],
    ["a pending membership", membership({ status: "pending" }), {}, "IDENTITY_INACTIVE"],
    [
      "a membership with another user",
      { membership: membership(), user: { ...user, id: "user_2" } },
      {},
      "IDENTITY_INVALID",
    ],
    [
      "an API key without an owner, as its owner",
      apiKey({ owner: undefined }),
      { apiKeyId: "owner" },
      "IDENTITY_INVALID",
    ],
    ["a user alone", user, {}, "IDENTITY_UNSUPPORTED"],
    ["a promise", Promise.resolve(session()), {}, "IDENTITY_UNSUPPORTED"],
    ["nothing", undefined, {}, "IDENTITY_UNSUPPORTED"],
    ["a token", token(), {}, "IDENTITY_UNSUPPORTED"],
  ];
  for (const [name, identity, options, code] of refused) {
    test(name, () => assert.throws(() => principalFromWorkOS(identity, options), { name: "IdentityError", code }));
  }
});
