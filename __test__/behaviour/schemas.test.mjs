/** Attributes against schemas. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, test } from "node:test";
import { Orthrus, SchemaEnforcement, ValidationErrorSource, ValidationFailed } from "orthrus";
import { skip } from "../support/addon.mjs";
import { ENGINES } from "../support/engines.mjs";

const FILES = {
  "_schemas/user.json": JSON.stringify({
    type: "object",
    properties: { department: { enum: ["sales", "legal"] } },
  }),
  "_schemas/parts/invoice.json": JSON.stringify({
    $ref: "#/$defs/invoice",
    $defs: { invoice: { required: ["amount"], properties: { amount: { type: "number", minimum: 1 } } } },
  }),
  "invoice.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: invoice
  version: default
  schemas:
    principalSchema: { ref: "cerbos:///user.json" }
    resourceSchema: { ref: "cerbos:///parts/invoice.json", ignoreWhen: { actions: ["list:*"] } }
  rules:
    - { actions: [view, "list:*"], roles: [user], effect: EFFECT_ALLOW }
`,
  "note.yaml": `
apiVersion: api.cerbos.dev/v1
resourcePolicy:
  resource: note
  version: default
  rules:
    - { actions: [view], roles: [user], effect: EFFECT_ALLOW }
`,
};

const ANN = { id: "ann", roles: ["user"], attr: { department: "it" } };
const INVOICE = { kind: "invoice", id: "1", attr: { amount: 0 } };
const NOTE = { kind: "note", id: "2", attr: { amount: 0 } };
const ERRORS = [
  {
    path: "/department",
    message: 'value must be one of "sales", "legal"',
    source: ValidationErrorSource.PRINCIPAL,
  },
  { path: "/amount", message: "must be >= 1 but found 0", source: ValidationErrorSource.RESOURCE },
];

const { "_schemas/user.json": _missing, ...INCOMPLETE } = FILES;
const placed = ({ code, file, line, column }) => [code, file, line, column];

const request = { principal: ANN, resource: INVOICE, actions: ["view", "list:all"] };

for (const { engine, Orthrus, skip } of ENGINES) {
  describe(`schemas on ${engine}`, { skip }, () => {
    const open = (options) => Orthrus.fromFilesSync(FILES, options);

    test("are not enforced by default", () => {
      for (const orthrus of [open(), open({ schemaEnforcement: SchemaEnforcement.NONE })]) {
        const result = orthrus.checkResourceSync(request);
        assert.deepEqual([result.allAllowed(), result.validationErrors], [true, []]);
      }
    });

    test("warn", async () => {
      const result = await open({ schemaEnforcement: "warn" }).checkResource(request);
      assert.deepEqual([result.allAllowed(), result.validationErrors], [true, ERRORS]);
    });

    test("reject every action of the resource, and of no other", () => {
      const orthrus = open({ schemaEnforcement: "reject" });
      const response = orthrus.checkResourcesSync({
        principal: ANN,
        resources: [
          { resource: INVOICE, actions: ["view", "list:all"] },
          { resource: NOTE, actions: ["view"] },
        ],
        includeMetadata: true,
      });
      const [invoice, note] = response.results;
      assert.deepEqual([invoice.allowedActions(), note.allAllowed(), note.validationErrors], [[], true, []]);
      assert.deepEqual(response.validationErrors, ERRORS);
      assert.equal(invoice.metadata.actions.view.matchedPolicy, "resource.invoice.vdefault");
      assert.equal(orthrus.isAllowedSync({ principal: ANN, resource: INVOICE, action: "view" }), false);
    });

    test("see all attributes, with a clock of the caller's as well", () => {
      const sales = { ...ANN, attr: { department: "sales" } };
      const good = { ...INVOICE, attr: { amount: 1, unread: { by: ["rules"] } } };
      for (const options of [{}, { now: () => new Date(0) }]) {
        const orthrus = open({ schemaEnforcement: "reject", ...options });
        assert.equal(orthrus.isAllowedSync({ principal: sales, resource: good, action: "view" }), true);
        assert.equal(orthrus.isAllowedSync({ principal: sales, resource: INVOICE, action: "view" }), false);
        assert.equal(orthrus.isAllowedSync({ principal: sales, resource: INVOICE, action: "list:all" }), true);
      }
    });

    test("make checks throw where that is wanted", async () => {
      const orthrus = open({ schemaEnforcement: "warn", onValidationError: "throw" });
      const failed = (error) => {
        assert.ok(error instanceof ValidationFailed);
        assert.deepEqual([error.name, error.code], ["ValidationFailed", "VALIDATION_FAILED"]);
        assert.deepEqual(error.validationErrors, ERRORS);
        assert.match(error.message, /principal \/department: value must be .*; resource \/amount: must be >= 1/);
        return true;
      };
      const ask = { principal: ANN, resource: INVOICE, action: "view" };
      assert.throws(() => orthrus.checkResourceSync(request), failed);
      assert.throws(() => orthrus.isAllowedSync(ask), failed);
      await assert.rejects(orthrus.isAllowed(ask), failed);
      await assert.rejects(
        orthrus.checkResources({ principal: ANN, resources: [{ resource: INVOICE, actions: ["view"] }] }),
        failed,
      );
      assert.equal(orthrus.isAllowedSync({ ...ask, resource: NOTE }), true);
    });

    test("are told to a callback, once a request and only if something is refused", () => {
      const told = [];
      const orthrus = open({ schemaEnforcement: "warn", onValidationError: (errors) => told.push(errors) });
      assert.equal(orthrus.isAllowedSync({ principal: ANN, resource: INVOICE, action: "view" }), true);
      assert.equal(orthrus.isAllowedSync({ principal: ANN, resource: NOTE, action: "view" }), true);
      orthrus.checkResourcesSync({
        principal: ANN,
        resources: [INVOICE, { ...INVOICE, id: "3" }].map((resource) => ({ resource, actions: ["view"] })),
      });
      assert.deepEqual(told, [ERRORS, ERRORS]);
    });

    for (const schemaEnforcement of ["warn", "reject"]) {
      test(`that are missing refuse the policies where they are enforced: ${schemaEnforcement}`, () => {
        assert.throws(
          () => Orthrus.fromFilesSync(INCOMPLETE, { schemaEnforcement }),
          (error) => {
            assert.equal(error.code, "POLICY_INVALID");
            assert.deepEqual(error.diagnostics.map(placed), [["invalid-schema", "invoice.yaml", 7, 29]]);
            return true;
          },
        );
      });
    }

    test("that are missing are warned of where they are not enforced", async () => {
      const orthrus = Orthrus.fromFilesSync(INCOMPLETE);
      assert.deepEqual(orthrus.warnings.map(placed), [["invalid-schema", "invoice.yaml", 7, 29]]);
      const result = await orthrus.checkResource(request);
      assert.equal(result.isAllowed("view"), true);
      assert.deepEqual(result.validationErrors, []);
    });
  });
}

describe("schemas", { skip }, () => {
  test("come from the directory", () => {
    const directory = mkdtempSync(join(tmpdir(), "orthrus-"));
    try {
      for (const [name, text] of Object.entries(FILES)) {
        mkdirSync(dirname(join(directory, name)), { recursive: true });
        writeFileSync(join(directory, name), text);
      }
      const result = Orthrus.openSync(directory, { schemaEnforcement: "warn" }).checkResourceSync(request);
      assert.deepEqual(result.validationErrors, ERRORS);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
