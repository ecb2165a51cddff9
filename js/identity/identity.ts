/** What the mappers of all identity providers share. */

import type { Principal, Value } from "../engine/request.js";
import { IdentityError, OptionsError } from "../errors.js";
import { unknownOption } from "../options-names.js";

export { IdentityError, type IdentityErrorCode } from "../errors.js";

/** A principal as a mapper makes it: always with attributes. */
export interface MappedPrincipal extends Principal {
  attr: Record<string, Value>;
}

/** What to do when nobody is signed in. */
export type OnUnauthenticated = "anonymous" | "throw";

/** How the mappers of all identity providers map. */
export interface IdentityOptions {
  /**
   * `"anonymous"` (the default) makes a principal with the id and the only role `anonymous`; mind that the role `*` in a policy
   * matches it. `"throw"` throws an `IdentityError` with code `IDENTITY_UNAUTHENTICATED`.
   */
  onUnauthenticated?: OnUnauthenticated | undefined;
  /**
   * Refuse people for whom no organization is active, with code `IDENTITY_NO_ORGANIZATION`: the application can then let them
   * choose one. Keys, machines and OAuth clients are not concerned. Default: `false`, they are mapped without `attr.org`.
   */
  requireOrganization?: boolean | undefined;
}

/** What an option may be, and in words. */
export type Allowed = readonly [is: (value: unknown) => boolean, words: string];

export const oneOf = (...values: string[]): Allowed => [
  (value) => values.includes(value as string),
  values.map((value) => JSON.stringify(value)).join(" or "),
];
export const A_BOOLEAN: Allowed = [(value) => typeof value === "boolean", "a boolean"];
export const AN_OBJECT: Allowed = [isRecord, "an object"];
export const STRINGS: Allowed = [
  (value) => Array.isArray(value) && value.every((item) => typeof item === "string"),
  "a list of strings",
];

/** The options of all mappers. */
export const IDENTITY_OPTIONS: Record<keyof IdentityOptions, Allowed> = {
  onUnauthenticated: oneOf("anonymous", "throw"),
  requireOrganization: A_BOOLEAN,
};

/** Refuses options that do not exist or cannot have their value: a slip in one must not let anybody pass who was to be refused. */
export function checkMapperOptions(options: object, known: Record<string, Allowed>): void {
  if (!isRecord(options)) {
    throw new OptionsError("", "the options must be an object");
  }
  for (const [name, value] of Object.entries(options)) {
    const allowed = Object.hasOwn(known, name) ? known[name] : undefined;
    if (allowed === undefined) {
      throw new OptionsError(name, unknownOption(name, Object.keys(known)));
    }
    const [is, words] = allowed;
    if (value !== undefined && !is(value)) {
      throw new OptionsError(name, `must be ${words}`);
    }
  }
}

/** The kind of credential that a principal came with, which is its first role. */
export type BaseRole = "user" | "api_key" | "machine" | "oauth_client" | "anonymous";

/** Policies trust these to say what no provider's role can say. `user` takes nothing for granted, so that name is free. */
const RESERVED_ROLES: ReadonlySet<string> = new Set<BaseRole>(["api_key", "machine", "oauth_client", "anonymous"]);

/** The principal of a request of nobody, or an error. */
export function unauthenticated(provider: string, reason: string, options: IdentityOptions): MappedPrincipal {
  if (options.onUnauthenticated === "throw") {
    throw new IdentityError("IDENTITY_UNAUTHENTICATED", `nobody is signed in: ${reason}`);
  }
  return {
    id: "anonymous",
    roles: ["anonymous"],
    attr: { provider, type: "anonymous", authenticated: false, impersonated: false, machine: false },
  };
}

/** A person, in the organization that is active, if one is. */
export function person(
  options: IdentityOptions,
  id: string,
  roles: readonly string[],
  attr: Record<string, unknown>,
): MappedPrincipal {
  if (options.requireOrganization === true && attr["org"] === undefined) {
    throw new IdentityError("IDENTITY_NO_ORGANIZATION", "no organization is active: let the user choose one");
  }
  return principal(id, "user", roles, {
    type: "user",
    authenticated: true,
    impersonated: false,
    machine: false,
    ...attr,
  });
}

/** A principal with each role once, and attributes without those that are absent. */
export function principal(
  id: string,
  base: BaseRole,
  roles: readonly string[],
  attr: Record<string, unknown>,
): MappedPrincipal {
  const reserved = roles.find((role) => RESERVED_ROLES.has(role));
  if (reserved !== undefined) {
    throw invalid(`the role ${reserved} tells what kind of credential was used: give the provider's role another name`);
  }
  return { id, roles: [...new Set([base, ...roles])], attr: present(attr) };
}

/**
 * The properties that are there. An absent id must not become `null`: a policy that compares two ids finds `null` equal to
 * `null` and lets one tenant into another, while a missing attribute is an error, which allows nothing.
 */
export function present(properties: Record<string, unknown>): Record<string, Value> {
  const entries = Object.entries(properties).filter(([, value]) => !isAbsent(value));
  return Object.fromEntries(entries) as Record<string, Value>;
}

/** The error for an identity that is malformed or contradicts itself. */
export function invalid(problem: string, options?: ErrorOptions): IdentityError {
  return new IdentityError("IDENTITY_INVALID", problem, options);
}

/** An id that is there; else the input is not what it claims to be. */
export function requireId(value: unknown, what: string): string {
  const id = text(value, what);
  if (id === undefined) {
    throw invalid(`${what} is missing`);
  }
  return id;
}

/** A string that may be absent; one with nothing in it is. Anything else is refused: a list must not pass for the name in it. */
export function text(value: unknown, what: string): string | undefined {
  if (isAbsent(value) || value === "") {
    return undefined;
  }
  if (typeof value !== "string") {
    throw invalid(`${what} must be a string, and is ${kindOf(value)}`);
  }
  return value;
}

/** A boolean that may be absent. */
export function flag(value: unknown, what: string): boolean | undefined {
  if (isAbsent(value)) {
    return undefined;
  }
  if (typeof value !== "boolean") {
    throw invalid(`${what} must be true or false, and is ${kindOf(value)}`);
  }
  return value;
}

/** The strings of a list that may be absent. Anything else is refused: a string must not pass for a list of what it contains. */
export function texts(value: unknown, what: string): string[] {
  return list(value, what)
    .map((item, index) => text(item, `${what}[${index}]`))
    .filter((item) => item !== undefined);
}

/** The items of a list that may be absent. */
export function list(value: unknown, what: string): unknown[] {
  if (isAbsent(value)) {
    return [];
  }
  if (!Array.isArray(value)) {
    throw invalid(`${what} must be a list, and is ${kindOf(value)}`);
  }
  return value;
}

/** An object that may be absent. */
export function record(value: unknown, what: string): Record<string, unknown> | undefined {
  if (isAbsent(value)) {
    return undefined;
  }
  if (!isRecord(value)) {
    throw invalid(`${what} must be an object, and is ${kindOf(value)}`);
  }
  return value;
}

/** Whether it is not there: providers write `undefined` and `null` for the same thing. */
export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

/** Whether it is an object with properties, and no list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether two values that came as JSON are the same; absent ones are. */
export function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
}

/** Refuses what is no plain result of an SDK, with a hint at the usual slips. */
export function requireInput(input: unknown, hint: string): Record<string, unknown> {
  if (isRecord(input) && typeof input["then"] === "function") {
    throw new IdentityError("IDENTITY_UNSUPPORTED", "this is a promise: await it first");
  }
  if (!isRecord(input)) {
    throw new IdentityError("IDENTITY_UNSUPPORTED", `expected ${hint}, not ${kindOf(input)}`);
  }
  return input;
}

/** What it is, without telling it: it may be a secret. */
function kindOf(value: unknown): string {
  if (isAbsent(value)) {
    return String(value);
  }
  if (Array.isArray(value)) {
    return "a list";
  }
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
