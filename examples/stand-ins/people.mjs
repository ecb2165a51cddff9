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

const apiKey = (id, name, scopes, subject = acme.id) => ({
  secret: `ak_${id}`,
  token: { type: "api_key", id: `ak_id_${id}`, name, subject, scopes },
});

/** Who comes without a person: bearer tokens, and what Clerk's API says of them. */
export const machines = {
  reader: apiKey("reader", "Reads documents", ["documents:read"]),
  writer: apiKey("writer", "Writes drafts", ["documents:write"]),
  adasKey: apiKey("ada", "A key of Ada herself", ["documents:write"], "user_ada"),
  indexer: {
    secret: "mt_indexer",
    token: {
      object: "machine_to_machine_token",
      id: "mt_id_indexer",
      subject: "mch_indexer",
      scopes: ["documents:read"],
      claims: { orgId: acme.id },
    },
  },
  homeless: {
    secret: "mt_homeless",
    token: {
      object: "machine_to_machine_token",
      id: "mt_id_homeless",
      subject: "mch_homeless",
      scopes: ["documents:read"],
    },
  },
};

/** An address for a person; nobody reads it. */
export const emailOf = ({ name, org }) => `${name.split(" ").at(-2).toLowerCase()}@${org.slug}.example`;
