/** Principals of several tenants, of every kind that the mappers make, from identities that the real SDKs have made. */

import { principalFromClerk } from "orthrus/clerk";
import { principalFromWorkOS } from "orthrus/workos";

/** People and machines whom the sample policies know by name, and one who is in every tenant. */
const PEOPLE = ["user_everywhere", "user_contractor"];
const MACHINES = ["mch_indexer", "mch_nightly_backup"];
const SCOPES = [
  "documents:read",
  "documents:write",
  "documents:export",
  "projects:read",
  "audit:read",
  "org:audit:read",
];
const PERMISSIONS = ["billing:manage", "members:manage", "audit:read", "documents:write"];
const CLERK_PERMISSIONS = { per: "manage,read", fpm: "3,3,3", fea: "o:billing,o:members,o:audit" };

/**
 * Principals who act in the tenant, or in none where it is `undefined`. Whatever they can say of themselves names the other
 * tenant: custom claims, metadata, groups.
 */
export async function principalsOf(tenant, other, { clerk, workos }) {
  const authOf = async (token) => (await clerk.authenticate(token)).toAuth();
  const lies = { orgId: other, org: { id: other }, metadata: { orgId: other } };
  const principals = [];

  for (const sub of PEOPLE) {
    for (const role of ["admin", "member", "owner"]) {
      const { fea, ...permissions } = CLERK_PERMISSIONS;
      const o = tenant && { id: tenant, slg: other, rol: role, ...permissions };
      for (const act of [undefined, { sub: "user_support" }, { sub: "agent_1", type: "agent" }]) {
        const auth = await authOf(await clerk.session({ sub, o, fea, act, ...lies }));
        principals.push(principalFromClerk(auth, { claims: Object.keys(lies) }));
        principals.push(principalFromClerk(auth, { claims: Object.keys(lies), orgRolePrefix: "strip" }));
      }
      const inTenant = tenant && { org_id: tenant, org_role: `org:${role}`, org_slug: other };
      principals.push(principalFromClerk(await clerk.verify(await clerk.sessionOfVersion1({ sub, ...inTenant }))));

      const claims = { sub, org_id: tenant, role: tenant && role, permissions: PERMISSIONS, entitlements: [other] };
      for (const act of [undefined, { sub: "help@workos.test" }]) {
        const cookie = await workos.cookie(
          { ...claims, act },
          { user: { external_id: other, metadata: { orgId: other } } },
        );
        principals.push(principalFromWorkOS(await workos.authenticateCookie(cookie)));
      }
    }
    const oauth = { id: sub, subject: sub, client_id: other, scopes: SCOPES };
    principals.push(principalFromClerk(await authOf(clerk.oauthToken(oauth))));
    const userKey = { id: sub, name: other, subject: sub, scopes: SCOPES, claims: lies };
    principals.push(principalFromClerk(await authOf(clerk.apiKey(userKey))));
    if (tenant !== undefined) {
      const membership = { id: `om_${sub}`, user_id: sub, organization_id: tenant, organization_name: other };
      const role = { role: { slug: "admin" }, custom_attributes: lies };
      principals.push(principalFromWorkOS(await workos.membership({ ...membership, ...role })));
      const owner = { type: "user", id: sub, organization_id: tenant };
      const key = { id: `api_key_${tenant}`, name: other, owner, permissions: SCOPES };
      principals.push(principalFromWorkOS(await workos.validateApiKey(key), { apiKeyId: "owner" }));
    }
  }

  for (const mch of MACHINES) {
    const claims = tenant && { orgId: tenant, org: other, scopes: SCOPES };
    const token = { id: `mt_${mch}`, subject: mch, scopes: SCOPES, claims: claims ?? null };
    principals.push(principalFromClerk(await authOf(clerk.machineToken(token))));
  }

  const synced = { organization_id: tenant, custom_attributes: lies, raw_attributes: lies };
  const groupRoles = Object.fromEntries(
    [tenant, other].map((id) => [id, { admin: "admin", group_1: ["admin", "org:admin"] }]),
  );
  const profile = { id: "prof_1", connection_type: "OktaSAML", email: `a@${other}`, groups: [other, "admin", "legal"] };
  principals.push(
    principalFromWorkOS(await workos.profile({ ...profile, ...synced }), { groupRoles, rawAttributes: true }),
  );
  const groups = [
    { id: "group_1", name: "legal" },
    { id: other, name: other },
  ];
  const directoryUser = await workos.directoryUser({ id: "directory_user_1", groups, ...synced });
  principals.push(principalFromWorkOS(directoryUser, { groupRoles, rawAttributes: true }));

  if (tenant === undefined) {
    principals.push(principalFromClerk(await authOf(undefined)), principalFromWorkOS({ user: null }));
  } else {
    const clerkKey = { id: tenant, name: other, subject: tenant, scopes: SCOPES, claims: lies };
    principals.push(principalFromClerk(await authOf(clerk.apiKey(clerkKey))));
    const key = {
      id: `api_key_${tenant}`,
      name: other,
      owner: { type: "organization", id: tenant },
      permissions: SCOPES,
    };
    principals.push(principalFromWorkOS(await workos.validateApiKey(key)));
  }
  return principals;
}
