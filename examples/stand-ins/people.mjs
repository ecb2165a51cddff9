/** Who signs in at the stand-ins, and what the identity provider says of them. */

const acme = { id: "org_acme", slug: "acme", name: "Acme" };
const globex = { id: "org_globex", slug: "globex", name: "Globex" };

export const people = {
  ada: {
    name: "Ada Adler",
    is: "administrator at Acme, may manage billing",
    userId: "user_ada",
    org: acme,
    role: "admin",
    permissions: ["billing:manage"],
  },
  max: { name: "Max Meyer", is: "member at Acme", userId: "user_max", org: acme, role: "member", permissions: [] },
  lea: { name: "Lea Lorenz", is: "member at Globex", userId: "user_lea", org: globex, role: "member", permissions: [] },
  support: {
    name: "Support as Ada Adler",
    is: "signed in as the administrator of Acme, to help",
    userId: "user_ada",
    org: acme,
    role: "admin",
    permissions: ["billing:manage"],
    impersonator: { id: "user_support", email: "support@vendor.example", reason: "ticket 42" },
  },
};

/** An address for a person; nobody reads it. */
export const emailOf = ({ name, org }) => `${name.split(" ").at(-2).toLowerCase()}@${org.slug}.example`;
