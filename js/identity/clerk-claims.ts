/**
 * The claims of Clerk's session tokens, versions 1 and 2 (https://clerk.com/docs/guides/sessions/session-tokens). Version 2
 * packs the organization's permissions: `fea` lists features, `o.per` permissions, and `o.fpm` has for each feature of the
 * organization a number whose bit k, from the least significant, says whether the feature has permission k.
 */

import { IdentityError } from "../errors.js";
import { invalid, isAbsent, isRecord, record, requireId, text, texts } from "./identity.js";

/** A session as its claims tell it. What is not there is `undefined`. */
export interface ClerkSession {
  userId: string;
  sessionId: string;
  /** `active` or `pending`; absent in older tokens, which are of active sessions. */
  status: string | undefined;
  actor: ClerkActor | undefined;
  /** The organization that is active in the session. */
  org: ClerkOrganization | undefined;
  plans: Scoped;
  features: Scoped;
  /** Minutes since the first and the second factor were verified; `undefined` for one that never was. */
  fva: { first: number | undefined; second: number | undefined } | undefined;
}

/** Who acts in the user's place: a person (`user`), or an AI agent (`agent`). */
export interface ClerkActor {
  id: string;
  type: string;
}

/** An organization, and what the session's user is and may do in it. */
export interface ClerkOrganization {
  id: string;
  slug: string | undefined;
  /** With its prefix: `org:admin`. */
  role: string | undefined;
  /** With their prefix: `org:invoices:read`. */
  permissions: string[];
}

/** Names that hold for the organization, and names that hold for the user. */
export interface Scoped {
  org: string[];
  user: string[];
}

/** The session that claims of either version describe. Throws an `IdentityError` on malformed or contradictory ones. */
export function clerkSession(claims: Record<string, unknown>): ClerkSession {
  const org = organization(claims);
  return {
    userId: requireId(claims["sub"], "the claim sub"),
    sessionId: sessionId(claims["sid"]),
    status: text(claims["sts"], "the claim sts"),
    actor: clerkActor(claims["act"]),
    org,
    plans: scoped(claims["pla"], "pla", org),
    features: scoped(claims["fea"], "fea", org),
    fva: factorAges(claims["fva"]),
  };
}

/** Tokens of JWT templates name no session, nor who impersonates its user: no such token may pass for a session. */
function sessionId(sid: unknown): string {
  const id = text(sid, "the claim sid");
  if (id === undefined) {
    throw invalid("these claims have no sid: they are not those of a session token");
  }
  return id;
}

/** The actor in the claim `act`, if there is one. */
export function clerkActor(act: unknown): ClerkActor | undefined {
  const actor = record(act, "the claim act");
  return (
    actor && {
      id: requireId(actor["sub"], "the claim act.sub"),
      type: text(actor["type"], "the claim act.type") ?? "user",
    }
  );
}

function organization(claims: Record<string, unknown>): ClerkOrganization | undefined {
  const { v: version, o, org_id } = claims;
  if (version === 2) {
    const org = organizationOfVersion2(claims);
    refuseOther(org_id, org);
    return org;
  }
  if (isAbsent(version) || version === 1) {
    const org = organizationOfVersion1(claims);
    refuseOther(isRecord(o) ? o["id"] : o, org);
    return org;
  }
  throw new IdentityError("IDENTITY_UNSUPPORTED", `session tokens of version ${JSON.stringify(version)} are not known`);
}

/** Claims that name an organization in the manner of the other version too, and another one, belong to nobody. */
function refuseOther(id: unknown, org: ClerkOrganization | undefined): void {
  if (!isAbsent(id) && id !== org?.id) {
    throw invalid("the claims o.id and org_id name different organizations");
  }
}

function organizationOfVersion1(claims: Record<string, unknown>): ClerkOrganization | undefined {
  const { org_id, org_role, org_slug, org_permissions } = claims;
  const id = text(org_id, "the claim org_id");
  const role = text(org_role, "the claim org_role");
  const permissions = texts(org_permissions, "the claim org_permissions");
  if (id === undefined && (role !== undefined || permissions.length > 0)) {
    throw invalid("the claims have a role or permissions in an organization, and no organization");
  }
  return id === undefined ? undefined : { id, slug: text(org_slug, "the claim org_slug"), role, permissions };
}

function organizationOfVersion2(claims: Record<string, unknown>): ClerkOrganization | undefined {
  const org = record(claims["o"], "the claim o");
  if (org === undefined) {
    return undefined;
  }
  const id = requireId(org["id"], "the claim o.id");
  const role = text(org["rol"], "the claim o.rol");
  const features = splitScopes(claims["fea"], "fea").org;
  return {
    id,
    slug: text(org["slg"], "the claim o.slg"),
    role: role && `org:${role}`,
    permissions: unpackPermissions(features, text(org["per"], "the claim o.per"), text(org["fpm"], "the claim o.fpm")),
  };
}

/** What holds for the organization holds only while one is active. */
function scoped(value: unknown, claim: string, org: ClerkOrganization | undefined): Scoped {
  const scopes = splitScopes(value, claim);
  return org === undefined ? { ...scopes, org: [] } : scopes;
}

const ORGANIZATION_SCOPES = new Set(["o", "ou", "uo"]);
const USER_SCOPES = new Set(["u", "ou", "uo"]);

/** `o:pro,u:beta,ou:reports` by the scopes before the colons; scopes that are not known hold for nobody. */
function splitScopes(value: unknown, claim: string): Scoped {
  const scoped: Scoped = { org: [], user: [] };
  for (const element of text(value, `the claim ${claim}`)?.split(",") ?? []) {
    const [, scopes, name] = /^([^:]*):(.+)$/.exec(element.trim()) ?? [];
    if (scopes === undefined || name === undefined) {
      throw invalid(`the claim ${claim} has the malformed element ${JSON.stringify(element)}`);
    }
    if (ORGANIZATION_SCOPES.has(scopes)) {
      scoped.org.push(name);
    }
    if (USER_SCOPES.has(scopes)) {
      scoped.user.push(name);
    }
  }
  return scoped;
}

// The masks are decimal and may have any length: one bit a permission. More than this is no honest token.
const MAX_MASK_DIGITS = 1000;

function unpackPermissions(features: string[], per: string | undefined, fpm: string | undefined): string[] {
  if (per === undefined || fpm === undefined) {
    return [];
  }
  const names = per.split(",").map((name) => name.trim());
  const masks = fpm.split(",").map(parseMask);
  return features.flatMap((feature, index) => {
    const mask = masks[index] ?? 0n;
    return names.filter((_, bit) => (mask >> BigInt(bit)) & 1n).map((name) => `org:${feature}:${name}`);
  });
}

function parseMask(element: string): bigint {
  const digits = element.trim();
  if (!/^\d+$/.test(digits) || digits.length > MAX_MASK_DIGITS) {
    throw invalid(`the claim o.fpm has the malformed element ${JSON.stringify(element.slice(0, 40))}`);
  }
  return BigInt(digits);
}

/** Clerk says -1 for never; that is left out, because a policy would read it as less than any limit. */
function factorAges(ages: unknown): ClerkSession["fva"] {
  if (isAbsent(ages)) {
    return undefined;
  }
  if (!Array.isArray(ages) || ages.length !== 2 || !ages.every((age) => typeof age === "number")) {
    throw invalid("the claim fva must be a list of two numbers");
  }
  const [first, second] = ages.map((age) => (age >= 0 ? age : undefined));
  return { first, second };
}
