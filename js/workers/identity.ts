/** Who makes a request, as one worker tells it the other. */

import type { Principal, Value } from "../engine/request.js";
import { isRecord } from "../identity/identity.js";

/** What the auth-worker has found out. Plain data, so that it crosses a service binding. */
export interface WorkerIdentity {
  principal: Principal;
  /** The claims of the token; none of somebody without one. */
  claims?: Record<string, Value> | undefined;
}

/** Whether a value is an identity: what crossed a boundary is looked at once more. */
export function isIdentity(value: unknown): value is WorkerIdentity {
  if (!isRecord(value) || !isRecord(value["principal"])) {
    return false;
  }
  const { id, roles, attr = {} } = value["principal"];
  return (
    typeof id === "string" &&
    id !== "" &&
    Array.isArray(roles) &&
    roles.length > 0 &&
    roles.every((role) => typeof role === "string" && role !== "") &&
    isRecord(attr) &&
    (value["claims"] === undefined || isRecord(value["claims"]))
  );
}

/** Headers by which gateways and applications name a person. A client that sends them wants to be somebody else. */
const IDENTITY_HEADERS = [
  "x-user-id",
  "x-user-roles",
  "x-user-email",
  "x-user",
  "x-roles",
  "x-principal",
  "x-authenticated-user",
  "x-authenticated-userid",
  "x-auth-request-user",
  "x-auth-request-email",
  "x-auth-request-groups",
  "x-auth-request-preferred-username",
  "x-forwarded-user",
  "x-forwarded-email",
  "x-forwarded-groups",
  "x-forwarded-preferred-username",
  "x-forwarded-access-token",
  "x-remote-user",
  "remote-user",
  "x-jwt-claims",
  "x-original-url",
  "x-original-uri",
  "x-rewrite-url",
  "x-http-method-override",
  "x-method-override",
  "x-http-method",
];

const IDENTITY_PREFIXES = [
  "x-user-",
  "x-orthrus-",
  "x-jwt-claim-",
  "x-clerk-",
  "x-workos-",
  "x-goog-authenticated-user-",
  "x-ms-client-principal",
];

/** Whether a client could name itself by a header of this name, in small letters. */
export function namesIdentity(name: string): boolean {
  return IDENTITY_HEADERS.includes(name) || IDENTITY_PREFIXES.some((prefix) => name.startsWith(prefix));
}

/** Headers without those by which a client could name itself, and those that change what a request asks for. */
export function withoutIdentity(headers: Headers, others: readonly string[]): Headers {
  const kept = new Headers(headers);
  for (const name of [...headers.keys()]) {
    if (namesIdentity(name) || others.includes(name)) {
      kept.delete(name);
    }
  }
  return kept;
}
