/** `compile()`: what it hands to the addon, and what it makes of the answer. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { fake } from "../support/engine.mjs";

const { compile } = await import("orthrus");

const DEFAULTS = {
  ignoreSchemas: false,
  skipTests: false,
  skipBatching: false,
  strictEvaluation: false,
  trace: false,
};

/** Compiles with the fake addon; what that was asked, and the report. */
async function compiled(dir, options, report = { ok: true, diagnostics: [], tests: null }) {
  fake.reset();
  fake.report = report;
  const result = await compile(dir, options);
  return { asked: fake.compiled.at(-1), result };
}

describe("compile()", () => {
  test("hands over the directory and all options", async () => {
    assert.deepEqual((await compiled("policies")).asked, ["policies", DEFAULTS]);
    const url = pathToFileURL("somewhere");
    const options = { trace: true, skipTests: undefined, tests: url, testFilter: "suite=a" };
    const { asked } = await compiled(url, options);
    const path = fileURLToPath(url);
    assert.deepEqual(asked, [path, { ...DEFAULTS, trace: true, tests: path, testFilter: ["suite=a"] }]);
    const filters = ["suite=a", "test=b"];
    assert.deepEqual((await compiled("policies", { testFilter: filters })).asked[1].testFilter, filters);
  });

  test("reports, with tests only where some were run", async () => {
    const { result } = await compiled("policies");
    assert.deepEqual(result, { ok: true, diagnostics: [] });
    const report = { ok: false, diagnostics: [], tests: { summary: { overallResult: "RESULT_FAILED" } } };
    assert.deepEqual((await compiled("policies", {}, report)).result, report);
  });

  const refusals = [
    ["", {}, "dir"],
    [7, {}, "dir"],
    ["policies", null, ""],
    ["policies", { skipTest: true }, "skipTest"],
    ["policies", { trace: "yes" }, "trace"],
    ["policies", { tests: 3 }, "tests"],
    ["policies", { testFilter: ["a", 1] }, "testFilter"],
  ];
  for (const [dir, options, path] of refusals) {
    test(`refuses ${JSON.stringify(dir)} with ${JSON.stringify(options)}`, async () => {
      await assert.rejects(compile(dir, options), { name: "OptionsError", code: "OPTIONS_INVALID", path });
    });
  }

  test("suggests the option that was meant", async () => {
    await assert.rejects(compile("policies", { skipTest: true }), /did you mean skipTests\?/);
  });

  test("rejects with this package's errors", async () => {
    fake.reset();
    fake.openError = new Error(JSON.stringify({ code: "STORE_UNREADABLE", message: "gone", path: "policies" }));
    await assert.rejects(compile("policies"), { name: "StoreError", path: "policies" });
    fake.reset();
  });
});
