/**
 * Clerk's identities as Cerbos principals. Give it what Clerk's SDKs return after they have verified the request (`auth()`,
 * `getAuth(req)`, `requestState.toAuth()`), or the verified claims of a token (`verifyToken`); nothing is verified here.
 */

import { type ClerkSession, clerkClaims, splitScopes } from "./clerk-claims.js";
import { IdentityError } from "./errors.js";
import {
  isNonEmpty,
  isRecord,
  type MappedPrincipal,
  present,
  principal,
  requireId,
  requireInput,
  strings,
  type UnauthenticatedOptions,
  unauthenticated,
} from "./identity.js";

export { IdentityError, type IdentityErrorCode } from "./errors.js";
export type { MappedPrincipal, OnUnauthenticated } from "./identity.js";

/** How {@link principalFromClerk} maps. */
export interface ClerkOptions extends UnauthenticatedOptions {
  /** `"keep"` (the default) leaves organization roles as Clerk names them, `org:admin`; `"strip"` makes them `admin`. */
  orgRolePrefix?: "keep" | "strip" | undefined;
  /** Accept sessions that are pending (with a task such as choosing an organization to do). Default: `false`. */
  allowPending?: boolean | undefined;
  /** Custom claims of the session token to copy to `attr.claims`. Default: none. */
  claims?: readonly string[] | undefined;
}

/** An auth object of `@clerk/backend` and the SDKs on it, or the claims of a verified token. */
export type ClerkAuth =
  | { tokenType: string | null; isAuthenticated: boolean }
  | { sub: string; [claim: string]: unknown };

const PROVIDER = "clerk";
const EXPECTED = "an auth object of Clerk, or the claims of a verified token";

/**
 * The principal of a request.
 *
 * | auth | id | roles | attributes besides `provider`, `type`, `authenticated`, `impersonated`, `machine` |
 * |---|---|---|---|
 * | session | `userId` | `user` | `sessionId`, `plans` and `features` (each `{org, user}`), `fva`, `claims` |
 * | … in an organization | | + `org:admin` | + `org` `{id, slug, role, permissions}` |
 * | … of an actor | | | + `actor` `{id, type}` |
 * | API key | its subject | `api_key` | `apiKey` `{id, name, scopes}`, `userId` or `orgId`, `claims` |
 * | M2M token | `machineId` | `machine` | `tokenId`, `scopes`, `claims` |
 * | OAuth token | `userId` | `oauth_client` | `clientId`, `scopes` |
 * | nobody, a pending session | `anonymous` | `anonymous` | |
 *
 * Tokens that act for a user never get the user's roles, and permissions are no roles. What is absent is left out, never `null`.
 *
 * Throws an {@link IdentityError}.
 */
export function principalFromClerk(auth: ClerkAuth, options: ClerkOptions = {}): MappedPrincipal {
  if (typeof auth === "function") {
    throw new IdentityError("IDENTITY_UNSUPPORTED", "this is req.auth of @clerk/express: pass getAuth(req)");
  }
  const input = requireInput(auth, EXPECTED);
  if (!("isAuthenticated" in input)) {
    return fromClaims(input, options);
  }
  if (input["isAuthenticated"] !== true) {
    return unauthenticated(PROVIDER, "Clerk did not accept the request's credentials", options);
  }
  switch (input["tokenType"]) {
    case "session_token":
      return fromSession(sessionOf(input), options);
    case "api_key":
      return fromApiKey(input);
    case "m2m_token":
      return fromMachine(input["machineId"], input["id"], input["scopes"], input["claims"]);
    case "oauth_token":
      return fromOAuth(input["userId"], input["clientId"], input["scopes"]);
    default:
      throw new IdentityError("IDENTITY_UNSUPPORTED", `unknown token type ${JSON.stringify(input["tokenType"])}`);
  }
}

function fromClaims(claims: Record<string, unknown>, options: ClerkOptions): MappedPrincipal {
  const { sub } = claims;
  if (!isNonEmpty(sub)) {
    throw new IdentityError("IDENTITY_UNSUPPORTED", `expected ${EXPECTED}: there is neither isAuthenticated nor sub`);
  }
  if (sub.startsWith("mch_")) {
    return fromMachine(sub, claims["jti"], claims["scopes"], claims);
  }
  // Only OAuth access tokens name a client (RFC 9068).
  if (isNonEmpty(claims["client_id"])) {
    const { scope } = claims;
    return fromOAuth(sub, claims["client_id"], typeof scope === "string" ? scope.split(" ") : scope);
  }
  return fromSession(clerkClaims(claims), options);
}

/** The session of an auth object, whose organization Clerk has read from the claims already. */
function sessionOf(auth: Record<string, unknown>): ClerkSession {
  const sessionClaims = isRecord(auth["sessionClaims"]) ? auth["sessionClaims"] : {};
  return {
    userId: auth["userId"],
    sessionId: auth["sessionId"],
    status: auth["sessionStatus"],
    actor: auth["actor"],
    orgId: auth["orgId"],
    orgRole: auth["orgRole"],
    orgSlug: auth["orgSlug"],
    orgPermissions: auth["orgPermissions"],
    factorVerificationAge: auth["factorVerificationAge"],
    claims: sessionClaims,
  };
}

function fromSession(session: ClerkSession, options: ClerkOptions): MappedPrincipal {
  if (session.status === "pending" && options.allowPending !== true) {
    return unauthenticated(PROVIDER, "the session is pending", options);
  }
  const hasActor = session.actor !== undefined && session.actor !== null;
  const orgRole = isNonEmpty(session.orgId) && isNonEmpty(session.orgRole) ? session.orgRole : undefined;
  const role = options.orgRolePrefix === "strip" ? orgRole?.replace(/^org:/, "") : orgRole;
  return principal(session.userId, "the session's userId", ["user", role], {
    provider: PROVIDER,
    type: "user",
    authenticated: true,
    impersonated: hasActor,
    machine: false,
    sessionId: session.sessionId,
    org: organization(session),
    actor: hasActor ? actor(session.actor) : undefined,
    plans: splitScopes(session.claims["pla"], "pla"),
    features: splitScopes(session.claims["fea"], "fea"),
    fva: factorAges(session.factorVerificationAge),
    claims: selectClaims(session.claims, options.claims),
  });
}

function organization(session: ClerkSession): object | undefined {
  if (!isNonEmpty(session.orgId)) {
    return undefined;
  }
  return present({
    id: session.orgId,
    slug: session.orgSlug,
    role: session.orgRole,
    permissions: strings(session.orgPermissions),
  });
}

/** Who acts in the user's place: a person (`user`), or an AI agent (`agent`). */
function actor(act: unknown): object {
  if (!isRecord(act) || !isNonEmpty(act["sub"])) {
    throw new IdentityError("IDENTITY_INVALID", "the actor of the session has no sub");
  }
  return { id: act["sub"], type: isNonEmpty(act["type"]) ? act["type"] : "user" };
}

/**
 * Minutes since each factor was verified. Clerk says -1 for never; that is left out, because a policy would read it as less
 * than any limit.
 */
function factorAges(ages: unknown): object | undefined {
  if (!Array.isArray(ages)) {
    return undefined;
  }
  const [first, second] = ages.map((age) => (typeof age === "number" && age >= 0 ? age : undefined));
  return present({ first, second });
}

function selectClaims(claims: Record<string, unknown>, names: readonly string[] | undefined): object | undefined {
  if (names === undefined) {
    return undefined;
  }
  return present(
    Object.fromEntries(names.filter((name) => Object.hasOwn(claims, name)).map((name) => [name, claims[name]])),
  );
}

const MACHINE = { provider: PROVIDER, authenticated: true, impersonated: false, machine: true };

function fromApiKey(auth: Record<string, unknown>): MappedPrincipal {
  return principal(auth["subject"], "the API key's subject", ["api_key"], {
    ...MACHINE,
    type: "api_key",
    apiKey: present({
      id: requireId(auth["id"], "the API key's id"),
      name: auth["name"],
      scopes: strings(auth["scopes"]),
    }),
    userId: auth["userId"],
    orgId: auth["orgId"],
    claims: auth["claims"],
  });
}

function fromMachine(machineId: unknown, tokenId: unknown, scopes: unknown, claims: unknown): MappedPrincipal {
  return principal(machineId, "the token's machine", ["machine"], {
    ...MACHINE,
    type: "machine",
    tokenId,
    scopes: strings(scopes),
    claims,
  });
}

function fromOAuth(userId: unknown, clientId: unknown, scopes: unknown): MappedPrincipal {
  return principal(userId, "the OAuth token's user", ["oauth_client"], {
    ...MACHINE,
    type: "oauth_client",
    clientId,
    scopes: strings(scopes),
  });
}
