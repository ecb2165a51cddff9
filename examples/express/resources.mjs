/** Rows of the database as resources of the policies, and what was decided on them in the words of the API. */

import { billing, documents, organizations } from "../workspace/records.mjs";

export const toResource = (kind, row) => ({ kind, id: row.id, attr: { ...row } });

/**
 * Finds the row that a route is about, once: the guard decides on it, and the handler works with `req.row`. The id comes from
 * `req.params`, which Express has decoded; `req.url` may spell the same row in many ways.
 */
const load = (kind, find) => (req) => {
  req.row = find(req.params.id);
  return req.row && toResource(kind, req.row);
};

export const documentOf = load("document", (id) => documents.get(id));
export const organizationOf = load("organization", (id) => organizations.get(id));
export const billingOf = load("billing", (orgId) => [...billing.values()].find((row) => row.orgId === orgId));

/** What the client may offer as buttons. It is a hint: each route asks for itself. */
export const allowedActions = (result) => Object.keys(result.actions).filter((action) => result.isAllowed(action));
