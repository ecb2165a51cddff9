/**
 * Clerk's identities as Cerbos principals. Give it what Clerk's SDKs return after they have verified the request (`auth()`,
 * `getAuth(req)`, `requestState.toAuth()`), or the verified claims of a token (`verifyToken`); nothing is verified here, but
 * an identity that is malformed, or contradicts its own claims, is refused.
 */

import { type ClerkSession, clerkActor, clerkSession } from "./identity/clerk-claims.js";
import {
  A_BOOLEAN,
  type Allowed,
  checkMapperOptions,
  IDENTITY_OPTIONS,
  IdentityError,
  type IdentityOptions,
  invalid,
  isAbsent,
  isSame,
  type MappedPrincipal,
  oneOf,
  person,
  present,
  principal,
  record,
  requireId,
  requireInput,
  STRINGS,
  text,
  texts,
  unauthenticated,
} from "./identity/identity.js";

export {
  IdentityError,
  type IdentityErrorCode,
  type MappedPrincipal,
  type OnUnauthenticated,
} from "./identity/identity.js";

/** How {@link principalFromClerk} maps. */
export interface ClerkOptions extends IdentityOptions {
  /** `"keep"` (the default) leaves organization roles as Clerk names them, `org:admin`; `"strip"` makes them `admin`. */
  orgRolePrefix?: "keep" | "strip" | undefined;
  /** Accept sessions that are pending (with a task such as choosing an organization to do). Default: `false`. */
  allowPending?: boolean | undefined;
  /** Custom claims of the session token to copy to `attr.claims`. Default: none. */
  claims?: readonly string[] | undefined;
}

const OPTIONS: Record<keyof ClerkOptions, Allowed> = {
  ...IDENTITY_OPTIONS,
  orgRolePrefix: oneOf("keep", "strip"),
  allowPending: A_BOOLEAN,
  claims: STRINGS,
};

/** An auth object of `@clerk/backend` and the SDKs on it, the claims of a verified token, or `null`: what `toAuth()` of a handshake returns. */
export type ClerkAuth =
  | { tokenType: string | null; isAuthenticated: boolean }
  | { sub: string; [claim: string]: unknown }
  | null;

const PROVIDER = "clerk";
const EXPECTED = "an auth object of Clerk, or the claims of a verified token";

/**
 * The principal of a request.
 *
 * | auth | id | roles | attributes besides `provider`, `type`, `authenticated`, `impersonated`, `machine` |
 * |---|---|---|---|
 * | session | `userId` | `user` | `sessionId`, `plans` and `features` (each `{org, user}`), `fva` `{first, second}` in minutes, `claims` |
 * | … in an organization | | + `org:admin` | + `org` `{id, slug, role, permissions}` |
 * | … of an actor | | | + `actor` `{id, type}` |
 * | API key | its subject | `api_key` | `apiKey` `{id, name, scopes}`, `userId` or `orgId`, `claims` |
 * | M2M token | `machineId` | `machine` | `tokenId`, `scopes`, `claims` |
 * | OAuth token | `userId` | `oauth_client` | `clientId`, `scopes` |
 * | nobody, a handshake, a pending session | `anonymous` | `anonymous` | |
 *
 * Tokens that act for a user never get the user's roles, and permissions are no roles. What is absent is left out, never `null`.
 *
 * Throws an {@link IdentityError}, or an `OptionsError`.
 */
export function principalFromClerk(auth: ClerkAuth, options: ClerkOptions = {}): MappedPrincipal {
  checkMapperOptions(options, OPTIONS);
  if (typeof auth === "function") {
    throw new IdentityError("IDENTITY_UNSUPPORTED", "this is req.auth of @clerk/express: pass getAuth(req)");
  }
  if (auth === null) {
    return unauthenticated(PROVIDER, "Clerk must renew the session first", options);
  }
  const input = requireInput(auth, EXPECTED);
  // Claims are known by `sub`, which no auth object has; custom ones may have any name.
  if ("sub" in input) {
    return fromClaims(input, options);
  }
  if (!("isAuthenticated" in input)) {
    throw new IdentityError("IDENTITY_UNSUPPORTED", `expected ${EXPECTED}: there is neither isAuthenticated nor sub`);
  }
  if (input["isAuthenticated"] !== true) {
    return unauthenticated(PROVIDER, "Clerk did not accept the request's credentials", options);
  }
  switch (input["tokenType"]) {
    case "session_token":
      return fromAuthObject(input, options);
    case "api_key":
      return fromApiKey(input);
    case "m2m_token":
      requireSubject(input, input["machineId"]);
      return fromMachine(input["machineId"], input["id"], input["scopes"], input["claims"]);
    case "oauth_token":
      requireSubject(input, input["userId"]);
      return fromOAuth(input["userId"], input["clientId"], input["scopes"]);
    default:
      throw new IdentityError("IDENTITY_UNSUPPORTED", `unknown token type ${JSON.stringify(input["tokenType"])}`);
  }
}

/** The claims of a token of any type; the types are told apart as Clerk's SDK does. */
function fromClaims(claims: Record<string, unknown>, options: ClerkOptions): MappedPrincipal {
  const { sub, jti, client_id, scopes, aud, scp, scope, act } = claims;
  const subject = requireId(sub, "the claim sub");
  if (subject.startsWith("mch_")) {
    return fromMachine(subject, jti, scopes ?? aud, customClaims(claims));
  }
  // Only OAuth access tokens name a client (RFC 9068).
  if (!isAbsent(client_id)) {
    return fromOAuth(subject, client_id, scp ?? scope, act);
  }
  return fromSession(clerkSession(claims), claims, options);
}

/** What the claims of a session tell, and the auth object must not tell otherwise. */
const TOLD_TWICE: [field: string, by: (session: ClerkSession) => unknown][] = [
  ["userId", ({ userId }) => userId],
  ["sessionId", ({ sessionId }) => sessionId],
  ["sessionStatus", ({ status }) => status],
  ["orgId", ({ org }) => org?.id],
  ["orgRole", ({ org }) => org?.role],
];

function fromAuthObject(auth: Record<string, unknown>, options: ClerkOptions): MappedPrincipal {
  const claims = record(auth["sessionClaims"], "the session's sessionClaims");
  if (claims === undefined) {
    throw invalid("the session has no sessionClaims: pass the auth object as Clerk made it");
  }
  const session = clerkSession(claims);
  const contradiction = TOLD_TWICE.find(([field, told]) => !isSame(auth[field], told(session)));
  if (contradiction !== undefined || !isSame(auth["actor"], claims["act"])) {
    throw invalid(`the session's ${contradiction?.[0] ?? "actor"} is not what its claims say`);
  }
  return fromSession(session, claims, options);
}

function fromSession(session: ClerkSession, claims: Record<string, unknown>, options: ClerkOptions): MappedPrincipal {
  const { status, org, actor, sessionId, plans, features, fva } = session;
  if (status === "pending" && options.allowPending !== true) {
    return unauthenticated(PROVIDER, "the session is pending", options);
  }
  if (status !== undefined && status !== "pending" && status !== "active") {
    throw new IdentityError("IDENTITY_INACTIVE", `the session is ${status}`);
  }
  const role = options.orgRolePrefix === "strip" ? org?.role?.replace(/^org:/, "") : org?.role;
  return person(options, session.userId, role ? [role] : [], {
    provider: PROVIDER,
    impersonated: actor !== undefined,
    sessionId,
    org: org && present({ ...org }),
    actor,
    plans,
    features,
    fva: fva && present(fva),
    claims: options.claims && selectClaims(claims, options.claims),
  });
}

function selectClaims(claims: Record<string, unknown>, names: readonly string[]): object {
  return present(
    Object.fromEntries(names.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]])),
  );
}

const REGISTERED_CLAIMS = new Set(["iss", "sub", "exp", "nbf", "iat", "jti"]);

/** What a machine's token says beside the registered claims, as in the auth object. */
function customClaims(claims: Record<string, unknown>): object | undefined {
  const custom = Object.entries(claims).filter(([name]) => !REGISTERED_CLAIMS.has(name));
  return custom.length === 0 ? undefined : Object.fromEntries(custom);
}

const MACHINE = { provider: PROVIDER, authenticated: true, impersonated: false, machine: true };

function fromApiKey(auth: Record<string, unknown>): MappedPrincipal {
  const subject = requireId(auth["subject"], "the API key's subject");
  const userId = text(auth["userId"], "the API key's userId");
  const orgId = text(auth["orgId"], "the API key's orgId");
  if (
    [userId, orgId].some((id) => id !== undefined && id !== subject) ||
    (userId !== undefined && orgId !== undefined)
  ) {
    throw invalid("the API key's userId or orgId is not its subject");
  }
  return principal(subject, "api_key", [], {
    ...MACHINE,
    type: "api_key",
    apiKey: present({
      id: requireId(auth["id"], "the API key's id"),
      name: text(auth["name"], "the API key's name"),
      scopes: scopeNames(auth["scopes"]),
    }),
    userId,
    orgId,
    claims: record(auth["claims"], "the API key's claims"),
  });
}

function fromMachine(machineId: unknown, tokenId: unknown, scopes: unknown, claims: unknown): MappedPrincipal {
  return principal(requireId(machineId, "the token's machine"), "machine", [], {
    ...MACHINE,
    type: "machine",
    tokenId: text(tokenId, "the token's id"),
    scopes: scopeNames(scopes),
    claims: record(claims, "the token's claims"),
  });
}

/** The auth object of an OAuth token does not tell of an actor; the claims may. */
function fromOAuth(userId: unknown, clientId: unknown, scopes: unknown, act?: unknown): MappedPrincipal {
  const actor = clerkActor(act);
  return principal(requireId(userId, "the OAuth token's user"), "oauth_client", [], {
    ...MACHINE,
    type: "oauth_client",
    impersonated: actor !== undefined,
    actor,
    clientId: requireId(clientId, "the OAuth token's client"),
    scopes: scopeNames(scopes),
  });
}

function requireSubject(auth: Record<string, unknown>, id: unknown): void {
  if (!isAbsent(auth["subject"]) && auth["subject"] !== id) {
    throw invalid("the token's subject is not whom it is for");
  }
}

/** Tokens list scopes, or write them in one string with spaces between (RFC 6749). */
function scopeNames(scopes: unknown): string[] {
  return typeof scopes === "string" ? scopes.split(" ").filter(Boolean) : texts(scopes, "the token's scopes");
}
