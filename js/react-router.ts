/** Authorization for React Router in framework mode: middleware, loaders and actions. */

import type { ActionFunctionArgs, LoaderFunctionArgs, MiddlewareFunction, RouterContext } from "react-router";
import type { Principal, ResourceCheck } from "./engine/request.js";
import { OptionsError, UndecidedError } from "./errors.js";
import type { Authz } from "./guards/authz.js";
import type { Decisions } from "./guards/decisions.js";
import {
  type Awaitable,
  ask,
  checkGuard,
  type Denial,
  decide,
  decideAll,
  type GuardQuestion,
  type GuardSetup,
  read,
  responseTo,
  settle,
} from "./guards/guard.js";

export { UndecidedError } from "./errors.js";
export type { Authz, Engine } from "./guards/authz.js";
export { type Decisions, type ResourceDecisions, snapshot } from "./guards/decisions.js";
export type { Denial, GuardQuestion, GuardSetup, Refusal, Source } from "./guards/guard.js";

/** What React Router hands to loaders, actions and middleware: `request`, `params`, `context`. */
export type RouteArgs = LoaderFunctionArgs | ActionFunctionArgs;

/** How denials are answered. */
export interface ReactRouterDenials {
  /** May answer a denial by returning a response, such as `redirect("/sign-in")`, which is thrown. */
  onDenied?: ((denial: Denial, args: RouteArgs) => Awaitable<Response | undefined>) | undefined;
}

/** What an application sets once. `P` is the principal that its source makes. */
export type ReactRouterSetup<P extends Principal = Principal> = GuardSetup<[args: RouteArgs], P> & ReactRouterDenials;

/** What a route asks. */
export type ReactRouterQuestion = GuardQuestion<[args: RouteArgs]> & ReactRouterDenials;

/** The guards of an application. Made by {@link createAuthz}. */
export interface ReactRouterAuthz<P extends Principal = Principal> {
  /**
   * Middleware for a route and those below it, on the server: the decision goes to {@link authzContext}.
   *
   * ```ts
   * export const middleware = [authz.middleware({ resource: ({ params }) => findDocument(params.id), action: "view" })];
   * ```
   *
   * When the browser navigates, React Router calls the server only for routes with a loader. Middleware runs before any loader, so
   * the `ErrorBoundary` that shows a denial has no loader data, not even the root's: in pages, `authorize` in the loader keeps it.
   */
  middleware(question: ReactRouterQuestion): MiddlewareFunction<Response>;
  /**
   * For loaders and actions: the decision, if the policies allow it. Else throws a `Response` with status 401, 403 or 503, which the
   * nearest `ErrorBoundary` gets as an error response, and resource routes answer.
   *
   * Throws an {@link UndecidedError}.
   */
  authorize(args: RouteArgs, question: ReactRouterQuestion): Promise<Authz>;
  /** Whether the policies allow it; `false` for nobody. Throws an {@link UndecidedError}. */
  isAllowed(args: RouteArgs, question: ReactRouterQuestion): Promise<boolean>;
  /** The decisions for `<AuthzProvider>` of `orthrus/react`. Nobody is denied everything. Throws an {@link UndecidedError}. */
  snapshot(args: RouteArgs, resources: ResourceCheck[]): Promise<Decisions>;
  /** Who asks; `null` for nobody. */
  principal(args: RouteArgs): Promise<P | null>;
}

/**
 * Where the middleware leaves the decision: `context.get(authzContext)`. Throws where no middleware of `orthrus` ran. (What
 * `createContext()` of React Router makes; written out, so that this module needs nothing of it when it runs.)
 */
export const authzContext: RouterContext<Authz> = {};

/**
 * The guards of an application, for a module of its own:
 *
 * ```ts
 * export const authz = createAuthz({ engine, principal: async (args) => principalFromClerk(await getAuth(args)) });
 * ```
 */
export function createAuthz<P extends Principal = Principal>(setup: ReactRouterSetup<P>): ReactRouterAuthz<P> {
  checkGuard(setup, "setup");
  const authorize = async (args: RouteArgs, question: ReactRouterQuestion): Promise<Authz> => {
    checkGuard(question, "lookup");
    const guard = { ...setup, ...question };
    const outcome = await ask(guard, [args], isAnswer);
    if (outcome.outcome === "allowed") {
      return outcome.authz;
    }
    throw (await guard.onDenied?.(outcome, args)) ?? responseTo(outcome);
  };
  return {
    authorize,
    middleware(question) {
      checkGuard(question, "question");
      return async (args, next) => {
        const { context } = args;
        if (typeof context?.set !== "function") {
          throw new OptionsError("middleware", "needs React Router 7.9 or later with future.v8_middleware, or 8");
        }
        context.set(authzContext, await authorize(args, question));
        return next();
      };
    },
    async isAllowed(args, question) {
      checkGuard(question, "lookup");
      const outcome = settle(await decide({ ...setup, ...question }, [args]), isAnswer, undefined);
      if (outcome.outcome === "unavailable") {
        throw new UndecidedError(503, { cause: outcome.error });
      }
      return outcome.outcome === "allowed";
    },
    snapshot: (args, resources) => decideAll(setup, [args], resources, isAnswer),
    principal: async (args) => (await read(setup.principal, [args])) ?? null,
  };
}

/** What loaders throw to answer: a `Response`, or what `data()` of React Router makes. */
function isAnswer(thrown: unknown): boolean {
  return (
    thrown instanceof Response || (thrown as { type?: unknown } | null | undefined)?.type === "DataWithResponseInit"
  );
}
