/** The line that a user writes for each framework, without a cast. Compiled, never run. */

import { getAuth as getReactRouterAuth } from "@clerk/react-router/server";
import express from "express";
import fastify, { type FastifyRequest } from "fastify";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import type { NextConfig } from "next";
import type { NextRequest } from "next/server.js";
import { type Decisions, Orthrus, type Resource, snapshot, type Value } from "orthrus";
import { principalFromClerk } from "orthrus/clerk";
import * as onExpress from "orthrus/express";
import { fastifyAuthz } from "orthrus/fastify";
import * as onHono from "orthrus/hono";
import { createAuthz as createNextAuthz, withOrthrus } from "orthrus/next";
import { AuthzProvider, Can, useIsAllowed } from "orthrus/react";
import { authzContext, createAuthz as createReactRouterAuthz } from "orthrus/react-router";
import { createElement, type ReactElement } from "react";
import { type ActionFunctionArgs, type LoaderFunctionArgs, type MiddlewareFunction, redirect } from "react-router";

const engine = Orthrus.openSync("policies");
const principal = { id: "ann", roles: ["user"] };
const question = { resource: { kind: "document", id: "1" }, action: "view" };
declare function findDocument(id: string): Promise<Resource | undefined>;

// Express
const app = express();
const authorizeExpress = onExpress.createAuthorize({
  engine,
  principal: (req) => (req.get("authorization") === undefined ? null : principal),
  log: ({ outcome, reason, principal }) => console.log(outcome, reason, principal?.id),
});
app.get(
  "/documents/:id",
  authorizeExpress({ resource: (req) => findDocument(req.params.id), action: "view", also: ["edit"] }),
  (req, res) => {
    const may: boolean | undefined = req.authz?.isAllowed("edit");
    res.json({ may, id: req.params.id });
  },
);
app.get(
  "/documents/:id",
  onExpress.authorize({
    engine: Orthrus.open("policies"),
    principal,
    resource: (req) => findDocument(req.params.id),
    action: (req) => (req.method === "GET" ? "view" : "edit"),
    onDenied: (denial, _req, res) => {
      const status: 401 | 403 | 503 = denial.status;
      res.status(status).end();
    },
  }),
);
app.use(onExpress.authorize({ engine: () => engine, principal, ...question }));
app.get(
  "/documents/:id",
  // @ts-expect-error: there is no such parameter
  authorizeExpress<{ id: string }>({ resource: (req) => findDocument(req.params.name), action: "view" }),
);
// @ts-expect-error: an engine is needed
onExpress.authorize({ principal, ...question });
// @ts-expect-error: an action is needed
authorizeExpress({ resource: question.resource });
// @ts-expect-error: a function returns a principal
onExpress.createAuthorize({ engine, principal: () => "ann" });

// Hono: what it decides is a variable of the context.
type Env = { Variables: { user: string } };
const authorizeHono = onHono.createAuthorize<Env>({ engine, principal: (c) => ({ id: c.var.user, roles: ["user"] }) });
export const hono = new Hono<Env>()
  .get(
    "/documents/:id",
    authorizeHono<"/documents/:id">({ resource: (c) => findDocument(c.req.param("id")), action: "view" }),
    (c) => {
      const may: boolean = c.var.authz.isAllowed("edit");
      return c.json({ may, id: c.req.param("id"), outputs: c.get("authz").outputs.length });
    },
  )
  .get(
    "/missing/:id",
    onHono.authorize<Env, "/missing/:id">({
      engine,
      principal,
      resource: async (c) => {
        const document = await findDocument(c.req.param("id"));
        if (!document) throw new HTTPException(404);
        return document;
      },
      action: "view",
      onDenied: (denial, c) => (denial.status === 401 ? c.redirect("/sign-in") : undefined),
    }),
    (c) => c.text(c.var.authz.principal.id),
  );

// Fastify: the question is part of the route.
const server = fastify();
await server.register(fastifyAuthz, {
  engine,
  principal: (request) => (request.headers.authorization ? principal : null),
});
server.get<{ Params: { id: string } }>(
  "/documents/:id",
  {
    config: {
      authz: {
        resource: (request: FastifyRequest<{ Params: { id: string } }>) => findDocument(request.params.id),
        action: "view",
      },
    },
  },
  (request) => ({ may: request.authz?.isAllowed("edit"), id: request.params.id }),
);
server.get("/health", { config: { authz: "public" } }, () => "ok");
// @ts-expect-error: an action is needed
server.get("/unfinished", { config: { authz: { resource: question.resource } } }, () => "ok");

// Next.js
export const config: NextConfig = withOrthrus({ reactStrictMode: true }, { policies: "policies" });
export const functionConfig = withOrthrus(async (phase: string) => ({ distDir: phase }) satisfies NextConfig);
const nextAuthz = createNextAuthz({ engine, principal: async () => principal });
export async function Page(): Promise<ReactElement> {
  const authz = await nextAuthz.authorize(question);
  const decisions: Decisions = await nextAuthz.snapshot([{ resource: authz.resource, actions: ["edit"] }]);
  const may: boolean = await nextAuthz.isAllowed(question);
  return createElement(AuthzProvider, { decisions }, String(may));
}
export const GET: (request: NextRequest, context: { params: Promise<{ id: string }> }) => Promise<Response> =
  nextAuthz.handler<{ params: Promise<{ id: string }> }>(
    { resource: async (_request, { params }) => findDocument((await params).id), action: "view" },
    async (_request, { params }, authz) => Response.json({ id: (await params).id, may: authz.isAllowed("edit") }),
  );
export const proxy: (request: NextRequest) => Promise<Response | undefined> = nextAuthz.proxy({
  principal: (request) => (request.cookies.has("session") ? principal : null),
  resource: (request) => ({ kind: "area", id: request.nextUrl.pathname }),
  action: "enter",
  onDenied: (denial, request) =>
    denial.status === 401 ? Response.redirect(new URL("/sign-in", request.url), 302) : undefined,
});
// @ts-expect-error: a configuration of Next.js has no such option
withOrthrus({ noSuchOption: true });

// Who asks, as the mapper tells it.
const mapped = createNextAuthz({ engine, principal: async () => principalFromClerk(null) });
export const provider: Promise<Value | undefined> = mapped.principal().then((principal) => principal?.attr["provider"]);
// @ts-expect-error: it may be nobody
export const nobody: Promise<{ id: string }> = mapped.principal();

// React Router, with Clerk.
const routeAuthz = createReactRouterAuthz({
  engine,
  principal: async (args) => principalFromClerk(await getReactRouterAuth(args)),
  onDenied: (denial) => (denial.status === 401 ? redirect("/sign-in") : undefined),
});
export const middleware: MiddlewareFunction<Response>[] = [
  routeAuthz.middleware({ resource: ({ params }) => findDocument(params["id"] ?? ""), action: "view" }),
];
export function loader({ context }: LoaderFunctionArgs): { may: boolean } {
  return { may: context.get(authzContext).isAllowed("edit") };
}
export async function action(args: ActionFunctionArgs): Promise<Decisions> {
  const authz = await routeAuthz.authorize(args, { ...question, action: "edit" });
  return authz.snapshot([{ resource: authz.resource, actions: ["publish"] }]);
}

// React
export function EditButton(): ReactElement {
  const may: boolean = useIsAllowed({ resource: question.resource, action: "edit" });
  return createElement(Can, { ...question, fallback: "–" }, String(may));
}
export const decisions: Decisions = snapshot(await engine.checkResource({ principal, ...question, actions: ["edit"] }));
// @ts-expect-error: decisions come from the server
createElement(AuthzProvider, {});
