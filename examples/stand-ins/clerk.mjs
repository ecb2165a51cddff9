/**
 * Stands in for Clerk, so that an example runs without an account: session tokens like Clerk's, signed by a key of its own, and
 * a page on which one chooses who to be. The application verifies the tokens by `CLERK_JWT_KEY`, as it does those of Clerk, and
 * asks the stand-in about the keys of machines, as it asks Clerk.
 */

import { createKey } from "./keys.mjs";
import { signInPage } from "./page.mjs";
import { machines, people } from "./people.mjs";
import { serve } from "./server.mjs";

/** The host of Clerk's frontend API; it is in the publishable key, and does not exist. */
const FRONTEND_API = "clerk.example.com";
/** How Clerk marks session tokens in their header. */
const SESSION_TOKEN = { cat: "cl_B7d4PD111AAA" };

/** The claims of a person's session, in version 2 of Clerk's format. */
function claimsOf({ userId, org, role, permissions, impersonator }) {
  return {
    iss: `https://${FRONTEND_API}`,
    v: 2,
    sts: "active",
    sub: userId,
    sid: `sess_${userId}`,
    fva: [2, -1],
    ...organizationClaims(org, role, permissions),
    ...(impersonator !== undefined && { act: { iss: `https://${FRONTEND_API}`, sub: impersonator.id } }),
  };
}

/**
 * An organization as Clerk writes it: `billing:manage` is the feature `o:billing`, the permission `manage`, and for each
 * feature a mask of the permissions that are given.
 */
function organizationClaims(org, role, permissions) {
  const o = { id: org.id, slg: org.slug, rol: role };
  if (permissions.length === 0) return { o };
  const pairs = permissions.map((permission) => permission.split(":"));
  const names = [...new Set(pairs.map(([, name]) => name))];
  return {
    o: { ...o, per: names.join(","), fpm: pairs.map(([, name]) => 2 ** names.indexOf(name)).join(",") },
    fea: pairs.map(([feature]) => `o:${feature}`).join(","),
  };
}

/** What Clerk's API says of an API key or the token of a machine that is good. */
const verified = (token) => ({
  json: { revoked: false, expired: false, expiration: null, created_at: 1, updated_at: 1, claims: null, ...token },
});

/** Starts the stand-in for an application at `appUrl`. Resolves to `{ env, sessionToken, cookiesOf, close }`. */
export async function startClerk({ appUrl, port }) {
  const key = createKey("ins_stand_in");
  const sessionToken = (person, claims = {}) =>
    key.sign({ ...claimsOf(people[person]), azp: appUrl, ...claims }, SESSION_TOKEN);
  // The second cookie tells since when the browser is signed in; without it, Clerk would ask the browser to come by.
  const cookiesOf = (person) => ({ __session: sessionToken(person), __client_uat: "1" });

  const back = (url) => {
    const target = new URL(url.searchParams.get("redirect_url") ?? "/", appUrl);
    return target.origin === appUrl ? target.href : appUrl;
  };
  const verify = (secret) => {
    const machine = Object.values(machines).find((candidate) => candidate.secret === secret);
    return machine === undefined ? { status: 404, json: { errors: [{ code: "not_found" }] } } : verified(machine.token);
  };
  const server = await serve(
    {
      "POST /api_keys/verify": (_url, { secret }) => verify(secret),
      "POST /m2m_tokens/verify": (_url, { token }) => verify(token),
      "GET /sign-in": (url) => ({
        html: signInPage("Clerk", (person) => `/session?${new URLSearchParams({ person, redirect_url: back(url) })}`),
      }),
      "GET /session": (url) => {
        const person = url.searchParams.get("person");
        if (!Object.hasOwn(people, person)) return { status: 404, json: {} };
        const cookies = Object.entries(cookiesOf(person)).map(
          ([name, value]) => `${name}=${value}; Path=/; SameSite=Lax`,
        );
        return { redirect: back(url), cookies };
      },
    },
    port,
  );
  const settings = {
    CLERK_PUBLISHABLE_KEY: `pk_live_${Buffer.from(`${FRONTEND_API}$`).toString("base64")}`,
    CLERK_SIGN_IN_URL: `http://localhost:${server.port}/sign-in`,
    CLERK_TELEMETRY_DISABLED: "1",
  };
  return {
    env: {
      // Next.js hands to browsers what has its prefix.
      ...Object.fromEntries(Object.entries(settings).map(([name, value]) => [`NEXT_PUBLIC_${name}`, value])),
      ...settings,
      CLERK_API_URL: `http://localhost:${server.port}`,
      CLERK_SECRET_KEY: `sk_live_${"x".repeat(40)}`,
      CLERK_JWT_KEY: key.publicPem,
    },
    sessionToken,
    cookiesOf,
    close: server.close,
  };
}
