/**
 * Installs, builds, and runs every check of the project, each as a step with its time. The last line is
 * `N passed, N failed`, over the tests of all runners, with each check that is no test runner counted as one.
 *
 *   node scripts/test.mjs [--only TEXT]   only steps whose title contains TEXT (no build: run `npm run build` before)
 *
 * With the environment variable CI set, nothing may be skipped, and the JavaScript tests run on a second Node.js as well.
 */

import { existsSync, readdirSync } from "node:fs";
import { build } from "./build.mjs";
import { installInCI } from "./lib/apt.mjs";
import { provideChromium } from "./lib/chromium.mjs";
import { CI, elapsed, inRoot, install, npm, run, runTool } from "./lib/project.mjs";

const SECOND_NODE = "22";

/** The totals of all steps so far. */
const total = { passed: 0, failed: 0, skipped: 0 };
const failedSteps = [];

/** Lines in which test runners tell their totals: cargo's one a binary, Node's one a number, the differential test's and parity's one. */
const CARGO_TOTAL = /^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/;
const COMPARISON_TOTAL = /^\d+ cases, (\d+) agree, (\d+) disagree$/;
const NODE_TOTAL = /^(?:#|ℹ) (pass|fail|cancelled|skipped) (\d+)$/;

/** Counts what a line of a test runner's output tells. */
function count(tally, line) {
  const cargo = CARGO_TOTAL.exec(line);
  if (cargo !== null) {
    tally.passed += Number(cargo[1]);
    tally.failed += Number(cargo[2]);
    tally.skipped += Number(cargo[3]);
    return;
  }
  const comparison = COMPARISON_TOTAL.exec(line);
  if (comparison !== null) {
    tally.passed += Number(comparison[1]);
    tally.failed += Number(comparison[2]);
    return;
  }
  const node = NODE_TOTAL.exec(line);
  if (node !== null) {
    const kind = { pass: "passed", fail: "failed", cancelled: "failed", skipped: "skipped" }[node[1]];
    tally[kind] += Number(node[2]);
  }
  if (/\bSKIPPED\b/.test(line)) {
    tally.skippedLines += 1;
  }
}

/** Runs a step. `action` gets a line counter and resolves to an exit code; a step without test totals counts as one. */
async function step(title, action) {
  console.log(`\n=== ${title}`);
  const start = Date.now();
  const tally = { passed: 0, failed: 0, skipped: 0, skippedLines: 0 };
  let problem;
  try {
    const code = await action((line) => count(tally, line));
    problem = code === 0 ? undefined : `exit code ${code}`;
  } catch (error) {
    problem = error.message;
  }
  if (problem === undefined && tally.passed + tally.failed === 0) {
    tally.passed = 1;
  }
  if (problem !== undefined && tally.failed === 0) {
    // It did not come as far as a failing test: a compile error, or a crash.
    tally.failed = 1;
  }
  if (tally.failed > 0) {
    failedSteps.push(title);
  }
  for (const kind of Object.keys(total)) {
    total[kind] += tally[kind];
  }
  const skipped = tally.skipped + tally.skippedLines > 0 ? `, some SKIPPED (see above)` : "";
  const reason = problem === undefined ? "" : `: ${problem}`;
  console.log(`--- ${title}: ${tally.passed} passed, ${tally.failed} failed${skipped}, ${elapsed(start)}${reason}`);
  return problem === undefined;
}

const cargo = (args, options) => run("cargo", args, { mayFail: true, ...options });
const tool = (name, args) => runTool(name, args, { mayFail: true });

/** Runs test files by a Node.js; `flags` are further flags of its runner. */
function nodeTest(onLine, folders, { node = process.execPath, flags = [] } = {}) {
  const files = folders.flatMap((folder) =>
    readdirSync(inRoot("__test__", folder))
      .filter((name) => name.endsWith(".test.mjs"))
      .map((name) => `__test__/${folder}/${name}`),
  );
  return run(node, ["--test", "--test-reporter=spec", ...flags, ...files], { onLine, mayFail: true });
}

/** Builds, starts and drives the examples, one after the other: each build takes all the cores. */
async function examples(onLine) {
  await provideChromium();
  return nodeTest(onLine, ["examples"], { flags: ["--test-concurrency=1"] });
}

/** The server, by clients that are a package of their own, and beside the PDP where it is. */
async function server(onLine) {
  await install(inRoot("__test__", "server", "clients"));
  await provideChromium();
  return nodeTest(onLine, ["server"]);
}

/**
 * A short, fixed run of the differential test; `npm run test:differential` runs longer ones. A set of policies is few cases and
 * one of expressions a thousand, so that each has its run: with some 50 sets of policies there are schemas, role policies and
 * tokens among them.
 */
function differential(only, cases, onLine) {
  const what = ["--only", only, "--cases", String(cases)];
  const args = ["__test__/differential/cli.mjs", "--seed", "1", ...what, "--if-installed"];
  return run(process.execPath, args, { onLine, mayFail: true });
}

/** The path of a second Node.js, installed from npm into a cache; `undefined` where this one is as new or it is not to be had. */
async function secondNode() {
  if (Number(process.versions.node.split(".")[0]) >= Number(SECOND_NODE) || process.platform === "win32") {
    return undefined;
  }
  const name = `node-${process.platform}-${process.arch}`;
  const cache = inRoot("node_modules", ".cache", `node-${SECOND_NODE}`);
  const path = `${cache}/node_modules/${name}/bin/node`;
  if (!existsSync(path) && CI) {
    await npm(["install", "--prefix", cache, "--no-save", "--no-audit", "--no-fund", `${name}@${SECOND_NODE}`]);
  }
  return existsSync(path) ? path : undefined;
}

/** Parts of the Rust toolchain that a minimal installation lacks. */
async function requireComponent(name) {
  const silent = { quiet: true, onLine: () => undefined, mayFail: true };
  if ((await run("cargo", [name, "--version"], silent)) !== 0) {
    await run("rustup", ["component", "add", name === "fmt" ? "rustfmt" : name]);
  }
}

/** Revocation lists are tested on a real Redis. Under CI it is installed where there is a package manager that can. */
async function requireRedis() {
  const silent = { quiet: true, onLine: () => undefined, mayFail: true };
  const found = (command) =>
    run(command, ["--version"], silent).then(
      (code) => code === 0,
      () => false,
    );
  if (!(await found("redis-server"))) {
    await installInCI("redis-server");
  }
}

const STEPS = [
  [
    "Rust: format",
    async () => {
      await requireComponent("fmt");
      return cargo(["fmt", "--all", "--check"]);
    },
  ],
  [
    "Rust: lints",
    async () => {
      await requireComponent("clippy");
      return cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    },
  ],
  ["Rust: tests and conformance", (onLine) => cargo(["test", "--workspace", "--no-fail-fast"], { onLine })],
  ["Rust: licences of dependencies", () => run(process.execPath, ["scripts/licences.mjs"], { mayFail: true })],
  ["JavaScript: lints and format", () => tool("@biomejs/biome", [CI ? "ci" : "check"])],
  ["JavaScript: types", () => tool("typescript", ["--project", "__test__/types"])],
  [
    `JavaScript: tests on Node ${process.versions.node}`,
    async (onLine) => {
      await requireRedis();
      return nodeTest(onLine, ["unit", "behaviour"]);
    },
  ],
  ["Server: the wire API, and what surrounds it", server],
  ["JavaScript: packaging", (onLine) => nodeTest(onLine, ["packaging"])],
  ["Examples: built, started, and driven by HTTP and a browser", examples],
  [
    "Parity: WebAssembly and bundles decide as the addon does",
    (onLine) => run(process.execPath, ["__test__/parity/cli.mjs"], { onLine, mayFail: true }),
  ],
  ["Differential: policies as in the PDP", (onLine) => differential("policies", 10_000, onLine)],
  ["Differential: expressions as in the PDP", (onLine) => differential("expressions", 5_000, onLine)],
  ["Differential: tokens as in the PDP", (onLine) => nodeTest(onLine, ["differential"])],
];

const only = process.argv.includes("--only") ? process.argv[process.argv.indexOf("--only") + 1] : undefined;
const wanted = (title) => only === undefined || title.includes(only);

const started = Date.now();
const built = only !== undefined || (await step("Install and build", () => build().then(() => 0)));
if (built) {
  for (const [title, action] of STEPS) {
    if (wanted(title)) {
      await step(title, action);
    }
  }
  const second = `JavaScript: tests on Node ${SECOND_NODE}`;
  if (wanted(second)) {
    const node = await secondNode();
    if (node === undefined) {
      console.log(
        `\nSKIPPED: ${second} (this is ${process.version}; with CI set, another is installed on Linux and macOS)`,
      );
    } else {
      await step(second, (onLine) => nodeTest(onLine, ["unit", "behaviour"], { node }));
    }
  }
}
if (failedSteps.length > 0) {
  console.log(`\nFailed: ${failedSteps.join("; ")}`);
}
console.log(`\nTime: ${elapsed(started)}${total.skipped > 0 ? `; skipped: ${total.skipped}` : ""}`);
console.log(`${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
