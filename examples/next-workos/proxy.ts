import { authkit, handleAuthkitProxy } from "@workos-inc/authkit-nextjs";
import type { NextRequest } from "next/server";
import { principalFromWorkOS } from "orthrus/workos";
import { organizations } from "../workspace/records.mjs";
import { authz } from "./lib/authz";
import { organizationResource } from "./lib/rows";

/**
 * The coarse gate: the API is for members of an organization. Pages, actions and handlers ask again, because a gate knows
 * addresses and no documents.
 */
export default async function proxy(request: NextRequest) {
  // Verifies the session and refreshes it; withAuth() in the pages only reads what comes out of this.
  const { session, headers } = await authkit(request);
  const goOn = handleAuthkitProxy(request, headers);
  if (!request.nextUrl.pathname.startsWith("/api/")) return goOn;

  const organization = organizations.get(session.organizationId ?? "");
  const gate = authz.proxy({
    principal: () => principalFromWorkOS(session),
    resource: () => organization && organizationResource(organization),
    action: "view",
  });
  return (await gate(request)) ?? goOn;
}

// Everything: where the proxy does not run, a request could bring headers of its own that withAuth() takes for a session.
export const config = { matcher: ["/((?!_next/static|_next/image|favicon.ico).*)"] };
