/** Clerk's identities that must not be trusted: each is a typed error with a stable code, and no principal. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { principalFromClerk } from "orthrus/clerk";
import { createClerk } from "../support/clerk.mjs";

const clerk = await createClerk();
after(() => clerk.close());

const ORG = { id: "org_1", slg: "acme", rol: "admin", per: "read,manage", fpm: "3,1" };
const FEATURES = "o:invoices,u:beta,ou:reports";
const V1_ORG = {
  org_id: "org_1",
  org_role: "org:admin",
  org_slug: "acme",
  org_permissions: ["org:invoices:read"],
};

/** The auth object of a request with the token. */
const authOf = async (token, options) => (await clerk.authenticate(await token, options)).toAuth();
/** Sessions with some claims, as auth objects and as claims. */
const authWith = (claims) => authOf(clerk.session({ sub: "user_1", ...claims }));
const claimsOf = async (claims) => clerk.verify(await clerk.session({ sub: "user_1", ...claims }));
const versionOne = async (claims) => clerk.verify(await clerk.sessionOfVersion1({ sub: "user_1", ...claims }));
/** A real auth object with some fields replaced: what an SDK would have to be fooled into. */
const forged = async (fields, claims = {}) => ({ ...(await authWith(claims)), ...fields });
const pendingSignedIn = async (fields) => {
  const state = await clerk.authenticate(await clerk.session({ sub: "user_1", sts: "pending" }));
  return { ...state.toAuth({ treatPendingAsSignedOut: false }), ...fields };
};
const apiKey = async (fields) => ({
  ...(await authOf(clerk.apiKey({ id: "4", name: "ci", subject: "user_1", scopes: [], claims: null }))),
  ...fields,
});
const machine = async (fields) => ({
  ...(await authOf(clerk.machineToken({ id: "mt_2", subject: "mch_1", scopes: [], claims: null }))),
  ...fields,
});
const oauth = async (fields) => ({
  ...(await authOf(clerk.oauthToken({ id: "oat_2", subject: "user_1", client_id: "client_1", scopes: [] }))),
  ...fields,
});

const THROW = { onUnauthenticated: "throw" };
const IN_ORGANIZATION = { requireOrganization: true };
const STRIP = { orgRolePrefix: "strip" };
const refused = [
  ["nobody, where told to", () => authOf(undefined), THROW, "IDENTITY_UNAUTHENTICATED"],
  ["a pending session, where told to", () => pendingSignedIn(), THROW, "IDENTITY_UNAUTHENTICATED"],
  ["a handshake, where told to", () => null, THROW, "IDENTITY_UNAUTHENTICATED"],
  [
    "a mismatch, where told to",
    () => authOf("ak_none", { acceptsToken: ["m2m_token"] }),
    THROW,
    "IDENTITY_UNAUTHENTICATED",
  ],

  ["a session without an organization", () => authWith({}), IN_ORGANIZATION, "IDENTITY_NO_ORGANIZATION"],
  ["claims without an organization", () => claimsOf({}), IN_ORGANIZATION, "IDENTITY_NO_ORGANIZATION"],

  ["a user that the claims do not name", () => forged({ userId: "user_2" }), {}, "IDENTITY_INVALID"],
  ["an organization that the claims do not name", () => forged({ orgId: "org_2" }), {}, "IDENTITY_INVALID"],
  ["another organization than the claims'", () => forged({ orgId: "org_2" }, { o: ORG }), {}, "IDENTITY_INVALID"],
  ["another role than the claims'", () => forged({ orgRole: "org:owner" }, { o: ORG }), {}, "IDENTITY_INVALID"],
  ["another session than the claims'", () => forged({ sessionId: "sess_2" }), {}, "IDENTITY_INVALID"],
  [
    "an active session whose claims are pending",
    () => pendingSignedIn({ sessionStatus: "active" }),
    {},
    "IDENTITY_INVALID",
  ],
  ["an actor that got lost", () => forged({ actor: undefined }, { act: { sub: "user_9" } }), {}, "IDENTITY_INVALID"],
  ["a session without its claims", () => forged({ sessionClaims: null }), {}, "IDENTITY_INVALID"],
  ["organizations of both versions", () => claimsOf({ o: ORG, org_id: "org_2" }), {}, "IDENTITY_INVALID"],
  ["an organization of the other version", () => claimsOf({ org_id: "org_2" }), {}, "IDENTITY_INVALID"],
  [
    "version 1 with an organization of version 2",
    () => versionOne({ ...V1_ORG, o: { id: "org_2" } }),
    {},
    "IDENTITY_INVALID",
  ],
  ["a role without an organization", () => versionOne({ org_role: "org:admin" }), {}, "IDENTITY_INVALID"],
  ["permissions without an organization", () => versionOne({ org_permissions: ["org:a:b"] }), {}, "IDENTITY_INVALID"],

  ["a list as the user", () => forged({ userId: ["user_1"] }), {}, "IDENTITY_INVALID"],
  [
    "a list as the role, which Clerk's SDK joins",
    () => authWith({ o: { id: "org_1", rol: ["admin"] } }),
    {},
    "IDENTITY_INVALID",
  ],
  ["a list as the organization", () => authWith({ o: { id: ["org_1"] } }), {}, "IDENTITY_INVALID"],
  ["a list of organizations", () => authWith({ o: [ORG] }), {}, "IDENTITY_INVALID"],
  ["an organization without an id", () => authWith({ o: { rol: "admin" } }), {}, "IDENTITY_INVALID"],
  ["a list as the slug", () => authWith({ o: { id: "org_1", slg: ["a"] } }), {}, "IDENTITY_INVALID"],
  [
    "a string of permissions",
    () => versionOne({ ...V1_ORG, org_permissions: "org:invoices:read" }),
    {},
    "IDENTITY_INVALID",
  ],
  [
    "a permission that is no string",
    () => versionOne({ ...V1_ORG, org_permissions: [["org:a:b"]] }),
    {},
    "IDENTITY_INVALID",
  ],
  ["a list as the status", () => claimsOf({ sts: ["active"] }), {}, "IDENTITY_INVALID"],
  ["a session that was ended", () => claimsOf({ sts: "revoked" }), {}, "IDENTITY_INACTIVE"],
  ["an actor without an id", () => authWith({ act: { type: "agent" } }), {}, "IDENTITY_INVALID"],
  ["an actor that is no object", () => authWith({ act: "user_9" }), {}, "IDENTITY_INVALID"],
  ["an actor with a list of types", () => authWith({ act: { sub: "a", type: ["agent"] } }), {}, "IDENTITY_INVALID"],
  ["malformed features", () => authWith({ fea: "invoices" }), {}, "IDENTITY_INVALID"],
  ["a feature without a name", () => authWith({ fea: "o:" }), {}, "IDENTITY_INVALID"],
  ["a list of features", () => claimsOf({ fea: ["o:a"] }), {}, "IDENTITY_INVALID"],
  ["malformed plans", () => authWith({ pla: "pro" }), {}, "IDENTITY_INVALID"],
  ["a malformed permission mask", () => authWith({ o: { ...ORG, fpm: "0x3" }, fea: FEATURES }), {}, "IDENTITY_INVALID"],
  [
    "a permission mask of a megabyte",
    () => claimsOf({ o: { ...ORG, fpm: "9".repeat(1e6) }, fea: FEATURES }),
    {},
    "IDENTITY_INVALID",
  ],
  ["factor ages that are strings", () => authWith({ fva: ["3", "-1"] }), {}, "IDENTITY_INVALID"],
  ["one factor age", () => authWith({ fva: [3] }), {}, "IDENTITY_INVALID"],
  ["a version to come", () => claimsOf({ v: 3 }), {}, "IDENTITY_UNSUPPORTED"],
  [
    "claims of a JWT template",
    async () => clerk.verify(await clerk.templateJwt({ v: 2, sub: "user_1", o: ORG })),
    {},
    "IDENTITY_INVALID",
  ],
  [
    "a role that would pass for a machine",
    () => authWith({ o: { id: "org_1", rol: "machine" } }),
    STRIP,
    "IDENTITY_INVALID",
  ],

  ["an API key without a subject", () => apiKey({ subject: null }), {}, "IDENTITY_INVALID"],
  ["an API key of somebody else", () => apiKey({ userId: "user_2" }), {}, "IDENTITY_INVALID"],
  ["an API key of another organization", () => apiKey({ orgId: "org_2" }), {}, "IDENTITY_INVALID"],
  ["an API key with scopes that are no strings", () => apiKey({ scopes: [{}] }), {}, "IDENTITY_INVALID"],
  ["a machine that is not the token's subject", () => machine({ machineId: "mch_2" }), {}, "IDENTITY_INVALID"],
  ["a machine with a list as claims", () => machine({ claims: ["orgId"] }), {}, "IDENTITY_INVALID"],
  ["an OAuth token of somebody else", () => oauth({ userId: "user_2" }), {}, "IDENTITY_INVALID"],
  ["an OAuth token without a client", () => oauth({ clientId: "" }), {}, "IDENTITY_INVALID"],
  ["a token type to come", () => machine({ tokenType: "agent_token" }), {}, "IDENTITY_UNSUPPORTED"],
  ["a token", () => clerk.session({ sub: "user_1" }), {}, "IDENTITY_UNSUPPORTED"],
  ["nothing", () => undefined, {}, "IDENTITY_UNSUPPORTED"],
  ["an object of another kind", () => ({ id: "user_1" }), {}, "IDENTITY_UNSUPPORTED"],
  ["claims with a list as the subject", () => ({ sub: ["user_1"] }), {}, "IDENTITY_INVALID"],
];

describe("principalFromClerk refuses", () => {
  for (const [name, make, options, code] of refused) {
    test(name, async () => {
      const auth = await make();
      assert.throws(() => principalFromClerk(auth, options), { name: "IdentityError", code });
    });
  }

  test("no session in an organization, and no key or nobody, where an organization is required", async () => {
    for (const auth of [await authWith({ o: ORG }), await apiKey(), await machine(), await authOf(undefined)]) {
      assert.deepEqual(principalFromClerk(auth, IN_ORGANIZATION), principalFromClerk(auth));
    }
  });

  test("a promise, with a hint", () => {
    const auth = authOf(undefined);
    assert.throws(() => principalFromClerk(auth), { code: "IDENTITY_UNSUPPORTED", message: /await/ });
    return auth;
  });

  test("without telling the value that it refuses", async () => {
    const auth = await forged({ userId: ["user_secret"] });
    assert.throws(
      () => principalFromClerk(auth),
      (error) => !error.message.includes("secret"),
    );
  });
});
