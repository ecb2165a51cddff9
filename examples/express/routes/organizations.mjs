import { randomUUID } from "node:crypto";
import express, { Router } from "express";
import { documents } from "../../workspace/records.mjs";
import { clientError } from "../errors.mjs";
import { allowedActions, billingOf, organizationOf, toResource } from "../resources.mjs";
import { DOCUMENT_ACTIONS, requireTitle } from "./documents.mjs";

/** What belongs to an organization as a whole: its documents, its members, its billing. */
export function organizationRoutes(authorize) {
  const router = Router();
  const allow = (action, also) => authorize({ resource: organizationOf, action, also });

  router.get("/organizations/:id", allow("view", ["members:invite", "delete"]), (req, res) => {
    res.json({ ...req.row, allowedActions: allowedActions(req.authz.result) });
  });

  router.post("/organizations/:id/invitations", allow("members:invite"), (req, res) => {
    req.row.seatsUsed += 1;
    res.status(201).json({ seatsUsed: req.row.seatsUsed });
  });

  router
    .route("/organizations/:id/documents")
    .get(allow("view"), async (req, res) => {
      const rows = [...documents.values()].filter(({ orgId }) => orgId === req.row.id);
      // One call decides on all of them.
      const questions = rows.map((row) => ({ resource: toResource("document", row), actions: DOCUMENT_ACTIONS }));
      const { results } = await req.authz.checkResources(questions);
      const told = rows.map((row, index) => ({ ...row, allowedActions: allowedActions(results[index]) }));
      res.json(told.filter(({ allowedActions }) => allowedActions.includes("view")));
    })
    .post(allow("view"), express.json(), requireTitle, (req, res) => {
      const { id: orgId, plan: orgPlan } = req.row;
      // Whose it is says the session, and not the body.
      const ownerId = req.authz.principal.id;
      const { title } = req.body;
      const row = { id: randomUUID(), title, orgId, ownerId, status: "draft", legalHold: false, orgPlan };
      if (!req.authz.isAllowed("create", toResource("document", row))) {
        throw clientError(403, "may not create documents");
      }
      documents.set(row.id, row);
      res.status(201).location(`${req.baseUrl}/documents/${row.id}`).json(row);
    });

  router.get(
    "/organizations/:id/billing",
    authorize({ resource: billingOf, action: "invoice:view", also: ["invoice:pay", "plan:change"] }),
    (req, res) => {
      res.json({ ...req.row, allowedActions: allowedActions(req.authz.result) });
    },
  );

  router.post(
    "/organizations/:id/billing/payments",
    authorize({ resource: billingOf, action: "invoice:pay" }),
    (req, res) => {
      const paid = req.row.balance;
      req.row.balance = 0;
      res.status(201).json({ paid });
    },
  );

  return router;
}
