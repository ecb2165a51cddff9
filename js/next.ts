/** Authorization for applications of Next.js: components, actions, route handlers and `proxy.ts`. */

import type { NextRequest } from "next/server";
import * as React from "react";
import type { Principal, ResourceCheck } from "./engine/request.js";
import { OptionsError, UndecidedError } from "./errors.js";
import type { Authz } from "./guards/authz.js";
import type { Decisions } from "./guards/decisions.js";
import {
  type Awaitable,
  checkGuard,
  type Denial,
  decide,
  decideAll,
  type Guard,
  type GuardQuestion,
  type GuardSetup,
  responseTo,
  type Source,
  settle,
} from "./guards/guard.js";

export { UndecidedError } from "./errors.js";
export type { Authz, Engine } from "./guards/authz.js";
export { type Decisions, type ResourceDecisions, snapshot } from "./guards/decisions.js";
export type { Denial, GuardQuestion, GuardSetup, Refusal, Source } from "./guards/guard.js";
export { type AnyNextConfig, type NextOptions, withOrthrus } from "./guards/next-config.js";

/** What an application sets once. `P` is the principal that its source makes. */
export type NextSetup<P extends Principal = Principal> = GuardSetup<[], P>;

/** What a component or an action asks. */
export type NextQuestion = GuardQuestion<[]>;

/** How denials of requests are answered. */
export interface NextDenials {
  /** May answer a denial by returning a response, such as a redirect to the sign-in page. */
  onDenied?: ((denial: Denial, request: NextRequest) => Awaitable<Response | undefined>) | undefined;
}

/** What a route handler asks. `Context` is its second parameter, with `params`. */
export type NextHandlerQuestion<Context> = GuardQuestion<[request: NextRequest, context: Context]> & NextDenials;

/** What `proxy.ts` asks. */
export type NextProxyQuestion = GuardQuestion<[request: NextRequest]> &
  NextDenials & {
    /** Who asks; by default what the setup says. Most SDKs have a function of their own for `proxy.ts`. */
    principal?: Source<[request: NextRequest], Principal | null | undefined> | undefined;
  };

/** The guards of an application. Made by {@link createAuthz}. */
export interface NextAuthz<P extends Principal = Principal> {
  /** Who asks; `null` for nobody. Made once a request. */
  principal(): Promise<P | null>;
  /**
   * For components, actions and route handlers: the decision, if the policies allow it. Else calls `unauthorized()` or
   * `forbidden()` of `next/navigation`, which need `experimental.authInterrupts` (`withOrthrus` sets it) and show
   * `unauthorized.tsx` or `forbidden.tsx`. The same question about the same resource object is decided once a request.
   *
   * Throws an {@link UndecidedError}, with status 503 where a credential cannot be verified now.
   */
  authorize(question: NextQuestion): Promise<Authz>;
  /** Whether the policies allow it; `false` for nobody. Throws an {@link UndecidedError}. */
  isAllowed(question: NextQuestion): Promise<boolean>;
  /** The decisions for `<AuthzProvider>` of `orthrus/react`. Nobody is denied everything. Throws an {@link UndecidedError}. */
  snapshot(resources: ResourceCheck[]): Promise<Decisions>;
  /** A route handler that runs if the policies allow it. Else it answers 401, 403 or 503 with a JSON body. */
  handler<Context = { params: Promise<Record<string, string>> }>(
    question: NextHandlerQuestion<Context>,
    handle: (request: NextRequest, context: Context, authz: Authz) => Awaitable<Response>,
  ): (request: NextRequest, context: Context) => Promise<Response>;
  /**
   * A gate for `proxy.ts`: the response that refuses the request, or `undefined` to let it go on. Coarse by nature: pages, actions
   * and handlers have to ask again.
   */
  proxy(question: NextProxyQuestion): (request: NextRequest) => Promise<Response | undefined>;
}

/** React's `cache`; older versions of React have none, and then every question is decided. */
const cache: typeof React.cache = React.cache ?? ((decide) => decide);

/**
 * The guards of an application, for a module of its own:
 *
 * ```js
 * export const authz = createAuthz({ engine, principal: async () => principalFromClerk(await auth()) });
 * ```
 */
export function createAuthz<P extends Principal = Principal>(setup: NextSetup<P>): NextAuthz<P> {
  checkGuard(setup, "setup");
  if ("onDenied" in setup) {
    throw new OptionsError(
      "onDenied",
      "belongs to handler() and proxy(); elsewhere Next.js shows forbidden.tsx and unauthorized.tsx",
    );
  }
  const { log } = setup;
  // Not async, so that React's cache holds what the source itself returns or throws.
  const principal = cache((): Awaitable<P | null | undefined> => {
    return typeof setup.principal === "function" ? setup.principal() : setup.principal;
  });
  const decideOnce = cache(
    (resource: NextQuestion["resource"], action: NextQuestion["action"], also: string, includeMetadata: boolean) =>
      decide({ ...setup, principal, resource, action, also: JSON.parse(also), includeMetadata }, []),
  );
  const outcomeOf = (question: NextQuestion) => {
    checkGuard(question, "lookup");
    const { resource, action, also = [], includeMetadata = false } = question;
    return decideOnce(resource, action, JSON.stringify(also), includeMetadata);
  };
  /** Runs a guard in front of a handler. */
  const answer = async <Args extends [request: NextRequest, ...rest: unknown[]]>(
    guard: Guard<Args> & NextDenials,
    args: Args,
    allowed: (authz: Authz) => Awaitable<Response | undefined>,
  ): Promise<Response | undefined> => {
    const outcome = settle(await decide(guard, args), isNextError, log);
    return outcome.outcome === "allowed"
      ? allowed(outcome.authz)
      : ((await guard.onDenied?.(outcome, args[0])) ?? responseTo(outcome));
  };

  return {
    async principal() {
      return (await principal()) ?? null;
    },
    async authorize(question) {
      const outcome = settle(await outcomeOf(question), isNextError, log);
      return outcome.outcome === "allowed" ? outcome.authz : interrupt(outcome);
    },
    async isAllowed(question) {
      const outcome = settle(await outcomeOf(question), isNextError, undefined);
      if (outcome.outcome === "unavailable") {
        throw new UndecidedError(503, { cause: outcome.error });
      }
      return outcome.outcome === "allowed";
    },
    snapshot: (resources) => decideAll({ ...setup, principal }, [], resources, isNextError),
    handler(question, handle) {
      checkGuard(question, "question");
      const guard = { ...setup, principal, ...question };
      return async (request, context) =>
        (await answer(guard, [request, context], (authz) => handle(request, context, authz))) as Response;
    },
    proxy(question) {
      checkGuard(question, "question", ["principal"]);
      const guard = { ...setup, ...question, principal: question.principal ?? principal };
      return (request) => answer(guard, [request], () => undefined);
    },
  };
}

/** Ends the rendering as Next.js knows it. */
function interrupt(denial: Denial): never {
  if (denial.outcome === "unavailable") {
    throw new UndecidedError(503, { cause: denial.error });
  }
  const { forbidden, unauthorized } = navigation();
  return denial.outcome === "unauthenticated" ? unauthorized() : forbidden();
}

/** Rethrows what Next.js throws to control itself, such as `redirect()` and `notFound()`. */
function isNextError(thrown: unknown): boolean {
  navigation().unstable_rethrow(thrown);
  return false;
}

/** Loaded when it is needed: `next.config` imports this module as well, outside of any application. */
function navigation(): typeof import("next/navigation") {
  return require("next/navigation");
}
