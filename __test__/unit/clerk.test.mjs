/**
 * Clerk's identities: every row of the mapping, and what must not be trusted. The objects are those of the real SDKs, which have
 * verified tokens signed with a key of ours.
 */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { clerkMiddleware, getAuth } from "@clerk/express";
import express from "express";
import { principalFromClerk } from "orthrus/clerk";
import { Rng } from "../differential/rng.mjs";
import { createClerk } from "../support/clerk.mjs";

const clerk = await createClerk();
after(() => clerk.close());

/** The auth object of a request with the token. */
const authOf = async (token, options) => (await clerk.authenticate(await token, options)).toAuth();

const ORG = { id: "org_1", slg: "acme", rol: "admin", per: "read,manage", fpm: "3,1" };
const FEATURES = "o:invoices,u:beta,ou:reports";
const V1_ORG = {
  org_id: "org_1",
  org_role: "org:admin",
  org_slug: "acme",
  org_permissions: ["org:invoices:read"],
};

const none = { org: [], user: [] };
const USER = {
  provider: "clerk",
  type: "user",
  authenticated: true,
  impersonated: false,
  machine: false,
  sessionId: "sess_user_1",
  plans: none,
  features: none,
};
const fva = { first: 2 };
const IN_ORG = {
  ...USER,
  fva,
  features: { org: ["invoices", "reports"], user: ["beta", "reports"] },
  org: {
    id: "org_1",
    slug: "acme",
    role: "org:admin",
    permissions: ["org:invoices:read", "org:invoices:manage", "org:reports:read"],
  },
};
const MACHINE = { provider: "clerk", authenticated: true, impersonated: false, machine: true };
const ANONYMOUS = {
  id: "anonymous",
  roles: ["anonymous"],
  attr: { provider: "clerk", type: "anonymous", authenticated: false, impersonated: false, machine: false },
};
const user = (attr, roles = ["user"]) => ({ id: "user_1", roles, attr });
const admin = (attr = IN_ORG) => user(attr, ["user", "org:admin"]);

/** Session tokens: as auth objects and as claims they make the same principal. */
const sessions = [
  ["a session", { sub: "user_1" }, {}, user({ ...USER, fva })],
  ["a session in an organization", { sub: "user_1", o: ORG, fea: FEATURES }, {}, admin()],
  [
    "… with the prefix stripped",
    { sub: "user_1", o: ORG, fea: FEATURES },
    { orgRolePrefix: "strip" },
    user(IN_ORG, ["user", "admin"]),
  ],
  [
    "… whose role becomes the base role",
    { sub: "user_1", o: { id: "org_1", rol: "user" } },
    { orgRolePrefix: "strip" },
    user({ ...USER, fva, org: { id: "org_1", role: "org:user", permissions: [] } }),
  ],
  [
    "… without slug, role or permissions",
    { sub: "user_1", o: { id: "org_1" } },
    {},
    user({ ...USER, fva, org: { id: "org_1", permissions: [] } }),
  ],
  [
    "plans and features by scope",
    { sub: "user_1", o: { id: "org_1" }, pla: "u:free,o:pro,x:none", fea: "uo:a,ou:b, o:c,u:d" },
    {},
    user({
      ...USER,
      fva,
      org: { id: "org_1", permissions: [] },
      plans: { org: ["pro"], user: ["free"] },
      features: { org: ["a", "b", "c"], user: ["a", "b", "d"] },
    }),
  ],
  [
    "features of an organization where none is active, which hold for nobody",
    { sub: "user_1", fea: "o:a,ou:b", pla: "o:pro" },
    {},
    user({ ...USER, fva, features: { org: [], user: ["b"] } }),
  ],
  ["both factors", { sub: "user_1", fva: [0, 7] }, {}, user({ ...USER, fva: { first: 0, second: 7 } })],
  ["factors that were never verified", { sub: "user_1", fva: [-1, -1] }, {}, user({ ...USER, fva: {} })],
  ["no word of factors", { sub: "user_1", fva: undefined }, {}, user(USER)],
  [
    "custom claims that were chosen",
    { sub: "user_1", tenant: "t", metadata: { level: 3 }, secret: 1, gone: null },
    { claims: ["tenant", "metadata", "gone", "missing", "toString"] },
    user({ ...USER, fva, claims: { tenant: "t", metadata: { level: 3 } } }),
  ],
  [
    "custom claims named like properties of auth objects",
    { sub: "user_1", isAuthenticated: true, tokenType: "m2m_token", machineId: "mch_1", orgId: "org_2" },
    {},
    user({ ...USER, fva }),
  ],
  ["custom claims that were not", { sub: "user_1", tenant: "t" }, {}, user({ ...USER, fva })],
  [
    "impersonation by a person",
    { sub: "user_1", act: { sub: "user_9" } },
    {},
    user({ ...USER, fva, impersonated: true, actor: { id: "user_9", type: "user" } }),
  ],
  [
    "an AI agent in the user's place",
    { sub: "user_1", act: { sub: "agent_9", type: "agent" }, o: ORG, fea: FEATURES },
    {},
    admin({ ...IN_ORG, impersonated: true, actor: { id: "agent_9", type: "agent" } }),
  ],
];

describe("principalFromClerk maps session tokens, as auth object and as claims:", () => {
  for (const [name, claims, options, expected] of sessions) {
    test(name, async () => {
      const token = await clerk.session(claims);
      assert.deepEqual(principalFromClerk(await authOf(token), options), expected);
      assert.deepEqual(principalFromClerk(await clerk.verify(token), options), expected);
    });
  }

  test("version 1", async () => {
    const token = await clerk.sessionOfVersion1({ sub: "user_1", ...V1_ORG });
    const org = { id: "org_1", slug: "acme", role: "org:admin", permissions: ["org:invoices:read"] };
    assert.deepEqual(principalFromClerk(await authOf(token)), admin({ ...USER, org }));
    assert.deepEqual(principalFromClerk(await clerk.verify(token)), admin({ ...USER, org }));
  });

  test("version 1 without an organization", async () => {
    const token = await clerk.sessionOfVersion1({ sub: "user_1" });
    assert.deepEqual(principalFromClerk(await authOf(token)), user(USER));
    assert.deepEqual(principalFromClerk(await clerk.verify(token)), user(USER));
  });

  test("permission masks of any width, as Clerk's SDK unpacks them", async () => {
    const rng = new Rng(1);
    const many = (most, make) => Array.from({ length: rng.int(1, most) }, (_, index) => make(index));
    for (let round = 0; round < 40; round += 1) {
      const per = many(140, (index) => `p${index}`).join(",");
      const fpm = many(5, () => many(45, () => rng.int(0, 9)).join("")).join(",");
      const fea = many(5, (index) => `${rng.pick(["o", "u", "ou", "uo"])}:f${index}`).join(",");
      const token = await clerk.session({ sub: "user_1", o: { id: "org_1", per, fpm }, fea });
      const auth = await authOf(token);
      assert.deepEqual(principalFromClerk(auth).attr.org.permissions, auth.orgPermissions, `${per} ${fpm} ${fea}`);
    }
  });
});

const pending = () => clerk.session({ sub: "user_1", sts: "pending" });
const HANDSHAKE = {
  accept: "text/html",
  "sec-fetch-dest": "document",
  cookie: "__clerk_db_jwt=x; __client_uat=1700000000",
};

const others = [
  [
    "a user's API key",
    () => authOf(clerk.apiKey({ id: "1", name: "ci", subject: "user_1", scopes: ["read"], claims: { a: 1 } })),
    {
      id: "user_1",
      roles: ["api_key"],
      attr: {
        ...MACHINE,
        type: "api_key",
        apiKey: { id: "1", name: "ci", scopes: ["read"] },
        userId: "user_1",
        claims: { a: 1 },
      },
    },
  ],
  [
    "an organization's API key",
    () => authOf(clerk.apiKey({ id: "1", name: "ci", subject: "org_1", scopes: [], claims: null })),
    {
      id: "org_1",
      roles: ["api_key"],
      attr: { ...MACHINE, type: "api_key", apiKey: { id: "1", name: "ci", scopes: [] }, orgId: "org_1" },
    },
  ],
  [
    "an M2M token",
    () => authOf(clerk.machineToken({ id: "mt_1", subject: "mch_1", scopes: ["mch_2"], claims: { orgId: "org_1" } })),
    {
      id: "mch_1",
      roles: ["machine"],
      attr: { ...MACHINE, type: "machine", tokenId: "mt_1", scopes: ["mch_2"], claims: { orgId: "org_1" } },
    },
  ],
  [
    "an OAuth token",
    () => authOf(clerk.oauthToken({ id: "oat_1", subject: "user_1", client_id: "client_1", scopes: ["profile"] })),
    {
      id: "user_1",
      roles: ["oauth_client"],
      attr: { ...MACHINE, type: "oauth_client", clientId: "client_1", scopes: ["profile"] },
    },
  ],
  ["nobody", () => authOf(undefined), ANONYMOUS],
  ["a token signed by somebody else", async () => authOf((await createClerkElsewhere()).token), ANONYMOUS],
  ["a pending session, which Clerk signs out", async () => authOf(pending()), ANONYMOUS],
  ["a pending session that Clerk calls signed in", async () => pendingSignedIn(), ANONYMOUS],
  ["claims of a pending session", async () => clerk.verify(await pending()), ANONYMOUS],
  ["an API key that does not exist", () => authOf("ak_none"), ANONYMOUS],
  ["a machine token that does not exist", () => authOf("mt_none"), ANONYMOUS],
  ["an OAuth token that does not exist", () => authOf("oat_none"), ANONYMOUS],
  [
    "a session where a key is accepted",
    () => authOf(clerk.session({ sub: "user_1" }), { acceptsToken: "api_key" }),
    ANONYMOUS,
  ],
  [
    "a session where keys and machines are accepted",
    () => authOf(clerk.session({ sub: "user_1" }), { acceptsToken: ["api_key", "m2m_token"] }),
    ANONYMOUS,
  ],
  [
    "a machine where a session is accepted",
    () => authOf(clerk.machineJwt({ sub: "mch_1", jti: "1" }), { acceptsToken: "session_token" }),
    ANONYMOUS,
  ],
  ["a token of a JWT template", () => authOf(clerk.templateJwt({ sub: "user_1" })), ANONYMOUS],
  ["a handshake", () => authOf(undefined, { headers: HANDSHAKE, acceptsToken: "session_token" }), ANONYMOUS],
];

async function createClerkElsewhere() {
  const elsewhere = await createClerk();
  await elsewhere.close();
  return { token: await elsewhere.session({ sub: "user_1" }) };
}

async function pendingSignedIn() {
  const state = await clerk.authenticate(await pending());
  const auth = state.toAuth({ treatPendingAsSignedOut: false });
  assert.equal(auth.isAuthenticated, true);
  return auth;
}

describe("principalFromClerk maps", () => {
  for (const [name, make, expected] of others) {
    test(name, async () => assert.deepEqual(principalFromClerk(await make()), expected));
  }

  test("a pending session, where that is accepted", async () => {
    const expected = user({ ...USER, fva });
    assert.deepEqual(principalFromClerk(await pendingSignedIn(), { allowPending: true }), expected);
    assert.deepEqual(principalFromClerk(await clerk.verify(await pending()), { allowPending: true }), expected);
  });

  const jwts = [
    ["M2M", "machineJwt", { sub: "mch_1", jti: "mt_1", scopes: "mch_2 mch_3", orgId: "org_1" }],
    ["M2M by audience", "machineJwt", { sub: "mch_1", jti: "mt_1", aud: ["mch_2"] }],
    ["M2M by one audience", "machineJwt", { sub: "mch_1", jti: "mt_1", aud: "mch_2" }],
    ["OAuth", "oauthJwt", { sub: "user_1", jti: "oat_1", client_id: "client_1", scope: "profile email" }],
    ["OAuth, scopes as a list", "oauthJwt", { sub: "user_1", jti: "oat_1", client_id: "client_1", scp: ["profile"] }],
  ];
  for (const [name, kind, claims] of jwts) {
    test(`${name} tokens that are JWTs, as auth object and as claims`, async () => {
      const token = await clerk[kind](claims);
      const auth = await authOf(token);
      assert.equal(auth.isAuthenticated, true);
      const { roles, attr } = principalFromClerk(auth);
      assert.deepEqual(roles, [kind === "machineJwt" ? "machine" : "oauth_client"]);
      assert.deepEqual(attr.scopes, [auth.scopes].flat());
      const { iat, nbf, exp, iss, ...told } = JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
      assert.deepEqual(principalFromClerk({ iat, nbf, exp, iss, ...told }), principalFromClerk(auth));
    });
  }

  test("the actor of an OAuth token, which only the claims name", () => {
    const claims = { sub: "user_1", client_id: "client_1", act: { sub: "agent_1", type: "agent" } };
    const { roles, attr } = principalFromClerk(claims);
    assert.deepEqual(
      [roles, attr.impersonated, attr.actor],
      [["oauth_client"], true, { id: "agent_1", type: "agent" }],
    );
  });
});

describe("principalFromClerk maps what getAuth of @clerk/express returns:", () => {
  const app = express();
  const { publishableKey, secretKey, jwtKey, apiUrl } = clerk.settings;
  app.use(clerkMiddleware({ publishableKey, secretKey, jwtKey, apiUrl }));
  app.get("/any", (req, res) => res.json(principalFromClerk(getAuth(req, { acceptsToken: "any" }))));
  app.get("/session", (req, res) => res.json(principalFromClerk(getAuth(req))));
  app.get("/function", (req, res) => res.json(principalFromClerk(req.auth)));
  app.use((error, _req, res, _next) => res.status(500).json({ code: error.code }));
  const server = app.listen(0, "127.0.0.1");
  after(() => server.close());

  const get = async (path, token) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    return (await fetch(`http://127.0.0.1:${server.address().port}${path}`, { headers })).json();
  };
  const rows = [
    ["a session", "/any", () => clerk.session({ sub: "user_1", o: ORG, fea: FEATURES }), admin()],
    ["a session, by default", "/session", () => clerk.session({ sub: "user_1", o: ORG, fea: FEATURES }), admin()],
    ["nobody", "/any", () => undefined, ANONYMOUS],
    [
      "an API key where a session is accepted",
      "/session",
      () => clerk.apiKey({ id: "2", subject: "user_1" }),
      ANONYMOUS,
    ],
    ["req.auth, which it refuses", "/function", () => undefined, { code: "IDENTITY_UNSUPPORTED" }],
  ];
  for (const [name, path, token, expected] of rows) {
    test(name, async () => assert.deepEqual(await get(path, await token()), expected));
  }

  test("an API key", async () => {
    const token = clerk.apiKey({ id: "3", name: "ci", subject: "org_1", scopes: ["read"], claims: null });
    const { id, roles } = await get("/any", token);
    assert.deepEqual([id, roles], ["org_1", ["api_key"]]);
  });
});
