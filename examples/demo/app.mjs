import express from "express";
import { records } from "./records.mjs";
import { sessions } from "./sessions.mjs";

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

/** An Express application that asks the engine before each of its routes. */
export function createApp(engine) {
  const app = express();

  // Stands where clerkMiddleware() or AuthKit verify a token: here the token is the name of a session.
  const authenticate = (req, _res, next) => {
    const token = req.get("authorization")?.replace(/^Bearer /, "");
    req.principal = (Object.hasOwn(sessions, token ?? "") ? sessions[token] : sessions.nobody).principal;
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
