import { clerkMiddleware, getAuth } from "@clerk/express";
import express from "express";
import { principalFromClerk } from "orthrus/clerk";
import { principalFromWorkOS } from "orthrus/workos";
import { records } from "./records.mjs";

/** The routes of the application: what each does is an action on a resource of the kind. */
export const routes = [
  { method: "GET", path: "/documents/:id", kind: "document", action: "view" },
  { method: "PATCH", path: "/documents/:id", kind: "document", action: "edit" },
  { method: "DELETE", path: "/documents/:id", kind: "document", action: "delete" },
  { method: "POST", path: "/documents/:id/publication", kind: "document", action: "publish" },
  { method: "GET", path: "/documents/:id/export", kind: "document", action: "export" },
  { method: "GET", path: "/billing/:id/invoices", kind: "billing", action: "invoice:view" },
  { method: "POST", path: "/billing/:id/payment-methods", kind: "billing", action: "payment_method:add" },
  { method: "POST", path: "/organizations/:id/invitations", kind: "organization", action: "members:invite" },
];

/** The value of a cookie of the request. */
const cookieOf = (req, name) => {
  const cookies = (req.get("cookie") ?? "").split("; ").map((cookie) => cookie.split("="));
  const [, value] = cookies.find(([key]) => key === name) ?? [];
  return value && decodeURIComponent(value);
};

/**
 * An Express application that asks the engine before each of its routes. Its tenants come from Clerk, with tokens, and from
 * WorkOS, with a sealed session or the profile of an SSO connection.
 */
export function createApp(engine, { clerk, workos, profiles }) {
  const app = express();
  app.use(clerkMiddleware(clerk));

  const authenticate = async (req, _res, next) => {
    const sealed = cookieOf(req, "wos-session");
    const profile = profiles.get(cookieOf(req, "sso"));
    if (sealed) req.principal = principalFromWorkOS(await workos(sealed).authenticate());
    else if (profile) req.principal = principalFromWorkOS(profile);
    else req.principal = principalFromClerk(getAuth(req));
    next();
  };

  const authorize = (kind, action) => async (req, _res, next) => {
    // The decoded parameter of the route, never the raw URL: "%72oadmap" must not be another resource.
    const resource = records.get(`${kind}/${req.params.id}`);
    if (!resource) throw Object.assign(new Error("not found"), { status: 404 });
    const result = await engine.checkResource({
      principal: req.principal,
      resource,
      actions: [action],
      includeMetadata: true,
    });
    req.authz = { action, result };
    if (!result.isAllowed(action)) throw Object.assign(new Error("forbidden"), { status: 403 });
    next();
  };

  // A real application answers 403 and keeps the reasons in its log; the demo sends them along to print them.
  const reasons = (req) => req.authz && { metadata: req.authz.result.metadata, outputs: req.authz.result.outputs };

  for (const { method, path, kind, action } of routes) {
    app[method.toLowerCase()](path, authenticate, authorize(kind, action), (req, res) => {
      res.json({ done: action, ...reasons(req) });
    });
  }

  // Express knows an error handler by its four parameters.
  app.use((error, req, res, _next) => {
    res.status(error.status ?? 500).json({ error: error.message, ...reasons(req) });
  });
  return app;
}

/** Serves the application on a free port of the loopback interface; resolves to `{ url, close }`. */
export function serve(app) {
  return new Promise((resolve, reject) => {
    const server = app.listen(0, "127.0.0.1", (error) => {
      if (error) return reject(error);
      resolve({
        url: `http://127.0.0.1:${server.address().port}`,
        close: () =>
          new Promise((done) => {
            server.close(done);
            server.closeAllConnections();
          }),
      });
    });
  });
}
