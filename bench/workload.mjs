/**
 * The one authorization model that every peer decides, written three times: as Cerbos policies, as the rules of a CASL
 * ability (in peers/casl.mjs), and as plain JavaScript, which says what the right decision is.
 *
 * - `view`: the document belongs to the principal's organization;
 * - `edit`: the same, it is not archived, and the principal owns it or is an administrator;
 * - `delete`: the same, the principal is an administrator, and it is a draft.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ACTIONS = ["view", "edit", "delete"];

/** Decisions are compared as bit masks: bit i is the decision on ACTIONS[i]. */
export const maskOf = (isAllowed) =>
  ACTIONS.reduce((mask, action, bit) => (isAllowed(action) ? mask | (1 << bit) : mask), 0);

/** The decisions that are right, and the floor: what the checks cost when they are written by hand. */
export function decideByHand(user, row) {
  if (user.orgId !== row.orgId) return 0;
  const admin = user.role === "admin";
  const edit = row.status !== "archived" && (admin || row.ownerId === user.id);
  const remove = admin && row.status === "draft";
  return 1 | (edit ? 2 : 0) | (remove ? 4 : 0);
}

const ORGANIZATIONS = 4;
const USERS = 16;
const KINDS_ASKED = 64;
const STATUSES = ["draft", "published", "archived"];

/** The principals of the application, as it would keep them for the length of a session. */
export const users = Array.from({ length: USERS }, (_, i) => ({
  id: `user_${i}`,
  orgId: `org_${i % ORGANIZATIONS}`,
  role: i % 5 === 0 ? "admin" : "member",
}));

/** Small deterministic generator (mulberry32), so that each run asks the same questions. */
export function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** The resource kinds that the questions are about: at most 64, spread evenly over the policies. */
export function kindsAsked(policies) {
  const asked = Math.min(policies, KINDS_ASKED);
  return Array.from({ length: asked }, (_, i) => `document_${Math.floor((i * policies) / asked)}`);
}

/**
 * `count` questions of `rowsEach` rows of one kind, as an application has them: a user and rows fresh from the database.
 * Every row is an object of its own, so that no peer gains from having seen the same object before.
 */
export function questions(policies, count, rowsEach) {
  const next = random(policies * 1000 + rowsEach);
  const kinds = kindsAsked(policies);
  const pick = (list) => list[Math.floor(next() * list.length)];
  return Array.from({ length: count }, (_, q) => {
    const user = pick(users);
    const kind = pick(kinds);
    const rows = Array.from({ length: rowsEach }, (_, r) => ({
      id: `${q}-${r}`,
      kind,
      // Three rows of four are of the user's own organization: the usual case, and the one with work to do.
      orgId: next() < 0.75 ? user.orgId : pick(users).orgId,
      ownerId: next() < 0.3 ? user.id : pick(users).id,
      status: pick(STATUSES),
    }));
    return { user, rows, expected: rows.map((row) => decideByHand(user, row)) };
  });
}

const DERIVED_ROLES = `apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: workload_roles
  definitions:
    - name: org_member
      parentRoles: [member, admin]
      condition:
        match:
          expr: R.attr.orgId == P.attr.orgId
    - name: org_admin
      parentRoles: [admin]
      condition:
        match:
          expr: R.attr.orgId == P.attr.orgId
    - name: owner
      parentRoles: [member]
      condition:
        match:
          all:
            of:
              - expr: R.attr.orgId == P.attr.orgId
              - expr: R.attr.ownerId == P.id
`;

const resourcePolicy = (number) => `apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document_${number}
  version: default
  importDerivedRoles: [workload_roles]
  rules:
    - actions: [view]
      derivedRoles: [org_member]
      effect: EFFECT_ALLOW
    - actions: [edit]
      derivedRoles: [owner, org_admin]
      effect: EFFECT_ALLOW
      condition:
        match:
          expr: R.attr.status != "archived"
    - actions: [delete]
      derivedRoles: [org_admin]
      effect: EFFECT_ALLOW
      condition:
        match:
          expr: R.attr.status == "draft"
`;

/**
 * Writes a set of `policies` resource policies (and one of derived roles) into a new directory under the system's
 * temporary one. Returns its path and a function that removes it.
 */
export function writePolicies(policies) {
  const directory = mkdtempSync(join(tmpdir(), `orthrus-bench-${policies}-`));
  mkdirSync(join(directory, "resources"));
  writeFileSync(join(directory, "derived_roles.yaml"), DERIVED_ROLES);
  for (let number = 0; number < policies; number++) {
    writeFileSync(join(directory, "resources", `document_${number}.yaml`), resourcePolicy(number));
  }
  return { directory, remove: () => rmSync(directory, { recursive: true, force: true }) };
}
