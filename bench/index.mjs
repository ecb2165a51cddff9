/**
 * The benchmark: `npm run bench`, after a build. One run, all peers, decisions asserted equal, ratios reported.
 *
 *   node bench/index.mjs [--quick] [--without-engine]
 *
 * --quick           few rounds and small sets: shows that it works, measures nothing
 * --without-engine  leaves the Rust benchmark out
 *
 * Writes bench/results.json. Ends with 1 if a decision differs or a check among 10,000 policies costs more than 1.3 times
 * a check among 10.
 */
import { writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { benchEngine } from "./engine.mjs";
import { benchGrowth, FLAT } from "./growth.mjs";
import { installPeers } from "./install.mjs";
import { measure } from "./measure.mjs";
import { byHand } from "./peers/by-hand.mjs";
import { casl } from "./peers/casl.mjs";
import { orthrusAwaited, orthrusSync, orthrusWasm } from "./peers/orthrus.mjs";
import { pdp, Unavailable } from "./peers/pdp.mjs";
import { megabytes, micros, millis, table, times } from "./table.mjs";
import { benchTokens } from "./tokens.mjs";
import { ACTIONS, questions, writePolicies } from "./workload.mjs";

const { values: flags } = parseArgs({
  options: { quick: { type: "boolean", default: false }, "without-engine": { type: "boolean", default: false } },
});

const ONE_ROW = {
  rows: 1,
  questions: 1_000,
  rounds: flags.quick ? 3 : 40,
  warmUp: flags.quick ? 1 : 30,
  remoteShare: 0.03,
};
const PAGE = { rows: 50, questions: 40, rounds: flags.quick ? 3 : 30, warmUp: flags.quick ? 1 : 20, remoteShare: 0.2 };
const SIZES = flags.quick ? [1, 100] : [1, 100, 1_000];
const GROWTH_SIZES = flags.quick ? [10, 1_000] : [10, 10_000];

const results = {
  date: new Date().toISOString(),
  quick: flags.quick,
  node: process.version,
  platform: `${process.platform}-${process.arch}`,
  cpu: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
};

const counted = (policies) => `${policies.toLocaleString("en-US")} ${policies === 1 ? "policy" : "policies"}`;
const title = (text) => console.log(`\n${text}\n`);

/** Opens every peer that can take part on one directory of policies. */
async function openPeers(directory, policies) {
  const peers = [];
  for (const open of [orthrusSync, orthrusAwaited, orthrusWasm, casl, byHand, pdp]) {
    try {
      peers.push(await open(directory, policies));
    } catch (error) {
      if (!(error instanceof Unavailable)) {
        for (const peer of peers) await peer.close();
        throw error;
      }
      console.log(`SKIPPED ${error.message}`);
    }
  }
  return peers;
}

/** The figures as rows, each with how many times as long it takes as orthrus does when awaited. */
function printFigures(figures) {
  const ours = figures.find(({ name }) => name === "orthrus, awaited");
  const rows = figures.map(({ name, p50, p99 }) => [name, micros(p50), micros(p99), times(p50 / ours.p50)]);
  console.log(table(["", "p50", "p99", "p50 : orthrus awaited"], rows));
}

async function benchChecks(policies) {
  const set = writePolicies(policies);
  try {
    const peers = await openPeers(set.directory, policies);
    try {
      const load = peers
        .filter(({ loadMs }) => loadMs !== undefined)
        .map(({ name, loadMs, loadUnpacedMs }) => ({ name, loadMs, loadUnpacedMs }));
      const result = { policies, load };
      for (const [key, plan] of [
        ["one", ONE_ROW],
        ["page", PAGE],
      ]) {
        title(`${plan.rows} × ${ACTIONS.length} actions, ${counted(policies)}`);
        result[key] = await measure(peers, questions(policies, plan.questions, plan.rows), plan);
        printFigures(result[key]);
      }
      title(`Loading ${counted(policies)}`);
      console.log(
        table(
          ["", "", "with CERBOS_RULE_TABLE_GC_PERCENT=100"],
          load.map(({ name, loadMs, loadUnpacedMs }) => [
            name,
            millis(loadMs),
            loadUnpacedMs === undefined ? "–" : millis(loadUnpacedMs),
          ]),
        ),
      );
      return result;
    } finally {
      for (const peer of peers) await peer.close();
    }
  } finally {
    set.remove();
  }
}

console.log(
  `Node ${results.node}, ${results.platform}, ${results.cpu}${flags.quick ? ", QUICK: no figures to quote" : ""}`,
);
installPeers();

if (flags["without-engine"]) {
  console.log("\nSKIPPED the check inside the engine (--without-engine)");
} else {
  title("Inside the engine (Rust)");
  results.engine = await benchEngine();
  console.log(
    table(
      ["", "ns", "least ns", "least : first row", "allocations"],
      results.engine.map(({ name, ns, least, ratio, allocs }) => [
        name,
        String(ns),
        String(least),
        times(ratio),
        String(allocs),
      ]),
    ),
  );
}

results.checks = [];
for (const policies of SIZES) results.checks.push(await benchChecks(policies));

title("Tokens");
results.tokens = await benchTokens({ rounds: flags.quick ? 3 : 40, batch: flags.quick ? 100 : 2_000 });
const plain = results.tokens.find(({ name }) => name === "check, no token");
console.log(
  table(
    ["", "p50", "p50 : check"],
    results.tokens.map(({ name, p50 }) => [name, micros(p50), times(p50 / plain.p50)]),
  ),
);

title("Growth");
results.growth = await benchGrowth(GROWTH_SIZES, ONE_ROW);
console.log(
  table(
    ["policies", "load", "memory", "check p50", "check p99"],
    results.growth.sets.map(({ policies, loadMs, rssBytes, p50, p99 }) => [
      policies.toLocaleString("en-US"),
      millis(loadMs),
      megabytes(rssBytes),
      micros(p50),
      micros(p99),
    ]),
  ),
);
console.log(`\n${results.growth.flat ? "ok" : "FAILED"}: ratio ${times(results.growth.ratio)}, at most ${times(FLAT)}`);

writeFileSync(new URL("results.json", import.meta.url), `${JSON.stringify(results, null, 2)}\n`);
console.log("All peers decided alike. Figures: bench/results.json");
if (!results.growth.flat) process.exitCode = 1;
