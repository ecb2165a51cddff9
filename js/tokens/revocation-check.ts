/** Asking a revocation list, which may take its time, fail, or answer nonsense. */

import { JwtError, OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import { unknownOption } from "../options-names.js";
import { type Duration, timeout } from "./duration.js";
import type { JwtClaims } from "./jwt-claims.js";
import type { RevocationList } from "./revocation.js";

/** How revoked tokens are found out. */
export interface RevocationOptions {
  list: RevocationList;
  /** What becomes of a token when the list fails or does not answer in time. Default: `"deny"`. */
  onError?: "deny" | "allow" | undefined;
  /** How long the list may take. Default: a second. */
  timeout?: Duration | undefined;
}

/** The same, checked. */
export interface CheckedRevocation {
  list: RevocationList;
  onError: "deny" | "allow";
  /** Milliseconds. */
  timeout: number;
}

/** A list, or a list with options. Throws an `OptionsError`. */
export function checkRevocation(given: unknown, path: string): CheckedRevocation | undefined {
  if (given === undefined) {
    return undefined;
  }
  if (isList(given)) {
    return { list: given, onError: "deny", timeout: 1000 };
  }
  if (!isRecord(given)) {
    throw new OptionsError(path, "must have a method isRevoked");
  }
  const known = ["list", "onError", "timeout"];
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(`${path}.${unknown}`, unknownOption(unknown, known));
  }
  const { list, onError = "deny", timeout: limit } = given;
  if (!isList(list)) {
    throw new OptionsError(`${path}.list`, "must have a method isRevoked");
  }
  if (onError !== "deny" && onError !== "allow") {
    throw new OptionsError(`${path}.onError`, "must be deny or allow");
  }
  return { list, onError, timeout: timeout(limit, `${path}.timeout`, 1000) };
}

function isList(value: unknown): value is RevocationList {
  return isRecord(value) && typeof value["isRevoked"] === "function";
}

/**
 * Whether a token with these claims is revoked; a promise only if the list answers with one. Throws, or rejects with, a `JwtError` where
 * it cannot be found out and that denies.
 */
export function isRevoked(
  { list, onError, timeout }: CheckedRevocation,
  claims: JwtClaims,
): boolean | Promise<boolean> {
  const unanswered = (cause: unknown): boolean => {
    if (onError === "allow") {
      return false;
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    const message = `whether the token is revoked cannot be found out: ${reason}`;
    throw new JwtError("JWT_REVOCATION_UNAVAILABLE", message, { cause });
  };
  const judged = (answer: unknown): boolean =>
    typeof answer === "boolean" ? answer : unanswered(new TypeError(`isRevoked answered ${String(answer)}`));
  let answer: boolean | PromiseLike<boolean>;
  try {
    answer = list.isRevoked(claims);
  } catch (error) {
    return unanswered(error);
  }
  return typeof answer === "object" && answer !== null
    ? within(answer, timeout).then(judged, unanswered)
    : judged(answer);
}

/** A promise that is rejected when another takes longer than some milliseconds. */
function within<T>(promise: PromiseLike<T>, timeout: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`there was no answer within ${timeout} ms`)), timeout);
    promise.then(
      (value) => {
        clearTimeout(timer);
        resolve(value);
      },
      (error) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}
