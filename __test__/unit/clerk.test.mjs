/** Clerk's identities: every row of the mapping, and what must not be trusted. Shapes as @clerk/backend 3 returns them. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { principalFromClerk } from "orthrus/clerk";

const functions = { has: () => false, getToken: async () => null, debug: () => ({}) };

const session = (fields = {}) => ({
  tokenType: "session_token",
  isAuthenticated: true,
  userId: "user_1",
  sessionId: "sess_1",
  sessionStatus: "active",
  sessionClaims: { v: 2, sub: "user_1", sid: "sess_1", sts: "active" },
  actor: undefined,
  orgId: undefined,
  orgRole: undefined,
  orgSlug: undefined,
  orgPermissions: undefined,
  factorVerificationAge: null,
  ...functions,
  ...fields,
});
const signedOut = (fields = {}) => ({
  ...Object.fromEntries(Object.keys(session()).map((key) => [key, null])),
  ...functions,
  tokenType: "session_token",
  isAuthenticated: false,
  ...fields,
});
const inOrg = { orgId: "org_1", orgRole: "org:admin", orgSlug: "acme", orgPermissions: ["org:invoices:read"] };
const machine = (tokenType, fields) => ({ tokenType, isAuthenticated: true, ...functions, ...fields });

const none = { org: [], user: [] };
const BASE = { provider: "clerk", type: "user", authenticated: true, impersonated: false, machine: false };
const USER = { ...BASE, sessionId: "sess_1", plans: none, features: none };
const ORG = { id: "org_1", slug: "acme", role: "org:admin", permissions: ["org:invoices:read"] };
const MACHINE = { provider: "clerk", authenticated: true, impersonated: false, machine: true };
const ANONYMOUS = {
  id: "anonymous",
  roles: ["anonymous"],
  attr: { provider: "clerk", type: "anonymous", authenticated: false, impersonated: false, machine: false },
};
const v2 = {
  v: 2,
  sub: "user_1",
  sid: "sess_1",
  sts: "active",
  o: { id: "org_1", slg: "acme", rol: "admin", per: "read,manage", fpm: "3,1" },
  fea: "o:invoices,u:beta,ou:reports",
  pla: "u:free,o:pro",
  fva: [3, -1],
};
const V2_ORG = {
  id: "org_1",
  slug: "acme",
  role: "org:admin",
  permissions: ["org:invoices:read", "org:invoices:manage", "org:reports:read"],
};

const rows = [
  ["a session", session(), {}, { id: "user_1", roles: ["user"], attr: USER }],
  [
    "a session in an organization",
    session(inOrg),
    {},
    { id: "user_1", roles: ["user", "org:admin"], attr: { ...USER, org: ORG } },
  ],
  [
    "… with the prefix stripped",
    session(inOrg),
    { orgRolePrefix: "strip" },
    { id: "user_1", roles: ["user", "admin"], attr: { ...USER, org: ORG } },
  ],
  [
    "… whose role becomes the base role",
    session({ ...inOrg, orgRole: "org:user" }),
    { orgRolePrefix: "strip" },
    { id: "user_1", roles: ["user"], attr: { ...USER, org: { ...ORG, role: "org:user" } } },
  ],
  [
    "a role without an organization, which gives nothing",
    session({ orgRole: "org:admin" }),
    {},
    { id: "user_1", roles: ["user"], attr: USER },
  ],
  [
    "plans, features, factors and chosen claims",
    session({
      sessionClaims: { pla: "u:free,o:pro", fea: "ou:reports", tenant: "t", secret: 1, gone: null },
      factorVerificationAge: [3, 7],
    }),
    { claims: ["tenant", "gone", "missing", "toString"] },
    {
      id: "user_1",
      roles: ["user"],
      attr: {
        ...USER,
        plans: { org: ["pro"], user: ["free"] },
        features: { org: ["reports"], user: ["reports"] },
        fva: { first: 3, second: 7 },
        claims: { tenant: "t" },
      },
    },
  ],
  [
    "a factor never verified, which is left out",
    session({ factorVerificationAge: [3, -1] }),
    {},
    { id: "user_1", roles: ["user"], attr: { ...USER, fva: { first: 3 } } },
  ],
  [
    "impersonation by a person",
    session({ actor: { sub: "user_9" } }),
    {},
    { id: "user_1", roles: ["user"], attr: { ...USER, impersonated: true, actor: { id: "user_9", type: "user" } } },
  ],
  [
    "an AI agent in the user's place",
    session({ actor: { sub: "agent_9", type: "agent" } }),
    {},
    { id: "user_1", roles: ["user"], attr: { ...USER, impersonated: true, actor: { id: "agent_9", type: "agent" } } },
  ],
  [
    "a user's API key",
    machine("api_key", {
      id: "ak_1",
      name: "ci",
      subject: "user_1",
      userId: "user_1",
      orgId: null,
      claims: { a: 1 },
      scopes: ["read"],
    }),
    {},
    {
      id: "user_1",
      roles: ["api_key"],
      attr: {
        ...MACHINE,
        type: "api_key",
        apiKey: { id: "ak_1", name: "ci", scopes: ["read"] },
        userId: "user_1",
        claims: { a: 1 },
      },
    },
  ],
  [
    "an organization's API key",
    machine("api_key", {
      id: "ak_1",
      name: "ci",
      subject: "org_1",
      userId: null,
      orgId: "org_1",
      claims: null,
      scopes: [],
    }),
    {},
    {
      id: "org_1",
      roles: ["api_key"],
      attr: { ...MACHINE, type: "api_key", apiKey: { id: "ak_1", name: "ci", scopes: [] }, orgId: "org_1" },
    },
  ],
  [
    "an M2M token",
    machine("m2m_token", { id: "mt_1", subject: "mch_1", machineId: "mch_1", claims: null, scopes: ["mch_2"] }),
    {},
    { id: "mch_1", roles: ["machine"], attr: { ...MACHINE, type: "machine", tokenId: "mt_1", scopes: ["mch_2"] } },
  ],
  [
    "an OAuth token",
    machine("oauth_token", {
      id: "oat_1",
      subject: "user_1",
      userId: "user_1",
      clientId: "client_1",
      scopes: ["profile"],
    }),
    {},
    {
      id: "user_1",
      roles: ["oauth_client"],
      attr: { ...MACHINE, type: "oauth_client", clientId: "client_1", scopes: ["profile"] },
    },
  ],
  ["nobody", signedOut(), {}, ANONYMOUS],
  ["nobody, pending", signedOut({ sessionStatus: "pending" }), {}, ANONYMOUS],
  [
    "an unauthenticated machine",
    {
      tokenType: "api_key",
      isAuthenticated: false,
      id: null,
      subject: null,
      name: null,
      claims: null,
      userId: null,
      orgId: null,
      scopes: null,
      ...functions,
    },
    {},
    ANONYMOUS,
  ],
  ["a token of another type than accepted", { tokenType: null, isAuthenticated: false, ...functions }, {}, ANONYMOUS],
  ["a pending session that Clerk calls signed in", session({ sessionStatus: "pending" }), {}, ANONYMOUS],
  [
    "… where that is accepted",
    session({ sessionStatus: "pending" }),
    { allowPending: true },
    { id: "user_1", roles: ["user"], attr: USER },
  ],
  [
    "claims of version 2",
    v2,
    {},
    {
      id: "user_1",
      roles: ["user", "org:admin"],
      attr: {
        ...USER,
        org: V2_ORG,
        plans: { org: ["pro"], user: ["free"] },
        features: { org: ["invoices", "reports"], user: ["beta", "reports"] },
        fva: { first: 3 },
      },
    },
  ],
  [
    "claims of version 2 without an organization",
    { v: 2, sub: "user_1", sid: "sess_1" },
    {},
    { id: "user_1", roles: ["user"], attr: USER },
  ],
  [
    "claims of version 1",
    {
      sub: "user_1",
      sid: "sess_1",
      org_id: "org_1",
      org_role: "org:admin",
      org_slug: "acme",
      org_permissions: ["org:invoices:read"],
    },
    {},
    { id: "user_1", roles: ["user", "org:admin"], attr: { ...USER, org: ORG } },
  ],
  ["claims that are pending", { ...v2, sts: "pending" }, {}, ANONYMOUS],
  [
    "claims of an impersonated session",
    { v: 2, sub: "user_1", sid: "sess_1", act: { sub: "user_9" } },
    {},
    { id: "user_1", roles: ["user"], attr: { ...USER, impersonated: true, actor: { id: "user_9", type: "user" } } },
  ],
  [
    "claims of an M2M token",
    { sub: "mch_1", jti: "mt_1", scopes: ["mch_2"] },
    {},
    {
      id: "mch_1",
      roles: ["machine"],
      attr: {
        ...MACHINE,
        type: "machine",
        tokenId: "mt_1",
        scopes: ["mch_2"],
        claims: { sub: "mch_1", jti: "mt_1", scopes: ["mch_2"] },
      },
    },
  ],
  [
    "claims of an OAuth token",
    { sub: "user_1", client_id: "client_1", scope: "profile email" },
    {},
    {
      id: "user_1",
      roles: ["oauth_client"],
      attr: { ...MACHINE, type: "oauth_client", clientId: "client_1", scopes: ["profile", "email"] },
    },
  ],
];

describe("principalFromClerk maps", () => {
  for (const [name, auth, options, expected] of rows) {
    test(name, () => assert.deepEqual(principalFromClerk(auth, options), expected));
  }

  test("permission masks beyond 64 bits", () => {
    const per = Array.from({ length: 70 }, (_, index) => `p${index}`).join(",");
    const claims = { ...v2, fea: "o:x", o: { ...v2.o, per, fpm: String(2n ** 69n + 1n) } };
    assert.deepEqual(principalFromClerk(claims).attr.org.permissions, ["org:x:p0", "org:x:p69"]);
  });

  test("more features than masks, and more masks than features", () => {
    const permissions = (fea, fpm) => principalFromClerk({ ...v2, fea, o: { ...v2.o, fpm } }).attr.org.permissions;
    assert.deepEqual(permissions("o:a,o:b", "1"), ["org:a:read"]);
    assert.deepEqual(permissions("o:a", "2,3"), ["org:a:manage"]);
  });
});

describe("principalFromClerk refuses", () => {
  const refused = [
    ["nobody, where told to", signedOut(), { onUnauthenticated: "throw" }, "IDENTITY_UNAUTHENTICATED"],
    [
      "a pending session, where told to",
      session({ sessionStatus: "pending" }),
      { onUnauthenticated: "throw" },
      "IDENTITY_UNAUTHENTICATED",
    ],
    ["a session without a user", session({ userId: null }), {}, "IDENTITY_INVALID"],
    ["an actor without an id", session({ actor: { type: "agent" } }), {}, "IDENTITY_INVALID"],
    ["an actor that is no object", session({ actor: "user_9" }), {}, "IDENTITY_INVALID"],
    ["a malformed list of features", { ...v2, fea: "invoices" }, {}, "IDENTITY_INVALID"],
    ["a malformed list of plans", session({ sessionClaims: { pla: "pro" } }), {}, "IDENTITY_INVALID"],
    ["a malformed permission mask", { ...v2, o: { ...v2.o, fpm: "0x3" } }, {}, "IDENTITY_INVALID"],
    ["a permission mask of a megabyte", { ...v2, o: { ...v2.o, fpm: "9".repeat(1e6) } }, {}, "IDENTITY_INVALID"],
    ["an API key without a subject", machine("api_key", { id: "ak_1", subject: null }), {}, "IDENTITY_INVALID"],
    ["a token type it does not know", machine("session_token_2", { userId: "user_1" }), {}, "IDENTITY_UNSUPPORTED"],
    ["a promise", Promise.resolve(session()), {}, "IDENTITY_UNSUPPORTED"],
    ["req.auth of Express", Object.assign(() => session(), {}), {}, "IDENTITY_UNSUPPORTED"],
    ["a token", "eyJ…", {}, "IDENTITY_UNSUPPORTED"],
    ["nothing", null, {}, "IDENTITY_UNSUPPORTED"],
    ["an object of another kind", { id: "user_1" }, {}, "IDENTITY_UNSUPPORTED"],
  ];
  for (const [name, auth, options, code] of refused) {
    test(name, () => assert.throws(() => principalFromClerk(auth, options), { name: "IdentityError", code }));
  }
});
