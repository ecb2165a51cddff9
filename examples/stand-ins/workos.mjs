/**
 * Stands in for WorkOS, so that an example runs without an account: the few endpoints of its API that AuthKit needs to sign a
 * person in (authorization, exchange of the code, key set, refresh, sign-out), with a key of its own.
 */

import { randomUUID } from "node:crypto";
import { createKey } from "./keys.mjs";
import { signInPage } from "./page.mjs";
import { emailOf, people } from "./people.mjs";
import { serve } from "./server.mjs";

const CLIENT_ID = "client_stand_in";

/** A user object of WorkOS' API. */
function userOf(person) {
  const [firstName, lastName] = person.name.split(" ").slice(-2);
  return {
    object: "user",
    id: person.userId,
    email: emailOf(person),
    email_verified: true,
    first_name: firstName,
    last_name: lastName,
    name: `${firstName} ${lastName}`,
    profile_picture_url: null,
    last_sign_in_at: "2026-11-20T08:00:00.000Z",
    locale: "en",
    created_at: "2026-01-01T08:00:00.000Z",
    updated_at: "2026-01-01T08:00:00.000Z",
    external_id: null,
    metadata: {},
  };
}

/** The claims of a person's access token. */
function claimsOf({ userId, org, role, permissions, impersonator }) {
  return {
    iss: `https://api.workos.com/user_management/${CLIENT_ID}`,
    sub: userId,
    sid: `session_${userId}`,
    jti: randomUUID(),
    org_id: org.id,
    role,
    roles: [role],
    permissions,
    entitlements: [],
    feature_flags: [],
    ...(impersonator !== undefined && { act: { sub: impersonator.email } }),
  };
}

/** Starts the stand-in for an application at `appUrl`. Resolves to `{ env, accessToken, close }`. */
export async function startWorkOS({ appUrl, port }) {
  const key = createKey("sso_oidc_key_stand_in");
  const accessToken = (person, claims = {}) => key.sign({ ...claimsOf(people[person]), ...claims });
  // Codes and refresh tokens are good for one use.
  const codes = new Map();
  const issue = (person) => {
    const code = randomUUID();
    codes.set(code, person);
    return code;
  };

  const authenticate = (_url, { grant_type, code, refresh_token }) => {
    const given = grant_type === "refresh_token" ? refresh_token : code;
    const person = codes.get(given);
    if (person === undefined) {
      return { status: 400, json: { error: "invalid_grant", error_description: "unknown or used" } };
    }
    codes.delete(given);
    const { impersonator, org } = people[person];
    return {
      json: {
        user: userOf(people[person]),
        organization_id: org.id,
        access_token: accessToken(person),
        refresh_token: issue(person),
        authentication_method: impersonator === undefined ? "Password" : "Impersonation",
        ...(impersonator !== undefined && { impersonator: { email: impersonator.email, reason: impersonator.reason } }),
      },
    };
  };

  const local = (target) => (new URL(target, appUrl).origin === appUrl ? new URL(target, appUrl).href : appUrl);
  const server = await serve(
    {
      "GET /user_management/authorize": (url) => ({
        html: signInPage("WorkOS", (person) => {
          const target = new URL(local(url.searchParams.get("redirect_uri")));
          target.searchParams.set("code", issue(person));
          target.searchParams.set("state", url.searchParams.get("state"));
          return target.href;
        }),
      }),
      "POST /user_management/authenticate": authenticate,
      [`GET /sso/jwks/${CLIENT_ID}`]: () => ({ json: { keys: [key.publicJwk] } }),
      "GET /user_management/sessions/logout": (url) => ({ redirect: local(url.searchParams.get("return_to") ?? "/") }),
    },
    port,
  );
  return {
    env: {
      WORKOS_API_HOSTNAME: "localhost",
      WORKOS_API_HTTPS: "false",
      WORKOS_API_PORT: String(server.port),
      WORKOS_API_KEY: "sk_test_stand_in",
      WORKOS_CLIENT_ID: CLIENT_ID,
      WORKOS_COOKIE_PASSWORD: "a password of the stand-in, for examples",
      WORKOS_REDIRECT_URI: `${appUrl}/callback`,
      NEXT_PUBLIC_WORKOS_REDIRECT_URI: `${appUrl}/callback`,
    },
    accessToken,
    close: server.close,
  };
}
