/**
 * The people of the demo, signed in by the real SDKs: tokens and cookies are signed and sealed with keys of our own, and stand-ins
 * for the APIs of Clerk and WorkOS answer on the loopback interface.
 */
import { principalFromClerk } from "orthrus/clerk";
import { principalFromWorkOS } from "orthrus/workos";
import { createClerk } from "../../__test__/support/clerk.mjs";
import { createWorkOS } from "../../__test__/support/workos.mjs";

const acme = (role, permissions = {}) => ({ id: "org_acme", slg: "acme", rol: role, ...permissions });
/** In session tokens the permission `org:billing:manage` is bit 0 of the first feature. */
const manageBilling = { per: "manage", fpm: "1" };

const clerkSessions = [
  ["ada", "Ada, administrator at Acme (Clerk)", { sub: "user_ada", o: acme("admin", manageBilling), fea: "o:billing" }],
  ["max", "Max, member at Acme (Clerk)", { sub: "user_max", o: acme("member") }],
  [
    "ada-impersonated",
    "Support, signed in as Ada (Clerk, impersonation)",
    { sub: "user_ada", o: acme("admin", manageBilling), fea: "o:billing", act: { sub: "user_support" } },
  ],
];

const gil = {
  sub: "user_01GIL",
  org_id: "org_globex",
  role: "admin",
  roles: ["admin"],
  permissions: ["billing:manage"],
  entitlements: ["audit-log"],
};

const lea = {
  id: "prof_01LEA",
  idp_id: "okta-lea",
  organization_id: "org_globex",
  connection_id: "conn_01OKTA",
  connection_type: "OktaSAML",
  email: "lea@globex.example",
  first_name: "Lea",
  last_name: "Legrand",
  role: { slug: "member" },
  groups: ["legal"],
};

/**
 * Signs everybody in. `people` tells of each a title, the principal, and the headers that a browser would send. `clerk` and
 * `workos` are what the application needs to recognize them, `profiles` the SSO profiles that it keeps by cookie. Close it at
 * the end.
 */
export async function signIn() {
  const clerk = await createClerk();
  const workos = await createWorkOS();
  const people = {};

  for (const [name, title, claims] of clerkSessions) {
    const token = await clerk.session(claims);
    const auth = (await clerk.authenticate(token)).toAuth();
    people[name] = { title, principal: principalFromClerk(auth), headers: { authorization: `Bearer ${token}` } };
  }

  const cookie = await workos.cookie(gil, { user: { email: "gil@globex.example" } });
  people.gil = {
    title: "Gil, administrator at Globex (WorkOS session)",
    principal: principalFromWorkOS(await workos.loadSession(cookie).authenticate()),
    headers: { cookie: `wos-session=${encodeURIComponent(cookie)}` },
  };

  const profile = await workos.profile(lea);
  people.lea = {
    title: "Lea, legal department of Globex (WorkOS SSO profile, Okta)",
    principal: principalFromWorkOS(profile),
    headers: { cookie: "sso=lea" },
  };

  people.nobody = {
    title: "Nobody, signed out (Clerk)",
    principal: principalFromClerk((await clerk.authenticate(undefined)).toAuth()),
    headers: {},
  };

  return {
    people,
    clerk: clerk.settings,
    workos: workos.loadSession,
    profiles: new Map([["lea", profile]]),
    close: () => Promise.all([clerk.close(), workos.close()]),
  };
}
