/** Who signs in here: in place of an identity provider, which the examples `next-clerk` and `next-workos` have. */

import type { Principal } from "orthrus";

const member = { provider: "clerk", type: "user", authenticated: true, impersonated: false, machine: false };
const acme = { id: "org_acme", slug: "acme" };

const people: Record<string, Principal> = {
  "token-of-ada": {
    id: "user_ada",
    roles: ["user", "org:admin"],
    attr: { ...member, org: { ...acme, role: "org:admin", permissions: [] }, fva: { first: 3 } },
  },
  "token-of-max": {
    id: "user_max",
    roles: ["user", "org:member"],
    attr: { ...member, org: { ...acme, role: "org:member", permissions: [] } },
  },
};

/** The principal of a request; `undefined` for nobody. */
export function principalOf(request: Request): Principal | undefined {
  const token = /^Bearer (\S+)$/.exec(request.headers.get("authorization") ?? "")?.[1];
  return token !== undefined && Object.hasOwn(people, token) ? people[token] : undefined;
}
