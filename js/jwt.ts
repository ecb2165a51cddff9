/** Verifying JSON Web Tokens. Start at {@link createVerifier}. */

export { JwtError, type JwtErrorCode } from "./errors.js";
export type { Duration } from "./tokens/duration.js";
export type { JwtClaims } from "./tokens/jwt-claims.js";
export type {
  InsecureOptions,
  JwtAlgorithm,
  JwtOptions,
  KeySetOptions,
  LocalKeySetOptions,
  RemoteKeySetOptions,
} from "./tokens/jwt-options.js";
export {
  createVerifier,
  type JwtHeader,
  JwtVerifier,
  type VerifiedJwt,
  type VerifyOptions,
} from "./tokens/jwt-verifier.js";
export {
  type IoRedisClient,
  MemoryRevocationList,
  type NodeRedisClient,
  RedisRevocationList,
  type RedisRevocationListOptions,
  type Revocation,
  type RevocationList,
} from "./tokens/revocation.js";
export type { RevocationOptions } from "./tokens/revocation-check.js";
