/** WorkOS' identities that must not be trusted: each is a typed error with a stable code, and no principal. */

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import { inspect } from "node:util";
import { principalFromWorkOS } from "orthrus/workos";
import { signingKey } from "../support/provider.mjs";
import { createWorkOS } from "../support/workos.mjs";

const workos = await createWorkOS();
after(() => workos.close());

const MEMBER = { sub: "user_1", org_id: "org_1", role: "admin", roles: ["admin"] };

/** The session of a cookie, as the SDK calls it authenticated. */
async function session(claims, response) {
  const found = await workos.authenticateCookie(await workos.cookie({ sub: "user_1", ...claims }, response));
  assert.equal(found.authenticated, true);
  return found;
}
/** A session in an organization with some properties replaced. */
const forged = async (fields) => ({ ...(await session(MEMBER)), ...fields });
const claims = async (fields) =>
  JSON.parse(Buffer.from((await workos.accessToken({ sub: "user_1", ...fields })).split(".")[1], "base64url"));
const encode = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

const profile = (fields) =>
  workos.profile({ id: "prof_1", connection_type: "OktaSAML", email: "a@b.test", organization_id: "org_1", ...fields });
const directoryUser = (fields) => workos.directoryUser({ id: "directory_user_1", organization_id: "org_1", ...fields });
const membership = (fields) =>
  workos.membership({ id: "om_1", user_id: "user_1", organization_id: "org_1", role: { slug: "member" }, ...fields });
const apiKey = (fields) =>
  workos.validateApiKey({ id: "api_key_1", name: "ci", owner: { type: "organization", id: "org_1" }, ...fields });

const IN_ORGANIZATION = { requireOrganization: true };
const THROW = { onUnauthenticated: "throw" };
const rows = [
  ["no cookie, where told to", () => workos.authenticateCookie(""), THROW, "IDENTITY_UNAUTHENTICATED"],
  [
    "an API key that does not exist, where told to",
    () => workos.validateApiKey(null),
    THROW,
    "IDENTITY_UNAUTHENTICATED",
  ],

  ["a session without an organization", () => session({}), IN_ORGANIZATION, "IDENTITY_NO_ORGANIZATION"],
  ["claims without an organization", () => claims({}), IN_ORGANIZATION, "IDENTITY_NO_ORGANIZATION"],
  [
    "a profile of no organization",
    () => profile({ organization_id: undefined }),
    IN_ORGANIZATION,
    "IDENTITY_NO_ORGANIZATION",
  ],
  [
    "a directory of no organization",
    () => directoryUser({ organization_id: null }),
    IN_ORGANIZATION,
    "IDENTITY_NO_ORGANIZATION",
  ],

  ["a user that is not the token's subject", () => session({}, { user: { id: "user_EVIL" } }), {}, "IDENTITY_INVALID"],
  ["a token without a subject", () => session({ sub: undefined }, { user: { id: "user_1" } }), {}, "IDENTITY_INVALID"],
  ["a session without its token", () => forged({ accessToken: undefined }), {}, "IDENTITY_INVALID"],
  ["a token that is none", () => forged({ accessToken: "x.y.z" }), {}, "IDENTITY_INVALID"],
  ["a token without claims", () => forged({ accessToken: `a.${encode([])}.b` }), {}, "IDENTITY_INVALID"],
  ["a list of tokens", async () => forged({ accessToken: [(await session({})).accessToken] }), {}, "IDENTITY_INVALID"],
  ["a user without an id", () => forged({ user: {} }), {}, "IDENTITY_INVALID"],
  ["another organization than the token's", () => forged({ organizationId: "org_2" }), {}, "IDENTITY_INVALID"],
  ["another session than the token's", () => forged({ sessionId: "session_2" }), {}, "IDENTITY_INVALID"],
  ["another role than the token's", () => forged({ role: "owner" }), {}, "IDENTITY_INVALID"],
  ["more roles than the token's", () => forged({ roles: ["admin", "owner"] }), {}, "IDENTITY_INVALID"],
  ["more permissions than the token's", () => forged({ permissions: ["all"] }), {}, "IDENTITY_INVALID"],
  ["more entitlements than the token's", () => forged({ entitlements: ["all"] }), {}, "IDENTITY_INVALID"],
  ["more feature flags than the token's", () => forged({ featureFlags: ["all"] }), {}, "IDENTITY_INVALID"],

  ["roles in a string", () => session({ roles: "superadmin-not" }), {}, "IDENTITY_INVALID"],
  ["a list as the role", () => session({ role: ["admin"] }), {}, "IDENTITY_INVALID"],
  ["a role that is an object", () => session({ roles: [{ slug: "admin" }] }), {}, "IDENTITY_INVALID"],
  ["permissions in a string", () => session({ permissions: "all" }), {}, "IDENTITY_INVALID"],
  ["a list as the organization", () => session({ org_id: ["org_1"] }), {}, "IDENTITY_INVALID"],
  ["a list as the user's email", () => session({}, { user: { email: ["a@b.test"] } }), {}, "IDENTITY_INVALID"],
  ["a string that says whether the email is verified", () => verified("false"), {}, "IDENTITY_INVALID"],
  ["metadata that is a list", () => session({}, { user: { metadata: ["a"] } }), {}, "IDENTITY_INVALID"],
  ["a role that would pass for an API key", () => session({ role: "api_key" }), {}, "IDENTITY_INVALID"],
  ["a token of another application", () => claims({ sid: "app_consent_1" }), {}, "IDENTITY_INVALID"],
  ["a token of no session", () => claims({ sid: undefined }), {}, "IDENTITY_INVALID"],
  ["claims with a list as the subject", () => claims({ sub: ["user_1"] }), {}, "IDENTITY_INVALID"],

  ["an inactive directory user", () => directoryUser({ state: "inactive" }), {}, "IDENTITY_INACTIVE"],
  ["a directory user without a state", () => directoryUser({ state: undefined }), {}, "IDENTITY_INACTIVE"],
  ["a directory user with a list as the state", () => directoryUser({ state: ["active"] }), {}, "IDENTITY_INVALID"],
  ["an inactive membership", () => membership({ status: "inactive" }), {}, "IDENTITY_INACTIVE"],
  ["a pending membership", () => membership({ status: "pending" }), {}, "IDENTITY_INACTIVE"],
  ["a membership without an organization", () => membership({ organization_id: undefined }), {}, "IDENTITY_INVALID"],
  ["a membership with another user", () => withUser("user_2"), {}, "IDENTITY_INVALID"],
  ["a membership without its user", async () => ({ membership: await membership() }), {}, "IDENTITY_UNSUPPORTED"],
  ["a membership whose role is a string", () => membership({ roles: ["admin"] }), {}, "IDENTITY_INVALID"],
  ["a profile with groups in a string", () => profile({ groups: "admin" }), {}, "IDENTITY_INVALID"],
  ["a profile with a list as the organization", () => profile({ organization_id: ["org_1"] }), {}, "IDENTITY_INVALID"],
  [
    "a group that is mapped to what only a credential can be",
    () => directoryUser({ groups: [{ id: "g_1", name: "g" }] }),
    { groupRoles: { org_1: { g_1: "machine" } } },
    "IDENTITY_INVALID",
  ],
  [
    "an API key without an owner",
    async () => ({ ...(await apiKey()).apiKey, owner: undefined }),
    {},
    "IDENTITY_INVALID",
  ],
  ["an API key of an owner to come", () => apiKey({ owner: { type: "agent", id: "agent_1" } }), {}, "IDENTITY_INVALID"],
  ["an API key with permissions in a string", () => apiKey({ permissions: "all" }), {}, "IDENTITY_INVALID"],
  ["a user alone", () => workos.user({ id: "user_1" }), {}, "IDENTITY_UNSUPPORTED"],
  ["a token", () => workos.accessToken({ sub: "user_1" }), {}, "IDENTITY_UNSUPPORTED"],
  ["nothing", () => undefined, {}, "IDENTITY_UNSUPPORTED"],
];

const verified = (email_verified) => session({}, { user: { email_verified } });

async function withUser(id) {
  return { membership: await membership(), user: await workos.user({ id }) };
}

describe("principalFromWorkOS refuses", () => {
  for (const [name, make, options, code] of rows) {
    test(name, async () => {
      const identity = await make();
      assert.throws(() => principalFromWorkOS(identity, options), { name: "IdentityError", code });
    });
  }

  test("no session in an organization, and no key or nobody, where an organization is required", async () => {
    for (const identity of [await session(MEMBER), await apiKey(), await membership(), { user: null }]) {
      assert.deepEqual(principalFromWorkOS(identity, IN_ORGANIZATION), principalFromWorkOS(identity));
    }
  });

  test("nothing where the SDK throws: for a token whose key is unknown there is no session to map", async () => {
    const elsewhere = await signingKey("elsewhere");
    const access_token = await elsewhere.sign({ sub: "user_1", sid: "session_1" });
    const cookie = await workos.cookie({ sub: "user_1" }, { access_token });
    await assert.rejects(workos.authenticateCookie(cookie), { code: "ERR_JWKS_NO_MATCHING_KEY" });
    await assert.rejects(workos.loadSession(cookie).authenticate(), { code: "ERR_JWKS_NO_MATCHING_KEY" });
  });

  test("a token that is no JWT, without quoting from it", async () => {
    const { user } = await session({});
    const accessToken = `x.${Buffer.from("secret claims").toString("base64url")}.x`;
    assert.throws(
      () => principalFromWorkOS({ user, accessToken }),
      (error) => error.code === "IDENTITY_INVALID" && !inspect(error).includes("secret"),
    );
  });

  test("a promise, with a hint", () => {
    const promise = session({});
    assert.throws(() => principalFromWorkOS(promise), { code: "IDENTITY_UNSUPPORTED", message: /await/ });
    return promise;
  });
});
