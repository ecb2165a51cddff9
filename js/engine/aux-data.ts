/** Tokens of a request to the claims that policies read. */

import { JwtError, RequestError } from "../errors.js";
import { claimsOfPolicies } from "../tokens/jwt-claims.js";
import type { JwtVerifier } from "../tokens/jwt-verifier.js";
import type { AuxData, JWT } from "./request.js";

/** The claims of a token. */
export type DecodedJWTPayload = Record<string, unknown>;

/**
 * Verifies a token and returns its claims, or a promise of them; throws (or rejects) if the token is not to be trusted. What it
 * returns is believed: verify signature, expiry, issuer and audience.
 */
export type DecodeJWTPayload = (jwt: JWT) => DecodedJWTPayload | PromiseLike<DecodedJWTPayload>;

/** The claims of a token that stands at a path of a request; throws, or rejects with, a `RequestError`. */
export type TokenDecoder = (jwt: JWT, path: string) => DecodedJWTPayload | Promise<DecodedJWTPayload>;

/** The claims of all tokens of a request. */
export interface AuxClaims {
  jwt?: DecodedJWTPayload | undefined;
  jwts?: Record<string, DecodedJWTPayload> | undefined;
}

/** The claims of a request's tokens; a promise only if the decoder returned one. Throws a `RequestError`. */
export function decodeAuxData(
  auxData: AuxData | undefined,
  decode: TokenDecoder | undefined,
): AuxClaims | undefined | Promise<AuxClaims> {
  if (auxData === undefined) {
    return undefined;
  }
  if (typeof auxData !== "object" || auxData === null) {
    throw new RequestError("REQUEST_INVALID", "auxData", "must be an object");
  }
  const { jwt, jwts } = auxData;
  if (jwt !== undefined && jwts !== undefined) {
    throw new RequestError("REQUEST_INVALID", "auxData", "must have either jwt or jwts, not both");
  }
  if (jwt !== undefined) {
    const claims = decodeToken(jwt, "auxData.jwt", decode);
    return claims instanceof Promise ? claims.then((jwt) => ({ jwt })) : { jwt: claims };
  }
  if (jwts === undefined) {
    return undefined;
  }
  if (typeof jwts !== "object" || jwts === null || Array.isArray(jwts)) {
    throw new RequestError("REQUEST_INVALID", "auxData.jwts", "must be an object from name to token");
  }
  const names = Object.keys(jwts);
  if (names.length === 0) {
    return undefined;
  }
  const decoded: ReturnType<typeof decodeToken>[] = [];
  try {
    for (const name of names) {
      decoded.push(decodeToken(jwts[name] as JWT, `auxData.jwts[${JSON.stringify(name)}]`, decode));
    }
  } catch (error) {
    // Nobody waits for the tokens before this one any more: an unhandled rejection of one would end the process.
    for (const claims of decoded) {
      Promise.resolve(claims).catch(() => undefined);
    }
    throw error;
  }
  const named = (claims: DecodedJWTPayload[]): AuxClaims => ({
    jwts: Object.fromEntries(claims.map((claim, index) => [names[index], claim])),
  });
  return decoded.some((claims) => claims instanceof Promise)
    ? Promise.all(decoded).then(named)
    : named(decoded as DecodedJWTPayload[]);
}

function decodeToken(
  jwt: JWT,
  path: string,
  decode: TokenDecoder | undefined,
): DecodedJWTPayload | Promise<DecodedJWTPayload> {
  if (typeof jwt !== "object" || jwt === null) {
    throw new RequestError("REQUEST_INVALID", path, "must be an object with a token");
  }
  if (typeof jwt.token !== "string" || jwt.token === "") {
    throw new RequestError("REQUEST_INVALID", `${path}.token`, "must be a string that is not empty");
  }
  if (decode === undefined) {
    throw new RequestError(
      "REQUEST_JWT_UNSUPPORTED",
      path,
      "a token needs the option auxData.jwt, which names the keys to verify it by, or decodeJWTPayload",
    );
  }
  return decode(jwt, path);
}

/** The claims of a token that a verifier accepts. */
export function verifiedClaims(
  verifier: JwtVerifier,
  { token, keySetId }: JWT,
  path: string,
): DecodedJWTPayload | Promise<DecodedJWTPayload> {
  const refused = (error: unknown): never => {
    if (!(error instanceof JwtError)) {
      throw error;
    }
    const code = error.retryable ? "REQUEST_JWT_UNAVAILABLE" : "REQUEST_JWT_INVALID";
    throw new RequestError(code, path, `${error.code}: ${error.message}`, { cause: error });
  };
  try {
    const verified = verifier.decide(token, keySetId);
    return verified instanceof Promise
      ? verified.then(({ claims }) => claimsOfPolicies(claims), refused)
      : claimsOfPolicies(verified.claims);
  } catch (error) {
    return refused(error);
  }
}

/** The claims of a token as the option `decodeJWTPayload` tells them. */
export function decodedClaims(
  decode: DecodeJWTPayload,
  jwt: JWT,
  path: string,
): DecodedJWTPayload | Promise<DecodedJWTPayload> {
  const checked = (claims: unknown): DecodedJWTPayload => {
    if (typeof claims !== "object" || claims === null || Array.isArray(claims)) {
      throw new RequestError("REQUEST_JWT_INVALID", path, "decodeJWTPayload must return an object of claims");
    }
    return claims as DecodedJWTPayload;
  };
  const refused = (cause: unknown): never => {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new RequestError("REQUEST_JWT_INVALID", path, `decodeJWTPayload refused it: ${message}`, { cause });
  };
  let claims: DecodedJWTPayload | PromiseLike<DecodedJWTPayload>;
  try {
    claims = decode(jwt);
  } catch (error) {
    return refused(error);
  }
  return isThenable(claims) ? Promise.resolve(claims).catch(refused).then(checked) : checked(claims);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function";
}
