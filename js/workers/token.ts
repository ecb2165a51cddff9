/** Verifying tokens by WebCrypto, through `jose`: for runtimes that have no native addon. */

import { errors, type JWTPayload, jwtVerify } from "jose";
import type { DecodeJWTPayload } from "../engine/aux-data.js";
import type { Principal, Value } from "../engine/request.js";
import { IdentityError, JwtError, type JwtErrorCode, OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import { unknownOption } from "../options-names.js";
import { type Duration, milliseconds, timeout } from "../tokens/duration.js";
import { keySetUrl } from "../tokens/jwks.js";
import type { JwtClaims } from "../tokens/jwt-claims.js";
import type { RevocationList } from "../tokens/revocation.js";
import {
  type CheckedRevocation,
  checkRevocation,
  isRevoked,
  type RevocationOptions,
} from "../tokens/revocation-check.js";
import { KeyCache, type KeyNamespace } from "./keys.js";

/** Algorithms of keys that are published. `none`, and those of a shared secret, are no choice. */
export type TokenAlgorithm =
  | "RS256"
  | "RS384"
  | "RS512"
  | "PS256"
  | "PS384"
  | "PS512"
  | "ES256"
  | "ES384"
  | "ES512"
  | "EdDSA";

const ALGORITHMS = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA".split(" ");

/** The claims of a token that is believed: it always has a subject. */
export type TokenClaims = JwtClaims & { readonly sub: string };

/** Which tokens are believed. */
export interface TokenOptions {
  /** Where the identity provider publishes its keys: https, but for this machine. */
  jwksUrl: string | URL;
  issuer: string | readonly string[];
  /**
   * Whom tokens must be for. `false` where tokens name nobody, and the issuer serves this application alone, as with session tokens of
   * Clerk.
   */
  audience: string | readonly string[] | false;
  /** Default: RS256, ES256 and EdDSA. */
  algorithms?: readonly TokenAlgorithm[] | undefined;
  /** Claims that a token must have, beside `sub` and `exp`. */
  requiredClaims?: readonly string[] | undefined;
  /** The `typ` that tokens must have in their header, such as `at+jwt`. Default: any. */
  type?: string | undefined;
  /** By how much clocks may differ. Default: 5 seconds. */
  skew?: Duration | undefined;
  /** How long keys are fresh. Default: 10 minutes. */
  ttl?: Duration | undefined;
  /** How long after that they serve while the provider cannot be reached. Default: a day. */
  staleIfError?: Duration | undefined;
  /** How soon the provider is asked again after it failed, or after a key that it did not know. Default: 30 seconds. */
  cooldown?: Duration | undefined;
  /** How long to wait for the provider. Default: 5 seconds. */
  timeout?: Duration | undefined;
  /** Keeps keys for isolates that start while the provider cannot be reached. */
  kv?: KeyNamespace | undefined;
  /** Tokens that are refused although they have not expired. */
  revocation?: RevocationList | RevocationOptions | undefined;
  /** The clock, for tests. */
  now?: (() => Date) | undefined;
}

const OPTIONS = [
  "jwksUrl",
  "issuer",
  "audience",
  "algorithms",
  "requiredClaims",
  "type",
  "skew",
  "ttl",
  "staleIfError",
  "cooldown",
  "timeout",
  "kv",
  "revocation",
  "now",
];

const MAX_TOKEN_LENGTH = 16 * 1024;
const MINUTE = 60_000;

/** Verifies tokens; made once, because it keeps the keys. */
export class TokenVerifier {
  readonly #keys: KeyCache;
  readonly #rules: {
    issuer: string[];
    audience?: string[];
    algorithms: string[];
    requiredClaims: string[];
    clockTolerance: number;
    typ?: string;
  };
  readonly #revocation: CheckedRevocation | undefined;
  readonly #now: () => Date;

  /** Throws an `OptionsError`. */
  constructor(options: TokenOptions, path = "token") {
    const at = (name: string) => `${path}.${name}`;
    if (!isRecord(options)) {
      throw new OptionsError(path, "must be an object");
    }
    const unknown = Object.keys(options).find((name) => !OPTIONS.includes(name));
    if (unknown !== undefined) {
      throw new OptionsError(at(unknown), unknownOption(unknown, OPTIONS));
    }
    const { now = () => new Date() } = options;
    this.#now = now;
    this.#keys = new KeyCache({
      url: keySetUrl(options.jwksUrl, at("jwksUrl")),
      ttl: milliseconds(options.ttl, at("ttl"), 10 * MINUTE),
      staleIfError: milliseconds(options.staleIfError, at("staleIfError"), 24 * 60 * MINUTE),
      cooldown: milliseconds(options.cooldown, at("cooldown"), MINUTE / 2),
      timeout: timeout(options.timeout, at("timeout"), 5000),
      kv: options.kv,
      now: () => now().getTime(),
    });
    const algorithms = texts(options.algorithms ?? ["RS256", "ES256", "EdDSA"], at("algorithms"));
    const wrong = algorithms.find((name) => !ALGORITHMS.includes(name));
    if (wrong !== undefined) {
      throw new OptionsError(
        at("algorithms"),
        `${wrong} is no algorithm of published keys: there are ${ALGORITHMS.join(", ")}`,
      );
    }
    const { type } = options;
    this.#rules = {
      issuer: texts(options.issuer, at("issuer")),
      ...(options.audience === false ? {} : { audience: texts(options.audience, at("audience")) }),
      algorithms,
      requiredClaims: [
        "sub",
        "exp",
        ...(options.requiredClaims === undefined ? [] : texts(options.requiredClaims, at("requiredClaims"))),
      ],
      clockTolerance: milliseconds(options.skew, at("skew"), 5000) / 1000,
      ...(type === undefined ? {} : { typ: type }),
    };
    this.#revocation = checkRevocation(options.revocation, at("revocation"));
  }

  /** The claims of a token. Rejects with a `JwtError`, whose `code` says why it is refused. */
  async verify(token: string): Promise<TokenClaims> {
    if (typeof token !== "string" || token.length > MAX_TOKEN_LENGTH) {
      throw new JwtError("JWT_TOO_LARGE", `the token has more than ${MAX_TOKEN_LENGTH} characters, or is none`);
    }
    const claims = await this.#verify(token);
    if (this.#revocation !== undefined && (await isRevoked(this.#revocation, claims))) {
      throw new JwtError("JWT_REVOKED", "the token is revoked");
    }
    return claims;
  }

  /** The same as the option `decodeJWTPayload` of an engine wants it. */
  get decodeJWTPayload(): DecodeJWTPayload {
    return async ({ token }) => ({ ...(await this.verify(token)) });
  }

  async #verify(token: string): Promise<TokenClaims> {
    const verify = async (keys: Parameters<typeof jwtVerify>[1]) => {
      const { payload } = await jwtVerify(token, keys as never, { ...this.#rules, currentDate: this.#now() });
      return checkClaims(payload, this.#now().getTime() / 1000 + this.#rules.clockTolerance);
    };
    const keys = await this.#keys.keys();
    try {
      return await verify(keys as never);
    } catch (error) {
      const renewed = error instanceof errors.JWKSNoMatchingKey ? await this.#keys.renewed() : undefined;
      if (renewed === undefined) {
        throw jwtError(error);
      }
      return verify(renewed as never).catch((error) => {
        throw jwtError(error);
      });
    }
  }
}

/**
 * The principal of a token: its subject with the roles of its claim `roles`, which must be a list of texts: a text alone would
 * be searched letter by letter. Throws an `IdentityError`.
 */
export function principalFromClaims(claims: JwtClaims): Principal {
  const { sub, roles = [] } = claims;
  if (typeof sub !== "string" || sub === "") {
    throw new IdentityError("IDENTITY_INVALID", "the token has no subject");
  }
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === "string" && role !== "")) {
    throw new IdentityError("IDENTITY_INVALID", "the claim roles must be a list of texts");
  }
  const attr: Record<string, Value> = { authenticated: true };
  for (const name of ["iss", "org_id"]) {
    const value = claims[name];
    if (typeof value === "string") {
      attr[name === "org_id" ? "org" : name] = value;
    }
  }
  // Policies must be able to name somebody who has no role of their own.
  return { id: sub, roles: roles.length === 0 ? ["user"] : [...new Set(roles as string[])], attr };
}

function checkClaims(payload: JWTPayload, latest: number): TokenClaims {
  const { sub, iat } = payload;
  if (typeof sub !== "string" || sub === "") {
    throw new JwtError("JWT_CLAIM_MISSING", "the claim sub is empty or no text");
  }
  if (typeof iat === "number" && iat > latest) {
    throw new JwtError("JWT_NOT_YET_VALID", "the token was issued in the future");
  }
  return payload as TokenClaims;
}

const CODES: [new (...args: never[]) => Error, JwtErrorCode][] = [
  [errors.JWTExpired, "JWT_EXPIRED"],
  [errors.JOSEAlgNotAllowed, "JWT_ALGORITHM"],
  [errors.JWSSignatureVerificationFailed, "JWT_SIGNATURE"],
  [errors.JWKSNoMatchingKey, "JWT_KEY_UNKNOWN"],
  [errors.JWKSMultipleMatchingKeys, "JWT_KEY_UNKNOWN"],
  [errors.JOSENotSupported, "JWT_CRITICAL"],
];

/** jose's errors by our codes. */
function jwtError(error: unknown): JwtError {
  if (error instanceof JwtError) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof errors.JWTClaimValidationFailed) {
    return new JwtError(claimCode(error), message, { cause: error });
  }
  const [, code = "JWT_MALFORMED"] = CODES.find(([kind]) => error instanceof kind) ?? [];
  return new JwtError(code as JwtErrorCode, message, { cause: error });
}

function claimCode({ claim, reason }: errors.JWTClaimValidationFailed): JwtErrorCode {
  if (reason === "missing") {
    return "JWT_CLAIM_MISSING";
  }
  switch (claim) {
    case "iss":
      return "JWT_ISSUER";
    case "aud":
      return "JWT_AUDIENCE";
    case "nbf":
    case "iat":
      return reason === "check_failed" ? "JWT_NOT_YET_VALID" : "JWT_MALFORMED";
    case "typ":
      return "JWT_TYPE";
    default:
      return "JWT_MALFORMED";
  }
}

function texts(value: unknown, path: string): string[] {
  const list = typeof value === "string" ? [value] : value;
  if (!Array.isArray(list) || list.length === 0 || !list.every((text) => typeof text === "string" && text !== "")) {
    throw new OptionsError(path, "must be a text, or a list of texts, that are not empty");
  }
  return [...list];
}
