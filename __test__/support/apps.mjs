/**
 * The same small application in each framework: `GET /documents/:id`, guarded by the action `view`. Made of
 *
 * - `setup`: engine, log and so on, as each framework takes them, and `principal(header)`, which reads headers by name;
 * - `question`: action and so on, and `resource(id, notFound)`, where `notFound()` throws the framework's own "not found";
 * - `onDenied()`: whether to answer denials by 302;
 * - `reached()`, called by the handler.
 *
 * Each resolves to `{ fetch(path, init), close() }`. The application tells what it got of the guard; a fault is answered by its
 * message, as careless error handlers do.
 */

import { serve as serveHono } from "@hono/node-server";
import express from "express";
import express4 from "express-4";
import fastify from "fastify";
import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import * as onExpress from "orthrus/express";
import { fastifyAuthz } from "orthrus/fastify";
import * as onHono from "orthrus/hono";
import { createAuthz as createNextAuthz } from "orthrus/next";
import { authzContext, createAuthz as createReactRouterAuthz } from "orthrus/react-router";
import * as reactRouter from "react-router";
import * as reactRouter7 from "react-router-7";

/** What the application answers where it may; `reached` is told that it got so far. */
const handler = (reached) => async (id, authz) => ({
  ...reached(),
  id,
  checked: authz.resource.id,
  principal: authz.principal.id,
  action: authz.action,
  edit: authz.isAllowed("edit"),
  outputs: authz.outputs.map(({ value }) => value),
  snapshot: await authz.snapshot(),
});
const SIGN_IN = "/sign-in";

const overHttp = (origin, close) => ({
  fetch: (path, init) => fetch(origin + path, { redirect: "manual", signal: AbortSignal.timeout(10_000), ...init }),
  close,
});
const address = (server) => `http://127.0.0.1:${server.address().port}`;
const closing = (server) => () =>
  new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections?.();
  });

function onlyDefined(options) {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}

const expressApp =
  (library) =>
  ({ setup, question, onDenied, reached }) => {
    const seen = handler(reached);
    const app = library();
    const authorize = onExpress.createAuthorize({
      ...setup,
      principal: (req) => setup.principal((name) => req.get(name)),
    });
    const notFound = () => {
      throw Object.assign(new Error("not found"), { status: 404 });
    };
    app.get(
      "/documents/:id",
      authorize(
        onlyDefined({
          ...question,
          resource: (req) => question.resource(req.params.id, notFound),
          onDenied: onDenied && ((_denial, _req, res) => onDenied() && res.redirect(SIGN_IN)),
        }),
      ),
      (req, res, next) => seen(req.params.id, req.authz).then((body) => res.json(body), next),
    );
    // Express knows an error handler by its four parameters.
    app.use((error, _req, res, _next) => res.status(error.status ?? 500).json({ error: error.message }));
    return new Promise((resolve) => {
      const server = app.listen(0, "127.0.0.1", () => resolve(overHttp(address(server), closing(server))));
    });
  };

function honoApp({ setup, question, onDenied, reached }) {
  const seen = handler(reached);
  const app = new Hono();
  const authorize = onHono.createAuthorize({
    ...setup,
    principal: (c) => setup.principal((name) => c.req.header(name)),
  });
  const notFound = () => {
    throw new HTTPException(404);
  };
  app.get(
    "/documents/:id",
    authorize(
      onlyDefined({
        ...question,
        resource: (c) => question.resource(c.req.param("id"), notFound),
        onDenied: onDenied && ((_denial, c) => (onDenied() ? c.redirect(SIGN_IN) : undefined)),
      }),
    ),
    async (c) => c.json(await seen(c.req.param("id"), c.var.authz)),
  );
  app.onError((error, c) => c.json({ error: error.message }, error.status ?? 500));
  return new Promise((resolve) => {
    const server = serveHono({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, () =>
      resolve(overHttp(address(server), closing(server))),
    );
  });
}

async function fastifyApp({ setup, question, onDenied, reached }) {
  const seen = handler(reached);
  const app = fastify({ forceCloseConnections: true });
  await app.register(fastifyAuthz, {
    ...setup,
    principal: (request) => setup.principal((name) => request.headers[name]),
  });
  const notFound = () => {
    throw Object.assign(new Error("not found"), { statusCode: 404 });
  };
  const authz = onlyDefined({
    ...question,
    resource: (request) => question.resource(request.params.id, notFound),
    onDenied: onDenied && ((_denial, _request, reply) => onDenied() && reply.redirect(SIGN_IN)),
  });
  app.get("/documents/:id", { config: { authz } }, (request) => seen(request.params.id, request.authz));
  await app.listen({ port: 0, host: "127.0.0.1" });
  return overHttp(address(app.server), () => app.close());
}

/** Handlers of Next.js need no server: they take a request and return a response. */
async function nextApp({ setup, question, onDenied, reached }) {
  const seen = handler(reached);
  let headers;
  const authz = createNextAuthz({
    ...setup,
    principal: () => setup.principal((name) => headers.get(name) ?? undefined),
  });
  const { notFound } = (await import("next/navigation.js")).default;
  const handle = authz.handler(
    onlyDefined({
      ...question,
      resource: async (_request, { params }) => question.resource((await params).id, notFound),
      onDenied: onDenied && ((_denial, request) => (onDenied() ? redirectTo(request) : undefined)),
    }),
    async (_request, { params }, authz) => Response.json(await seen((await params).id, authz)),
  );
  return inProcess(async (request, id) => {
    headers = request.headers;
    try {
      return await handle(request, { params: Promise.resolve({ id }) });
    } catch (error) {
      const status = /^NEXT_HTTP_ERROR_FALLBACK;(\d+)$/.exec(error.digest)?.[1] ?? error.status ?? 500;
      return Response.json({ error: error.message }, { status: Number(status) });
    }
  });
}

const redirectTo = (request) => Response.redirect(new URL(SIGN_IN, request.url), 302);

/** The path is decoded once, as routers do. */
const inProcess = (handle) => ({
  fetch(path, init) {
    const request = new Request(`http://localhost${path}`, init);
    return handle(request, decodeURIComponent(/^\/documents\/([^/]+)\/?$/.exec(path)[1]));
  },
  close: async () => undefined,
});

/** A resource route behind the request handler of framework mode. */
const reactRouterApp =
  (library, guard) =>
  async ({ setup, question, onDenied, reached }) => {
    const seen = handler(reached);
    const authz = createReactRouterAuthz({
      ...setup,
      principal: ({ request }) => setup.principal((name) => request.headers.get(name) ?? undefined),
    });
    const notFound = () => {
      throw library.data("not found", { status: 404 });
    };
    const asked = onlyDefined({
      ...question,
      resource: ({ params }) => question.resource(params.id, notFound),
      onDenied: onDenied && ((_denial, { request }) => (onDenied() ? redirectTo(request) : undefined)),
    });
    const module = {
      middleware: {
        middleware: [authz.middleware(asked)],
        loader: async ({ params, context }) => Response.json(await seen(params.id, context.get(authzContext))),
      },
      loader: {
        loader: async (args) => Response.json(await seen(args.params.id, await authz.authorize(args, asked))),
      },
    }[guard];
    const handle = library.createRequestHandler(
      serverBuild({ documents: { path: "documents/:id", module } }),
      "production",
    );
    return {
      fetch: (path, init) => handle(new Request(`http://localhost${path}`, init), new library.RouterContextProvider()),
      close: async () => undefined,
    };
  };

/** What `react-router build` makes of routes. */
export function serverBuild(routes, handleRequest = () => new Response()) {
  const complete = Object.entries(routes).map(([id, { path, parentId, module }]) => ({ id, path, parentId, module }));
  return {
    entry: { module: { default: handleRequest, handleError: () => undefined } },
    routes: Object.fromEntries(complete.map((route) => [route.id, route])),
    assets: {
      entry: { module: "/entry.js", imports: [] },
      routes: Object.fromEntries(
        complete.map(({ id, path, parentId, module }) => [
          id,
          {
            ...{ id, path, parentId, module: `/${id}.js`, imports: [] },
            ...{
              hasLoader: "loader" in module,
              hasAction: "action" in module,
              hasErrorBoundary: "ErrorBoundary" in module,
            },
          },
        ]),
      ),
      url: "/manifest.js",
      version: "1",
    },
    ...{ basename: "/", publicPath: "/", assetsBuildDirectory: "build", ssr: true, isSpaMode: false, prerender: [] },
    future: { v8_middleware: true },
    routeDiscovery: { mode: "initial", manifestPath: "/__manifest" },
  };
}

/** All applications, by a name for people. */
export const apps = {
  "Express 5": expressApp(express),
  "Express 4": expressApp(express4),
  Hono: honoApp,
  Fastify: fastifyApp,
  "Next.js": nextApp,
  "React Router 8, middleware": reactRouterApp(reactRouter, "middleware"),
  "React Router 8, loader": reactRouterApp(reactRouter, "loader"),
  "React Router 7, middleware": reactRouterApp(reactRouter7, "middleware"),
};
