import { join } from "node:path";
import { getAuth } from "@clerk/react-router/server";
import { Orthrus } from "orthrus";
import { type MappedPrincipal, principalFromClerk } from "orthrus/clerk";
import { createAuthz, type RouteArgs } from "orthrus/react-router";

export const authz = createAuthz({
  engine: Orthrus.open(join(process.cwd(), "../../policies")),
  principal: async (args) => principalFromClerk(await getAuth(args)),
  // Reasons are for this log. People only learn that something is not for them.
  log: ({ principal, action = "do", resource, reason }) =>
    console.info(
      `refused: ${principal?.id} ${action} ${resource ? `${resource.kind}/${resource.id}` : "something"}: ${reason}`,
    ),
});

/** Who asks, and for which organization. */
export async function currentPerson(args: RouteArgs) {
  const { id, attr } = (await authz.principal(args)) as MappedPrincipal;
  return {
    id,
    isSignedIn: attr.authenticated === true,
    isImpersonated: attr.impersonated === true,
    org: attr.org as { id: string; slug: string; role: string } | undefined,
  };
}
