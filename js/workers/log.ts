/** What is told of each request: to a log, and as counters. */

import { OptionsError } from "../errors.js";

/** How a request ended. */
export type WorkerOutcome =
  | "allowed"
  | "bad-request"
  | "unauthenticated"
  | "forbidden"
  | "rate-limited"
  | "unavailable";

/** One request. It holds no token, no other secret, and no query. */
export interface WorkerLogEntry {
  event: "authorization";
  worker: "auth" | "authz" | "auth+authz";
  outcome: WorkerOutcome;
  status: number;
  /** Why, by a stable code: that of an error of this package, or one of `NO_TOKEN`, `NO_IDENTITY`, `NO_ROUTE`, `DENIED`, `AMBIGUOUS_PATH`, `RATE_LIMITED`, `POLICIES_UNAVAILABLE`. */
  reason?: string | undefined;
  /** More of that, for people. */
  message?: string | undefined;
  method: string;
  /** The path, normalised as far as that is possible. */
  path: string;
  /** The route that fits, as it is written. */
  route?: string | undefined;
  principal?: string | undefined;
  resource?: string | undefined;
  action?: string | undefined;
  /** The digest of the bundle that decided. */
  policies?: string | undefined;
  /** Milliseconds, as far as the runtime lets time be seen: in Workers it stands still between I/O. */
  duration: number;
  /** Cloudflare's name of the request. */
  ray?: string | undefined;
}

/** What is needed of an Analytics Engine dataset. */
export interface AnalyticsDataset {
  writeDataPoint(point: { indexes: string[]; blobs: string[]; doubles: number[] }): void;
}

/** Where a request is told of. */
export interface WorkerLogOptions {
  /** Default: a line of JSON by `console.log`. What it throws is passed over. */
  log?: ((entry: WorkerLogEntry) => void) | undefined;
  /**
   * Counters: index outcome; blobs worker, outcome, reason, route, method; doubles 1 and the duration.
   */
  analytics?: AnalyticsDataset | undefined;
}

/** Tells of a request; never throws. */
export type Tell = (entry: WorkerLogEntry) => void;

/** Throws an `OptionsError`. */
export function teller({ log = toConsole, analytics }: WorkerLogOptions): Tell {
  if (typeof log !== "function") {
    throw new OptionsError("log", "must be a function");
  }
  if (analytics !== undefined && typeof analytics?.writeDataPoint !== "function") {
    throw new OptionsError("analytics", "must be a dataset of Analytics Engine: is it bound in wrangler.toml?");
  }
  return (entry) => {
    try {
      log(entry);
      analytics?.writeDataPoint({
        indexes: [entry.outcome],
        blobs: [entry.worker, entry.outcome, entry.reason ?? "", entry.route ?? "", entry.method],
        doubles: [1, entry.duration],
      });
    } catch {
      // A log that fails decides nothing.
    }
  };
}

function toConsole(entry: WorkerLogEntry): void {
  console.log(JSON.stringify(entry));
}
