/** Records of the audit log are what the PDP's file backend writes of the same request. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Orthrus } from "orthrus";
import { auditLog } from "orthrus/audit";
import { CI } from "../../scripts/lib/project.mjs";
import { cerbos } from "../differential/binary.mjs";
import { Pdp } from "../differential/pdp.mjs";
import { skip as skipAddon } from "../support/addon.mjs";
import { linesOf, temporaryFolder } from "../support/audit.mjs";
import { ENGINES } from "../support/engines.mjs";
import { makeBundle } from "../support/make-bundle.mjs";

const FILES = {
  "document.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  importDerivedRoles: [roles]
  schemas: { resourceSchema: { ref: "cerbos:///document.json" } }
  rules:
    - { actions: [view], derivedRoles: [owner, editor], effect: EFFECT_ALLOW }
    - { actions: [edit], roles: [user], effect: EFFECT_DENY, condition: { match: { expr: R.attr.level > 3.0 } } }
    - { actions: [text], roles: [user], effect: EFFECT_ALLOW, output: { when: { ruleActivated: '""' } } }
    - { actions: ["null"], roles: [user], effect: EFFECT_ALLOW, output: { when: { ruleActivated: "null" } } }
    - { actions: [nothing], roles: [user], effect: EFFECT_DENY, output: { when: { ruleActivated: "{}" } } }
    - { actions: [fails], roles: [user], effect: EFFECT_ALLOW, output: { when: { ruleActivated: R.attr.missing } } }
    - { actions: [token], roles: [user], effect: EFFECT_ALLOW, condition: { match: { expr: request.auxData.jwt.sub == "ann" } } }
`,
  "scoped.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  scope: acme
  rules: [ { actions: [view], roles: [user], effect: EFFECT_ALLOW } ]
`,
  "ann.yaml": `
apiVersion: api.cerbos.dev/v1
principalPolicy:
  principal: ann
  version: default
  rules: [ { resource: report, actions: [ { action: "*", effect: EFFECT_DENY } ] } ]
`,
  "roles.yaml": `
apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: roles
  definitions:
    - { name: owner, parentRoles: [user], condition: { match: { expr: R.attr.owner == P.id } } }
    - { name: editor, parentRoles: [user] }
`,
  "_schemas/document.json": '{ "type": "object", "properties": { "level": { "type": "number" } } }',
};
const PRINCIPAL = { id: "ann", roles: ["user"] };
const DOCUMENT = { kind: "document", id: "7", attr: { owner: "ann", level: 1 } };
const claims = (payload) => `eyJhbGciOiJub25lIn0.${Buffer.from(JSON.stringify(payload)).toString("base64url")}.`;

/** Requests, each of which makes another part of a record. */
const REQUESTS = {
  "one that is allowed": { resources: [{ resource: DOCUMENT, actions: ["view"] }] },
  "values of all kinds": {
    principal: {
      ...PRINCIPAL,
      policyVersion: "default",
      attr: {
        null: null,
        list: [],
        map: {},
        text: "",
        big: 1e21,
        small: 1e-7,
        no: false,
        deep: [{ "": [1.5] }],
        "é\u2028": "<&>",
      },
    },
    resources: [{ resource: { kind: "document", id: "7", attr: {} }, actions: ["view"] }],
  },
  "several resources, scopes, schemas and errors": {
    resources: [
      { resource: { kind: "document", id: "1", attr: { level: "high" } }, actions: ["view", "edit", "fails"] },
      { resource: { ...DOCUMENT, scope: "acme" }, actions: ["view", "edit"] },
      { resource: { ...DOCUMENT, policyVersion: "none" }, actions: ["view"] },
    ],
  },
  "outputs that are empty": { resources: [{ resource: DOCUMENT, actions: ["text", "null", "nothing"] }] },
  "a principal policy": { resources: [{ resource: { kind: "report", id: "1" }, actions: ["read"] }] },
  "no policy": {
    principal: { ...PRINCIPAL, id: "bob" },
    resources: [{ resource: { kind: "zip", id: "1" }, actions: ["read"] }],
  },
  "a token": {
    resources: [{ resource: DOCUMENT, actions: ["token"] }],
    auxData: { jwt: { token: claims({ sub: "ann", iat: 1_700_000_000, list: [], text: "" }) } },
  },
  "a token without claims": {
    resources: [{ resource: DOCUMENT, actions: ["view"] }],
    auxData: { jwt: { token: claims({}) } },
  },
  "tokens with names": {
    resources: [{ resource: DOCUMENT, actions: ["view"] }],
    auxData: { jwts: { one: { token: claims({ sub: "ann" }) }, two: { token: claims({}) } } },
  },
  annotations: {
    resources: [{ resource: DOCUMENT, actions: ["view"] }],
    requestContext: { annotations: { ticket: "T-1", none: null, list: [] } },
  },
  "a context without annotations": {
    resources: [{ resource: DOCUMENT, actions: ["view"] }],
    requestContext: { annotations: {} },
  },
};

const binary = await cerbos({ install: CI });
const skipPdp =
  binary === undefined ? "SKIPPED: there is no PDP to compare with (npm run test:differential installs it)" : false;

describe("records are those of the PDP, for", { skip: skipPdp || skipAddon }, () => {
  const file = join(temporaryFolder(), "pdp.log");
  const records = [];
  let pdp;
  let orthrus;
  before(async () => {
    const audit = {
      enabled: true,
      accessLogsEnabled: false,
      decisionLogsEnabled: true,
      backend: "file",
      file: { path: file },
    };
    pdp = await Pdp.start(binary, FILES, { schemaEnforcement: "warn" }, undefined, audit);
    orthrus = await Orthrus.fromFiles(FILES, {
      schemaEnforcement: "warn",
      auxData: { jwt: { disableVerification: true } },
      onDecision: auditLog({ write: (record) => records.push(record) }),
    });
  });
  after(() => pdp?.stop());

  /** The record of a call, when the PDP has written it. */
  async function theirs(callId) {
    for (let tries = 0; tries < 200; tries++) {
      const found = existsSync(file) ? linesOf(file).find((record) => record.callId === callId) : undefined;
      if (found !== undefined) {
        return found;
      }
      await sleep(20);
    }
    throw new Error("the PDP has written nothing");
  }

  /** What both can know: there is no peer here, policies of the PDP come from a driver, and its derived roles have no order. */
  function comparable({ callId, timestamp, peer, policySource, ...record }) {
    for (const { effectiveDerivedRoles } of record.checkResources.outputs) {
      effectiveDerivedRoles?.sort();
    }
    const policies = Object.entries(record.auditTrail.effectivePolicies ?? {}).map(([key, { attributes }]) => [
      key,
      { attributes: { source: attributes.source } },
    ]);
    const auditTrail = policies.length === 0 ? record.auditTrail : { effectivePolicies: Object.fromEntries(policies) };
    return { ...record, auditTrail };
  }

  for (const [name, request] of Object.entries(REQUESTS)) {
    test(name, async () => {
      const asked = { requestId: "r-1", principal: PRINCIPAL, ...request };
      const { cerbosCallId } = await pdp.check(asked);
      const expected = await theirs(cerbosCallId);
      await orthrus.checkResources(asked);
      const record = records.at(-1);
      assert.deepEqual(comparable(JSON.parse(JSON.stringify(record))), comparable(expected));
      const order = (value) => Object.keys(value).filter((key) => !["policySource"].includes(key));
      assert.deepEqual(order(record), order(expected));
    });
  }
});

for (const { engine, Orthrus, skip } of ENGINES) {
  describe(`records of ${engine}`, { skip }, () => {
    test("tell of every kind of check, with the id of the call", async () => {
      const records = [];
      const onDecision = auditLog({ write: (record) => records.push(record) });
      const orthrus = Orthrus.fromFilesSync(FILES, { onDecision, now: () => new Date("2026-01-02T03:04:05.006Z") });
      const { cerbosCallId } = await orthrus.checkResources({
        principal: PRINCIPAL,
        resources: [{ resource: DOCUMENT, actions: ["view"] }],
      });
      orthrus.isAllowedSync({ principal: PRINCIPAL, resource: DOCUMENT, action: "view" });
      await orthrus.withPrincipal(PRINCIPAL).checkResource({ resource: DOCUMENT, actions: ["view", "edit"] });
      assert.equal(records[0].callId, cerbosCallId);
      assert.deepEqual(
        records.map(({ timestamp, checkResources }) => [timestamp, checkResources.inputs[0].actions]),
        [["view"], ["view"], ["view", "edit"]].map((actions) => ["2026-01-02T03:04:05.006Z", actions]),
      );
    });

    test("name the bundle that decided", { skip: skip || skipAddon }, async () => {
      const records = [];
      const onDecision = auditLog({ write: (record) => records.push(record) });
      const orthrus = await Orthrus.fromBundle(await makeBundle({ "ann.yaml": FILES["ann.yaml"] }), { onDecision });
      orthrus.isAllowedSync({ principal: PRINCIPAL, resource: DOCUMENT, action: "view" });
      const { digest } = orthrus.bundle;
      assert.deepEqual(records[0].policySource, { embeddedPdp: { url: "bytes", commitHash: digest } });
    });
  });
}
