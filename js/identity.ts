/** What the mappers of all identity providers share. */

import { IdentityError } from "./errors.js";
import type { Principal, Value } from "./request.js";

/** A principal as a mapper makes it: always with attributes. */
export interface MappedPrincipal extends Principal {
  attr: Record<string, Value>;
}

/** What to do when nobody is signed in. */
export type OnUnauthenticated = "anonymous" | "throw";

/** How mappers treat a request of nobody. */
export interface UnauthenticatedOptions {
  /**
   * `"anonymous"` (the default) makes a principal with the id and the only role `anonymous`; mind that the role `*` in a policy
   * matches it. `"throw"` throws an `IdentityError` with code `IDENTITY_UNAUTHENTICATED`.
   */
  onUnauthenticated?: OnUnauthenticated | undefined;
}

/** The principal of a request of nobody, or an error. */
export function unauthenticated(provider: string, reason: string, options: UnauthenticatedOptions): MappedPrincipal {
  if (options.onUnauthenticated === "throw") {
    throw new IdentityError("IDENTITY_UNAUTHENTICATED", `nobody is signed in: ${reason}`);
  }
  return {
    id: "anonymous",
    roles: ["anonymous"],
    attr: { provider, type: "anonymous", authenticated: false, impersonated: false, machine: false },
  };
}

/** A principal with each role once, and attributes without those that are absent. */
export function principal(
  id: unknown,
  what: string,
  roles: (string | undefined)[],
  attr: Record<string, unknown>,
): MappedPrincipal {
  return { id: requireId(id, what), roles: [...new Set(roles.filter(isNonEmpty))], attr: present(attr) };
}

/**
 * The properties that are there. An absent id must not become `null`: a policy that compares two ids finds `null` equal to
 * `null` and lets one tenant into another, while a missing attribute is an error, which allows nothing.
 */
export function present(properties: Record<string, unknown>): Record<string, Value> {
  const entries = Object.entries(properties).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(entries) as Record<string, Value>;
}

/** An id that is there; else the input is not what it claims to be. */
export function requireId(id: unknown, what: string): string {
  if (!isNonEmpty(id)) {
    throw new IdentityError("IDENTITY_INVALID", `${what} is missing`);
  }
  return id;
}

/** Whether it is a string with something in it. */
export function isNonEmpty(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

/** Whether it is an object with properties, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The strings of a list; what is no list has none. */
export function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter(isNonEmpty) : [];
}

/** Refuses what is no plain result of an SDK, with a hint at the usual slips. */
export function requireInput(input: unknown, hint: string): Record<string, unknown> {
  if (isRecord(input) && typeof input["then"] === "function") {
    throw new IdentityError("IDENTITY_UNSUPPORTED", "this is a promise: await it first");
  }
  if (!isRecord(input)) {
    throw new IdentityError(
      "IDENTITY_UNSUPPORTED",
      `expected ${hint}, not ${input === null ? "null" : `a ${typeof input}`}`,
    );
  }
  return input;
}
