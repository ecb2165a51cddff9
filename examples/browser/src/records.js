/** Who and what there is. */

const member = { provider: "clerk", type: "user", authenticated: true, impersonated: false, machine: false };
const acme = { id: "org_acme", slug: "acme" };

export const people = {
  Ada: {
    id: "user_ada",
    roles: ["user", "org:admin"],
    attr: { ...member, org: { ...acme, role: "org:admin", permissions: [] }, fva: { first: 3 } },
  },
  Max: {
    id: "user_max",
    roles: ["user", "org:member"],
    attr: { ...member, org: { ...acme, role: "org:member", permissions: [] } },
  },
  Lea: {
    id: "user_lea",
    roles: ["user", "org:member"],
    attr: { ...member, org: { id: "org_globex", slug: "globex", role: "org:member", permissions: [] } },
  },
  Nobody: { id: "anonymous", roles: ["anonymous"], attr: { authenticated: false } },
};

export const documents = [
  { id: "handbook", title: "Employee handbook", ownerId: "user_ada" },
  { id: "roadmap", title: "Roadmap 2027", ownerId: "user_max" },
].map((document) => ({ ...document, orgId: "org_acme", orgPlan: "team" }));

export const ACTIONS = ["view", "edit", "publish", "delete"];
