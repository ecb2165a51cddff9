/** A plugin for Fastify 5 that guards every route. */

import type { FastifyContextConfig, FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from "fastify";
import { OptionsError } from "./errors.js";
import type { Authz } from "./guards/authz.js";
import {
  type Awaitable,
  answerTo,
  ask,
  checkGuard,
  type Denial,
  type GuardQuestion,
  type GuardSetup,
  hasClientErrorStatus,
} from "./guards/guard.js";

export { UndecidedError } from "./errors.js";
export type { Authz, Engine } from "./guards/authz.js";
export { type Decisions, type ResourceDecisions, snapshot } from "./guards/decisions.js";
export type { Denial, GuardQuestion, GuardSetup, Refusal, Source } from "./guards/guard.js";

declare module "fastify" {
  interface FastifyRequest {
    /** What the guard has decided; `null` on routes that are public. */
    authz: Authz | null;
  }
  interface FastifyContextConfig {
    /** What the route asks of the policies, or `"public"`: everybody may use it. */
    authz?: FastifyQuestion | "public" | undefined;
  }
}

/** How denials are answered. */
export interface FastifyDenials {
  /** May answer a denial by the reply; where it does not, the usual answer is sent. */
  onDenied?: ((denial: Denial, request: FastifyRequest, reply: FastifyReply) => Awaitable<void>) | undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: the route alone knows the types of its parameters, query and body
type AnyRequest = FastifyRequest<any>;

/** What a route asks. */
export type FastifyQuestion = GuardQuestion<[request: AnyRequest]> & FastifyDenials;

/** Options of the plugin. */
export type FastifySetup = GuardSetup<[request: FastifyRequest]> &
  FastifyDenials & {
    /** What becomes of routes without `config.authz`: refused (the default), or let through unguarded. */
    routesWithoutAuthz?: "refuse" | "allow" | undefined;
  };

/**
 * The plugin. Guards the routes of the instance that it is registered on and of those below it, before their handlers and after
 * validation:
 *
 * ```js
 * await app.register(fastifyAuthz, { engine, principal });
 * app.get("/documents/:id", { config: { authz: { resource: (request) => findDocument(request.params.id), action: "view" } } }, handler);
 * ```
 *
 * The decision is in `request.authz`. Answers 401 for nobody, 403 for what is not allowed and 503 where a credential cannot be
 * verified now, each with a JSON body that tells nothing else. A failure is thrown as an {@link UndecidedError}; an error with a
 * `statusCode` of 4xx that `resource` throws goes on as it is.
 *
 * A route that says nothing of `authz` is refused: `config: { authz: "public" }` opens one to everybody.
 */
export const fastifyAuthz: FastifyPluginAsync<FastifySetup> = async (app: FastifyInstance, options) => {
  const { routesWithoutAuthz = "refuse", ...setup } = options;
  checkGuard(setup, "setup");
  if (routesWithoutAuthz !== "refuse" && routesWithoutAuthz !== "allow") {
    throw new OptionsError("routesWithoutAuthz", 'must be "refuse" or "allow"');
  }
  app.decorateRequest("authz", null);
  app.addHook("onRoute", ({ config }) => checkRoute(config));
  app.addHook("preHandler", async (request, reply) => {
    const question = request.routeOptions.config.authz;
    if (question === "public" || request.is404 || (question === undefined && routesWithoutAuthz === "allow")) {
      return undefined;
    }
    if (question === undefined) {
      const denial = { outcome: "forbidden", status: 403, reason: "the route has no config.authz" } as const;
      setup.log?.(denial);
      return answer(denial, request, reply, setup);
    }
    const guard = { ...setup, ...question };
    const outcome = await ask(guard, [request], hasClientErrorStatus);
    if (outcome.outcome !== "allowed") {
      return answer(outcome, request, reply, guard);
    }
    request.authz = outcome.authz;
    return undefined;
  });
};

// The plugin is for the instance that registers it and not for one of its own: what `fastify-plugin` does.
Object.assign(fastifyAuthz, {
  [Symbol.for("skip-override")]: true,
  [Symbol.for("fastify.display-name")]: "orthrus",
  [Symbol.for("plugin-meta")]: { name: "orthrus", fastify: ">=5", decorators: {}, dependencies: [] },
});

/** A mistake in a route's question is told when the route is added. */
function checkRoute(config: FastifyContextConfig | undefined): void {
  if (config?.authz !== undefined && config.authz !== "public") {
    checkGuard(config.authz, "question");
  }
}

async function answer(
  denial: Denial,
  request: FastifyRequest,
  reply: FastifyReply,
  { onDenied }: FastifyDenials,
): Promise<FastifyReply> {
  await onDenied?.(denial, request, reply);
  if (!reply.sent) {
    const { status, headers, body } = answerTo(denial);
    reply.code(status).headers(headers).send(body);
  }
  return reply;
}
