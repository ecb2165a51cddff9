/** What the guards of all frameworks share: who asks, for what, and what comes of it. */

import type { AuxData, Principal, Resource, ResourceCheck } from "../engine/request.js";
import type { CheckResourcesResult } from "../engine/result.js";
import { OptionsError, UndecidedError } from "../errors.js";
import { unknownName } from "../nearest.js";
import { Authz, type Engine } from "./authz.js";
import { allDenied, type Decisions, snapshot } from "./decisions.js";

export type Awaitable<T> = T | Promise<T>;

/** A value, or a function that returns or promises it. */
export type Source<Args extends unknown[], T> = T | ((...args: Args) => Awaitable<T>);

/** What an application sets once. `Args` is what the framework hands to functions: its request. */
export interface GuardSetup<Args extends unknown[], P extends Principal = Principal> {
  /** The engine, a promise of it, or a function that returns either and is called for every request. */
  engine: Source<[], Engine> | Promise<Engine>;
  /**
   * Who asks. `null` and `undefined` are nobody: 401. So is a principal with `attr.authenticated: false`, as the mappers make it
   * of a request without a session; but the policies are asked first, since they may allow something to everybody.
   */
  principal: Source<Args, P | null | undefined>;
  /** Tokens whose claims the policies may read. */
  auxData?: Source<Args, AuxData | undefined> | undefined;
  /** Is told why a request was refused, or could not be decided. The client never is. */
  log?: ((refusal: Refusal) => void) | undefined;
}

/** What a guard is to decide. */
export interface GuardQuestion<Args extends unknown[]> {
  /** What is acted on. `null` and `undefined`, for what does not exist, are refused as what is not allowed: 403. */
  resource: Source<Args, Resource | null | undefined>;
  /** What is to be done with it. */
  action: Source<Args, string>;
  /** Actions to decide in the same check, for `isAllowed` and `snapshot` later. They may be denied. */
  also?: readonly string[] | undefined;
  /** Have `result.metadata` tell which policy decided. Default: `false`. */
  includeMetadata?: boolean | undefined;
}

/** Setup and question in one. */
export type Guard<Args extends unknown[]> = GuardSetup<Args> & GuardQuestion<Args>;

/** Why a request does not pass. For the application: none of it is for the client. */
export interface Refusal {
  /**
   * - `unauthenticated`: nobody asks, or with a credential that is not accepted;
   * - `forbidden`: the policies do not allow it, or there is no such resource;
   * - `unavailable`: a credential cannot be verified now (no keys from the identity provider);
   * - `error`: a source or the engine failed.
   */
  outcome: "unauthenticated" | "forbidden" | "unavailable" | "error";
  /** What HTTP calls it. */
  status: 401 | 403 | 503 | 500;
  /** One sentence. */
  reason: string;
  /** As far as they were known by then. */
  principal?: Principal | undefined;
  resource?: Resource | undefined;
  action?: string | undefined;
  /** The decision that denied. */
  result?: CheckResourcesResult | undefined;
  /** What was thrown. */
  error?: unknown;
}

/** A refusal that the guard answers itself. */
export type Denial = Refusal & { outcome: "unauthenticated" | "forbidden" | "unavailable"; status: 401 | 403 | 503 };

/** What came of a question. */
export type Outcome = { outcome: "allowed"; authz: Authz } | Refusal;

const STATUS = { unauthenticated: 401, forbidden: 403, unavailable: 503, error: 500 } as const;

/** What a client is told, by status. */
const BODIES = {
  401: { error: "unauthorized" },
  403: { error: "forbidden" },
  503: { error: "unavailable" },
} as const;

const STATUS_TEXTS = { 401: "Unauthorized", 403: "Forbidden", 503: "Service Unavailable" } as const;

const SETUP = ["engine", "principal", "auxData", "log", "onDenied"];
const QUESTION = ["resource", "action", "also", "includeMetadata"];

/** What {@link checkGuard} checks. A `lookup` is a question of one request, about what the application has looked for. */
type Checked = "setup" | "question" | "lookup" | "guard";

/** Refuses options that are unknown or missing, when the guard is made and not when a request comes. */
export function checkGuard(options: object, needs: Checked, others: string[] = []): void {
  if (typeof options !== "object" || options === null) {
    throw new OptionsError("", "the options must be an object");
  }
  const known = [...SETUP, ...(needs === "setup" ? [] : QUESTION), ...others];
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new OptionsError(name, `there is no such option; ${unknownName(name, known)}`);
    }
  }
  const required = {
    setup: ["engine", "principal"],
    question: ["resource", "action"],
    lookup: ["action"],
    guard: ["engine", "principal", "resource", "action"],
  }[needs];
  for (const name of required) {
    if ((options as Record<string, unknown>)[name] === undefined) {
      throw new OptionsError(name, "is required");
    }
  }
  // What was looked for may not be there, but it has to be said.
  if (needs === "lookup" && !("resource" in options)) {
    throw new OptionsError("resource", "is required");
  }
  const { also } = options as { also?: unknown };
  if (also !== undefined && !(Array.isArray(also) && also.every((action) => typeof action === "string"))) {
    throw new OptionsError("also", "must be a list of actions");
  }
}

/** Decides. Never throws and never rejects: what goes wrong is a refusal. */
export async function decide<Args extends unknown[]>(guard: Guard<Args>, args: Args): Promise<Outcome> {
  const known: Pick<Refusal, "principal" | "resource" | "action" | "result"> = {};
  const refuse = (outcome: Refusal["outcome"], reason: string): Refusal => ({
    outcome,
    status: STATUS[outcome],
    reason,
    ...known,
  });
  const deny = (principal: Principal, reason: string) =>
    isNobody(principal) ? refuse("unauthenticated", `nobody is signed in, and ${reason}`) : refuse("forbidden", reason);
  try {
    const principal = await read(guard.principal, args);
    if (principal === null || principal === undefined) {
      return refuse("unauthenticated", "nobody is signed in");
    }
    known.principal = principal;
    const resource = await read(guard.resource, args);
    if (resource === null || resource === undefined) {
      return deny(principal, "there is no such resource");
    }
    known.resource = resource;
    const action = await read(guard.action, args);
    known.action = action;
    const auxData = await read(guard.auxData, args);
    const engine = await read(guard.engine, []);
    const actions = [...new Set([action, ...(guard.also ?? [])])];
    const { includeMetadata } = guard;
    const result = await engine.checkResource({ principal, resource, actions, auxData, includeMetadata });
    known.result = result;
    return result.isAllowed(action) === true
      ? { outcome: "allowed", authz: new Authz(engine, { principal, resource, action, auxData }, result) }
      : deny(principal, "the policies do not allow it");
  } catch (error) {
    return { ...refuse(...classify(error)), error };
  }
}

/** Decides, tells the log, and throws what belongs on the framework's error path. */
export async function ask<Args extends unknown[]>(
  guard: Guard<Args>,
  args: Args,
  isAnswer: (thrown: unknown, refusal: Refusal) => boolean,
): Promise<{ outcome: "allowed"; authz: Authz } | Denial> {
  return settle(await decide(guard, args), isAnswer, guard.log);
}

/** Tells the log of a refusal, and throws it if it is no denial. */
export function settle<Allowed extends { outcome: "allowed" }>(
  outcome: Allowed | Refusal,
  isAnswer: (thrown: unknown, refusal: Refusal) => boolean,
  log: ((refusal: Refusal) => void) | undefined,
): Allowed | Denial {
  if (outcome.outcome === "allowed") {
    return outcome;
  }
  // An answer that a source has thrown by the framework's own means, such as "not found", is no failure.
  if (outcome.outcome === "error" && isAnswer(outcome.error, outcome)) {
    throw outcome.error;
  }
  log?.(outcome);
  if (outcome.outcome === "error") {
    throw new UndecidedError(500, { cause: outcome.error });
  }
  return outcome as Denial;
}

/**
 * The decisions about several resources, for a browser. Nobody, and who comes with a credential that is not accepted, is denied
 * everything.
 */
export async function decideAll<Args extends unknown[]>(
  setup: GuardSetup<Args>,
  args: Args,
  resources: ResourceCheck[],
  isAnswer: (thrown: unknown, refusal: Refusal) => boolean,
): Promise<Decisions> {
  try {
    const principal = await read(setup.principal, args);
    if (principal === null || principal === undefined) {
      return allDenied(resources);
    }
    const auxData = await read(setup.auxData, args);
    const engine = await read(setup.engine, []);
    return snapshot(await engine.checkResources({ principal, resources, auxData }));
  } catch (error) {
    const [outcome, reason] = classify(error);
    const denial = settle({ outcome, status: STATUS[outcome], reason, error }, isAnswer, setup.log);
    if (denial.outcome === "unavailable") {
      throw new UndecidedError(503, { cause: error });
    }
    return allDenied(resources);
  }
}

/** What to send for a denial, where nothing else is said. */
export function answerTo({ status }: Denial): {
  status: Denial["status"];
  headers: Record<string, string>;
  body: object;
} {
  return { status, headers: status === 401 ? { "www-authenticate": "Bearer" } : {}, body: BODIES[status] };
}

/** {@link answerTo} for frameworks that speak `Response`. */
export function responseTo(denial: Denial): Response {
  const { status, headers, body } = answerTo(denial);
  return Response.json(body, { status, headers, statusText: STATUS_TEXTS[status] });
}

/**
 * Whether a thrown value says itself which answer of the kind 4xx it wants, as `http-errors` do. While the principal is made it
 * must say by `expose` that it is meant for the client: the errors of SDKs have a status, too, which is what the identity provider
 * has answered to the application.
 */
export function hasClientErrorStatus(thrown: unknown, { principal }: Refusal): boolean {
  const { status, statusCode = status, expose } = (thrown ?? {}) as Record<"status" | "statusCode" | "expose", unknown>;
  return (
    typeof statusCode === "number" &&
    statusCode >= 400 &&
    statusCode < 500 &&
    (principal !== undefined || expose === true)
  );
}

/** Whether the principal stands for a request without a session. */
export function isNobody({ attributes, attr }: Principal): boolean {
  return { ...attributes, ...attr }["authenticated"] === false;
}

/** The value of a source. */
export async function read<Args extends unknown[], T>(source: Source<Args, T> | Promise<T>, args: Args): Promise<T> {
  return typeof source === "function" ? (source as (...args: Args) => Awaitable<T>)(...args) : source;
}

/** What an error of a source or of the engine means. By code, because two copies of the package may meet. */
function classify(error: unknown): [Refusal["outcome"], string] {
  return [outcomeOf(error), messageOf(error)];
}

function outcomeOf(error: unknown): Refusal["outcome"] {
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: unknown };
  if (typeof code !== "string") {
    return "error";
  }
  // Neither the keys of the identity provider nor its list of revoked tokens tell anything of the credential.
  if (/^(REQUEST_)?JWT_\w*UNAVAILABLE$/.test(code)) {
    return "unavailable";
  }
  if (code === "REQUEST_JWT_INVALID") {
    return outcomeOf(cause) === "unavailable" ? "unavailable" : "unauthenticated";
  }
  switch (code) {
    case "IDENTITY_UNSUPPORTED":
      // A mistake of the program: no credential of a client makes an SDK return something else.
      return "error";
    case "IDENTITY_NO_ORGANIZATION":
      // Signed in: signing in again would not help.
      return "forbidden";
    default:
      return /^(JWT|IDENTITY)_/.test(code) ? "unauthenticated" : "error";
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
