import { clerkMiddleware, getAuth } from "@clerk/express";
import express from "express";
import { principalFromClerk } from "orthrus/clerk";
import { createAuthorize } from "orthrus/express";
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
 * An Express application that guards each of its routes. Its tenants come from Clerk, with tokens, and from
 * WorkOS, with a sealed session or the profile of an SSO connection.
 */
export function createApp(engine, { clerk, workos, profiles }) {
  const app = express();
  app.use(clerkMiddleware(clerk));

  const principal = async (req) => {
    const sealed = cookieOf(req, "wos-session");
    const profile = profiles.get(cookieOf(req, "sso"));
    if (sealed) return principalFromWorkOS(await workos(sealed).authenticate());
    return profile ? principalFromWorkOS(profile) : principalFromClerk(getAuth(req));
  };

  // A real application keeps the reasons in its log; the demo sends them along to print them.
  const reasons = ({ metadata, outputs }) => ({ metadata, outputs });
  const onDenied = ({ status, result }, _req, res) => void res.status(status).json(result && reasons(result));

  const authorize = createAuthorize({ engine, principal, onDenied });
  for (const { method, path, kind, action } of routes) {
    const resource = (req) => records.get(`${kind}/${req.params.id}`);
    app[method.toLowerCase()](path, authorize({ resource, action, includeMetadata: true }), (req, res) => {
      res.json({ done: action, ...reasons(req.authz.result) });
    });
  }
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
