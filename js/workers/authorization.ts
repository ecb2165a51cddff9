/** The second half: whether somebody may do what a request asks for. */

import type { CheckResourceRequest } from "../engine/request.js";
import type { CheckResourcesResult } from "../engine/result.js";
import { OptionsError } from "../errors.js";
import { codeOf, type Exchange, Stop } from "./exchange.js";
import { type WorkerIdentity, withoutIdentity } from "./identity.js";
import { type Route, type RouteMatch, Routes } from "./routes.js";

/** What is needed of an engine. Those on bundles are asked to refresh themselves. */
export interface WorkerEngine {
  checkResource(request: CheckResourceRequest): Promise<CheckResourcesResult>;
  refreshIfStale?(): Promise<void>;
  readonly bundle?: { readonly digest: string } | undefined;
}

/** A request that passed, on its way to the origin. */
export interface PassedRequest {
  identity: WorkerIdentity;
  match: RouteMatch;
  result: CheckResourcesResult;
}

/** Where requests go that pass: the base of the origin, a service binding, or a function that answers. */
export type Origin =
  | string
  | URL
  | { fetch(request: Request): Promise<Response> }
  | ((request: Request, passed: PassedRequest) => Response | Promise<Response>);

/** What is allowed, and what comes of it. */
export interface AuthorizationOptions {
  /** The engine, or a function that resolves to it, such as `loadOnce` of `orthrus/bundles`. Where there is none, requests get 503. */
  engine: WorkerEngine | (() => WorkerEngine | Promise<WorkerEngine>);
  /** What requests ask for. What no route fits is refused. */
  routes: readonly Route[] | Routes;
  origin: Origin;
  /** Further headers that clients may not set. */
  stripHeaders?: readonly string[] | undefined;
  /** Whether the origin gets `Authorization`. Default: `false`. */
  forwardAuthorization?: boolean | undefined;
  /** Headers to tell the origin who asks. Default: none. */
  headers?: ((passed: PassedRequest) => Record<string, string>) | undefined;
}

/** The part of a Worker's context that is used. */
export interface WaitUntil {
  waitUntil(promise: Promise<unknown>): void;
}

/** Decides, and sends on. */
export class Authorization {
  readonly #engine: () => WorkerEngine | Promise<WorkerEngine>;
  readonly #routes: Routes;
  readonly #origin: (request: Request, passed: PassedRequest) => Response | Promise<Response>;
  readonly #options: AuthorizationOptions;
  readonly #stripped: string[];

  /** Throws an `OptionsError`. */
  constructor(options: AuthorizationOptions) {
    const { engine, routes, origin, stripHeaders = [] } = options;
    if (typeof engine !== "function" && typeof engine?.checkResource !== "function") {
      throw new OptionsError("engine", "must be an Orthrus, or a function that gives one");
    }
    this.#engine = typeof engine === "function" ? engine : () => engine;
    this.#routes = routes instanceof Routes ? routes : new Routes(routes);
    this.#origin = checkOrigin(origin);
    this.#options = options;
    this.#stripped = stripHeaders.map((name) => name.toLowerCase());
  }

  /** The answer of the origin, or why the request does not get there. */
  async handle(exchange: Exchange, identity: WorkerIdentity, context: WaitUntil | undefined): Promise<Response | Stop> {
    const { request, url, path, known } = exchange;
    known.principal = identity.principal.id;
    const { method } = request;
    // What a client may not set is no attribute either.
    const headers = withoutIdentity(request.headers, this.#stripped);
    const match = this.#routes.match({ method, url, path, headers });
    if (match === undefined) {
      return new Stop("forbidden", "NO_ROUTE", "no route fits");
    }
    known.route = match.route;
    known.resource = `${match.resource.kind}/${match.resource.id}`;
    known.action = match.action;
    const result = await this.#decide(identity, match, exchange, context);
    if (result instanceof Stop) {
      return result;
    }
    if (result.isAllowed(match.action) !== true) {
      return new Stop("forbidden", "DENIED", "the policies do not allow it");
    }
    const passed = { identity, match, result };
    return this.#origin(this.#forwarded(exchange, headers, passed), passed);
  }

  async #decide(
    { principal }: WorkerIdentity,
    { resource, action }: RouteMatch,
    { known }: Exchange,
    context: WaitUntil | undefined,
  ): Promise<CheckResourcesResult | Stop> {
    let engine: WorkerEngine;
    try {
      engine = await this.#engine();
    } catch (error) {
      const message = `${codeOf(error)}: ${error instanceof Error ? error.message : String(error)}`;
      return new Stop("unavailable", "POLICIES_UNAVAILABLE", message, { "retry-after": "30" });
    }
    known.policies = engine.bundle?.digest;
    if (engine.refreshIfStale !== undefined) {
      context?.waitUntil(engine.refreshIfStale());
    }
    return engine.checkResource({ principal, resource, actions: [action] });
  }

  /** The request as the origin gets it: by the path that was decided upon, and without what clients must not say. */
  #forwarded({ request, url }: Exchange, headers: Headers, passed: PassedRequest): Request {
    if (this.#options.forwardAuthorization !== true) {
      headers.delete("authorization");
    }
    for (const [name, value] of Object.entries(this.#options.headers?.(passed) ?? {})) {
      headers.set(name, value);
    }
    return new Request(url, { ...bodyOf(request), method: request.method, headers, redirect: "manual" });
  }
}

/** What makes another request carry the body of one. */
export function bodyOf(request: Request): { body?: ReadableStream; duplex?: "half" } {
  // Node.js demands `duplex`; Workers pass over it.
  return request.body === null ? {} : { body: request.body as ReadableStream, duplex: "half" };
}

function checkOrigin(origin: Origin): (request: Request, passed: PassedRequest) => Response | Promise<Response> {
  if (typeof origin === "function") {
    return origin;
  }
  if (typeof origin === "string" || origin instanceof URL) {
    let base: URL;
    try {
      base = new URL(origin);
    } catch (cause) {
      throw new OptionsError("origin", "must be a whole URL: is the variable set?", { cause });
    }
    const prefix = base.pathname.replace(/\/$/, "");
    return (request) => {
      const url = new URL(request.url);
      const target = new URL(`${prefix}${url.pathname}${url.search}`, base);
      return fetch(
        new Request(target, {
          ...bodyOf(request),
          method: request.method,
          headers: request.headers,
          redirect: "manual",
        }),
      );
    };
  }
  if (typeof origin?.fetch !== "function") {
    throw new OptionsError("origin", "must be a URL, a service binding or a function: is it bound in wrangler.toml?");
  }
  return (request) => origin.fetch(request);
}
