/**
 * Sessions of WorkOS: a signed access token, and beside it what the SDKs keep in the sealed cookie. The token decides; what the
 * session says otherwise, or of somebody else, is refused, because the SDKs do not compare the two.
 */

import { invalid, isAbsent, isRecord, isSame, record, requireId, text, texts } from "./identity.js";

/** What the claims of an access token tell. What is not there is `undefined`. */
export interface WorkOSClaims {
  userId: string;
  sessionId: string;
  organizationId: string | undefined;
  /** The slugs of `role` and `roles`. */
  roles: string[];
  permissions: string[];
  entitlements: string[];
  featureFlags: string[];
  /** Who acts in the user's place; there, though perhaps empty, exactly when somebody does. */
  impersonator: { email: string | undefined; reason: string | undefined } | undefined;
}

/** Properties of sessions that are claims of their access token. */
const CLAIMS: Record<string, string> = {
  sessionId: "sid",
  organizationId: "org_id",
  role: "role",
  roles: "roles",
  permissions: "permissions",
  entitlements: "entitlements",
  featureFlags: "feature_flags",
};

/** The session that the verified claims of an access token describe. Throws an `IdentityError` on malformed ones. */
export function readToken(claims: Record<string, unknown>): WorkOSClaims {
  const role = text(claims["role"], "the claim role");
  return {
    userId: requireId(claims["sub"], "the claim sub"),
    sessionId: sessionId(claims["sid"]),
    organizationId: text(claims["org_id"], "the claim org_id"),
    roles: [...(role === undefined ? [] : [role]), ...texts(claims["roles"], "the claim roles")],
    permissions: texts(claims["permissions"], "the claim permissions"),
    entitlements: texts(claims["entitlements"], "the claim entitlements"),
    featureFlags: texts(claims["feature_flags"], "the claim feature_flags"),
    impersonator: impersonatorOf(undefined, claims["act"]),
  };
}

/** A session of an SDK, whose user and impersonator come from the cookie. */
export function readSession(session: Record<string, unknown>, user: Record<string, unknown>): WorkOSClaims {
  const claims = decodeAccessToken(accessToken(session));
  const token = readToken(claims);
  if (requireId(user["id"], "the session's user id") !== token.userId) {
    throw invalid("the session's user is not the subject of its access token");
  }
  for (const [property, claim] of Object.entries(CLAIMS)) {
    if (!isAbsent(session[property]) && !isSame(session[property], claims[claim])) {
      throw invalid(`the session's ${property} is not that of its access token`);
    }
  }
  return { ...token, impersonator: impersonatorOf(session["impersonator"], claims["act"]) };
}

/** Sessions have names that start so. Tokens of other applications, machines and agents have none, or one of another kind. */
function sessionId(sid: unknown): string {
  const id = text(sid, "the claim sid");
  if (!id?.startsWith("session_")) {
    throw invalid("the claim sid names no session: this is no token of a signed-in user");
  }
  return id;
}

/** A refreshed session has its token one level below. */
function accessToken({ accessToken, session }: Record<string, unknown>): string {
  const token = text(
    accessToken ?? (isRecord(session) ? session["accessToken"] : undefined),
    "the session's accessToken",
  );
  if (token === undefined) {
    // Only the token tells reliably whether the user is impersonated.
    throw invalid("the session has no accessToken: pass it as the SDK returned it");
  }
  return token;
}

/** The claims of a token that the SDK has verified. */
function decodeAccessToken(token: string): Record<string, unknown> {
  let claims: unknown;
  try {
    claims = JSON.parse(decodeBase64Url(token.split(".")[1] ?? ""));
  } catch {
    // Without the cause, which quotes from the token.
    throw invalid("the session's accessToken is no JWT");
  }
  if (!isRecord(claims)) {
    throw invalid("the session's accessToken has no claims");
  }
  return claims;
}

/** Text in the URL form of base 64, by what every runtime has. */
function decodeBase64Url(text: string): string {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** `authenticateWithSessionCookie` drops the impersonator from the session; the token's `act` remains. */
function impersonatorOf(told: unknown, act: unknown): WorkOSClaims["impersonator"] {
  if (isAbsent(told) && isAbsent(act)) {
    return undefined;
  }
  const impersonator = record(told, "the session's impersonator");
  // Whatever is in `act`, somebody acts: who that is may stay unknown.
  const acting = isRecord(act) ? text(act["sub"], "the claim act.sub") : undefined;
  return {
    email: text(impersonator?.["email"], "the impersonator's email") ?? acting,
    reason: text(impersonator?.["reason"], "the impersonator's reason"),
  };
}
