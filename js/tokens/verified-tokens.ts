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
 *
 * Two halves: when the young one is full it becomes the old one, whose tokens are let go, but for those that were used meanwhile.
 * So a token that is used again and again is looked up and nothing else.
 */
export class VerifiedTokens {
  readonly #half: number;
  #young = new Map<string, Entry>();
  #old = new Map<string, Entry>();

  constructor(limit: number) {
    this.#half = limit / 2;
  }

  /** The token, if it is known, was verified by these keys, and has not expired. */
  get(token: string, keys: Keys, now: number): VerifiedJwt | undefined {
    const young = this.#young.get(token);
    const entry = young ?? this.#old.get(token);
    if (entry === undefined || entry.keys !== keys || now >= entry.until) {
      return undefined;
    }
    if (young === undefined) {
      this.add(token, entry);
    }
    return entry.verified;
  }

  add(token: string, entry: Entry): void {
    if (this.#half === 0) {
      return;
    }
    this.#young.set(token, entry);
    this.#old.delete(token);
    if (this.#young.size >= this.#half) {
      this.#old = this.#young;
      this.#young = new Map();
    }
  }
}
