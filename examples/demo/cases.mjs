/** What is asked, and the answer that the policies must give: [session, action, kind/id, allowed]. */
export const cases = [
  ["ada", "view", "document/handbook", true],
  ["ada", "publish", "document/roadmap", true],
  ["ada", "members:invite", "organization/acme", true],
  ["ada", "payment_method:add", "billing/acme", true],
  ["ada", "view", "document/contract", false],

  ["max", "edit", "document/roadmap", true],
  ["max", "publish", "document/roadmap", false],
  ["max", "export", "document/handbook", true],
  ["max", "delete", "document/evidence", false],
  ["max", "members:invite", "organization/acme", false],
  ["max", "invoice:view", "billing/acme", false],

  ["ada-impersonated", "invoice:view", "billing/acme", true],
  ["ada-impersonated", "payment_method:add", "billing/acme", false],

  ["gil", "edit", "document/contract", true],
  ["gil", "view", "document/handbook", false],
  ["gil", "invoice:view", "billing/acme", false],

  ["lea", "view", "document/contract", true],
  ["lea", "edit", "document/contract", false],

  ["nobody", "view", "document/handbook", false],
].map(([session, action, resource, allowed]) => ({ session, action, resource, allowed }));
