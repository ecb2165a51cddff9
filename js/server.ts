/** A server that decides by an engine: Cerbos' API over HTTP and gRPC, AuthZEN, and the questions of proxies. */

export type { ServerEvent } from "./engine/native.js";
export { ServerError } from "./errors.js";
export type {
  AnonymousOptions,
  CertificateIdentityOptions,
  ClaimsMappingOptions,
  GatewayOptions,
  GatewayProxy,
  TokenIdentityOptions,
} from "./server/gateway-options.js";
export type {
  ListeningOptions,
  LogRotationOptions,
  ServeOptions,
  ServerAddresses,
  ServerAuditOptions,
  ServerTlsOptions,
} from "./server/options.js";
export { type Server, serve } from "./server/serve.js";
