/** Decisions of the real engines, through the package. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { Orthrus } from "orthrus";
import { skip } from "../support/addon.mjs";
import { ENGINES } from "../support/engines.mjs";
import { POLICIES } from "./policies.mjs";

const ANN = { id: "ann", roles: ["user"] };
const document = (attr = {}, id = "1") => ({ kind: "document", id, attr: { locked: false, amount: 7, ...attr } });

for (const { engine, Orthrus, skip } of ENGINES) {
  describe(engine, { skip }, () => {
    let orthrus;
    before(() => {
      orthrus = Orthrus.fromFilesSync(POLICIES, { globals: { environment: "test" } });
    });
    after(() => orthrus.close());

    test("allows what a rule allows, and denies the rest", async () => {
      const request = { principal: ANN, resource: document(), actions: ["view", "edit", "delete"] };
      const result = await orthrus.checkResource(request);
      assert.deepEqual(result.actions, { view: "EFFECT_ALLOW", edit: "EFFECT_DENY", delete: "EFFECT_DENY" });
      assert.deepEqual(orthrus.checkResourceSync(request).actions, result.actions);
      assert.equal(await orthrus.isAllowed({ principal: ANN, resource: document(), action: "view" }), true);
      assert.equal(orthrus.isAllowedSync({ principal: ANN, resource: document(), action: "edit" }), false);
    });

    test("applies derived roles, outputs and denials", () => {
      const own = orthrus.checkResourceSync({
        principal: ANN,
        resource: document({ owner: "ann" }),
        actions: ["edit"],
        includeMetadata: true,
      });
      assert.equal(own.isAllowed("edit"), true);
      assert.deepEqual(own.outputs, [
        {
          action: "edit",
          source: "resource.document.vdefault#edit-own",
          value: { by: "ann", amount: 7 },
          error: undefined,
        },
      ]);
      assert.deepEqual(own.metadata, {
        actions: { edit: { matchedPolicy: "resource.document.vdefault", matchedScope: "" } },
        effectiveDerivedRoles: ["owner"],
      });
      const locked = document({ owner: "ann", locked: true });
      assert.equal(orthrus.isAllowedSync({ principal: ANN, resource: locked, action: "edit" }), false);
    });

    test("matches action globs and roles with colons", () => {
      const admin = { id: "ann", roles: ["user", "org:admin"] };
      const actions = ["admin:purge", "admin:a:b", "admin"];
      const result = orthrus.checkResourceSync({ principal: admin, resource: document(), actions });
      assert.deepEqual(result.allowedActions(), ["admin:purge"]);
    });

    test("denies what no policy speaks of", () => {
      const resource = { kind: "nothing", id: "1" };
      const result = orthrus.checkResourceSync({ principal: ANN, resource, actions: ["view"], includeMetadata: true });
      assert.equal(result.isAllowed("view"), false);
      assert.equal(result.metadata.actions.view.matchedPolicy, "NO_MATCH");
    });

    test("keeps 50 resources and their actions apart", () => {
      const resources = Array.from({ length: 50 }, (_, index) => ({
        resource: document({ owner: index % 3 === 0 ? "ann" : "bob" }, String(index)),
        actions: ["edit", "view", "delete"],
      }));
      const { results } = orthrus.checkResourcesSync({ principal: ANN, resources });
      results.forEach(({ resource, actions }, index) => {
        assert.equal(resource.id, String(index));
        const edit = index % 3 === 0 ? "EFFECT_ALLOW" : "EFFECT_DENY";
        assert.deepEqual(actions, { edit, view: "EFFECT_ALLOW", delete: "EFFECT_DENY" });
      });
    });

    test("answers more actions than a mask has bits", () => {
      for (const count of [29, 30, 31, 100]) {
        const actions = Array.from({ length: count }, (_, index) => (index === count - 1 ? "view" : `other${index}`));
        const result = orthrus.checkResourceSync({ principal: ANN, resource: document(), actions });
        assert.deepEqual(result.allowedActions(), ["view"]);
      }
    });

    test("reads every kind of text and value", () => {
      const files = {
        "echo.json": JSON.stringify({
          apiVersion: "api.cerbos.dev/v1",
          resourcePolicy: {
            resource: "echo",
            version: "default",
            rules: [
              {
                actions: ["*"],
                effect: "EFFECT_ALLOW",
                roles: ["*"],
                output: { when: { ruleActivated: "R.attr.value" } },
              },
            ],
          },
        }),
      };
      const echo = Orthrus.fromFilesSync(files);
      const values = ["", 'é😀\u0000\u0001\n"\\\ufffd', 0.1, -1e300, true, null, [], {}, { a: [{ b: [1, "x"] }] }];
      for (const value of values) {
        const resource = { kind: "echo", id: "é\u0001\ufffd", attr: { value } };
        const result = echo.checkResourceSync({
          principal: { id: "\u0001", roles: ["é"] },
          resource,
          actions: ["a\u0001"],
        });
        assert.equal(result.isAllowed("a\u0001"), true);
        assert.deepEqual(result.outputs[0].value, value);
      }
      echo.close();
    });

    test("walks up scopes and chooses versions", () => {
      const actions = ["from:root", "from:acme", "from:acme.hr"];
      const allowed = (engine, fields) =>
        engine
          .checkResourceSync({ principal: ANN, resource: { kind: "leave", id: "1", ...fields }, actions })
          .allowedActions();
      const policyVersion = "20300101";
      assert.deepEqual(allowed(orthrus, { policyVersion }), ["from:root"]);
      assert.deepEqual(allowed(orthrus, { policyVersion, scope: "acme.hr" }), actions);
      assert.deepEqual(allowed(orthrus, { scope: "acme" }), []);
      assert.deepEqual(allowed(orthrus, { policyVersion, scope: "acme.it" }), []);
      const options = { defaultPolicyVersion: policyVersion, defaultScope: "acme", lenientScopeSearch: true };
      const other = Orthrus.fromFilesSync(POLICIES, options);
      assert.deepEqual(allowed(other, {}), ["from:root", "from:acme"]);
      assert.deepEqual(allowed(other, { scope: "acme.it.ops" }), ["from:root", "from:acme"]);
      assert.deepEqual(allowed(other, { scope: "." }), ["from:root"]);
      other.close();
    });

    test("reads globals, the clock and claims", () => {
      const request = (kind, action) => ({ principal: ANN, resource: { kind, id: "1" }, action });
      assert.equal(orthrus.isAllowedSync(request("clock", "stop")), true);
      assert.equal(orthrus.isAllowedSync(request("clock", "ring")), false);
      const instant = new Date("2030-01-02T03:04:05.678Z");
      const decodeJWTPayload = ({ token }) => ({ iss: token });
      const other = Orthrus.fromFilesSync(POLICIES, { now: () => instant, decodeJWTPayload });
      assert.equal(other.isAllowedSync(request("clock", "ring")), true);
      assert.equal(other.isAllowedSync(request("clock", "stop")), false);
      const auxData = { jwt: { token: "https://issuer.test" } };
      assert.equal(other.isAllowedSync({ ...request("token", "use"), auxData }), true);
      assert.equal(other.isAllowedSync(request("token", "use")), false);
      other.close();
    });

    test("skips a denial whose condition fails, unless evaluation is strict", () => {
      const request = { principal: ANN, resource: { kind: "risk", id: "1", attr: { amount: "much" } }, action: "take" };
      assert.equal(orthrus.isAllowedSync(request), true);
      const strict = Orthrus.fromFilesSync(POLICIES, { strictEvaluation: true });
      assert.equal(strict.isAllowedSync(request), false);
      strict.close();
    });
  });
}

describe("the addon opens a directory", { skip }, () => {
  let directory;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), "orthrus-policies-"));
    for (const [path, text] of Object.entries(POLICIES)) {
      mkdirSync(dirname(join(directory, path)), { recursive: true });
      writeFileSync(join(directory, path), text);
    }
    mkdirSync(join(directory, ".git"));
    writeFileSync(join(directory, ".git", "config.yaml"), "not a policy");
    writeFileSync(join(directory, "document_test.yaml"), "name: a test suite, and no policy");
    writeFileSync(join(directory, "README.md"), "# no policy");
  });
  after(() => rmSync(directory, { recursive: true, force: true }));

  const openings = {
    open: () => Orthrus.open(directory),
    "open by URL": () => Orthrus.open(pathToFileURL(directory)),
    openSync: () => Orthrus.openSync(directory),
    fromFiles: () => Orthrus.fromFiles(POLICIES),
  };
  for (const [how, opening] of Object.entries(openings)) {
    test(how, async () => {
      const opened = await opening();
      assert.equal(opened.policyCount, Object.keys(POLICIES).length);
      const codes = opened.warnings.map((warning) => warning.code);
      assert.deepEqual(codes, ["deny-may-be-skipped", "deny-may-be-skipped"]);
      assert.equal(opened.isAllowedSync({ principal: ANN, resource: document(), action: "view" }), true);
      opened.close();
    });
  }
});
