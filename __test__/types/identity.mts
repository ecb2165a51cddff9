/** What the SDKs return goes into the mappers as it is, and what these return goes into a request. Compiled, never run. */

import { createClerkClient, verifyToken } from "@clerk/backend";
import type {
  AuthenticatedMachineObject,
  invalidTokenAuthObject,
  SignedInAuthObject,
  SignedOutAuthObject,
  UnauthenticatedMachineObject,
} from "@clerk/backend/internal";
import { getAuth as getAuthOfExpress } from "@clerk/express";
import { getAuth as getAuthOfReactRouter } from "@clerk/react-router/server";
import type { WorkOS } from "@workos-inc/node";
import type { Request as ExpressRequest } from "express";
import { Orthrus, type Principal } from "orthrus";
import { type ClerkAuth, type MappedPrincipal, principalFromClerk } from "orthrus/clerk";
import { principalFromWorkOS, type WorkOSIdentity } from "orthrus/workos";
import type { LoaderFunctionArgs } from "react-router";
import type { WorkOS as WorkOS8 } from "workos-node-8";

/** Everything that `@clerk/backend` has for a request, and for a token. */
export async function fromClerkBackend(request: Request, token: string): Promise<MappedPrincipal[]> {
  const clerk = createClerkClient({ secretKey: "sk_test" });
  const session = await clerk.authenticateRequest(request);
  const any = await clerk.authenticateRequest(request, { acceptsToken: "any" });
  const key = await clerk.authenticateRequest(request, { acceptsToken: "api_key" });
  const listed = await clerk.authenticateRequest(request, {
    acceptsToken: ["session_token", "m2m_token", "oauth_token"],
  });
  return [
    principalFromClerk(session.toAuth()),
    principalFromClerk(any.toAuth()),
    principalFromClerk(key.toAuth()),
    principalFromClerk(listed.toAuth()),
    principalFromClerk(session.toAuth({ treatPendingAsSignedOut: false }), { allowPending: true }),
    principalFromClerk(await verifyToken(token, { secretKey: "sk_test" }), {
      orgRolePrefix: "strip",
      onUnauthenticated: "throw",
      claims: ["tenant"],
    }),
  ];
}

/** The union of all auth objects, and what `auth()` of `@clerk/nextjs` adds to those of sessions. */
export const everyAuthObject = (
  auth:
    | SignedInAuthObject
    | SignedOutAuthObject
    | AuthenticatedMachineObject
    | UnauthenticatedMachineObject
    | ReturnType<typeof invalidTokenAuthObject>,
): MappedPrincipal => principalFromClerk(auth);
export const withRedirects = (
  auth: SignedInAuthObject & { redirectToSignIn: () => never; redirectToSignUp: () => never },
): MappedPrincipal => principalFromClerk(auth);

export const fromExpress = (request: ExpressRequest): MappedPrincipal[] => [
  principalFromClerk(getAuthOfExpress(request)),
  principalFromClerk(getAuthOfExpress(request, { acceptsToken: "any" })),
  principalFromClerk(getAuthOfExpress(request, { acceptsToken: "m2m_token" })),
  principalFromClerk(getAuthOfExpress(request, { acceptsToken: ["session_token", "api_key"] })),
];

export const fromReactRouter = async (args: LoaderFunctionArgs): Promise<MappedPrincipal[]> => [
  principalFromClerk(await getAuthOfReactRouter(args)),
  principalFromClerk(await getAuthOfReactRouter(args, { acceptsToken: "any" })),
];

/** Everything that `@workos-inc/node` has for a person or a key. */
export async function fromWorkOS(workos: WorkOS, sessionData: string): Promise<MappedPrincipal[]> {
  const { userManagement } = workos;
  const membership = await userManagement.getOrganizationMembership("om_1");
  const user = await userManagement.getUser("user_1");
  const { profile } = await workos.sso.getProfileAndToken({ clientId: "client", code: "code" });
  const sealed = userManagement.loadSealedSession({ sessionData, cookiePassword: "password" });
  const groupRoles = { org_1: { Engineering: "developer", directory_group_1: ["developer", "editor"] } };
  return [
    principalFromWorkOS(await userManagement.authenticateWithSessionCookie({ sessionData })),
    principalFromWorkOS(await sealed.authenticate()),
    principalFromWorkOS(await sealed.refresh()),
    principalFromWorkOS(await userManagement.authenticateWithCode({ code: "code" })),
    principalFromWorkOS(profile, { rawAttributes: true, groupRoles }),
    principalFromWorkOS(await workos.sso.getProfile({ accessToken: "token" })),
    principalFromWorkOS(await workos.directorySync.getUser("directory_user_1"), { groupRoles }),
    ...(await workos.directorySync.listUsers({ directory: "directory_1" })).data.map((directoryUser) =>
      principalFromWorkOS(directoryUser),
    ),
    principalFromWorkOS(membership),
    principalFromWorkOS({ membership, user }),
    principalFromWorkOS(await workos.apiKeys.createValidation({ value: "sk" }), { apiKeyId: "owner" }),
  ];
}

/** The same of version 8, the last for Node.js 20. */
export async function fromWorkOS8(workos: WorkOS8, sessionData: string): Promise<MappedPrincipal[]> {
  const { userManagement } = workos;
  const membership = await userManagement.getOrganizationMembership("om_1");
  const { profile } = await workos.sso.getProfileAndToken({ clientId: "client", code: "code" });
  const sealed = userManagement.loadSealedSession({ sessionData, cookiePassword: "password" });
  return [
    principalFromWorkOS(await userManagement.authenticateWithSessionCookie({ sessionData })),
    principalFromWorkOS(await sealed.authenticate()),
    principalFromWorkOS(await sealed.refresh()),
    principalFromWorkOS(profile),
    principalFromWorkOS(await workos.directorySync.getUser("directory_user_1")),
    principalFromWorkOS({ membership, user: await userManagement.getUser("user_1") }),
    principalFromWorkOS(await workos.apiKeys.validateApiKey({ value: "sk" })),
  ];
}

/** What `withAuth()` of `@workos-inc/authkit-nextjs` returns with and without a session, and the claims of an access token. */
export const workosIdentities: WorkOSIdentity[] = [
  { user: null },
  { sub: "user_1", sid: "session_1", org_id: "org_1" },
];

/** A handshake has no auth object. */
export const handshake: ClerkAuth = null;

export const allowed: boolean = Orthrus.openSync("policies")
  .withPrincipal(principalFromClerk(handshake))
  .isAllowedSync({ resource: { kind: "document", id: "1" }, action: "view" });
export const principal: Principal = principalFromClerk(handshake);
export const organization = principal.attr?.["org"];

/** An SDK whose types are not found would be `any`, and fit everywhere: `Known<any>` is `never`, which is no `false`. */
type Known<T> = 0 extends 1 & T ? never : false;
export const known: [
  Known<ReturnType<typeof getAuthOfExpress>>,
  Known<Awaited<ReturnType<typeof getAuthOfReactRouter>>>,
  Known<Awaited<ReturnType<typeof verifyToken>>>,
  Known<Awaited<ReturnType<WorkOS["directorySync"]["getUser"]>>>,
  Known<Awaited<ReturnType<WorkOS8["directorySync"]["getUser"]>>>,
] = [false, false, false, false, false];

// @ts-expect-error: a token is not an identity
principalFromClerk("eyJ");
// @ts-expect-error: await it first
principalFromWorkOS(Promise.resolve({ user: null }));
// @ts-expect-error: groups are named within an organization, a connection or a directory, never alone
principalFromWorkOS({ user: null }, { groupRoles: { admin: "admin" } });
// @ts-expect-error: there is no such option
principalFromClerk(handshake, { orgRolePrefix: "drop" });
