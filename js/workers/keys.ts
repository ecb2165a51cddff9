/** The keys of an identity provider: kept in the isolate for a while, and in KV for when the provider cannot be reached. */

import { createLocalJWKSet, type JSONWebKeySet, type JWTVerifyGetKey } from "jose";
import { JwtError } from "../errors.js";
import { fetchKeys } from "../tokens/jwks.js";

/** What is needed of a `KVNamespace` to keep keys. */
export interface KeyNamespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

export interface KeyCacheOptions {
  url: URL;
  /** Milliseconds: how long keys are fresh. */
  ttl: number;
  /** Milliseconds: how long after that they serve while no others can be had. */
  staleIfError: number;
  /** Milliseconds: how soon the provider is asked again after it failed, or after a key that it did not know. */
  cooldown: number;
  /** Milliseconds. */
  timeout: number;
  kv: KeyNamespace | undefined;
  now: () => number;
}

interface Kept {
  keys: JWTVerifyGetKey;
  /** When they were fetched. */
  fetched: number;
}

/** More keys than any provider has: a token must not make us try thousands. */
const MAX_KEYS = 100;

/** Key sets by address. A request that finds them stale fetches for itself: requests of a Worker must not wait for each other's I/O. */
export class KeyCache {
  readonly #options: KeyCacheOptions;
  #kept: Kept | undefined;
  #failed = Number.NEGATIVE_INFINITY;
  #renewed = Number.NEGATIVE_INFINITY;

  constructor(options: KeyCacheOptions) {
    this.#options = options;
  }

  /** Keys that are fresh, or stale ones where no others can be had. Rejects with a `JwtError`. */
  async keys(): Promise<JWTVerifyGetKey> {
    const { ttl, cooldown, now } = this.#options;
    const kept = this.#kept;
    if (kept !== undefined && now() < kept.fetched + ttl) {
      return kept.keys;
    }
    if (now() < this.#failed + cooldown) {
      return this.#stale(new Error("it did not answer a moment ago"));
    }
    return this.#fetch();
  }

  /** Other keys than those at hand, for a token that names a key which is not among them; `undefined` if they were asked for just now. */
  async renewed(): Promise<JWTVerifyGetKey | undefined> {
    const { cooldown, now } = this.#options;
    const last = Math.max(this.#renewed, this.#failed, this.#kept?.fetched ?? Number.NEGATIVE_INFINITY);
    if (now() < last + cooldown) {
      return undefined;
    }
    this.#renewed = now();
    return this.#fetch();
  }

  async #fetch(): Promise<JWTVerifyGetKey> {
    const { url, timeout, now } = this.#options;
    try {
      const { bytes } = await fetchKeys(url, timeout);
      const text = new TextDecoder().decode(bytes);
      const kept = { keys: keysOf(text), fetched: now() };
      this.#kept = kept;
      await this.#remember(text, kept.fetched);
      return kept.keys;
    } catch (cause) {
      this.#failed = now();
      return this.#stale(cause);
    }
  }

  async #stale(cause: unknown): Promise<JWTVerifyGetKey> {
    const { ttl, staleIfError, now, url } = this.#options;
    this.#kept ??= await this.#recall();
    if (this.#kept !== undefined && now() < this.#kept.fetched + ttl + staleIfError) {
      return this.#kept.keys;
    }
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new JwtError("JWT_KEYS_UNAVAILABLE", `the keys cannot be had from ${url.origin}${url.pathname}: ${reason}`, {
      cause,
    });
  }

  async #remember(jwks: string, fetched: number): Promise<void> {
    const { kv, ttl, staleIfError } = this.#options;
    const expirationTtl = Math.max(60, Math.ceil((ttl + staleIfError) / 1000));
    // What KV cannot keep is no reason to refuse anybody now.
    await kv?.put(this.#name(), JSON.stringify({ fetched, jwks }), { expirationTtl }).catch(() => undefined);
  }

  async #recall(): Promise<Kept | undefined> {
    try {
      const text = await this.#options.kv?.get(this.#name());
      const { fetched, jwks } = JSON.parse(text ?? "") as { fetched: unknown; jwks: unknown };
      return typeof fetched === "number" && typeof jwks === "string" ? { keys: keysOf(jwks), fetched } : undefined;
    } catch {
      return undefined;
    }
  }

  #name(): string {
    return `jwks:${this.#options.url.href}`;
  }
}

function keysOf(text: string): JWTVerifyGetKey {
  const jwks = JSON.parse(text) as JSONWebKeySet;
  if (!Array.isArray(jwks?.keys) || jwks.keys.length === 0) {
    throw new Error("the answer is no JWK set with keys");
  }
  if (jwks.keys.length > MAX_KEYS) {
    throw new Error(`the answer has more than ${MAX_KEYS} keys`);
  }
  return createLocalJWKSet(jwks);
}
