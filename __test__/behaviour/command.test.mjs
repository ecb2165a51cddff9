/** The `orthrus` command and `compile()`, with the real addon on the sample policies. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { compile } from "orthrus";
import { skip } from "../support/addon.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { version } = createRequire(import.meta.url)("../../package.json");
const folder = mkdtempSync(join(tmpdir(), "orthrus-command-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const command = (...args) =>
  spawnSync(process.execPath, [`${root}/bin/orthrus.js`, ...args], { cwd: root, encoding: "utf8" });

/** A policy directory with one test, of what is expected. */
function store(name, effect, condition = "true") {
  const directory = mkdtempSync(join(folder, name));
  const policy = {
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: "document",
      version: "default",
      rules: [
        { actions: ["view"], roles: ["user"], effect: "EFFECT_ALLOW", condition: { match: { expr: condition } } },
      ],
    },
  };
  const suite = {
    name: "documents",
    principals: { ann: { id: "ann", roles: ["user"] } },
    resources: { one: { kind: "document", id: "1" } },
    tests: [
      {
        name: "viewing",
        input: { principals: ["ann"], resources: ["one"], actions: ["view"] },
        expected: [{ principal: "ann", resource: "one", actions: { view: effect } }],
      },
    ],
  };
  writeFileSync(join(directory, "document.json"), JSON.stringify(policy));
  writeFileSync(join(directory, "document_test.json"), JSON.stringify(suite));
  return directory;
}

describe("the command", { skip }, () => {
  test("tells its version, and explains itself", () => {
    assert.deepEqual([command("--version").stdout, command("-v").status], [`${version}\n`, 0]);
    assert.match(command("--help").stdout, /Usage: orthrus <verb>/);
    assert.equal(command().stdout, command("-h").stdout);
    assert.match(command("compile", "--help").stdout, /Usage: orthrus compile <dir>/);
  });

  test("runs the tests of the sample policies", () => {
    const { status, stdout, stderr } = command("compile", "policies");
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Test results\n├──api key \(tests\/api_key_test\.yaml\) \[50 OK\]\n/);
    assert.match(stdout, /\n7669 tests executed \[7669 OK\]\n$/);
  });

  const exits = [
    ["all is well", 0, () => [store("good", "EFFECT_ALLOW")]],
    ["the directory is missing", 1, () => [join(folder, "nowhere")]],
    ["an option is unknown", 2, () => ["--no-such-option", "policies"]],
    ["the policies are wrong", 3, () => [store("bad", "EFFECT_ALLOW", "R.atr.x")]],
    ["a test fails", 4, () => [store("failing", "EFFECT_DENY")]],
    ["tests are left out", 0, () => [store("skipped", "EFFECT_DENY"), "--skip-tests"]],
  ];
  for (const [what, code, args] of exits) {
    test(`exits with ${code} where ${what}`, () => assert.equal(command("compile", ...args()).status, code));
  }
});

describe("compile()", { skip }, () => {
  test("reports tests that pass", async () => {
    const report = await compile(join(root, "policies"));
    assert.deepEqual([report.ok, report.diagnostics], [true, []]);
    assert.deepEqual(report.tests.summary, {
      overallResult: "RESULT_PASSED",
      testsCount: 7669,
      resultCounts: [{ result: "RESULT_PASSED", count: 7669 }],
    });
  });

  test("reports a test that fails, with the rules that were looked at", async () => {
    const { ok, tests } = await compile(store("failing", "EFFECT_DENY"), { trace: true });
    assert.equal(ok, false);
    const [action] = tests.suites[0].testCases[0].principals[0].resources[0].actions;
    const { line, column, ...place } = action.details.trace[0].place;
    assert.deepEqual(
      [action.details.result, action.details.failure, place],
      ["RESULT_FAILED", { expected: "EFFECT_DENY", actual: "EFFECT_ALLOW" }, { file: "document.json" }],
    );
    assert.ok(line === 1 && column > 1);
    const [{ outcome, condition }] = action.details.trace;
    assert.deepEqual(
      [outcome, condition.kind, condition.expression, condition.value],
      ["EFFECT_ALLOW", "expr", "true", true],
    );
    assert.ok(condition.place.column > column);
  });

  test("reports mistakes, and runs no test then", async () => {
    const report = await compile(store("bad", "EFFECT_ALLOW", "R.atr.x"));
    assert.deepEqual([report.ok, "tests" in report], [false, false]);
    assert.deepEqual([report.diagnostics[0].code, report.diagnostics[0].file], ["expression-type", "document.json"]);
  });

  test("takes filters and leaves tests out", async () => {
    const directory = store("failing", "EFFECT_DENY");
    assert.equal((await compile(directory, { testFilter: "principal=bob" })).ok, true);
    assert.equal((await compile(directory, { skipTests: true })).tests, undefined);
    await assert.rejects(compile(directory, { testFilter: "who=bob" }), /testFilter: there is no part `who`/);
  });

  test("rejects where there is nothing to read", async () => {
    await assert.rejects(compile(join(folder, "nowhere")), { code: "STORE_UNREADABLE" });
  });
});
