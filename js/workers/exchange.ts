/** One request on its way through a worker: what is known of it, and how it is answered. */

import type { WorkerLogEntry, WorkerOutcome } from "./log.js";
import { type NormalPath, normalizePath } from "./path.js";

const STATUS: Record<Exclude<WorkerOutcome, "allowed">, number> = {
  "bad-request": 400,
  unauthenticated: 401,
  forbidden: 403,
  "rate-limited": 429,
  unavailable: 503,
};

const BODIES: Record<keyof typeof STATUS, string> = {
  "bad-request": "bad request",
  unauthenticated: "unauthorized",
  forbidden: "forbidden",
  "rate-limited": "too many requests",
  unavailable: "unavailable",
};

/** Why a request does not pass. */
export class Stop {
  constructor(
    readonly outcome: keyof typeof STATUS,
    /** A stable code, for the log. */
    readonly reason: string,
    /** For the log. */
    readonly message?: string,
    readonly headers: Record<string, string> = {},
  ) {}

  get status(): number {
    return STATUS[this.outcome];
  }

  /** The answer, which tells a client no more than it has to know. */
  response(): Response {
    const headers = { "cache-control": "no-store", ...this.headers };
    return Response.json({ error: BODIES[this.outcome] }, { status: this.status, headers });
  }
}

/** What is known of a request so far. */
export interface Exchange {
  readonly request: Request;
  readonly url: URL;
  readonly path: NormalPath;
  /** What the log will tell. */
  readonly known: Partial<WorkerLogEntry>;
}

/** A request with its path in the one spelling; or why there is none. */
export function exchange(request: Request, known: Partial<WorkerLogEntry>): Exchange | Stop {
  const url = new URL(request.url);
  const path = normalizePath(url.pathname);
  if (typeof path === "string") {
    known.path = url.pathname.slice(0, 200);
    return new Stop("bad-request", "AMBIGUOUS_PATH", `the path has ${path}`);
  }
  known.path = path.text;
  url.pathname = path.text;
  return { request, url, path, known };
}

/** Runs a request to its end, and tells of it. */
export async function answer(
  worker: WorkerLogEntry["worker"],
  request: Request,
  tell: (entry: WorkerLogEntry) => void,
  run: (known: Partial<WorkerLogEntry>) => Promise<Response | Stop>,
): Promise<Response> {
  const start = Date.now();
  const known: Partial<WorkerLogEntry> = {};
  let ended: Response | Stop;
  try {
    ended = await run(known);
  } catch (error) {
    // What nobody has foreseen allows nothing.
    ended = new Stop("unavailable", codeOf(error), error instanceof Error ? error.message : String(error));
  }
  const stopped = ended instanceof Stop ? ended : undefined;
  tell({
    event: "authorization",
    worker,
    outcome: stopped?.outcome ?? "allowed",
    status: ended.status,
    reason: stopped?.reason,
    message: stopped?.message,
    method: request.method,
    path: "",
    ...known,
    duration: Date.now() - start,
    ray: request.headers.get("cf-ray") ?? undefined,
  });
  return ended instanceof Stop ? ended.response() : ended;
}

/** The stable code of an error of this package. */
export function codeOf(error: unknown): string {
  const { code } = (error ?? {}) as { code?: unknown };
  return typeof code === "string" ? code : "FAILED";
}
