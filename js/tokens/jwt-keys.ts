/** Key sets: the keys that verify tokens now, wherever they come from. */

import { loadNative } from "#platform";
import { errorFromNative, type NativeJwtVerifier, type NativeKeySource } from "../engine/native.js";
import { JwtError, OptionsError } from "../errors.js";
import { fetchKeys } from "./jwks.js";
import type { CheckedKeySet, CheckedLocal, CheckedRemote } from "./jwt-options.js";

/** Keys that stay as they are: others come as another object, so that what they have verified can be forgotten with them. */
export interface Keys {
  readonly verifier: NativeJwtVerifier;
}

/** A key set. Times are in milliseconds since 1970. */
export interface KeySet {
  readonly id: string | undefined;
  /** By how many milliseconds clocks may differ. */
  readonly skew: number;
  /** The keys to use; a promise only if they have to be fetched. Throws, or rejects with, a `JwtError`. */
  keys(now: number): Keys | Promise<Keys>;
  /** Keys fetched anew, because a token names one that is not there; `undefined` where it is no use, or too soon, to ask. */
  renewed(now: number): Promise<Keys> | undefined;
}

/** The key set of options. Reads local keys; throws an `OptionsError` if they are of no use. */
export function keySet(options: CheckedKeySet): KeySet {
  const { keys } = options;
  return "url" in keys ? new RemoteKeySet(options, keys) : localKeySet(options, keys);
}

function localKeySet({ id, rules, skew }: CheckedKeySet, { source, keys, path }: CheckedLocal): KeySet {
  const read = (): Keys => {
    try {
      return { verifier: verifier(source, keys, rules) };
    } catch (error) {
      throw new OptionsError(path, (error as Error).message, { cause: error });
    }
  };
  const fixed = read();
  return { id, skew, keys: () => fixed, renewed: () => undefined };
}

/** The key set that believes any signature. */
export function noKeySet(skew: number): KeySet {
  const rules = JSON.stringify({ skew: skew / 1000, optionalExp: true });
  const keys = { verifier: verifier("none", new Uint8Array(), rules) };
  return { id: undefined, skew, keys: () => keys, renewed: () => undefined };
}

function verifier(source: NativeKeySource, keys: Uint8Array, rules: string): NativeJwtVerifier {
  try {
    return loadNative().jwtVerifier(source, keys, rules);
  } catch (error) {
    throw errorFromNative(error);
  }
}

/** How long keys are fresh when neither the options nor the server say. */
const DEFAULT_LIFETIME = 3_600_000;
/** Servers that say "for ever" are asked once a day: they may have to take a key back. */
const MAX_LIFETIME = 86_400_000;
/** From which part of its lifetime on a set is fetched again while the old one serves, so that nobody has to wait. */
const AHEAD = 0.8;
/** How long to wait after a failure before the next try; twice as long after each further one. */
const FIRST_PAUSE = 1000;

class RemoteKeySet implements KeySet {
  readonly id: string;
  readonly skew: number;
  readonly #rules: string;
  readonly #remote: CheckedRemote;
  #keys: Keys | undefined;
  /** What `#keys` were read from. */
  #bytes: Uint8Array | undefined;
  #fresh = { ahead: 0, until: 0 };
  #fetching: Promise<Keys> | undefined;
  #tried = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #failure: JwtError | undefined;

  constructor({ id, rules, skew }: CheckedKeySet, remote: CheckedRemote) {
    this.id = id;
    this.skew = skew;
    this.#rules = rules;
    this.#remote = remote;
  }

  keys(now: number): Keys | Promise<Keys> {
    const mayTry = now - this.#tried >= this.#pause();
    // After a failure nobody waits for the next try as long as the old keys may serve: it may fail as slowly.
    if (this.#keys !== undefined && now < this.#fresh.until + (this.#failures > 0 ? this.#remote.staleIfError : 0)) {
      if (now >= this.#fresh.ahead && mayTry) {
        // A failure counts when the old keys may serve no longer.
        this.#fetch(now).catch(() => undefined);
      }
      return this.#keys;
    }
    if (this.#fetching === undefined && !mayTry && this.#failure !== undefined) {
      throw this.#failure;
    }
    return this.#fetch(now).catch((error) => this.#stale(now, error));
  }

  renewed(now: number): Promise<Keys> | undefined {
    if (this.#fetching !== undefined) {
      return this.#fetching;
    }
    return now - this.#tried >= this.#remote.cooldown ? this.#fetch(now) : undefined;
  }

  #pause(): number {
    return this.#failures === 0 ? 0 : Math.min(this.#remote.cooldown, FIRST_PAUSE * 2 ** (this.#failures - 1));
  }

  /** Keys that are no longer fresh, when no others can be had; for a while. */
  #stale(now: number, failure: JwtError): Keys {
    if (this.#keys === undefined || now >= this.#fresh.until + this.#remote.staleIfError) {
      throw failure;
    }
    return this.#keys;
  }

  /** Fetches keys; while it is under way, all who ask wait for the one answer. */
  #fetch(now: number): Promise<Keys> {
    this.#fetching ??= this.#fetchNow(now).finally(() => {
      this.#fetching = undefined;
    });
    return this.#fetching;
  }

  async #fetchNow(now: number): Promise<Keys> {
    const { url, timeout, cooldown, refreshInterval } = this.#remote;
    this.#tried = now;
    try {
      const { bytes, lifetime } = await fetchKeys(url, timeout);
      if (this.#keys === undefined || this.#bytes === undefined || !equal(this.#bytes, bytes)) {
        this.#keys = { verifier: verifier("remote", bytes, this.#rules) };
        this.#bytes = bytes;
      }
      const span = Math.min(Math.max(refreshInterval ?? lifetime ?? DEFAULT_LIFETIME, cooldown), MAX_LIFETIME);
      this.#fresh = { ahead: now + span * AHEAD, until: now + span };
      this.#failures = 0;
      return this.#keys;
    } catch (cause) {
      this.#failures += 1;
      this.#failure = new JwtError("JWT_KEYS_UNAVAILABLE", unavailable(this.id, url, cause), { cause });
      throw this.#failure;
    }
  }
}

function unavailable(id: string, url: URL, cause: unknown): string {
  const { message, cause: inner } = cause as Error;
  const reason = inner instanceof Error && message === "fetch failed" ? inner.message : message;
  return `the keys of the key set ${JSON.stringify(id)} cannot be had from ${url.origin}${url.pathname}: ${reason}`;
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, index) => byte === right[index]);
}
