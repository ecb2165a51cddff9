/**
 * WorkOS' identities as Cerbos principals. Give it what WorkOS' SDKs return; nothing is verified here, but a session that
 * contradicts its own access token is refused.
 */

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

/**
 * Roles for the groups of a customer's directory: by the id of the organization (or the connection, or the directory), then
 * by group. A group is named by its id where it has one (`DirectoryUser`), else by its name (`Profile`).
 */
export type GroupRoles = Record<string, Record<string, string | readonly string[]>>;

/** How {@link principalFromWorkOS} maps. */
export interface WorkOSOptions extends UnauthenticatedOptions {
  /**
   * Which groups are worth a role. Without it groups are attributes only: their names are the customer's, and one may be called
   * `admin`.
   */
  groupRoles?: GroupRoles | undefined;
  /** Copy `rawAttributes`, all that the identity provider sent, to the attributes. Default: `false`. */
  rawAttributes?: boolean | undefined;
  /** Whether an API key is identified by itself (`"key"`, the default) or by the organization or user that owns it. */
  apiKeyId?: "key" | "owner" | undefined;
}

/** A session of `authenticateWithSessionCookie`, `loadSealedSession().authenticate()` or `withAuth()`. */
export interface WorkOSSession {
  authenticated?: boolean;
  user?: { id: string } | null;
  accessToken?: string;
}

/** An organization membership, alone or with the user it belongs to. */
export interface WorkOSMembership {
  object: "organization_membership";
  userId: string;
  organizationId: string;
  status: string;
}

/** What {@link principalFromWorkOS} takes. */
export type WorkOSIdentity =
  | WorkOSSession
  | WorkOSMembership
  | { membership: WorkOSMembership; user: { id: string } }
  | { object: "directory_user"; id: string; state: string }
  | { object: "api_key"; id: string; owner: { type: string; id: string } }
  | { id: string; connectionId: string; connectionType: string };

const PROVIDER = "workos";
const USER = { provider: PROVIDER, type: "user", authenticated: true, machine: false };
const EXPECTED = "a session, profile, directory user, organization membership or API key of WorkOS";

/**
 * The principal of a WorkOS identity.
 *
 * | input | id | roles | attributes besides `provider`, `type`, `authenticated`, `impersonated`, `machine` |
 * |---|---|---|---|
 * | session | `user.id` | `user`, `role`, `roles` | `org` `{id}`, `permissions`, `entitlements`, `featureFlags`, `email`, `emailVerified`, `externalId`, `metadata`, `sessionId`, `authenticationMethod`, `impersonator` |
 * | profile (SSO) | `id` | `user`, slugs of `role` and `roles` | `idpId`, `connection` `{id, type}`, `org` `{id}`, `groups`, `email`, `customAttributes` |
 * | directory user | `id` | `user`, slugs | `directoryId`, `idpId`, `org` `{id}`, `groups` `{id, name}[]`, `groupNames`, `email`, `customAttributes` |
 * | membership | `userId` | `user`, slugs | `org` `{id, name}`, `directoryManaged`, `customAttributes`; with the user also `email` and so on |
 * | API key | its own or its owner's | `api_key` | `apiKey` `{id, name}`, `org` `{id}`, `userId`, `permissions` |
 * | no session | `anonymous` | `anonymous` | |
 *
 * Directory users and memberships that are not active are refused. What is absent is left out, never `null`.
 *
 * Throws an {@link IdentityError}.
 */
export function principalFromWorkOS(identity: WorkOSIdentity, options: WorkOSOptions = {}): MappedPrincipal {
  const input = requireInput(identity, EXPECTED);
  switch (input["object"]) {
    case "directory_user":
      return fromDirectoryUser(input, options);
    case "organization_membership":
      return fromMembership(input, undefined);
    case "api_key":
      return fromApiKey(input, options);
    default:
  }
  if (isRecord(input["membership"])) {
    return fromMembership(input["membership"], input["user"]);
  }
  if ("connectionId" in input && "connectionType" in input) {
    return fromProfile(input, options);
  }
  if (input["authenticated"] === false || ("user" in input && input["user"] === null)) {
    const reason = isNonEmpty(input["reason"]) ? input["reason"] : "there is no session";
    return unauthenticated(PROVIDER, reason, options);
  }
  if (isRecord(input["user"])) {
    return fromSession(input, input["user"]);
  }
  throw new IdentityError("IDENTITY_UNSUPPORTED", `expected ${EXPECTED}`);
}

function fromSession(session: Record<string, unknown>, user: Record<string, unknown>): MappedPrincipal {
  const id = requireId(user["id"], "the session's user id");
  const token = decodeAccessToken(session["accessToken"]);
  if (token["sub"] !== id) {
    // The user comes from the sealed cookie and the rest from the token, and the SDKs do not compare them.
    throw new IdentityError("IDENTITY_INVALID", "the session's user is not the subject of its access token");
  }
  const impersonator = impersonatorOf(session["impersonator"], token["act"]);
  return principal(id, "the session's user id", ["user", ...roleSlugs(session)], {
    ...USER,
    ...userAttributes(user),
    impersonated: impersonator !== undefined,
    impersonator,
    sessionId: session["sessionId"],
    authenticationMethod: session["authenticationMethod"],
    org: organization(session["organizationId"]),
    permissions: strings(session["permissions"]),
    entitlements: strings(session["entitlements"]),
    featureFlags: strings(session["featureFlags"]),
  });
}

/** The claims of a token that the SDK has verified. */
function decodeAccessToken(token: unknown): Record<string, unknown> {
  if (!isNonEmpty(token)) {
    // Only the token tells reliably whether the user is impersonated.
    throw new IdentityError("IDENTITY_INVALID", "the session has no accessToken: pass it as the SDK returned it");
  }
  let claims: unknown;
  try {
    claims = JSON.parse(decodeBase64Url(token.split(".")[1] ?? ""));
  } catch (cause) {
    throw new IdentityError("IDENTITY_INVALID", "the session's accessToken is no JWT", { cause });
  }
  if (!isRecord(claims)) {
    throw new IdentityError("IDENTITY_INVALID", "the session's accessToken has no claims");
  }
  return claims;
}

/** Text in the URL form of base 64, by what every runtime has. */
function decodeBase64Url(text: string): string {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return new TextDecoder().decode(Uint8Array.from(binary, (character) => character.charCodeAt(0)));
}

/** Who impersonates the user. `authenticateWithSessionCookie` drops it from the session; the token's `act` remains. */
function impersonatorOf(impersonator: unknown, act: unknown): object | undefined {
  const declared = isRecord(impersonator) ? impersonator : undefined;
  const acting = act !== undefined && act !== null;
  if (declared === undefined && !acting) {
    return undefined;
  }
  return present({
    email: declared?.["email"] ?? (isRecord(act) ? act["sub"] : undefined),
    reason: declared?.["reason"],
  });
}

function fromProfile(profile: Record<string, unknown>, options: WorkOSOptions): MappedPrincipal {
  const groups = strings(profile["groups"]);
  const owners = [profile["organizationId"], profile["connectionId"]];
  const roles = ["user", ...roleSlugs(profile), ...groupRoles(owners, groups, options)];
  return principal(profile["id"], "the profile's id", roles, {
    ...USER,
    impersonated: false,
    idpId: profile["idpId"],
    connection: present({ id: profile["connectionId"], type: profile["connectionType"] }),
    org: organization(profile["organizationId"]),
    groups,
    email: profile["email"],
    customAttributes: profile["customAttributes"],
    rawAttributes: options.rawAttributes === true ? profile["rawAttributes"] : undefined,
  });
}

function fromDirectoryUser(user: Record<string, unknown>, options: WorkOSOptions): MappedPrincipal {
  requireActive("directory user", user["state"]);
  const groups = (Array.isArray(user["groups"]) ? user["groups"] : []).filter(isRecord);
  const owners = [user["organizationId"], user["directoryId"]];
  const ids = strings(groups.map((group) => group["id"]));
  const roles = ["user", ...roleSlugs(user), ...groupRoles(owners, ids, options)];
  return principal(user["id"], "the directory user's id", roles, {
    ...USER,
    impersonated: false,
    directoryId: user["directoryId"],
    idpId: user["idpId"],
    org: organization(user["organizationId"]),
    groups: groups.map(({ id, name }) => present({ id, name })),
    groupNames: strings(groups.map((group) => group["name"])),
    email: user["email"],
    customAttributes: user["customAttributes"],
    rawAttributes: options.rawAttributes === true ? user["rawAttributes"] : undefined,
  });
}

function fromMembership(membership: Record<string, unknown>, user: unknown): MappedPrincipal {
  requireActive("organization membership", membership["status"]);
  if (user !== undefined && (!isRecord(user) || user["id"] !== membership["userId"])) {
    throw new IdentityError("IDENTITY_INVALID", "the user is not the one that the membership belongs to");
  }
  return principal(membership["userId"], "the membership's userId", ["user", ...roleSlugs(membership)], {
    ...USER,
    ...(isRecord(user) ? userAttributes(user) : {}),
    impersonated: false,
    org: organization(membership["organizationId"], membership["organizationName"]),
    directoryManaged: membership["directoryManaged"],
    customAttributes: membership["customAttributes"],
  });
}

function fromApiKey(key: Record<string, unknown>, options: WorkOSOptions): MappedPrincipal {
  const owner = isRecord(key["owner"]) ? key["owner"] : {};
  const ownedByUser = owner["type"] === "user";
  const id = options.apiKeyId === "owner" ? owner["id"] : key["id"];
  return principal(id, "the API key's id or owner", ["api_key"], {
    provider: PROVIDER,
    type: "api_key",
    authenticated: true,
    impersonated: false,
    machine: true,
    apiKey: present({ id: key["id"], name: key["name"] }),
    org: organization(ownedByUser ? owner["organizationId"] : owner["id"]),
    userId: ownedByUser ? owner["id"] : undefined,
    permissions: strings(key["permissions"]),
  });
}

function requireActive(what: string, state: unknown): void {
  if (state !== "active") {
    throw new IdentityError("IDENTITY_INACTIVE", `the ${what} is ${isNonEmpty(state) ? state : "not active"}`);
  }
}

function userAttributes(user: Record<string, unknown>): Record<string, unknown> {
  const { email, emailVerified, externalId, metadata } = user;
  return { email, emailVerified, externalId, metadata };
}

function organization(id: unknown, name?: unknown): object | undefined {
  return isNonEmpty(id) ? present({ id, name }) : undefined;
}

/** The roles of a session (strings) or of any other object (`{slug}`). */
function roleSlugs({ role, roles }: Record<string, unknown>): string[] {
  const all = [role, ...(Array.isArray(roles) ? roles : [])];
  return strings(all.map((role) => (isRecord(role) ? role["slug"] : role)));
}

function groupRoles(owners: unknown[], groups: string[], { groupRoles = {} }: WorkOSOptions): string[] {
  return owners.filter(isNonEmpty).flatMap((owner) => {
    const byGroup = Object.hasOwn(groupRoles, owner) ? groupRoles[owner] : undefined;
    return groups.flatMap((group) =>
      byGroup !== undefined && Object.hasOwn(byGroup, group) ? (byGroup[group] ?? []) : [],
    );
  });
}
