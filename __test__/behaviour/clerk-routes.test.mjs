/** From login to decision: the SDKs of Clerk in front of the guards, over the sample policies. */

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { clerkMiddleware as clerkExpress, getAuth as getExpressAuth } from "@clerk/express";
import { clerkMiddleware as clerkReactRouter, getAuth as getReactRouterAuth } from "@clerk/react-router/server";
import express from "express";
import { Orthrus } from "orthrus";
import { principalFromClerk } from "orthrus/clerk";
import { createAuthorize } from "orthrus/express";
import { authzContext, createAuthz } from "orthrus/react-router";
import { createRequestHandler, RouterContextProvider } from "react-router";
import { skip } from "../support/addon.mjs";
import { serverBuild } from "../support/apps.mjs";
import { createClerk } from "../support/clerk.mjs";

const acme = { id: "org_acme", slg: "acme" };
const roadmap = {
  kind: "document",
  id: "roadmap",
  attr: { orgId: "org_acme", ownerId: "user_max", status: "review", legalHold: false, orgPlan: "team" },
};

/** What each comes with, and what GET /documents/roadmap answers: the status, and whether they may publish. */
const cases = {
  "an administrator": [(clerk) => clerk.session({ sub: "user_ada", o: { ...acme, rol: "admin" } }), [200, true]],
  "a member": [(clerk) => clerk.session({ sub: "user_max", o: { ...acme, rol: "member" } }), [200, false]],
  "an administrator of another tenant": [
    (clerk) => clerk.session({ sub: "user_gil", o: { id: "org_globex", slg: "globex", rol: "admin" } }),
    [403],
  ],
  "somebody without an organization": [(clerk) => clerk.session({ sub: "user_eve" }), [403]],
  nobody: [() => undefined, [401]],
  "somebody whose session is pending": [
    (clerk) => clerk.session({ sub: "user_ada", sts: "pending", o: { ...acme, rol: "admin" } }),
    [401],
  ],
  "somebody whose token has expired": [
    (clerk) => clerk.session({ sub: "user_ada", exp: 1_700_000_000, o: { ...acme, rol: "admin" } }),
    [401],
  ],
  "somebody whose token another key has signed": [
    (_clerk, forger) => forger.session({ sub: "user_ada", o: { ...acme, rol: "admin" } }),
    [401],
  ],
};

/** What a client may try to pass for the work of an SDK. */
const spoofed = {
  "x-user-id": "user_ada",
  "x-user-roles": '["org:admin"]',
  "x-clerk-auth-status": "signed-in",
  "x-clerk-auth-token": "user_ada",
  "x-clerk-auth-reason": "",
  "x-clerk-auth-signature": "0".repeat(40),
};

const apps = {
  Express(engine, clerk) {
    const app = express();
    app.use(clerkExpress(clerk.settings));
    const authorize = createAuthorize({ engine, principal: (req) => principalFromClerk(getExpressAuth(req)) });
    app.get("/documents/:id", authorize({ resource: roadmap, action: "view" }), (req, res) => {
      res.json(req.authz.isAllowed("publish"));
    });
    return new Promise((resolve) => {
      const server = app.listen(0, "127.0.0.1", () => {
        server.unref();
        resolve((headers) => fetch(`http://127.0.0.1:${server.address().port}/documents/roadmap`, { headers }));
      });
    });
  },

  "React Router"(engine, clerk) {
    const authz = createAuthz({
      engine,
      principal: async (args) => principalFromClerk(await getReactRouterAuth(args)),
    });
    const module = {
      middleware: [clerkReactRouter(clerk.settings), authz.middleware({ resource: roadmap, action: "view" })],
      loader: ({ context }) => Response.json(context.get(authzContext).isAllowed("publish")),
    };
    const handle = createRequestHandler(serverBuild({ documents: { path: "documents/:id", module } }), "production");
    return (headers) =>
      handle(new Request("http://localhost:3000/documents/roadmap", { headers }), new RouterContextProvider());
  },
};

describe("Clerk in front of", { skip }, () => {
  let engine;
  let clerk;
  let forger;
  before(async () => {
    engine = await Orthrus.open(fileURLToPath(new URL("../../policies", import.meta.url)));
    [clerk, forger] = await Promise.all([createClerk(), createClerk()]);
  });
  after(async () => {
    engine.close();
    await Promise.all([clerk.close(), forger.close()]);
  });

  for (const [framework, create] of Object.entries(apps)) {
    describe(framework, () => {
      let ask;
      before(async () => {
        ask = await create(engine, clerk);
      });
      for (const [who, [token, [status, publish]]] of Object.entries(cases)) {
        test(`${status} for ${who}`, async () => {
          const secret = await token(clerk, forger);
          const authorization = secret === undefined ? {} : { authorization: `Bearer ${secret}` };
          for (const headers of [authorization, { ...spoofed, ...authorization }]) {
            const response = await ask(headers);
            assert.equal(response.status, status);
            const body = await response.json();
            assert.deepEqual(
              body,
              { 200: publish, 401: { error: "unauthorized" }, 403: { error: "forbidden" } }[status],
            );
          }
        });
      }
    });
  }
});
