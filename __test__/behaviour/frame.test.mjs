/** A frame says the same as JSON: both ways decide random requests alike, whatever attributes policies read. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ENGINES } from "../support/engines.mjs";

const POLICIES = {
  "document.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  importDerivedRoles: [roles]
  variables: { local: { level: "P.attr.clearance.level", tags: "R.attr.tags" } }
  rules:
    - { actions: [view], derivedRoles: [owner], effect: EFFECT_ALLOW }
    - { actions: [edit], roles: [user], effect: EFFECT_ALLOW, condition: { match: { expr: 'V.level >= 2.0 && "red" in V.tags' } } }
    - { actions: [share], roles: [user], effect: EFFECT_ALLOW, condition: { match: { expr: 'R.attr[P.attr.field] == true' } } }
    - { actions: [count], roles: [user], effect: EFFECT_ALLOW, condition: { match: { expr: 'size(P.attr) > 2' } } }
    - { actions: [name], roles: [user], effect: EFFECT_ALLOW, condition: { match: { expr: 'R.attr.name.startsWith("é") || R.attr.name == null' } } }
`,
  "folder.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: folder
  version: default
  rules:
    - { actions: [view], roles: [user], effect: EFFECT_ALLOW, condition: { match: { expr: 'has(R.attr.open) && !has(R.attr.tags)' } } }
    - { actions: [edit], roles: ["*"], effect: EFFECT_ALLOW, condition: { match: { expr: 'R.attr.count > 0.5' } }, output: { when: { ruleActivated: R.attr.count } } }
`,
  "roles.yaml": `
apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: roles
  definitions: [ { name: owner, parentRoles: [user], condition: { match: { expr: 'R.attr.owner == P.id' } } } ]
`,
};

/** A small generator with a seed, so that a failure can be repeated. */
function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

const VALUES = {
  owner: ["ann", "bob", null, 7],
  open: [true, false, null],
  tags: [["red", "blue"], [], "red", { red: 1 }, [["red"]]],
  name: ["éclair", "plain", null, "𝒳".repeat(40), "x".repeat(300)],
  count: [0, 0.5, 1e300, -3, "1"],
  clearance: [{ level: 1 }, { level: 3 }, {}, { level: "3" }],
  field: ["open", "owner", 1],
  ignored: ["anything", [1, 2, 3], { deep: [{ er: null }] }, 1.5],
};

const pick = (next, list) => list[next(list.length)];
const attributes = (next) =>
  Object.fromEntries(
    Object.entries(VALUES)
      .filter(() => next(2) === 0)
      .map(([name, values]) => [name, pick(next, values)]),
  );

for (const { engine, Orthrus, skip } of ENGINES) {
  describe(`frames of ${engine}`, { skip }, () => {
    test("decide as JSON does", () => {
      const framed = Orthrus.fromFilesSync(POLICIES);
      // A clock of its own makes an engine send JSON.
      const json = Orthrus.fromFilesSync(POLICIES, { now: () => new Date() });
      const next = random(20261123);
      for (let round = 0; round < 3000; round++) {
        // What resources have in common crosses once: some have the same attributes in the same order, others not.
        const alike = attributes(next);
        const request = {
          principal: {
            id: pick(next, ["ann", "bob", "é"]),
            roles: pick(next, [["user"], ["user", "x"], ["x"]]),
            attr: attributes(next),
          },
          resources: Array.from({ length: 1 + next(5) }, (_, index) => ({
            resource: {
              kind: pick(next, ["document", "document", "folder", "none"]),
              id: String(index),
              attr: pick(next, [undefined, alike, { ...alike, ...attributes(next) }, attributes(next)]),
            },
            actions: pick(next, [
              ["view", "edit", "share", "count", "name"],
              ["view", "edit", "share", "count", "name"],
              ["name", "view"],
            ]),
          })),
          includeMetadata: next(4) === 0,
        };
        const [a, b] = [framed, json].map((engine) => JSON.stringify(engine.checkResourcesSync(request).results));
        assert.equal(a, b, JSON.stringify(request));
      }
    });
  });
}
