/**
 * The claims of Clerk's session tokens, versions 1 and 2 (https://clerk.com/docs/guides/sessions/session-tokens). Version 2
 * packs the organization's permissions: `fea` lists features, `o.per` permissions, and `o.fpm` has for each feature of the
 * organization a number whose bit k, from the least significant, says whether the feature has permission k.
 */

import { IdentityError } from "./errors.js";
import { isNonEmpty, isRecord } from "./identity.js";

/** A session as Clerk's auth objects tell it; nothing is checked yet. */
export interface ClerkSession {
  userId: unknown;
  sessionId: unknown;
  status: unknown;
  actor: unknown;
  orgId: unknown;
  orgRole: unknown;
  orgSlug: unknown;
  orgPermissions: unknown;
  factorVerificationAge: unknown;
  /** All claims of the token. */
  claims: Record<string, unknown>;
}

/** Names that hold for the organization, and names that hold for the user. */
export interface Scoped {
  org: string[];
  user: string[];
}

/** The session that claims of either version describe. Throws an `IdentityError` on malformed ones. */
export function clerkClaims(claims: Record<string, unknown>): ClerkSession {
  return {
    userId: claims["sub"],
    sessionId: claims["sid"],
    status: claims["sts"],
    actor: claims["act"],
    factorVerificationAge: claims["fva"],
    claims,
    ...(claims["v"] === 2 ? organizationOfVersion2(claims) : organizationOfVersion1(claims)),
  };
}

type Organization = Pick<ClerkSession, "orgId" | "orgRole" | "orgSlug" | "orgPermissions">;

function organizationOfVersion1(claims: Record<string, unknown>): Organization {
  return {
    orgId: claims["org_id"],
    orgRole: claims["org_role"],
    orgSlug: claims["org_slug"],
    orgPermissions: claims["org_permissions"],
  };
}

function organizationOfVersion2({ o, fea }: Record<string, unknown>): Organization {
  if (!isRecord(o)) {
    return { orgId: undefined, orgRole: undefined, orgSlug: undefined, orgPermissions: undefined };
  }
  return {
    orgId: o["id"],
    orgRole: isNonEmpty(o["rol"]) ? `org:${o["rol"]}` : undefined,
    orgSlug: o["slg"],
    orgPermissions: unpackPermissions(splitScopes(fea, "fea").org, o["per"], o["fpm"]),
  };
}

const ORGANIZATION_SCOPES = new Set(["o", "ou", "uo"]);
const USER_SCOPES = new Set(["u", "ou", "uo"]);

/** `o:pro,u:beta,ou:reports` by the scopes before the colons; scopes that are not known hold for nobody. */
export function splitScopes(list: unknown, claim: string): Scoped {
  const scoped: Scoped = { org: [], user: [] };
  if (!isNonEmpty(list)) {
    return scoped;
  }
  for (const element of list.split(",")) {
    const colon = element.indexOf(":");
    if (colon < 0) {
      throw new IdentityError(
        "IDENTITY_INVALID",
        `the claim ${claim} has the malformed element ${JSON.stringify(element)}`,
      );
    }
    const scopes = element.slice(0, colon).trim();
    const name = element.slice(colon + 1).trim();
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

function unpackPermissions(features: string[], per: unknown, fpm: unknown): string[] {
  if (!isNonEmpty(per) || !isNonEmpty(fpm)) {
    return [];
  }
  const names = per.split(",").map((name) => name.trim());
  const masks = fpm.split(",").map(parseMask);
  return features.flatMap((feature, index) => {
    const mask = masks[index] ?? 0n;
    return names.filter((_, bit) => (mask >> BigInt(bit)) & 1n).map((name) => `org:${feature}:${name}`);
  });
}

function parseMask(text: string): bigint {
  const digits = text.trim();
  if (!/^\d+$/.test(digits) || digits.length > MAX_MASK_DIGITS) {
    throw new IdentityError("IDENTITY_INVALID", `the claim o.fpm has the malformed element ${JSON.stringify(text)}`);
  }
  return BigInt(digits);
}
