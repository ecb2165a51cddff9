/** What `examples/express` promises beside what `workspace.mjs` tells. */

const administrators = {
  handbook: ["view", "delete"],
  roadmap: ["view", "publish", "delete"],
  evidence: ["view"],
  salaries: ["view", "edit", "delete"],
};

/** [person, method, path below the API, status, the allowed actions that come with an answer: of the row, or of each by id]. */
export const organizationCalls = [
  ["ada", "GET", "/documents/salaries", 200, ["view", "edit", "delete"]],
  ["support", "GET", "/documents/roadmap", 200, ["view", "publish", "delete"]],
  ["max", "GET", "/documents/evidence", 200, ["view"]],
  ["max", "POST", "/documents/roadmap/publication", 403],
  ["ada", "PATCH", "/documents/roadmap", 403],
  ["lea", "PATCH", "/documents/roadmap", 403],
  ["nobody", "PATCH", "/documents/roadmap", 401],
  ["ada", "GET", "/organizations/org_acme", 200, ["view", "members:invite", "delete"]],
  ["max", "GET", "/organizations/org_acme", 200, ["view"]],
  ["support", "GET", "/organizations/org_acme", 200, ["view"]],
  ["lea", "GET", "/organizations/org_acme", 403],
  ["ada", "GET", "/organizations/nowhere", 403],
  ["nobody", "GET", "/organizations/org_acme", 401],
  ["ada", "GET", "/organizations/org_acme/documents", 200, administrators],
  ["support", "GET", "/organizations/org_acme/documents", 200, administrators],
  [
    "max",
    "GET",
    "/organizations/org_acme/documents",
    200,
    { handbook: ["view"], roadmap: ["view", "edit", "delete"], evidence: ["view"] },
  ],
  ["lea", "GET", "/organizations/org_globex/documents", 200, { contract: ["view"] }],
  ["lea", "GET", "/organizations/org_acme/documents", 403],
  ["nobody", "GET", "/organizations/org_acme/documents", 401],
  ["max", "POST", "/organizations/org_acme/invitations", 403],
  ["support", "POST", "/organizations/org_acme/invitations", 403],
  ["lea", "POST", "/organizations/org_acme/invitations", 403],
  ["ada", "GET", "/organizations/org_acme/billing", 200, ["invoice:view", "invoice:pay", "plan:change"]],
  ["support", "GET", "/organizations/org_acme/billing", 200, ["invoice:view"]],
  ["max", "GET", "/organizations/org_acme/billing", 403],
  ["lea", "GET", "/organizations/org_acme/billing", 403],
  ["nobody", "GET", "/organizations/org_acme/billing", 401],
  ["support", "POST", "/organizations/org_acme/billing/payments", 403],
  ["lea", "POST", "/organizations/org_acme/billing/payments", 403],
];

const title = (title) => ({ title });

/** [a machine of the stand-in or a token, method, path, status, body]. */
export const machineCalls = [
  ["reader", "GET", "/machines/documents/handbook", 200],
  ["reader", "GET", "/machines/documents/salaries", 200],
  ["reader", "GET", "/machines/documents/contract", 403],
  ["reader", "GET", "/machines/documents/nowhere", 403],
  ["reader", "PATCH", "/machines/documents/salaries", 403, title("Pay")],
  ["reader", "DELETE", "/machines/documents/handbook", 403],
  ["writer", "GET", "/machines/documents/handbook", 200],
  ["writer", "PATCH", "/machines/documents/salaries", 200, title("Salary bands")],
  // Keys edit drafts alone, and what the court wants stays.
  ["writer", "PATCH", "/machines/documents/roadmap", 403, title("Roadmap")],
  ["writer", "PATCH", "/machines/documents/evidence", 403, title("Nothing")],
  ["writer", "PATCH", "/machines/documents/merger", 403, title("Merger")],
  ["writer", "POST", "/machines/documents/roadmap/publication", 403],
  ["indexer", "GET", "/machines/documents/handbook", 200],
  ["indexer", "GET", "/machines/documents/contract", 403],
  ["indexer", "PATCH", "/machines/documents/salaries", 403, title("Pay")],
  // A machine of no organization, and a key of a person, who is more than the key.
  ["homeless", "GET", "/machines/documents/handbook", 403],
  ["adasKey", "GET", "/machines/documents/handbook", 403],
  ["ak_unknown", "GET", "/machines/documents/handbook", 401],
  ["mt_unknown", "GET", "/machines/documents/handbook", 401],
  ["reader", "GET", "/machines/organizations/org_acme/billing", 404],
  ["reader", "GET", "/api/documents/handbook", 401],
  ["indexer", "GET", "/api/organizations/org_acme", 401],
  ["reader", "GET", "/sso/api/documents/handbook", 401],
];

const DOCUMENTS = "/api/organizations/org_acme/documents";

/** [what, method, path, headers and body, status], asked by Max. */
export const badRequests = [
  ["no such route", "GET", "/api/secrets", undefined, 404],
  ["no such method", "PUT", "/api/documents/handbook", undefined, 404],
  ["an id that is no text", "GET", "/api/documents/%zz", undefined, 400],
  ["a row of somebody else, spelt otherwise", "GET", "/API/documents/%73alaries/", undefined, 403],
  ["a body that is no JSON", "POST", DOCUMENTS, { body: "{" }, 400],
  ["no body", "POST", DOCUMENTS, undefined, 400],
  ["a body without a title", "POST", DOCUMENTS, { body: { name: "x" } }, 400],
  ["an array where a title belongs", "POST", DOCUMENTS, { body: { title: ["x"] } }, 400],
  ["a body that is too large", "POST", DOCUMENTS, { body: { title: "x".repeat(200_000) } }, 413],
  ["a body that nobody may send is not read", "PATCH", "/api/documents/handbook", { body: "{" }, 403],
  [
    "a token that is too large",
    "GET",
    "/api/documents/handbook",
    { headers: { authorization: `Bearer ${"x".repeat(9000)}` } },
    401,
  ],
];
