/** A guard for routes of Express 5 (and 4, where a failure of the guard is passed on as well). */

import type { NextFunction, Request, Response } from "express";
import type { Authz } from "./guards/authz.js";
import {
  type Awaitable,
  answerTo,
  ask,
  checkGuard,
  type Denial,
  type Guard,
  type GuardQuestion,
  type GuardSetup,
  hasClientErrorStatus,
} from "./guards/guard.js";

export { UndecidedError } from "./errors.js";
export type { Authz, Engine } from "./guards/authz.js";
export { type Decisions, type ResourceDecisions, snapshot } from "./guards/decisions.js";
export type { Denial, GuardQuestion, GuardSetup, Refusal, Source } from "./guards/guard.js";

declare global {
  namespace Express {
    interface Request {
      /** What `authorize` has decided; there only behind it. */
      authz?: Authz;
    }
  }
}

/** How denials are answered. */
export interface ExpressDenials {
  /** May answer a denial itself; where it does not, the usual answer is sent. What it throws goes to the error handlers. */
  onDenied?: ((denial: Denial, req: Request, res: Response) => Awaitable<void>) | undefined;
}

/** What an application sets once. */
export type ExpressSetup = GuardSetup<[req: Request]> & ExpressDenials;

/** What a route asks. `Params` are those of its path, for TypeScript. */
export type ExpressQuestion<Params = PathParams> = GuardQuestion<[req: Request<Params>]> & ExpressDenials;

/** Parameters as `:name` has them; those of wildcards are lists. */
export type PathParams = Record<string, string>;

/** Middleware that leaves the types of the path to the handlers behind it. */
export type AuthzHandler = (req: Express.Request, res: Express.Response, next: NextFunction) => Promise<void>;

/**
 * Middleware that lets a request pass if the policies allow it, and leaves the decision in `req.authz`.
 *
 * ```js
 * app.get("/documents/:id", authorize({ engine, principal, resource: (req) => findDocument(req.params.id), action: "view" }), handler);
 * ```
 *
 * Answers 401 for nobody, 403 for what is not allowed and 503 where a credential cannot be verified now, each with a JSON body that
 * tells nothing else. A failure goes to the error handlers as an {@link UndecidedError}; an error with a `status` of 4xx that
 * `resource` throws, such as "not found" of `http-errors`, goes there as it is.
 *
 * Take ids from `req.params`, never from `req.url`: Express has decoded them, and it matches paths in ways of its own.
 */
export function authorize<Params = PathParams>(options: ExpressSetup & ExpressQuestion<Params>): AuthzHandler {
  checkGuard(options, "guard");
  const guard = options as unknown as Guard<[Request]> & ExpressDenials;
  return async (expressRequest, expressResponse, next) => {
    const req = expressRequest as Request;
    try {
      const outcome = await ask(guard, [req], hasClientErrorStatus);
      if (outcome.outcome !== "allowed") {
        await answer(outcome, req, expressResponse as Response, guard);
        return;
      }
      req.authz = outcome.authz;
    } catch (error) {
      // For Express 4, which does not look at promises.
      next(error);
      return;
    }
    next();
  };
}

/** {@link authorize} with the engine and the principal set once. Options of a route win over those set here. */
export function createAuthorize(
  setup: ExpressSetup,
): <Params = PathParams>(question: ExpressQuestion<Params>) => AuthzHandler {
  checkGuard(setup, "setup");
  return <Params = PathParams>(question: ExpressQuestion<Params>) => {
    checkGuard(question, "question");
    return authorize<Params>({ ...setup, ...question });
  };
}

async function answer(denial: Denial, req: Request, res: Response, { onDenied }: ExpressDenials): Promise<void> {
  await onDenied?.(denial, req, res);
  if (!res.headersSent && !res.writableEnded) {
    const { status, headers, body } = answerTo(denial);
    res.status(status).set(headers).json(body);
  }
}
