/** What is particular to one framework, and what the guards share besides the table of outcomes. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import express from "express";
import fastify from "fastify";
import { createElement as h } from "react";
import { renderToString } from "react-dom/server";
import * as reactRouter from "react-router";
import * as reactRouter7 from "react-router-7";
import { serverBuild } from "../support/apps.mjs";
import { fake, fakeEngine, lastRequest, PRINCIPAL, RESOURCE } from "../support/engine.mjs";

const { snapshot } = await import("orthrus");
const onExpress = await import("orthrus/express");
const { fastifyAuthz } = await import("orthrus/fastify");
const onHono = await import("orthrus/hono");
const onNext = await import("orthrus/next");
const onReactRouter = await import("orthrus/react-router");

const question = { resource: RESOURCE, action: "view" };
const setup = (fields = {}) => ({ engine: fakeEngine(), principal: PRINCIPAL, ...fields });

/** Denies some actions. */
const deny = (...actions) => {
  fake.answer = ({ resources }) =>
    resources
      .map((resource) => resource.actions.map((action) => (actions.includes(action) ? "D" : "A")).join(""))
      .join("");
};

describe("mistakes are told when a guard is made", () => {
  const guards = {
    "authorize (Express)": onExpress.authorize,
    "authorize (Hono)": onHono.authorize,
    "createAuthorize (Express)": (options) => onExpress.createAuthorize(setup())(options),
    "createAuthorize (Hono)": (options) => onHono.createAuthorize(setup())(options),
    "handler (Next.js)": (options) => onNext.createAuthz(setup()).handler(options, () => undefined),
    "proxy (Next.js)": (options) => onNext.createAuthz(setup()).proxy(options),
    "middleware (React Router)": (options) => onReactRouter.createAuthz(setup()).middleware(options),
    "a route (Fastify)": (options) => {
      const app = fastify();
      fastifyAuthz(app, setup());
      app.get("/", { config: { authz: options } }, () => "ok");
    },
  };
  const setups = {
    "createAuthorize (Express)": onExpress.createAuthorize,
    "createAuthorize (Hono)": onHono.createAuthorize,
    "createAuthz (Next.js)": onNext.createAuthz,
    "createAuthz (React Router)": onReactRouter.createAuthz,
  };
  for (const [name, make] of Object.entries(guards)) {
    const complete = { ...(name.startsWith("authorize") ? setup() : {}), ...question };
    for (const [mistake, options, path] of [
      ["no action", { ...complete, action: undefined }, "action"],
      ["no resource", { ...complete, resource: undefined }, "resource"],
      ["an option that does not exist", { ...complete, acton: "view" }, "acton"],
      ["an action in place of a list", { ...complete, also: "edit" }, "also"],
      ["no options", undefined, ""],
      ["null", null, ""],
    ].filter(([mistake]) => !(name.includes("Fastify") && mistake === "no options"))) {
      test(`${name}: ${mistake}`, () => assert.throws(() => make(options), { code: "OPTIONS_INVALID", path }));
    }
  }
  for (const [name, make] of Object.entries(setups)) {
    for (const [mistake, options, path] of [
      ["no engine", { principal: PRINCIPAL }, "engine"],
      ["no principal", { engine: setup().engine }, "principal"],
      ["an option that does not exist", setup({ princpal: PRINCIPAL }), "princpal"],
    ]) {
      test(`${name}: ${mistake}`, () => assert.throws(() => make(options), { code: "OPTIONS_INVALID", path }));
    }
  }
  test("Fastify: no engine", async () => {
    await assert.rejects(async () => fastify().register(fastifyAuthz, { principal: PRINCIPAL }), { path: "engine" });
  });
});

describe("the decision on the request", () => {
  /** What a guard leaves. */
  async function decided(fields) {
    const options = setup();
    deny("delete");
    const req = {};
    const error = await new Promise((resolve) => {
      onExpress.authorize({ ...options, ...question, ...fields })(req, {}, resolve);
    });
    assert.equal(error, undefined);
    return req.authz;
  }

  test("answers what was decided without asking again", async () => {
    const authz = await decided({ also: ["edit", "delete", "view"] });
    assert.deepEqual(lastRequest().resources[0].actions, ["view", "edit", "delete"]);
    const asked = fake.requests.length;
    assert.deepEqual(
      ["view", "edit", "delete"].map((action) => authz.isAllowed(action)),
      [true, true, false],
    );
    assert.equal(fake.requests.length, asked);
  });

  test("asks for what was not", async () => {
    const authz = await decided();
    assert.equal(authz.isAllowed("delete"), false);
    assert.equal(authz.isAllowed("toString"), true);
    assert.equal(authz.isAllowed("view", { kind: "project", id: "2" }), true);
    const { principal, resources } = lastRequest();
    assert.deepEqual([principal, resources[0].resource], [PRINCIPAL, { kind: "project", id: "2" }]);
  });

  test("denies what was looked for and is not there, and does not take it for the resource of the guard", async () => {
    const authz = await decided();
    for (const missing of [undefined, null]) {
      assert.equal(authz.isAllowed("view", missing), false);
    }
    assert.equal(authz.isAllowed("view"), true);
  });

  test("does not answer when the engine cannot", async () => {
    const engine = fakeEngine();
    const req = {};
    await onExpress.authorize({ engine, principal: PRINCIPAL, ...question })(req, {}, () => undefined);
    engine.close();
    assert.throws(() => req.authz.isAllowed("edit"), { code: "ENGINE_CLOSED" });
  });

  test("decides about several resources, and makes decisions for a browser", async () => {
    const authz = await decided({ also: ["delete"] });
    const resources = [{ resource: { kind: "project", id: "2", attr: { secret: 1 } }, actions: ["view", "delete"] }];
    assert.equal(
      (await authz.checkResources(resources)).isAllowed({ resource: resources[0].resource, action: "view" }),
      true,
    );
    assert.deepEqual(await authz.snapshot(resources), [
      { resource: { kind: "project", id: "2" }, actions: { view: true, delete: false } },
    ]);
    assert.deepEqual(await authz.snapshot(), [{ resource: RESOURCE, actions: { view: true, delete: false } }]);
  });

  test("has metadata where they are asked for", async () => {
    await decided({ includeMetadata: true });
    assert.equal(lastRequest().includeMeta, true);
  });
});

describe("snapshot", () => {
  const results = [
    {
      resource: { kind: "document", id: "1", policyVersion: "next", scope: "acme" },
      actions: { view: "EFFECT_ALLOW", edit: "EFFECT_DENY", delete: "EFFECT_UNSPECIFIED" },
      validationErrors: [{ path: "/secret" }],
      metadata: { actions: {}, effectiveDerivedRoles: ["secret"] },
      outputs: [{ source: "secret", value: "secret" }],
    },
    { resource: { kind: "document", id: "2", policyVersion: "", scope: "" }, actions: {}, outputs: [] },
  ];
  const expected = [
    {
      resource: { kind: "document", id: "1", policyVersion: "next", scope: "acme" },
      actions: { view: true, edit: false, delete: false },
    },
    { resource: { kind: "document", id: "2" }, actions: {} },
  ];
  for (const [name, answer, decisions] of [
    ["a response", { results }, expected],
    ["a result", results[0], [expected[0]]],
    ["results", results, expected],
  ]) {
    test(`of ${name} holds effects alone`, () => assert.deepEqual(snapshot(answer), decisions));
  }
});

describe("Express", () => {
  /** Answers of an application by path. */
  async function answers(app, paths) {
    const server = await new Promise((resolve) => {
      const listening = app.listen(0, "127.0.0.1", () => resolve(listening));
    });
    try {
      const origin = `http://127.0.0.1:${server.address().port}`;
      return await Promise.all(paths.map(async (path) => (await fetch(origin + path)).status));
    } finally {
      server.close();
    }
  }

  test("guards every form of a path that it routes", async () => {
    const app = express();
    app.get("/admin/:id", onExpress.authorize({ ...setup({ principal: () => null }), ...question }), (_req, res) =>
      res.end(),
    );
    const paths = ["/admin/1", "/Admin/1", "/admin/1/", "/%61dmin/1", "//admin/1", "/admin/%31", "/admin/..%2F1"];
    assert.deepEqual(await answers(app, paths), [401, 401, 401, 404, 404, 401, 401]);
  });

  test("passes on an error that the principal's source has made for the client", async () => {
    const thrown = Object.assign(new Error("which account?"), { status: 400, expose: true });
    const log = [];
    const fields = { principal: () => Promise.reject(thrown), log: (refusal) => log.push(refusal) };
    const error = await new Promise((resolve) => {
      onExpress.authorize({ ...setup(fields), ...question })({}, {}, resolve);
    });
    assert.equal(error, thrown);
    assert.deepEqual(log, []);
  });

  test("leaves the last decision of several guards", async () => {
    const app = express();
    const authorize = onExpress.createAuthorize(setup());
    app.use(authorize({ ...question, action: "enter" }));
    app.get("/", authorize(question), (req, res) => res.status(req.authz.action === "view" ? 200 : 500).end());
    assert.deepEqual(await answers(app, ["/"]), [200]);
  });

  test("lets a route answer denials in its own way", async () => {
    const authorize = onExpress.createAuthorize(
      setup({ principal: null, onDenied: (_denial, _req, res) => res.status(418).end() }),
    );
    const app = express();
    app.get("/setup", authorize(question));
    app.get(
      "/route",
      authorize({ ...question, onDenied: ({ status }, _req, res) => void res.status(status + 9).end() }),
    );
    assert.deepEqual(await answers(app, ["/setup", "/route"]), [418, 410]);
  });
});

describe("Fastify", () => {
  /** An application with routes of every kind. */
  async function application(options) {
    const app = fastify();
    await app.register(
      fastifyAuthz,
      setup({ principal: ({ headers }) => (headers.user ? PRINCIPAL : null), ...options }),
    );
    const answer = (request) => ({ action: request.authz?.action ?? null });
    app.get("/guarded", { config: { authz: question } }, answer);
    app.get("/public", { config: { authz: "public" } }, answer);
    app.get("/forgotten", answer);
    await app.register(async (child) => {
      child.get("/child", { config: { authz: question } }, answer);
      child.get("/child/forgotten", answer);
    });
    return app;
  }
  const ask = async (app, url, { method = "GET", user } = {}) => {
    const { statusCode, body } = await app.inject({ method, url, headers: user ? { user } : {} });
    return [statusCode, method === "HEAD" || statusCode === 404 ? undefined : JSON.parse(body)];
  };

  for (const [url, user, expected, options] of [
    ["/guarded", "ann", [200, { action: "view" }]],
    ["/guarded", undefined, [401, { error: "unauthorized" }]],
    ["/public", undefined, [200, { action: null }]],
    ["/forgotten", "ann", [403, { error: "forbidden" }]],
    ["/child", undefined, [401, { error: "unauthorized" }]],
    ["/child", "ann", [200, { action: "view" }]],
    ["/child/forgotten", "ann", [403, { error: "forbidden" }]],
    ["/nowhere", undefined, [404, undefined]],
    ["/forgotten", undefined, [200, { action: null }], { routesWithoutAuthz: "allow" }],
    ["/guarded", undefined, [401, { error: "unauthorized" }], { routesWithoutAuthz: "allow" }],
  ]) {
    test(`${url}, ${user ?? "nobody"}${options ? ", routes without authz allowed" : ""}`, async () => {
      assert.deepEqual(await ask(await application(options), url, { user }), expected);
    });
  }

  test("guards the HEAD route that comes with a GET route", async () => {
    assert.deepEqual(await ask(await application(), "/guarded", { method: "HEAD" }), [401, undefined]);
  });

  test("tells the log of a route that was forgotten", async () => {
    const reasons = [];
    await ask(await application({ log: ({ reason }) => reasons.push(reason) }), "/forgotten", { user: "ann" });
    assert.deepEqual(reasons, ["the route has no config.authz"]);
  });

  test("does not keep a decision for the next request", async () => {
    const app = await application();
    await ask(app, "/guarded", { user: "ann" });
    assert.deepEqual(await ask(app, "/public"), [200, { action: null }]);
  });

  test("refuses a setting that does not exist", async () => {
    await assert.rejects(application({ routesWithoutAuthz: "refused" }), { path: "routesWithoutAuthz" });
  });
});

for (const [version, library] of [
  [7, reactRouter7],
  [8, reactRouter],
]) {
  describe(`React Router ${version}`, () => {
    const { authzContext } = onReactRouter;
    const { createRequestHandler, isRouteErrorResponse, Outlet, RouterContextProvider, ServerRouter, useRouteError } =
      library;

    /** The layout of a page, and what it shows of an error. */
    const root = {
      path: "",
      module: {
        default: () => h(Outlet),
        ErrorBoundary() {
          const error = useRouteError();
          return h("p", null, isRouteErrorResponse(error) ? `${error.status} ${error.data.error}` : error.message);
        },
      },
    };

    /** Asks for a page with a loader. */
    async function ask(page, url = "/documents/1") {
      const routes = {
        root,
        page: { path: "documents/:id", parentId: "root", module: { default: () => h("p", null, "page"), ...page } },
      };
      const render = (_request, status, headers, context) =>
        new Response(renderToString(h(ServerRouter, { context, url: "http://localhost/documents/1" })), {
          status,
          headers,
        });
      const handle = createRequestHandler(serverBuild(routes, render), "production");
      const response = await handle(new Request(`http://localhost${url}`), new RouterContextProvider());
      const text = await response.text();
      return [response.status, /<p>(.*?)<\/p>/.exec(text)?.[1] ?? text];
    }
    const byParameter = { resource: ({ params }) => ({ kind: "document", id: params.id }), action: "view" };
    const failing = () => {
      throw new Error("secret");
    };

    for (const [name, fields, denied, expected] of [
      ["what is allowed", {}, [], [200, "page"]],
      ["what is denied", {}, ["view"], [403, "403 forbidden"]],
      ["nobody", { principal: () => null }, [], [401, "401 unauthorized"]],
      ["a failure", { principal: failing }, [], [500, "Unexpected Server Error"]],
    ]) {
      test(`middleware of a page: ${name}`, async () => {
        const authz = onReactRouter.createAuthz(setup(fields));
        deny(...denied);
        const loader = ({ context }) => context.get(authzContext).action;
        assert.deepEqual(await ask({ middleware: [authz.middleware(byParameter)], loader }), expected);
      });
      test(`loader of a page: ${name}`, async () => {
        const authz = onReactRouter.createAuthz(setup(fields));
        deny(...denied);
        assert.deepEqual(
          await ask({ loader: async (args) => (await authz.authorize(args, byParameter)).action }),
          expected,
        );
      });
    }

    test("data requests tell no more than pages", async () => {
      const authz = onReactRouter.createAuthz(setup());
      deny("view");
      const [status, text] = await ask(
        { middleware: [authz.middleware(byParameter)], loader: () => "secret" },
        "/documents/1.data",
      );
      assert.equal(status, 403);
      assert.doesNotMatch(text, /secret|policies/);
    });

    test("a loader that no middleware guards has no decision", async () => {
      assert.deepEqual(await ask({ loader: ({ context }) => context.get(authzContext).action }), [
        500,
        "Unexpected Server Error",
      ]);
    });
  });
}

describe("React Router", () => {
  const args = { request: new Request("http://localhost/"), params: {}, context: {} };
  const failing = (code) => () => {
    throw Object.assign(new Error("secret"), { code });
  };

  test("says what middleware needs where the context is an older one", async () => {
    const middleware = onReactRouter.createAuthz(setup()).middleware(question);
    await assert.rejects(async () => middleware(args, () => assert.fail("passed")), {
      code: "OPTIONS_INVALID",
      message: /v8_middleware/,
    });
  });

  for (const [name, fields, denied, expected] of [
    ["what is allowed", {}, [], true],
    ["what is denied", {}, ["view"], false],
    ["nobody", { principal: () => null }, [], false],
    ["an invalid credential", { principal: failing("JWT_SIGNATURE") }, [], false],
    ["a credential that cannot be verified now", { principal: failing("JWT_KEYS_UNAVAILABLE") }, [], { status: 503 }],
    ["a failure", { principal: failing(undefined) }, [], { status: 500 }],
  ]) {
    const check = async (answer, value) =>
      typeof expected === "boolean" ? assert.deepEqual(await answer, value) : assert.rejects(answer, expected);
    test(`isAllowed: ${name}`, async () => {
      const authz = onReactRouter.createAuthz(setup(fields));
      deny(...denied);
      await check(authz.isAllowed(args, question), expected);
    });
    test(`snapshot: ${name}`, async () => {
      const authz = onReactRouter.createAuthz(setup(fields));
      deny(...denied);
      const decisions = [{ resource: RESOURCE, actions: { view: expected } }];
      await check(authz.snapshot(args, [{ resource: RESOURCE, actions: ["view"] }]), decisions);
    });
  }

  test("a resource that was looked for and is not there is forbidden", async () => {
    const authz = onReactRouter.createAuthz(setup());
    const missing = { ...question, resource: undefined };
    await assert.rejects(authz.authorize(args, missing), ({ status }) => status === 403);
    assert.equal(await authz.isAllowed(args, missing), false);
    await assert.rejects(authz.authorize(args, { action: "view" }), { code: "OPTIONS_INVALID", path: "resource" });
  });

  test("principal: who asks, or null", async () => {
    assert.equal(await onReactRouter.createAuthz(setup()).principal(args), PRINCIPAL);
    assert.equal(await onReactRouter.createAuthz(setup({ principal: () => undefined })).principal(args), null);
  });
});
