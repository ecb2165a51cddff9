/** What the real engines refuse, and how: each row is one mistake that users make. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Orthrus } from "orthrus";
import { skip } from "../support/addon.mjs";
import { ENGINES } from "../support/engines.mjs";
import { POLICIES } from "./policies.mjs";

const ANN = { id: "ann", roles: ["user"] };
const DOCUMENT = { kind: "document", id: "1" };

describe("a policy set is refused when", { skip }, () => {
  let folder;
  const at = (name) => join(folder, name);
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "orthrus-bad-"));
    mkdirSync(at("empty"));
    writeFileSync(at("file.yaml"), POLICIES["document.yaml"]);
    mkdirSync(at("broken"));
    writeFileSync(at("broken/ok.json"), POLICIES["clock.json"]);
    writeFileSync(at("broken/slip.yaml"), POLICIES["document.yaml"].replace("effect:", "efect:"));
    writeFileSync(at("broken/syntax.yaml"), "apiVersion: [\n");
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const rows = [
    ["the directory is missing", "missing", { name: "StoreError", code: "STORE_UNREADABLE" }],
    ["the directory is a file", "file.yaml", { name: "StoreError", code: "STORE_UNREADABLE" }],
    ["the directory is empty", "empty", { name: "PolicyError", code: "POLICY_INVALID" }],
    ["files are broken", "broken", { name: "PolicyError", code: "POLICY_INVALID" }],
  ];
  for (const [name, directory, expected] of rows) {
    test(name, async () => {
      const check = (error) => {
        assert.deepEqual({ name: error.name, code: error.code }, expected);
        if (error.name === "StoreError") {
          assert.equal(error.path, at(directory));
        }
        return true;
      };
      assert.throws(() => Orthrus.openSync(at(directory)), check);
      await assert.rejects(Orthrus.open(at(directory)), check);
    });
  }

  test("files are broken, which it says all at once, with places", () => {
    let error;
    assert.throws(
      () => Orthrus.openSync(at("broken")),
      (thrown) => {
        error = thrown;
        return true;
      },
    );
    const slip = error.diagnostics.find(({ file, code }) => file === "slip.yaml" && code === "unknown-field");
    assert.deepEqual([slip.severity, slip.line], ["error", 9]);
    assert.ok(slip.column > 0 && slip.endColumn > slip.column);
    assert.match(slip.excerpt, /efect: EFFECT_ALLOW/);
    assert.ok(error.diagnostics.some(({ file, code }) => file === "syntax.yaml" && code === "syntax"));
    assert.match(error.message, /^\d+ errors in the policies\n\n/);
    assert.match(error.message, /slip\.yaml:9:\d+/);
  });
});

for (const { engine, Orthrus, skip } of ENGINES) {
  describe(`${engine} refuses policies when`, { skip }, () => {
    test("there are no files", () => {
      assert.throws(() => Orthrus.fromFilesSync({}), { name: "PolicyError" });
    });

    test("an import is missing", () => {
      const { "relations.json": _, ...rest } = POLICIES;
      assert.throws(
        () => Orthrus.fromFilesSync(rest),
        ({ diagnostics }) => diagnostics.some(({ code }) => code === "import-not-found"),
      );
    });
  });

  describe(`${engine} refuses a request when`, { skip }, () => {
    let orthrus;
    before(() => {
      orthrus = Orthrus.fromFilesSync(POLICIES);
    });
    after(() => orthrus.close());

    const rows = [
      ["there is no principal id", { principal: { roles: ["user"] } }, "principal.id"],
      ["there are no roles", { principal: { id: "ann", roles: [] } }, "principal.roles"],
      ["a role stands twice", { principal: { id: "ann", roles: ["user", "user"] } }, "principal.roles[1]"],
      ["there are no actions", { actions: [] }, "actions"],
      ["an action stands twice", { actions: ["view", "view"] }, "actions[1]"],
      [
        "an attribute cannot be serialised",
        { resource: { ...DOCUMENT, attr: { amount: 1n } } },
        "resource.attr.amount",
      ],
      ["an attribute has 50 MB", { resource: { ...DOCUMENT, attr: { text: "x".repeat(50e6) } } }, "resource.attr.text"],
    ];
    for (const [name, fields, path] of rows) {
      test(name, async () => {
        const request = { principal: ANN, resource: DOCUMENT, actions: ["view"], ...fields };
        assert.throws(() => orthrus.checkResourceSync(request), { name: "RequestError", path });
        await assert.rejects(orthrus.checkResource(request), { name: "RequestError", path });
      });
    }

    test("the engine is closed", async () => {
      const other = Orthrus.fromFilesSync(POLICIES);
      other.close();
      const request = { principal: ANN, resource: DOCUMENT, action: "view" };
      assert.throws(() => other.isAllowedSync(request), { name: "ClosedError", code: "ENGINE_CLOSED" });
      await assert.rejects(other.isAllowed(request), { code: "ENGINE_CLOSED" });
      assert.equal(orthrus.isAllowedSync(request), true);
    });

    test("none of these: an attribute of 10 MB, and 64 levels", () => {
      const nested = (levels) => (levels === 0 ? 1 : [nested(levels - 1)]);
      const attr = { text: "x".repeat(10e6), nested: nested(64) };
      assert.equal(orthrus.isAllowedSync({ principal: ANN, resource: { ...DOCUMENT, attr }, action: "view" }), true);
    });
  });
}
