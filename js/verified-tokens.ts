/** Tokens that have been verified, so that they need not be again. */

import type { Keys } from "./jwt-keys.js";
import type { VerifiedJwt } from "./jwt-verifier.js";

interface Entry {
  /** By other keys it has to be verified anew: these may have been taken back. */
  keys: Keys;
  /** Milliseconds since 1970. */
  until: number;
  verified: VerifiedJwt;
}

/**
 * The tokens used last, up to some number. They are found by the whole token: comparing it costs less than a digest, and no two
 * tokens can be taken for each other.
 */
export class VerifiedTokens {
  readonly #limit: number;
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The token, if it is known, was verified by these keys, and has not expired. */
  get(token: string, keys: Keys, now: number): VerifiedJwt | undefined {
    const entry = this.#entries.get(token);
    if (entry === undefined) {
      return undefined;
    }
    this.#entries.delete(token);
    if (entry.keys !== keys || now >= entry.until) {
      return undefined;
    }
    this.#entries.set(token, entry);
    return entry.verified;
  }

  add(token: string, entry: Entry): void {
    if (this.#limit === 0) {
      return;
    }
    this.#entries.delete(token);
    this.#entries.set(token, entry);
    if (this.#entries.size > this.#limit) {
      const [oldest] = this.#entries.keys();
      this.#entries.delete(oldest as string);
    }
  }
}
