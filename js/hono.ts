/** A guard for routes of Hono. */

import type { Context, Env, MiddlewareHandler } from "hono";
import type { Authz } from "./guards/authz.js";
import {
  type Awaitable,
  ask,
  checkGuard,
  type Denial,
  type Guard,
  type GuardQuestion,
  type GuardSetup,
  responseTo,
} from "./guards/guard.js";

export { UndecidedError } from "./errors.js";
export type { Authz, Engine } from "./guards/authz.js";
export { type Decisions, type ResourceDecisions, snapshot } from "./guards/decisions.js";
export type { Denial, GuardQuestion, GuardSetup, Refusal, Source } from "./guards/guard.js";

/** What the guard adds to the context: `c.var.authz`. */
export interface AuthzEnv {
  Variables: { authz: Authz };
}

/** How denials are answered. */
export interface HonoDenials<E extends Env, Path extends string = string> {
  /** May answer a denial by returning a response; where it returns none, the usual one is sent. */
  onDenied?: ((denial: Denial, c: Context<E, Path>) => Awaitable<Response | undefined>) | undefined;
}

/** What an application sets once. */
export type HonoSetup<E extends Env = Env> = GuardSetup<[c: Context<E>]> & HonoDenials<E>;

/** What a route asks. With its path as a type, `"/documents/:id"`, `c.req.param("id")` is a string for TypeScript. */
export type HonoQuestion<E extends Env = Env, Path extends string = string> = GuardQuestion<[c: Context<E, Path>]> &
  HonoDenials<E, Path>;

/**
 * Middleware that lets a request pass if the policies allow it, and leaves the decision in `c.var.authz`.
 *
 * ```js
 * app.get("/documents/:id", authorize({ engine, principal, resource: (c) => findDocument(c.req.param("id")), action: "view" }), handler);
 * ```
 *
 * Answers 401 for nobody, 403 for what is not allowed and 503 where a credential cannot be verified now, each with a JSON body that
 * tells nothing else. A failure goes to `app.onError` as an {@link UndecidedError}; an `HTTPException` that `resource` throws goes
 * there as it is. Parameters of a path are known only to middleware of the route itself, not of `app.use`.
 */
export function authorize<E extends Env = Env, Path extends string = string>(
  options: GuardSetup<[c: Context<E, Path>]> & HonoQuestion<E, Path>,
): MiddlewareHandler<E & AuthzEnv, Path> {
  checkGuard(options, "guard");
  const guard: Guard<[Context<E, Path>]> & HonoDenials<E, Path> = options;
  return async (c, next) => {
    const context = c as unknown as Context<E, Path>;
    const outcome = await ask(guard, [context], isHTTPException);
    if (outcome.outcome === "allowed") {
      c.set("authz", outcome.authz);
      return next();
    }
    return (await guard.onDenied?.(outcome, context)) ?? responseTo(outcome);
  };
}

/** {@link authorize} with the engine and the principal set once. Options of a route win over those set here. */
export function createAuthorize<E extends Env = Env>(
  setup: HonoSetup<E>,
): <Path extends string = string>(question: HonoQuestion<E, Path>) => MiddlewareHandler<E & AuthzEnv, Path> {
  checkGuard(setup, "setup");
  return <Path extends string = string>(question: HonoQuestion<E, Path>) => {
    checkGuard(question, "question");
    return authorize<E, Path>({ ...(setup as unknown as GuardSetup<[Context<E, Path>]>), ...question });
  };
}

/** Hono's own error with a response in it. Known by what it can do, because an application may hold two copies of Hono. */
function isHTTPException(thrown: unknown): boolean {
  return thrown instanceof Error && typeof (thrown as { getResponse?: unknown }).getResponse === "function";
}
