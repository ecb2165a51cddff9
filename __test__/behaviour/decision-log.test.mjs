/** What `onDecision` is told. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ENGINES } from "../support/engines.mjs";

const FILES = {
  "docs/document.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: document
  version: default
  importDerivedRoles: [roles]
  rules:
    - { actions: [view], derivedRoles: [owner], effect: EFFECT_ALLOW, output: { when: { ruleActivated: '"seen"' } } }
    - { actions: ["*"], roles: [user], effect: EFFECT_DENY, condition: { match: { expr: R.attr.level > 3.0 } } }
`,
  "roles.yaml": `
apiVersion: api.cerbos.dev/v1
derivedRoles:
  name: roles
  definitions: [ { name: owner, parentRoles: [user], condition: { match: { expr: R.attr.owner == P.id } } } ]
`,
};
const PRINCIPAL = { id: "ann", roles: ["user"] };
const DOCUMENT = { kind: "document", id: "7", attr: { owner: "ann" } };

for (const { engine, Orthrus, skip } of ENGINES) {
  describe(`onDecision of ${engine}`, { skip }, () => {
    test("is told inputs, outputs, errors and policies of a call", async () => {
      const entries = [];
      const now = new Date("2026-01-02T03:04:05Z");
      const engine = Orthrus.fromFilesSync(FILES, { onDecision: (entry) => entries.push(entry), now: () => now });
      const response = await engine.checkResources({
        principal: PRINCIPAL,
        resources: [{ resource: DOCUMENT, actions: ["view", "edit"] }],
        requestContext: { annotations: { ticket: "T-1" } },
      });
      assert.equal(response.results[0].metadata, undefined);
      const [{ callId, method, ...entry }] = entries;
      assert.equal(callId, response.cerbosCallId);
      assert.deepEqual(entry, {
        timestamp: now,
        peer: { address: "", authInfo: "", userAgent: "", forwardedFor: "" },
        metadata: {},
        auditTrail: { effectivePolicies: { "resource.document.vdefault": { source: "docs/document.yaml" } } },
        oversized: false,
        policySource: undefined,
        requestContext: { annotations: { ticket: "T-1" } },
      });
      const { requestId } = response;
      const policy = "resource.document.vdefault";
      assert.deepEqual(method, {
        name: "CheckResources",
        inputs: [
          {
            requestId,
            principal: { id: "ann", roles: ["user"], attr: {}, policyVersion: "", scope: "" },
            resource: { kind: "document", id: "7", attr: { owner: "ann" }, policyVersion: "", scope: "" },
            actions: ["view", "edit"],
            auxData: undefined,
          },
        ],
        outputs: [
          {
            requestId,
            resourceId: "7",
            actions: {
              view: { effect: "EFFECT_ALLOW", policy, scope: "" },
              edit: { effect: "EFFECT_DENY", policy, scope: "" },
            },
            effectiveDerivedRoles: ["owner"],
            validationErrors: [],
            outputs: [{ source: `${policy}#rule-001`, action: "view", value: "seen", error: undefined }],
            evaluationErrors: [{ expression: "R.attr.level > 3.0", message: "no such key: level" }],
          },
        ],
        error: undefined,
      });
    });

    test("is told of every kind of check, and changes no answer", () => {
      const entries = [];
      const told = Orthrus.fromFilesSync(FILES, { onDecision: (entry) => entries.push(entry) });
      const quiet = Orthrus.fromFilesSync(FILES);
      const request = { principal: PRINCIPAL, resource: DOCUMENT, actions: ["view"], includeMetadata: true };
      assert.deepEqual(told.checkResourceSync(request), quiet.checkResourceSync(request));
      const question = { principal: PRINCIPAL, resource: DOCUMENT, action: "view" };
      assert.equal(told.isAllowedSync(question), true);
      assert.equal(entries.length, 2);
    });

    test("stops the call when it throws", async () => {
      const engine = Orthrus.fromFilesSync(FILES, {
        onDecision: () => {
          throw new Error("the log is full");
        },
      });
      const question = { principal: PRINCIPAL, resource: DOCUMENT, action: "view" };
      assert.throws(() => engine.isAllowedSync(question), /the log is full/);
      await assert.rejects(engine.isAllowed(question), /the log is full/);
    });
  });
}
