/** The law of the sample policies: nobody, whatever identity provider they come from, reaches anything of another tenant. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Orthrus } from "orthrus";
import { Rng } from "../differential/rng.mjs";
import { skip } from "../support/addon.mjs";
import { createClerk } from "../support/clerk.mjs";
import { principalsOf } from "../support/tenants.mjs";
import { createWorkOS } from "../support/workos.mjs";

const SEED = Number(process.env.ORTHRUS_SEED ?? 1);
const REQUESTS = 10_000;
const NOW = Date.parse("2026-11-26T02:30:00Z");
const TENANTS = ["org_acme", "org_globex", "org_initech"];
const POLICIES = fileURLToPath(new URL("../../policies", import.meta.url));

/** The kinds, versions and actions of the resource policies, read off their text. Wildcards become actions they match. */
const kinds = readdirSync(`${POLICIES}/resources`).map((file) => {
  const text = readFileSync(`${POLICIES}/resources/${file}`, "utf8");
  const [, kind, policyVersion] = /resource: (\w+)\n\s+version: (\w+)/.exec(text);
  const named = [...text.matchAll(/actions: \[(.*?)\]/g)].flatMap(([, list]) => list.split(/,\s*/));
  const actions = new Set(named.map((action) => action.replaceAll('"', "").replace("*", "anything")));
  return { kind, policyVersion, actions: [...actions] };
});

/** Ids of an organization that name none. */
const NO_TENANT = [undefined, null, "", "org", ["org_acme"], { id: "org_acme" }, true, 0];

/** A resource that its policy would open to the principal as far as it can, were it not for the tenant. */
function randomResource(rng, { id: principalId, attr }, orgId) {
  const { kind, policyVersion } = rng.pick(kinds);
  const time = () => new Date(NOW + rng.int(-100, 100) * 24 * 3600 * 1000).toISOString();
  const maybe = (make) => (rng.chance(0.8) ? make() : undefined);
  const own = () => (rng.chance(0.7) ? principalId : "user_other");
  return {
    kind,
    policyVersion,
    id: rng.pick(["1", orgId, principalId, attr.apiKey?.id].filter((id) => typeof id === "string" && id !== "")),
    attr: {
      orgId,
      ownerId: maybe(own),
      editorIds: maybe(() => [own()]),
      readerIds: maybe(() => [own()]),
      status: maybe(() => rng.pick(["draft", "review", "published"])),
      visibility: maybe(() => rng.pick(["organization", "private"])),
      legalHold: maybe(() => rng.chance(0.2)),
      orgPlan: maybe(() => rng.pick(["team", "enterprise"])),
      plan: maybe(() => rng.pick(["team", "enterprise"])),
      seatsUsed: maybe(() => rng.int(0, 30)),
      teams: maybe(() => ["legal", String(orgId)]),
      scopes: maybe(() => ["documents:read"]),
      balance: maybe(() => rng.int(-1, 1)),
      recordedAt: maybe(time),
      expiresAt: maybe(time),
      dueAt: maybe(time),
      archivedAt: rng.chance(0.3) ? time() : undefined,
      embargoUntil: rng.chance(0.3) ? time() : undefined,
    },
  };
}

describe("the sample policies", { skip }, async () => {
  const clerk = await createClerk();
  const workos = await createWorkOS();
  after(() => Promise.all([clerk.close(), workos.close()]));

  /** [tenant, principal], where the tenant may be none. */
  const members = [];
  for (const tenant of [...TENANTS, undefined]) {
    for (const other of TENANTS.filter((id) => id !== tenant)) {
      const principals = await principalsOf(tenant, other, { clerk, workos });
      members.push(...principals.map((principal) => ({ tenant, principal })));
    }
  }
  const actionsOf = (rng, { kind, policyVersion }) => {
    const { actions } = kinds.find((known) => known.kind === kind && known.policyVersion === policyVersion);
    return rng.sample(actions, rng.int(1, actions.length));
  };

  for (const strictEvaluation of [false, true]) {
    const engine = await Orthrus.open(POLICIES, { strictEvaluation, now: () => new Date(NOW) });
    after(() => engine.close());
    const allowedOf = ({ principal, resource, actions }) => {
      const result = engine.checkResourceSync({ principal, resource, actions });
      return actions.filter((action) => result.isAllowed(action));
    };

    test(`keep tenants apart in ${REQUESTS} random requests, strictEvaluation: ${strictEvaluation}`, () => {
      const rng = new Rng(SEED);
      for (let count = 0; count < REQUESTS; count += 1) {
        const { tenant, principal } = rng.pick(members);
        const orgId = rng.pick(rng.chance(0.2) ? NO_TENANT : TENANTS.filter((id) => id !== tenant));
        const resource = randomResource(rng, principal, orgId);
        const request = { principal, resource, actions: actionsOf(rng, resource) };
        const allowed = allowedOf(request);
        assert.deepEqual(allowed, [], `seed ${SEED}, request ${count}: ${JSON.stringify(request)}`);
      }
    });

    test(`let every kind of principal into its own tenant, and open every action, strictEvaluation: ${strictEvaluation}`, () => {
      // Were the requests above denied for any other reason, this would find it.
      const rng = new Rng(SEED);
      const reached = new Set();
      const tenanted = members.filter(({ tenant }) => tenant !== undefined);
      for (let count = 0; count < REQUESTS; count += 1) {
        const { tenant, principal } = rng.pick(tenanted);
        const resource = randomResource(rng, principal, tenant);
        for (const action of allowedOf({ principal, resource, actions: actionsOf(rng, resource) })) {
          reached.add(`${principal.attr.provider} ${principal.attr.type}`);
          reached.add(`${resource.kind} ${resource.policyVersion} ${action}`);
        }
      }
      const types = ["clerk user", "clerk api_key", "clerk machine", "workos user", "workos api_key"];
      const opened = kinds.flatMap(({ kind, policyVersion, actions }) =>
        actions.filter((action) => action !== "anything").map((action) => `${kind} ${policyVersion} ${action}`),
      );
      const missed = [...types, ...opened].filter((expected) => !reached.has(expected));
      assert.deepEqual(missed, []);
    });
  }
});
