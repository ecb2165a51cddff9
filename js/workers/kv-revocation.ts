import type { JwtClaims } from "../tokens/jwt-claims.js";
import { entryOf, issuedUntil, namesOf, type Revocation, type RevocationList } from "../tokens/revocation.js";

/** What is needed of a `KVNamespace` to keep revocations. */
export interface RevocationNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options?: { expirationTtl?: number }): Promise<void>;
}

/** KV keeps nothing for less. */
const MIN_TTL = 60;

/**
 * A list in Workers KV. What is written reaches all data centres within a minute or so: until then, tokens pass elsewhere. Keep
 * tokens short-lived.
 */
export class KVRevocationList implements RevocationList {
  readonly #namespace: RevocationNamespace;
  readonly #prefix: string;

  /** Entries have keys such as `revoked:jti:ID`. */
  constructor(namespace: RevocationNamespace, options: { prefix?: string | undefined } = {}) {
    this.#namespace = namespace;
    this.#prefix = options.prefix ?? "revoked:";
  }

  /** Revokes. Rejects with a `TypeError` if it is not said what, and with what KV says. */
  async revoke(revocation: Revocation): Promise<void> {
    const now = Date.now();
    const { name, issuedBefore, expiresAt } = entryOf(revocation, now);
    const key = this.#prefix + name;
    // What was revoked before stays revoked.
    const until = Math.max(issuedBefore, momentOf(await this.#namespace.get(key)) ?? 0);
    const expirationTtl = Math.max(MIN_TTL, Math.ceil((expiresAt - now) / 1000));
    await this.#namespace.put(key, String(until), Number.isFinite(expiresAt) ? { expirationTtl } : {});
  }

  async isRevoked(claims: JwtClaims): Promise<boolean> {
    const values = await Promise.all(namesOf(claims).map((name) => this.#namespace.get(this.#prefix + name)));
    return values.some((value) => {
      const moment = momentOf(value);
      return moment !== undefined && issuedUntil(claims, moment);
    });
  }
}

/** A value that we have not written revokes everything: better that than nothing. */
function momentOf(value: string | null): number | undefined {
  if (value === null) {
    return undefined;
  }
  const moment = Number(value);
  return Number.isNaN(moment) || value === "" ? Number.POSITIVE_INFINITY : moment;
}
