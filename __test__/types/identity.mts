/** What the SDKs return goes into the mappers as it is, and what these return goes into a request. Compiled, never run. */

import type { verifyToken } from "@clerk/backend";
import type { AuthenticatedMachineObject, SignedInAuthObject, SignedOutAuthObject } from "@clerk/backend/internal";
import type * as WorkOS from "@workos-inc/node";
import { Orthrus, type Principal } from "orthrus";
import { principalFromClerk } from "orthrus/clerk";
import { principalFromWorkOS } from "orthrus/workos";

declare const auth: SignedInAuthObject | SignedOutAuthObject | AuthenticatedMachineObject;
declare const claims: Awaited<ReturnType<typeof verifyToken>>;
declare const session:
  | WorkOS.AuthenticateWithSessionCookieSuccessResponse
  | WorkOS.AuthenticateWithSessionCookieFailedResponse;
declare const profile: WorkOS.Profile<Record<string, unknown>>;
declare const directoryUser: WorkOS.DirectoryUserWithGroups;
declare const membership: WorkOS.OrganizationMembership;
declare const user: WorkOS.User;
declare const apiKey: WorkOS.ApiKey;

export const principals: Principal[] = [
  principalFromClerk(auth),
  principalFromClerk(claims, { orgRolePrefix: "strip", onUnauthenticated: "throw", claims: ["tenant"] }),
  principalFromWorkOS(session),
  principalFromWorkOS(profile, { rawAttributes: true, groupRoles: { org_1: { Engineering: "developer" } } }),
  principalFromWorkOS(directoryUser),
  principalFromWorkOS(membership),
  principalFromWorkOS({ membership, user }),
  principalFromWorkOS(apiKey, { apiKeyId: "owner" }),
];

export const allowed: boolean = Orthrus.openSync("policies")
  .withPrincipal(principalFromClerk(auth))
  .isAllowedSync({ resource: { kind: "document", id: "1" }, action: "view" });

// @ts-expect-error: a token is not an identity
principalFromClerk("eyJ");
// @ts-expect-error: await it first
principalFromWorkOS(Promise.resolve(session));
