/**
 * WorkOS without WorkOS: tokens signed with a key of our own, and an API on the loopback interface that answers in the
 * serialized form of the SDK's `…Response` types. What is handed out was made by the real `@workos-inc/node`.
 */

import { WorkOS as CurrentWorkOS } from "@workos-inc/node";
import { serveJson, signingKey } from "./provider.mjs";

const CLIENT_ID = "client_orthrus";
const COOKIE_PASSWORD = "a password of more than thirty-two characters";
const TIMES = { created_at: "2026-01-01T00:00:00.000Z", updated_at: "2026-01-01T00:00:00.000Z" };

const userResponse = (user) => ({
  object: "user",
  email: `${user.id}@example.test`,
  email_verified: true,
  profile_picture_url: null,
  name: null,
  first_name: null,
  last_name: null,
  last_sign_in_at: null,
  locale: null,
  external_id: null,
  metadata: {},
  ...TIMES,
  ...user,
});

/** An environment of WorkOS, asked by an SDK that is given as its class. Close it at the end. */
export async function createWorkOS({ WorkOS = CurrentWorkOS } = {}) {
  const key = await signingKey("sso_oidc_key_pair_orthrus");
  const answers = new Map([[`GET /sso/jwks/${CLIENT_ID}`, { keys: [key.jwk] }]]);
  const { port, url, close } = await serveJson((method, path) => answers.get(`${method} ${path}`));
  const settings = { clientId: CLIENT_ID, apiHostname: "127.0.0.1", port, https: false };
  const workos = new WorkOS("sk_test_orthrus", settings);
  const { userManagement } = workos;

  /** The access token of a session. */
  const accessToken = (claims) => key.sign({ iss: url, sid: `session_${claims.sub}`, jti: "01JTI", ...claims });

  /** Signs somebody in, as after the callback: the claims of the token, and beside them what WorkOS answers. */
  const signIn = async (claims, { user = {}, ...response } = {}) => {
    answers.set("POST /user_management/authenticate", {
      user: userResponse({ id: claims.sub, ...user }),
      organization_id: claims.org_id,
      access_token: await accessToken(claims),
      refresh_token: "refresh",
      authentication_method: "SSO",
      ...response,
    });
    return userManagement.authenticateWithCode({
      code: "code",
      session: { sealSession: true, cookiePassword: COOKIE_PASSWORD },
    });
  };

  /** The sealed cookie of somebody who has signed in. */
  const cookie = async (claims, response) => (await signIn(claims, response)).sealedSession;

  return {
    /** What an SDK needs to ask this environment. */
    settings: { ...settings, apiKey: "sk_test_orthrus", cookiePassword: COOKIE_PASSWORD },
    workos,
    close,
    accessToken,
    signIn,
    cookie,

    /** The session in a sealed cookie, by either way that the SDK has, and after a refresh. */
    authenticateCookie: (sessionData) =>
      userManagement.authenticateWithSessionCookie({ sessionData, cookiePassword: COOKIE_PASSWORD }),
    loadSession: (sessionData) => userManagement.loadSealedSession({ sessionData, cookiePassword: COOKIE_PASSWORD }),

    /** The profile that signing in through a connection gives. */
    async profile(profile) {
      answers.set("POST /sso/token", {
        access_token: "token",
        profile: { object: "profile", idp_id: "idp_1", connection_id: "conn_1", raw_attributes: {}, ...profile },
      });
      return (await workos.sso.getProfileAndToken({ clientId: CLIENT_ID, code: "code" })).profile;
    },

    /** A user of a directory, with their groups. */
    directoryUser(user) {
      const body = {
        object: "directory_user",
        directory_id: "directory_1",
        organization_id: null,
        idp_id: "idp_1",
        first_name: null,
        last_name: null,
        email: null,
        state: "active",
        custom_attributes: {},
        raw_attributes: {},
        groups: [],
        ...TIMES,
        ...user,
      };
      body.groups = body.groups.map((group) => ({
        object: "directory_group",
        idp_id: `idp_${group.id}`,
        directory_id: body.directory_id,
        organization_id: body.organization_id,
        raw_attributes: {},
        ...TIMES,
        ...group,
      }));
      answers.set(`GET /directory_users/${user.id}`, body);
      return workos.directorySync.getUser(user.id);
    },

    membership(membership) {
      answers.set(`GET /user_management/organization_memberships/${membership.id}`, {
        object: "organization_membership",
        organization_name: "Acme",
        status: "active",
        directory_managed: false,
        custom_attributes: {},
        ...TIMES,
        ...membership,
      });
      return userManagement.getOrganizationMembership(membership.id);
    },

    user(user) {
      answers.set(`GET /user_management/users/${user.id}`, userResponse(user));
      return userManagement.getUser(user.id);
    },

    /** What validating an API key answers; of a key that is `null`, that there is none. */
    validateApiKey(key) {
      const body = {
        object: "api_key",
        obfuscated_value: "sk_…",
        last_used_at: null,
        permissions: [],
        ...TIMES,
        ...key,
      };
      answers.set("POST /api_keys/validations", { api_key: key && body });
      // The method was renamed in version 9 of the SDK.
      const { apiKeys } = workos;
      return apiKeys.createValidation?.({ value: "sk_key" }) ?? apiKeys.validateApiKey({ value: "sk_key" });
    },
  };
}
