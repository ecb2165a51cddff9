/**
 * Cloudflare Workers that let requests pass only if the policies allow it: an auth-worker and an authz-worker behind it, or both in
 * one. Needs `jose`.
 */

export { JwtError, type JwtErrorCode } from "./errors.js";
export type { Revocation, RevocationList } from "./tokens/revocation.js";
export type { AuthenticationOptions, RateLimit } from "./workers/authentication.js";
export type { AuthorizationOptions, Origin, PassedRequest, WaitUntil, WorkerEngine } from "./workers/authorization.js";
export {
  type AuthWorkerOptions,
  type AuthzBinding,
  type AuthzWorker,
  type AuthzWorkerOptions,
  authWorker,
  authzWorker,
  type FromEnv,
  type SingleWorkerOptions,
  singleWorker,
  type WorkerHandler,
} from "./workers/handlers.js";
export type { WorkerIdentity } from "./workers/identity.js";
export type { KeyNamespace } from "./workers/keys.js";
export { KVRevocationList, type RevocationNamespace } from "./workers/kv-revocation.js";
export type { AnalyticsDataset, WorkerLogEntry, WorkerLogOptions, WorkerOutcome } from "./workers/log.js";
export { type NormalPath, normalizePath } from "./workers/path.js";
export { type Route, type RouteAttribute, type RouteMatch, Routes } from "./workers/routes.js";
export {
  principalFromClaims,
  type TokenAlgorithm,
  type TokenClaims,
  type TokenOptions,
  TokenVerifier,
} from "./workers/token.js";
