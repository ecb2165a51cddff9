/**
 * WorkOS' identities as Cerbos principals. Give it what WorkOS' SDKs return, or the verified claims of an access token;
 * nothing is verified here, but an identity that is malformed, or contradicts its own access token, is refused.
 */

import {
  A_BOOLEAN,
  type Allowed,
  AN_OBJECT,
  checkMapperOptions,
  flag,
  IDENTITY_OPTIONS,
  IdentityError,
  type IdentityOptions,
  invalid,
  isRecord,
  list,
  type MappedPrincipal,
  oneOf,
  person,
  present,
  principal,
  record,
  requireId,
  requireInput,
  text,
  texts,
  unauthenticated,
} from "./identity/identity.js";
import { readSession, readToken, type WorkOSClaims } from "./identity/workos-session.js";

export {
  IdentityError,
  type IdentityErrorCode,
  type MappedPrincipal,
  type OnUnauthenticated,
} from "./identity/identity.js";

/**
 * Roles for the groups of a customer's directory: by the id of the organization (or the connection, or the directory), then
 * by group. A group is named by its id where it has one (`DirectoryUser`), else by its name (`Profile`).
 */
export type GroupRoles = Record<string, Record<string, string | readonly string[]>>;

/** How {@link principalFromWorkOS} maps. */
export interface WorkOSOptions extends IdentityOptions {
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

const OPTIONS: Record<keyof WorkOSOptions, Allowed> = {
  ...IDENTITY_OPTIONS,
  groupRoles: AN_OBJECT,
  rawAttributes: A_BOOLEAN,
  apiKeyId: oneOf("key", "owner"),
};

/**
 * A session of `withAuth()`, `authenticateWithSessionCookie`, `loadSealedSession().authenticate()` or `.refresh()`, or the
 * answer of an `authenticateWith…` method.
 */
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

/** An API key that `apiKeys.createValidation` has found, alone or in its answer. */
export interface WorkOSApiKey {
  object: "api_key";
  id: string;
  owner: { type: string; id: string };
}

/** What {@link principalFromWorkOS} takes. */
export type WorkOSIdentity =
  | WorkOSSession
  | { sub: string; sid: string; [claim: string]: unknown }
  | WorkOSMembership
  | { membership: WorkOSMembership; user: { id: string } }
  | { object: "directory_user"; id: string; state: string }
  | WorkOSApiKey
  | { apiKey: WorkOSApiKey | null }
  | { id: string; connectionId: string; connectionType: string };

const PROVIDER = "workos";
const EXPECTED =
  "a session, profile, directory user, organization membership, API key or access token's claims of WorkOS";

/**
 * The principal of a WorkOS identity.
 *
 * | input | id | roles | attributes besides `provider`, `type`, `authenticated`, `impersonated`, `machine` |
 * |---|---|---|---|
 * | session | `user.id` | `user`, `role`, `roles` | `org` `{id}`, `permissions`, `entitlements`, `featureFlags`, `email`, `emailVerified`, `externalId`, `metadata`, `sessionId`, `authenticationMethod`, `impersonator` `{email, reason}` |
 * | claims of its access token | `sub` | the same | what the token tells of these |
 * | profile (SSO) | `id` | `user`, slugs of `role` and `roles` | `idpId`, `connection` `{id, type}`, `org` `{id}`, `groups`, `email`, `customAttributes` |
 * | directory user | `id` | `user`, slugs | `directoryId`, `idpId`, `org` `{id}`, `groups` `{id, name}[]`, `groupNames`, `email`, `customAttributes` |
 * | membership | `userId` | `user`, slugs | `org` `{id, name}`, `directoryManaged`, `customAttributes`; with the user also `email` and so on |
 * | API key | its own or its owner's | `api_key` | `apiKey` `{id, name}`, `org` `{id}`, `userId`, `permissions` |
 * | no session, no such key | `anonymous` | `anonymous` | |
 *
 * Directory users and memberships that are not active are refused. What is absent is left out, never `null`.
 *
 * Throws an {@link IdentityError}, or an `OptionsError`.
 */
export function principalFromWorkOS(identity: WorkOSIdentity, options: WorkOSOptions = {}): MappedPrincipal {
  checkMapperOptions(options, OPTIONS);
  const input = requireInput(identity, EXPECTED);
  // Claims are known by `sub`, which nothing else has; custom ones may have any name.
  if ("sub" in input) {
    return fromToken(readToken(input), {}, options);
  }
  switch (input["object"]) {
    case "directory_user":
      return fromDirectoryUser(input, options);
    case "organization_membership":
      return fromMembership(input, undefined, options);
    case "api_key":
      return fromApiKey(input, options);
    default:
  }
  if (isRecord(input["membership"])) {
    return fromMembership(input["membership"], requireInput(input["user"], "the user of the membership"), options);
  }
  if ("apiKey" in input) {
    return fromApiKeyValidation(input["apiKey"], options);
  }
  if ("connectionId" in input && "connectionType" in input) {
    return fromProfile(input, options);
  }
  if (("authenticated" in input && input["authenticated"] !== true) || input["user"] === null) {
    return unauthenticated(PROVIDER, text(input["reason"], "reason") ?? "there is no session", options);
  }
  if (isRecord(input["user"])) {
    return fromSession(input, input["user"], options);
  }
  throw new IdentityError("IDENTITY_UNSUPPORTED", `expected ${EXPECTED}`);
}

function fromSession(
  session: Record<string, unknown>,
  user: Record<string, unknown>,
  options: WorkOSOptions,
): MappedPrincipal {
  const authenticationMethod = text(session["authenticationMethod"], "the session's authenticationMethod");
  return fromToken(readSession(session, user), { ...userAttributes(user), authenticationMethod }, options);
}

function fromToken(token: WorkOSClaims, attributes: Record<string, unknown>, options: WorkOSOptions): MappedPrincipal {
  const { userId, organizationId, roles, impersonator, ...told } = token;
  return person(options, userId, roles, {
    provider: PROVIDER,
    ...attributes,
    ...told,
    impersonated: impersonator !== undefined,
    impersonator: impersonator && present({ ...impersonator }),
    org: organization(organizationId),
  });
}

function fromProfile(profile: Record<string, unknown>, options: WorkOSOptions): MappedPrincipal {
  const groups = texts(profile["groups"], "the profile's groups");
  const organizationId = text(profile["organizationId"], "the profile's organizationId");
  const connectionId = requireId(profile["connectionId"], "the profile's connectionId");
  const roles = [...roleSlugs(profile), ...groupRoles([organizationId, connectionId], groups, options)];
  return person(options, requireId(profile["id"], "the profile's id"), roles, {
    provider: PROVIDER,
    idpId: text(profile["idpId"], "the profile's idpId"),
    connection: present({ id: connectionId, type: text(profile["connectionType"], "the profile's connectionType") }),
    org: organization(organizationId),
    groups,
    email: text(profile["email"], "the profile's email"),
    ...attributesOf(profile, options),
  });
}

function fromDirectoryUser(user: Record<string, unknown>, options: WorkOSOptions): MappedPrincipal {
  requireActive("directory user", user["state"]);
  const organizationId = text(user["organizationId"], "the directory user's organizationId");
  const directoryId = requireId(user["directoryId"], "the directory user's directoryId");
  const groups = list(user["groups"], "the directory user's groups").map((group, index) => {
    const { id, name } = record(group, `the directory user's groups[${index}]`) ?? {};
    return { id: requireId(id, "a group's id"), name: text(name, "a group's name") };
  });
  const ids = groups.map(({ id }) => id);
  const roles = [...roleSlugs(user), ...groupRoles([organizationId, directoryId], ids, options)];
  return person(options, requireId(user["id"], "the directory user's id"), roles, {
    provider: PROVIDER,
    directoryId,
    idpId: text(user["idpId"], "the directory user's idpId"),
    org: organization(organizationId),
    groups: groups.map(present),
    groupNames: groups.map(({ name }) => name).filter((name) => name !== undefined),
    email: text(user["email"], "the directory user's email"),
    ...attributesOf(user, options),
  });
}

/** What the identity provider tells of a profile or directory user. */
function attributesOf(from: Record<string, unknown>, options: WorkOSOptions): Record<string, unknown> {
  return {
    customAttributes: record(from["customAttributes"], "customAttributes"),
    rawAttributes: options.rawAttributes === true ? record(from["rawAttributes"], "rawAttributes") : undefined,
  };
}

function fromMembership(
  membership: Record<string, unknown>,
  user: Record<string, unknown> | undefined,
  options: WorkOSOptions,
): MappedPrincipal {
  requireActive("organization membership", membership["status"]);
  const userId = requireId(membership["userId"], "the membership's userId");
  const organizationId = requireId(membership["organizationId"], "the membership's organizationId");
  if (user !== undefined && user["id"] !== userId) {
    throw invalid("the user is not the one that the membership belongs to");
  }
  return person(options, userId, roleSlugs(membership), {
    provider: PROVIDER,
    ...(user && userAttributes(user)),
    org: organization(organizationId, text(membership["organizationName"], "the membership's organizationName")),
    directoryManaged: flag(membership["directoryManaged"], "the membership's directoryManaged"),
    customAttributes: record(membership["customAttributes"], "the membership's customAttributes"),
  });
}

/** What `apiKeys.createValidation` answers: a key, or `null` for one that does not exist. */
function fromApiKeyValidation(key: unknown, options: WorkOSOptions): MappedPrincipal {
  const found = record(key, "apiKey");
  return found === undefined
    ? unauthenticated(PROVIDER, "there is no such API key", options)
    : fromApiKey(found, options);
}

function fromApiKey(key: Record<string, unknown>, options: WorkOSOptions): MappedPrincipal {
  const id = requireId(key["id"], "the API key's id");
  const owner = record(key["owner"], "the API key's owner") ?? {};
  const ownerId = requireId(owner["id"], "the id of the API key's owner");
  const isUser = owner["type"] === "user";
  if (!isUser && owner["type"] !== "organization") {
    throw invalid("the API key's owner is neither an organization nor a user");
  }
  const userOrganization = text(owner["organizationId"], "the organizationId of the API key's owner");
  return principal(options.apiKeyId === "owner" ? ownerId : id, "api_key", [], {
    provider: PROVIDER,
    type: "api_key",
    authenticated: true,
    impersonated: false,
    machine: true,
    apiKey: present({ id, name: text(key["name"], "the API key's name") }),
    org: organization(isUser ? userOrganization : ownerId),
    userId: isUser ? ownerId : undefined,
    permissions: texts(key["permissions"], "the API key's permissions"),
  });
}

function requireActive(what: string, state: unknown): void {
  if (state !== "active") {
    throw new IdentityError(
      "IDENTITY_INACTIVE",
      `the ${what} is ${text(state, `the state of the ${what}`) ?? "not active"}`,
    );
  }
}

function userAttributes(user: Record<string, unknown>): Record<string, unknown> {
  return {
    email: text(user["email"], "the user's email"),
    emailVerified: flag(user["emailVerified"], "the user's emailVerified"),
    externalId: text(user["externalId"], "the user's externalId"),
    metadata: record(user["metadata"], "the user's metadata"),
  };
}

function organization(id: string | undefined, name?: string): object | undefined {
  return id === undefined ? undefined : present({ id, name });
}

/** The roles of what is no session: `{slug}` each. */
function roleSlugs({ role, roles }: Record<string, unknown>): string[] {
  return [role, ...list(roles, "roles")]
    .map((entry) => text(record(entry, "a role")?.["slug"], "a role's slug"))
    .filter((slug) => slug !== undefined);
}

function groupRoles(owners: (string | undefined)[], groups: string[], { groupRoles = {} }: WorkOSOptions): string[] {
  return owners.flatMap((owner) => {
    const byGroup = owner !== undefined && Object.hasOwn(groupRoles, owner) ? groupRoles[owner] : undefined;
    return groups.flatMap((group) =>
      byGroup !== undefined && Object.hasOwn(byGroup, group) ? (byGroup[group] ?? []) : [],
    );
  });
}
