import { clerkMiddleware } from "@clerk/nextjs/server";
import { principalFromClerk } from "orthrus/clerk";
import { organizations } from "../workspace/records.mjs";
import { authz } from "./lib/authz";
import { organizationResource } from "./lib/rows";

/**
 * The coarse gate: the API is for members of an organization. Pages, actions and handlers ask again, because a gate knows
 * addresses and no documents.
 */
export default clerkMiddleware(
  async (auth, request) => {
    if (!request.nextUrl.pathname.startsWith("/api/")) return;
    const session = await auth();
    const organization = organizations.get(session.orgId ?? "");
    const gate = authz.proxy({
      principal: () => principalFromClerk(session),
      resource: () => organization && organizationResource(organization),
      action: "view",
    });
    return gate(request);
  },
  // With the key, Clerk's tokens are verified without a call to Clerk.
  { jwtKey: process.env.CLERK_JWT_KEY },
);

export const config = { matcher: ["/((?!_next/static|_next/image|favicon.ico).*)"] };
