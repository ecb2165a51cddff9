/** What is published: packed, checked by publint and arethetypeswrong, installed into an empty project, and used there. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { npm, output, runTool } from "../../scripts/lib/project.mjs";
import { stageMain, stagePlatform } from "../../scripts/package.mjs";
import { ADDON, PLATFORM, skip } from "../support/addon.mjs";

const folder = mkdtempSync(join(tmpdir(), "orthrus-packaging-"));
const silent = { quiet: true, onLine: () => undefined };
let main;

/** Packs a staged package; the path of the tarball. */
async function pack(staged) {
  const before = new Set(readdirSync(folder));
  await npm(["pack", staged, "--pack-destination", folder, "--loglevel=error"], { ...silent, cwd: folder });
  const [tarball] = readdirSync(folder).filter((name) => name.endsWith(".tgz") && !before.has(name));
  return join(folder, tarball);
}

before(async () => {
  main = await pack(stageMain(folder));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a checker, and shows what it said if it fails. */
async function check(tool, args) {
  const lines = [];
  const code = await runTool(tool, args, { quiet: true, mayFail: true, onLine: (line) => lines.push(line) });
  assert.equal(code, 0, lines.join("\n"));
}

test("publint has nothing to say", () => check("publint", ["run", "--strict", main]));

test("arethetypeswrong has nothing to say", () =>
  check("@arethetypeswrong/cli", [main, "--format", "ascii", "--exclude-entrypoints", "./engine.wasm"]));

test("only what is needed is published", async () => {
  const listing = await output("tar", ["-tzf", main]);
  const files = listing.split("\n").map((name) => name.trim().replace("package/", ""));
  const stray = files.filter(
    (name) =>
      !/^((addon\/)?index\.(js|d\.ts)|dist\/(\w+\/)*[\w-]+\.(js|mjs|d\.ts|d\.mts)|dist\/engine\.wasm|bin\/orthrus\.js|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(
        name,
      ),
  );
  assert.deepEqual(stray, []);
  for (const name of [
    "dist/index.js",
    "dist/index.mjs",
    "dist/index.d.ts",
    "dist/index.d.mts",
    "LICENSE",
    "bin/orthrus.js",
  ]) {
    assert.ok(files.includes(name), name);
  }
});

describe("installed into an empty project", { skip }, () => {
  const project = join(folder, "project");
  const files = `{ "document.yaml": JSON.stringify({
      apiVersion: "api.cerbos.dev/v1",
      resourcePolicy: { resource: "document", version: "default", rules: [{ actions: ["view"], effect: "EFFECT_ALLOW", roles: ["user"] }] },
    }) }`;
  const decide = `
    const orthrus = Orthrus.fromFilesSync(${files});
    const request = (action) => ({ principal: principalFromWorkOS({ user: null }), resource: { kind: "document", id: "1" }, action });
    const user = (action) => ({ ...request(action), principal: { id: "ann", roles: ["user"] } });
    console.log(JSON.stringify([orthrus.isAllowedSync(user("view")), orthrus.isAllowedSync(user("edit")), orthrus.isAllowedSync(request("view"))]));`;

  before(async () => {
    const addon = await pack(stagePlatform(folder, PLATFORM, ADDON));
    mkdirSync(project);
    writeFileSync(join(project, "package.json"), '{ "name": "empty", "version": "1.0.0", "private": true }\n');
    // Offline: nothing but the two tarballs may be needed. Other platforms' packages are optional, and not there.
    await npm(["install", "--offline", "--loglevel=error", "--no-audit", "--no-fund", main, addon], {
      ...silent,
      cwd: project,
    });
  });

  test("it decides, by import", async () => {
    const imports = 'import { Orthrus } from "orthrus"; import { principalFromWorkOS } from "orthrus/workos";';
    writeFileSync(join(project, "decide.mjs"), imports + decide);
    assert.equal(await output(process.execPath, ["decide.mjs"], { cwd: project }), "[true,false,false]");
  });

  test("it decides, by require", async () => {
    const requires =
      'const { Orthrus } = require("orthrus"); const { principalFromWorkOS } = require("orthrus/workos");';
    writeFileSync(join(project, "decide.cjs"), requires + decide);
    assert.equal(await output(process.execPath, ["decide.cjs"], { cwd: project }), "[true,false,false]");
  });

  test("it verifies tokens", async () => {
    writeFileSync(
      join(project, "verify.mjs"),
      `import { createVerifier } from "orthrus/jwt";
       createVerifier({ disableVerification: true }).verify("x").catch(({ code }) => console.log(code));`,
    );
    assert.equal(await output(process.execPath, ["verify.mjs"], { cwd: project }), "JWT_MALFORMED");
  });

  test("it writes an audit log", async () => {
    writeFileSync(
      join(project, "audit.cjs"),
      `const { Orthrus } = require("orthrus"); const { auditLog, ndjsonFile } = require("orthrus/audit");
       const file = ndjsonFile("logs/audit.log");
       const orthrus = Orthrus.fromFilesSync(${files}, { onDecision: auditLog({ write: file.write }) });
       orthrus.isAllowedSync({ principal: { id: "ann", roles: ["user"] }, resource: { kind: "document", id: "1" }, action: "view" });
       file.close().then(() => console.log(JSON.parse(require("node:fs").readFileSync("logs/audit.log", "utf8"))["log.kind"]));`,
    );
    assert.equal(await output(process.execPath, ["audit.cjs"], { cwd: project }), "decision");
  });

  test("it needs OpenTelemetry for orthrus/opentelemetry alone", async () => {
    writeFileSync(
      join(project, "opentelemetry.cjs"),
      `try { require("orthrus/opentelemetry"); } catch ({ code, message }) { console.log(code, message); }`,
    );
    const said = await output(process.execPath, ["opentelemetry.cjs"], { cwd: project });
    assert.match(said, /^MODULE_NOT_FOUND Cannot find module '@opentelemetry\/api'/);
  });

  test("its command runs", async () => {
    const version = await output(process.execPath, ["node_modules/orthrus/bin/orthrus.js", "--version"], {
      cwd: project,
    });
    assert.match(version, /^\d+\.\d+\.\d+/);
  });
});
