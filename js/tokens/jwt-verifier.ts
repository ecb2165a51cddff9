import { loadNative } from "#platform";
import { errorFromNative } from "../engine/native.js";
import { JwtError, OptionsError } from "../errors.js";
import type { JwtClaims } from "./jwt-claims.js";
import { type KeySet, type Keys, keySet, noKeySet } from "./jwt-keys.js";
import { type CheckedJwtOptions, checkJwtOptions, checkKeySetId, type JwtOptions } from "./jwt-options.js";
import { isRevoked } from "./revocation-check.js";
import { VerifiedTokens } from "./verified-tokens.js";

/** The header of a token. */
export interface JwtHeader {
  readonly alg: string;
  readonly kid?: string;
  readonly typ?: string;
  readonly [member: string]: unknown;
}

/** A token that is to be trusted. Frozen, because others may get the same object. */
export interface VerifiedJwt {
  readonly claims: JwtClaims;
  readonly header: JwtHeader;
  /** The key set that it was verified by; `undefined` where verification is disabled. */
  readonly keySetId: string | undefined;
}

export interface VerifyOptions {
  /** The key set; may be left out where there is one alone. */
  keySetId?: string | undefined;
}

/** Longer tokens are not even handed to the addon, which would refuse them. */
const MAX_TOKEN_LENGTH = 16 * 1024;

/**
 * Verifies JSON Web Tokens.
 *
 * ```js
 * const verifier = new JwtVerifier({
 *   keySets: [{ id: "login", remote: { url: "https://login.example.com/jwks.json" }, issuer: "https://login.example.com" }],
 * });
 * const { claims } = await verifier.verify(token);
 * ```
 */
export class JwtVerifier {
  readonly #options: CheckedJwtOptions;
  readonly #keySets: Map<string, KeySet>;
  /** Serves requests that name no key set. */
  readonly #default: KeySet | undefined;
  readonly #verified: VerifiedTokens;

  /**
   * Reads local keys; remote ones are fetched when they are needed. Throws `OptionsError`, whose `path` begins with that of the
   * options (by default nothing), or `BinaryError`.
   */
  constructor(options: JwtOptions, path = "") {
    const checked = checkJwtOptions(options, path);
    this.#options = checked;
    const keySets = checked.keySets.map(keySet);
    this.#keySets = new Map(checked.keySets.map(({ id }, index) => [id, keySets[index] as KeySet]));
    this.#default = checked.disableVerification ? noKeySet(checked.skew) : onlyOne(keySets);
    this.#verified = new VerifiedTokens(checked.cacheSize);
  }

  /**
   * Verifies a token. Rejects with a `JwtError`, whose `code` says why the token is refused, or with an `OptionsError` where the
   * options are wrong.
   */
  async verify(token: string, options: VerifyOptions = {}): Promise<VerifiedJwt> {
    return this.decide(token, checkKeySetId(options));
  }

  /**
   * {@link JwtVerifier.verify} without a promise where none is needed: with keys at hand, and a revocation list, if any, that
   * answers at once. Throws, or rejects with, a `JwtError`.
   * @internal
   */
  decide(token: string, keySetId: string | undefined): VerifiedJwt | Promise<VerifiedJwt> {
    if (typeof token !== "string") {
      throw new JwtError(
        "JWT_MALFORMED",
        `a token must be a string, not ${token === null ? "null" : `a ${typeof token}`}`,
      );
    }
    if (token.length > MAX_TOKEN_LENGTH) {
      const message = `the token has ${token.length} characters; at most ${MAX_TOKEN_LENGTH} are read`;
      throw new JwtError("JWT_TOO_LARGE", message);
    }
    const keySet = this.#keySet(keySetId);
    const now = this.#now();
    const keys = keySet.keys(now);
    return keys instanceof Promise
      ? keys.then((keys) => this.#verifyBy(keySet, keys, token, this.#now()))
      : this.#verifyBy(keySet, keys, token, now);
  }

  #now(): number {
    if (this.#options.now === undefined) {
      return Date.now();
    }
    const now = this.#options.now().getTime();
    if (Number.isNaN(now)) {
      throw new OptionsError("now", "must return a valid Date");
    }
    return now;
  }

  #keySet(id: string | undefined): KeySet {
    // As in Cerbos, an empty id is none.
    const named =
      this.#options.disableVerification || id === undefined || id === "" ? this.#default : this.#keySets.get(id);
    if (named === undefined) {
      const problem = id
        ? `there is no key set ${JSON.stringify(id)}`
        : "which of the key sets (keySetId) must be said";
      throw new JwtError("JWT_KEY_SET_UNKNOWN", `${problem}; there are ${[...this.#keySets.keys()].join(", ")}`);
    }
    return named;
  }

  #verifyBy(keySet: KeySet, keys: Keys, token: string, now: number): VerifiedJwt | Promise<VerifiedJwt> {
    const known = this.#verified.get(token, keys, now);
    if (known !== undefined) {
      return this.#unrevoked(known);
    }
    let verified: VerifiedJwt;
    try {
      verified = this.#verifyNow(keySet, keys, token, now);
    } catch (error) {
      const renewed = (error as JwtError).code === "JWT_KEY_UNKNOWN" ? keySet.renewed(now) : undefined;
      if (renewed === undefined) {
        throw error;
      }
      return renewed.then((keys) => this.#unrevoked(this.#verifyNow(keySet, keys, token, this.#now())));
    }
    return this.#unrevoked(verified);
  }

  #verifyNow(keySet: KeySet, keys: Keys, token: string, now: number): VerifiedJwt {
    let text: string;
    try {
      text = loadNative().verifyJwt(keys.verifier, token, now);
    } catch (error) {
      throw errorFromNative(error);
    }
    const [header, claims] = JSON.parse(text) as [JwtHeader, JwtClaims];
    const verified = freeze({ claims, header, keySetId: keySet.id });
    const until = claims.exp === undefined ? Number.POSITIVE_INFINITY : claims.exp * 1000 + keySet.skew;
    this.#verified.add(token, { keys, until, verified });
    return verified;
  }

  /** The token, unless it is revoked. */
  #unrevoked(verified: VerifiedJwt): VerifiedJwt | Promise<VerifiedJwt> {
    const { revocation } = this.#options;
    if (revocation === undefined) {
      return verified;
    }
    const judged = (revoked: boolean): VerifiedJwt => {
      if (revoked) {
        throw new JwtError("JWT_REVOKED", "the token is revoked");
      }
      return verified;
    };
    const answer = isRevoked(revocation, verified.claims);
    return answer instanceof Promise ? answer.then(judged) : judged(answer);
  }
}

function onlyOne<T>(list: T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

/** Freezes a value and all in it. */
function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    Object.values(value).forEach(freeze);
  }
  return value;
}

/** Makes a {@link JwtVerifier}. Throws `OptionsError` or `BinaryError`. */
export function createVerifier(options: JwtOptions): JwtVerifier {
  return new JwtVerifier(options);
}
