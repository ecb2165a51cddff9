import { join } from "node:path";
import { withAuth } from "@workos-inc/authkit-nextjs";
import { Orthrus } from "orthrus";
import { createAuthz } from "orthrus/next";
import { principalFromWorkOS } from "orthrus/workos";

export const authz = createAuthz({
  engine: Orthrus.open(join(process.cwd(), "../../policies")),
  principal: async () => principalFromWorkOS(await withAuth()),
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
    email: attr.email as string | undefined,
    isSignedIn: attr.authenticated === true,
    isImpersonated: attr.impersonated === true,
    org: attr.org as { id: string } | undefined,
  };
}
