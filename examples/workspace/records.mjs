/**
 * The rows that the examples work on: two organizations, their documents and their billing. They live in memory, so a restart
 * brings them back.
 *
 * @typedef {{ id: string, name: string, orgId: string, ownerId: string, plan: "starter" | "team" | "enterprise", seatsUsed: number }} Organization
 * @typedef {{ id: string, title: string, orgId: string, ownerId: string, status: "draft" | "review" | "published", legalHold: boolean, orgPlan: string }} Document
 * @typedef {{ id: string, orgId: string, balance: number, dueAt: string, card: string }} Billing
 */

/** @returns {{ organizations: Map<string, Organization>, documents: Map<string, Document>, billing: Map<string, Billing> }} */
function initialRecords() {
  /** @type {Organization[]} */
  const organizations = [
    { id: "org_acme", name: "Acme", orgId: "org_acme", ownerId: "user_ada", plan: "team", seatsUsed: 7 },
    { id: "org_globex", name: "Globex", orgId: "org_globex", ownerId: "user_gil", plan: "enterprise", seatsUsed: 40 },
  ];
  const acme = { orgId: "org_acme", legalHold: false, orgPlan: "team" };
  const globex = { orgId: "org_globex", legalHold: false, orgPlan: "enterprise" };
  /** @type {Document[]} */
  const documents = [
    { id: "handbook", title: "Employee handbook", ownerId: "user_ada", status: "published", ...acme },
    { id: "roadmap", title: "Roadmap 2027", ownerId: "user_max", status: "review", ...acme },
    { id: "evidence", title: "Evidence for the court", ownerId: "user_max", status: "draft", ...acme, legalHold: true },
    { id: "salaries", title: "Salary bands", ownerId: "user_ada", status: "draft", ...acme },
    { id: "contract", title: "Supply contract", ownerId: "user_gil", status: "published", ...globex },
    { id: "merger", title: "Merger plan", ownerId: "user_gil", status: "draft", ...globex },
  ];
  /** @type {Billing[]} */
  const billing = [
    { id: "bill_acme", orgId: "org_acme", balance: 120.5, dueAt: "2027-01-15T00:00:00Z", card: "•••• 4242" },
    { id: "bill_globex", orgId: "org_globex", balance: 0, dueAt: "2027-01-15T00:00:00Z", card: "•••• 1881" },
  ];
  return { organizations: byId(organizations), documents: byId(documents), billing: byId(billing) };
}

/**
 * @template {{ id: string }} Row
 * @param {Row[]} rows
 * @returns {Map<string, Row>}
 */
function byId(rows) {
  return new Map(rows.map((row) => [row.id, row]));
}

// A bundler may load this module once for the pages and once more for the routes; the rows are the same for both.
const shared = /** @type {{ exampleRecords?: ReturnType<typeof initialRecords> }} */ (globalThis);
shared.exampleRecords ??= initialRecords();

export const { organizations, documents, billing } = shared.exampleRecords;
