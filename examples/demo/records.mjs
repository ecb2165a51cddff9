/** The rows of the demo's database, as resources. */
export const records = new Map(
  [
    {
      kind: "document",
      id: "roadmap",
      attr: { orgId: "org_acme", ownerId: "user_max", status: "review", legalHold: false, orgPlan: "team" },
    },
    {
      kind: "document",
      id: "handbook",
      attr: { orgId: "org_acme", ownerId: "user_eve", status: "published", legalHold: false, orgPlan: "team" },
    },
    {
      kind: "document",
      id: "evidence",
      attr: { orgId: "org_acme", ownerId: "user_max", status: "draft", legalHold: true, orgPlan: "team" },
    },
    {
      kind: "document",
      id: "contract",
      policyVersion: "next",
      attr: { orgId: "org_globex", ownerId: "user_01GIL", teams: ["legal"] },
    },
    { kind: "billing", id: "acme", attr: { orgId: "org_acme", balance: 0 } },
    {
      kind: "organization",
      id: "acme",
      attr: { orgId: "org_acme", ownerId: "user_ada", plan: "team", seatsUsed: 7 },
    },
  ].map((record) => [`${record.kind}/${record.id}`, record]),
);
