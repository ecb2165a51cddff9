/** Verifying JSON Web Tokens. Start at {@link createVerifier}. */

export type { Duration } from "./duration.js";
export { JwtError, type JwtErrorCode } from "./errors.js";
export type {
  InsecureOptions,
  JwtAlgorithm,
  JwtOptions,
  KeySetOptions,
  LocalKeySetOptions,
  RemoteKeySetOptions,
  RevocationOptions,
} from "./jwt-options.js";
export {
  createVerifier,
  type JwtClaims,
  type JwtHeader,
  JwtVerifier,
  type VerifiedJwt,
  type VerifyOptions,
} from "./jwt-verifier.js";
export {
  type IoRedisClient,
  MemoryRevocationList,
  type NodeRedisClient,
  RedisRevocationList,
  type RedisRevocationListOptions,
  type Revocation,
  type RevocationList,
} from "./revocation.js";
