/**
 * What the SDKs of Clerk and WorkOS hand to an application after they have verified a session: the objects have the shape
 * of `getAuth(req)`, of `loadSealedSession().authenticate()` and of an SSO profile. Verification itself is the SDKs' work.
 */
import { principalFromClerk } from "orthrus/clerk";
import { principalFromWorkOS } from "orthrus/workos";

const clerkSession = (userId, org, actor) => ({
  tokenType: "session_token",
  isAuthenticated: true,
  userId,
  sessionId: `sess_${userId}`,
  sessionStatus: "active",
  sessionClaims: { v: 2, sub: userId, sid: `sess_${userId}`, sts: "active" },
  actor,
  orgId: org.id,
  orgSlug: org.slug,
  orgRole: org.role,
  orgPermissions: org.permissions,
  factorVerificationAge: [2, -1],
  has: () => false,
  getToken: async () => null,
  debug: () => ({}),
});

const clerkSignedOut = {
  tokenType: "session_token",
  isAuthenticated: false,
  userId: null,
  sessionId: null,
  sessionStatus: null,
  sessionClaims: null,
  actor: null,
  orgId: null,
  orgSlug: null,
  orgRole: null,
  orgPermissions: null,
  factorVerificationAge: null,
  has: () => false,
  getToken: async () => null,
  debug: () => ({}),
};

const acme = { id: "org_acme", slug: "acme" };
const acmeAdmin = { ...acme, role: "org:admin", permissions: ["org:billing:manage"] };

/** An access token with these claims. The SDK has verified it by the time that a principal is made, so it is not signed. */
const accessToken = (claims) =>
  [{ alg: "RS256", typ: "JWT" }, claims, ""]
    .map((part) => Buffer.from(part && JSON.stringify(part)).toString("base64url"))
    .join(".");

/** token → who that is, and the principal that the mapping makes of their session. */
export const sessions = {
  ada: {
    title: "Ada, administrator at Acme (Clerk)",
    principal: principalFromClerk(clerkSession("user_ada", acmeAdmin)),
  },
  max: {
    title: "Max, member at Acme (Clerk)",
    principal: principalFromClerk(clerkSession("user_max", { ...acme, role: "org:member", permissions: [] })),
  },
  "ada-impersonated": {
    title: "Support, signed in as Ada (Clerk, impersonation)",
    principal: principalFromClerk(clerkSession("user_ada", acmeAdmin, { sub: "user_support" })),
  },
  gil: {
    title: "Gil, administrator at Globex (WorkOS session)",
    principal: principalFromWorkOS({
      authenticated: true,
      user: {
        object: "user",
        id: "user_01GIL",
        email: "gil@globex.example",
        emailVerified: true,
        externalId: null,
        metadata: {},
      },
      accessToken: accessToken({ sub: "user_01GIL", sid: "session_01GIL", org_id: "org_globex", role: "admin" }),
      sessionId: "session_01GIL",
      organizationId: "org_globex",
      role: "admin",
      roles: ["admin"],
      permissions: ["billing:manage"],
      entitlements: ["audit-log"],
      featureFlags: [],
      authenticationMethod: "SSO",
    }),
  },
  lea: {
    title: "Lea, legal department of Globex (WorkOS SSO profile, Okta)",
    principal: principalFromWorkOS({
      id: "prof_01LEA",
      idpId: "okta-lea",
      organizationId: "org_globex",
      connectionId: "conn_01OKTA",
      connectionType: "OktaSAML",
      email: "lea@globex.example",
      firstName: "Lea",
      lastName: "Legrand",
      role: { slug: "member" },
      roles: [{ slug: "member" }],
      groups: ["legal"],
      customAttributes: {},
      rawAttributes: {},
    }),
  },
  nobody: {
    title: "Nobody, signed out (Clerk)",
    principal: principalFromClerk(clerkSignedOut),
  },
};
