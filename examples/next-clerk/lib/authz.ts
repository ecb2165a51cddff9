import { join } from "node:path";
import { auth } from "@clerk/nextjs/server";
import { Orthrus } from "orthrus";
import { principalFromClerk } from "orthrus/clerk";
import { createAuthz } from "orthrus/next";

export const authz = createAuthz({
  engine: Orthrus.open(join(process.cwd(), "../../policies")),
  principal: async () => principalFromClerk(await auth()),
  // Reasons are for this log. People only learn that something is not for them.
  log: ({ principal, action = "do", resource, reason }) =>
    console.info(
      `refused: ${principal?.id} ${action} ${resource ? `${resource.kind}/${resource.id}` : "something"}: ${reason}`,
    ),
});

/** Who asks, and for which organization. */
export async function currentPerson() {
  const principal = await authz.principal();
  const attr = principal?.attr ?? {};
  return {
    id: principal?.id ?? "anonymous",
    isSignedIn: attr.authenticated === true,
    isImpersonated: attr.impersonated === true,
    org: attr.org as { id: string; slug: string; role: string } | undefined,
  };
}
