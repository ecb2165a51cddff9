/**
 * Clerk without Clerk: tokens signed with a key of our own, and the endpoints that the SDKs ask about opaque tokens. What is
 * handed out has been verified by the real `@clerk/backend`; give `settings` to any other SDK of Clerk.
 */

import { createClerkClient, verifyToken } from "@clerk/backend";
import { serveJson, signingKey } from "./provider.mjs";

process.env.CLERK_TELEMETRY_DISABLED = "1";

const ISSUER = "https://orthrus.clerk.accounts.dev";
const ORIGIN = "http://localhost:3000";
const SESSION = { cat: "cl_B7d4PD111AAA" };
const M2M = { cat: "cl_B7d4PD333AAA" };

/** What the API says of a token that is good. */
const VERIFIED = {
  revoked: false,
  revocation_reason: null,
  expired: false,
  expiration: null,
  created_at: 1,
  updated_at: 1,
};

/** Where the API verifies opaque tokens, and under which name it is given them. */
const ENDPOINTS = {
  "/api_keys/verify": "secret",
  "/m2m_tokens/verify": "token",
  "/oauth_applications/access_tokens/verify": "access_token",
};

/** An instance of Clerk. Close it at the end. */
export async function createClerk() {
  const key = await signingKey("ins_orthrus");
  const opaque = new Map();
  const { url, close } = await serveJson((method, path, body) => {
    const name = ENDPOINTS[path.replace(/^\/v1/, "")];
    return method === "POST" && name !== undefined ? opaque.get(JSON.parse(body)[name]) : undefined;
  });
  const settings = {
    publishableKey: `pk_test_${Buffer.from("orthrus.clerk.accounts.dev$").toString("base64")}`,
    secretKey: `sk_test_${"x".repeat(40)}`,
    jwtKey: key.pem,
    apiUrl: url,
  };
  const client = createClerkClient(settings);
  const issue = (secret, token) => {
    opaque.set(secret, { ...VERIFIED, ...token });
    return secret;
  };

  return {
    settings,
    close,

    /** A session token of version 2; claims that are `undefined` are left out. */
    session: (claims) =>
      key.sign(
        { v: 2, iss: ISSUER, azp: ORIGIN, sid: `sess_${claims.sub}`, sts: "active", fva: [2, -1], ...claims },
        SESSION,
      ),

    /** A session token of version 1. */
    sessionOfVersion1: (claims) =>
      key.sign({ iss: ISSUER, azp: ORIGIN, sid: `sess_${claims.sub}`, ...claims }, SESSION),

    /** Tokens of machines and OAuth clients that are JWTs. */
    machineJwt: (claims) => key.sign({ iss: ISSUER, ...claims }, M2M),
    oauthJwt: (claims) => key.sign({ iss: ISSUER, ...claims }, { typ: "at+jwt" }),
    /** A token of a JWT template, which is none of a session. */
    templateJwt: (claims) => key.sign({ iss: ISSUER, azp: ORIGIN, ...claims }, { cat: "cl_B7d4PD222AAA" }),

    /** Opaque tokens: what the API says of them is stored, and the token returned. */
    apiKey: (body) => issue(`ak_${body.id}`, { type: "api_key", ...body }),
    machineToken: (body) => issue(`mt_${body.id}`, { object: "machine_to_machine_token", ...body }),
    oauthToken: (body) =>
      issue(`oat_${body.id}`, { object: "clerk_idp_oauth_access_token", type: "oauth:access_token", ...body }),

    /** What `authenticateRequest` returns for a request with the token, or without one. */
    authenticate: (token, { headers = {}, ...options } = {}) =>
      client.authenticateRequest(
        new Request(`${ORIGIN}/`, {
          headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
        }),
        { jwtKey: key.pem, authorizedParties: [ORIGIN], acceptsToken: "any", ...options },
      ),

    /** The verified claims of a token that is a JWT. */
    verify: (token) => verifyToken(token, { jwtKey: key.pem }),
  };
}
