/** What a server is made with: the names that `.cerbos.yaml` has for it. */

import type { ServerEvent } from "../engine/native.js";
import type { JwtOptions } from "../tokens/jwt-options.js";
import type { GatewayOptions } from "./gateway-options.js";

/** Durations are texts such as `30s`, `1h15m` or `250ms`. */
export interface ListeningOptions {
  /** `HOST:PORT`, `:PORT`, or `unix:PATH`. Default: `:3592`. With port 0 the system chooses one. */
  httpListenAddr?: string;
  /** The same for gRPC; empty for none. Default: `:3593`. */
  grpcListenAddr?: string;
  /** Permissions of Unix sockets, in octal. Default: `0o766`. */
  udsFileMode?: string;
  tls?: ServerTlsOptions;
  cors?: { disabled?: boolean; allowedOrigins?: string[]; allowedHeaders?: string[]; maxAge?: string };
  /** Default: 50 each. */
  requestLimits?: { maxActionsPerResource?: number; maxResourcesPerRequest?: number };
  /** `/_cerbos/metrics`. Default: true. */
  metricsEnabled?: boolean;
  /** Tells `log` of each answer, with all that is in it. Default: false. */
  logRequestPayloads?: boolean;
  /** The page at `/`. Default: true. */
  apiExplorerEnabled?: boolean;
  advanced?: {
    http?: { readTimeout?: string; readHeaderTimeout?: string; writeTimeout?: string; idleTimeout?: string };
    grpc?: {
      maxRecvMsgSizeBytes?: number;
      maxConnectionAge?: string;
      connectionTimeout?: string;
      maxConcurrentStreams?: number;
    };
  };
  /** How many threads answer. Default: one a core. */
  threads?: number;
}

/** Files in PEM; they are read again when they change. */
export interface ServerTlsOptions {
  cert: string;
  key: string;
  /** With it, clients must have a certificate that it has signed. */
  caCert?: string;
}

export interface ServerAuditOptions {
  /** Default: false. */
  enabled?: boolean;
  accessLogsEnabled?: boolean;
  decisionLogsEnabled?: boolean;
  backend?: "file";
  /** Headers of requests that are logged: these alone, or all but those. Default: none. Credentials never are. */
  includeMetadataKeys?: string[];
  excludeMetadataKeys?: string[];
  decisionLogFilters?: { checkResources?: { ignoreAllowAll?: boolean } };
  /** `path` is a file, `stdout` or `stderr`. */
  file?: { path: string; additionalPaths?: string[]; logRotation?: LogRotationOptions };
  /** Values that become `[MASKED]`, by paths such as `inputs[*].principal.attr.email` or `peer.address`. */
  mask?: string[];
}

export interface LogRotationOptions {
  /** Default: 100. */
  maxFileSizeMB?: number;
  /** How old files may get that were put away; 0 for any age. */
  maxFileAgeDays?: number;
  /** How many are kept; 0 for all. */
  maxFileCount?: number;
}

export interface ServeOptions {
  server?: ListeningOptions;
  audit?: ServerAuditOptions;
  /** How the tokens of requests are verified. Without it, a request with tokens is refused. */
  auxData?: { jwt?: JwtOptions };
  /** The questions of proxies. */
  gateway?: GatewayOptions;
  /** Reads the policies again when files of the directory change. Default: false. */
  watch?: boolean;
  /** Spans, by the variables `OTEL_*` of the environment. Default: true; without them nothing is done. */
  traces?: boolean;
  /** Told what happens. Default: a line of JSON on stderr. */
  log?: (event: ServerEvent) => void;
}

/** Where a server listens: `HOST:PORT` or `unix:PATH`. */
export interface ServerAddresses {
  http: string;
  grpc: string | null;
}
