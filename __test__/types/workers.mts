/** `orthrus/workers` on the types of Cloudflare's bindings. Compiled, never run. */

import type {
  AnalyticsEngineDataset,
  ExecutionContext,
  Fetcher,
  KVNamespace,
  RateLimit,
} from "@cloudflare/workers-types";
import { Orthrus } from "orthrus";
import { kvBundle, loadOnce } from "orthrus/bundles";
import { principalFromClerk } from "orthrus/clerk";
import {
  type AuthzBinding,
  authWorker,
  authzWorker,
  KVRevocationList,
  type Route,
  singleWorker,
  TokenVerifier,
  type WorkerIdentity,
  type WorkerLogEntry,
} from "orthrus/workers";

interface Env {
  AUTH_JWKS_URL: string;
  IDENTITY: KVNamespace;
  POLICIES: KVNamespace;
  AUTHZ: AuthzBinding;
  ORIGIN: { fetch(request: Request): Promise<Response> };
  LIMIT: RateLimit;
  ANALYTICS: AnalyticsEngineDataset;
}
declare const context: ExecutionContext;
declare const env: Env;
declare const identity: WorkerIdentity;
declare const fetcher: Fetcher;

const token = (env: Env) => ({
  jwksUrl: env.AUTH_JWKS_URL,
  issuer: ["https://login.example.com"],
  audience: "api",
  algorithms: ["ES256"] as const,
  skew: "10s",
  kv: env.IDENTITY,
  revocation: { list: new KVRevocationList(env.IDENTITY), onError: "deny" as const },
});

const routes: Route[] = [
  {
    path: "/a/{id}",
    methods: ["GET"],
    resource: { kind: "a", id: "{id}", attr: { t: { header: "x-t" } } },
    action: { GET: "view" },
  },
];

const auth = authWorker((env: Env) => ({
  token: token(env),
  authz: env.AUTHZ,
  rateLimit: env.LIMIT,
  analytics: env.ANALYTICS,
  principal: (claims) => principalFromClerk(claims),
}));

const authz = authzWorker((env: Env) => ({
  engine: loadOnce(() => Orthrus.fromBundle(kvBundle(env.POLICIES, "policies.orb"))),
  routes,
  origin: env.ORIGIN,
  headers: ({ identity }) => ({ "x-user-id": identity.principal.id }),
}));

export const both = singleWorker((env: Env) => ({
  token: new TokenVerifier(token(env)),
  anonymous: { id: "anonymous", roles: ["anonymous"] },
  rateLimit: async (request) => request.method === "GET",
  engine: () => Orthrus.fromFiles({}),
  routes,
  origin: (_request, { result }) => Response.json(result.outputs),
  log: (entry: WorkerLogEntry) => entry.reason satisfies string | undefined,
}));

export const answers: Promise<Response>[] = [
  auth.fetch(new Request("https://a"), env, context),
  authz.handle(new Request("https://a"), identity, env, context),
  authz.fetch(new Request("https://a"), env, context),
];

await Orthrus.fromFiles({}, { decodeJWTPayload: new TokenVerifier(token(env)).decodeJWTPayload });

// @ts-expect-error: nobody decides
authzWorker({ routes, origin: "https://a" });
// @ts-expect-error: a secret of two is no key that is published
new TokenVerifier({ jwksUrl: "https://a", issuer: "a", audience: "a", algorithms: ["HS256"] });
export const bound: AuthzBinding = fetcher as never;
