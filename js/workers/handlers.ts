/** The workers: the two of a pair, and both in one. */

import { OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import { unknownOption } from "../options-names.js";
import { Authentication, type AuthenticationOptions } from "./authentication.js";
import { Authorization, type AuthorizationOptions, bodyOf, type WaitUntil } from "./authorization.js";
import { ENVELOPE_HEADER, Envelope } from "./envelope.js";
import { answer, exchange, Stop } from "./exchange.js";
import { isIdentity, type WorkerIdentity, withoutIdentity } from "./identity.js";
import { type Tell, teller, type WorkerLogOptions } from "./log.js";

/** Options, or what makes them of the bindings; asked once an isolate. */
export type FromEnv<Env, Options> = Options | ((env: Env) => Options);

/** What Cloudflare Workers export. */
export interface WorkerHandler<Env> {
  fetch(request: Request, env: Env, context: WaitUntil): Promise<Response>;
}

/** The authz-worker, as the auth-worker sees it: by its method, or with a secret by requests. */
export interface AuthzBinding {
  handle?(request: Request, identity: WorkerIdentity): Promise<Response>;
  fetch?(request: Request): Promise<Response>;
}

export interface AuthWorkerOptions extends AuthenticationOptions, WorkerLogOptions {
  /** The service binding of the authz-worker. */
  authz: AuthzBinding;
  /** A secret that both workers have: identities go in signed envelopes, for where methods of bindings cannot be called. */
  envelopeSecret?: string | undefined;
  /** Further headers that clients may not set. */
  stripHeaders?: readonly string[] | undefined;
}

export interface AuthzWorkerOptions extends AuthorizationOptions, WorkerLogOptions {
  /** The secret of the auth-worker, if it sends envelopes. Without it, `fetch` refuses all requests. */
  envelopeSecret?: string | undefined;
}

export interface SingleWorkerOptions extends AuthenticationOptions, AuthorizationOptions, WorkerLogOptions {}

const LOG = ["log", "analytics"];
const AUTHENTICATION = ["token", "principal", "anonymous", "rateLimit", "retryAfter"];
const AUTHORIZATION = ["engine", "routes", "origin", "stripHeaders", "forwardAuthorization", "headers"];

/** The auth-worker: finds out who makes a request, and hands both to the authz-worker. The one to put a route on. */
export function authWorker<Env = unknown>(options: FromEnv<Env, AuthWorkerOptions>): WorkerHandler<Env> {
  const open = once(options, [...AUTHENTICATION, ...LOG, "authz", "envelopeSecret", "stripHeaders"], (options) => ({
    authentication: new Authentication(options),
    tell: teller(options),
    send: sender(options),
    stripped: (options.stripHeaders ?? []).map((name) => name.toLowerCase()),
  }));
  return {
    fetch: async (request, env) => {
      const { authentication, tell, send, stripped } = open(env);
      return answer("auth", request, tell, async (known) => {
        const entered = exchange(request, known);
        if (entered instanceof Stop) {
          return entered;
        }
        const identity = await authentication.identify(entered);
        if (identity instanceof Stop) {
          return identity;
        }
        const headers = withoutIdentity(request.headers, stripped);
        return send(
          new Request(entered.url, { ...bodyOf(request), method: request.method, headers, redirect: "manual" }),
          identity,
        );
      });
    },
  };
}

function sender({
  authz,
  envelopeSecret,
}: AuthWorkerOptions): (request: Request, identity: WorkerIdentity) => Promise<Response> {
  if (authz === null || (typeof authz !== "object" && typeof authz !== "function")) {
    throw new OptionsError("authz", "must be the service binding of the authz-worker: is it bound in wrangler.toml?");
  }
  if (envelopeSecret === undefined) {
    return async (request, identity) => {
      // Every method of a binding seems to be there: whether it is shows when it is called.
      return (authz as Required<AuthzBinding>).handle(request, identity);
    };
  }
  const envelope = new Envelope(envelopeSecret, "envelopeSecret");
  return async (request, identity) => {
    const sealed = await envelope.seal(identity, request);
    request.headers.set(ENVELOPE_HEADER, sealed);
    return (authz as Required<AuthzBinding>).fetch(request);
  };
}

/** What an authz-worker does. Its class, in the worker itself, hands requests on: see `docs/workers.md`. */
export interface AuthzWorker<Env> {
  /** For the method of the worker that the auth-worker calls. */
  handle(request: Request, identity: WorkerIdentity, env: Env, context: WaitUntil): Promise<Response>;
  /** For requests with an envelope. Anything else is refused, so that the worker is of no use to whoever reaches it directly. */
  fetch(request: Request, env: Env, context: WaitUntil): Promise<Response>;
}

/** The authz-worker: decides by the policies, and sends what passes to the origin. */
export function authzWorker<Env = unknown>(options: FromEnv<Env, AuthzWorkerOptions>): AuthzWorker<Env> {
  const open = once(options, [...AUTHORIZATION, ...LOG, "envelopeSecret"], (options) => ({
    authorization: new Authorization(options),
    tell: teller(options),
    envelope: options.envelopeSecret === undefined ? undefined : new Envelope(options.envelopeSecret, "envelopeSecret"),
  }));
  const decide = (
    authorization: Authorization,
    tell: Tell,
    request: Request,
    who: () => Promise<unknown>,
    context: WaitUntil,
  ) =>
    answer("authz", request, tell, async (known) => {
      const identity = await who();
      if (!isIdentity(identity)) {
        return new Stop("forbidden", "NO_IDENTITY", "it does not come from the auth-worker");
      }
      const entered = exchange(request, known);
      return entered instanceof Stop ? entered : authorization.handle(entered, identity, context);
    });
  return {
    handle: async (request, identity, env, context) => {
      const { authorization, tell } = open(env);
      return decide(authorization, tell, request, async () => identity, context);
    },
    fetch: async (request, env, context) => {
      const { authorization, tell, envelope } = open(env);
      return decide(authorization, tell, request, async () => envelope?.open(request), context);
    },
  };
}

/** Both in one worker. */
export function singleWorker<Env = unknown>(options: FromEnv<Env, SingleWorkerOptions>): WorkerHandler<Env> {
  const open = once(options, [...AUTHENTICATION, ...AUTHORIZATION, ...LOG], (options) => ({
    authentication: new Authentication(options),
    authorization: new Authorization(options),
    tell: teller(options),
  }));
  return {
    fetch: async (request, env, context) => {
      const { authentication, authorization, tell } = open(env);
      return answer("auth+authz", request, tell, async (known) => {
        const entered = exchange(request, known);
        if (entered instanceof Stop) {
          return entered;
        }
        const identity = await authentication.identify(entered);
        return identity instanceof Stop ? identity : authorization.handle(entered, identity, context);
      });
    },
  };
}

/** Checks options and makes what they are for, once an isolate: its bindings stay the same. Options that are no function are checked at once. */
function once<Env, Options extends object, Made>(
  options: FromEnv<Env, Options>,
  known: string[],
  make: (options: Options) => Made,
): (env: Env) => Made {
  const checked = (given: Options): Made => {
    if (!isRecord(given)) {
      throw new OptionsError("", "the options must be an object");
    }
    const unknown = Object.keys(given).find((name) => !known.includes(name));
    if (unknown !== undefined) {
      throw new OptionsError(unknown, unknownOption(unknown, known));
    }
    return make(given);
  };
  if (typeof options !== "function") {
    const made = checked(options);
    return () => made;
  }
  let made: { value: Made } | undefined;
  return (env) => {
    made ??= { value: checked(options(env)) };
    return made.value;
  };
}
