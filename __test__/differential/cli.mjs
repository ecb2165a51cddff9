/**
 * The differential test: random policies, requests and expressions, answered by orthrus and by the real PDP.
 *
 *   npm run test:differential -- [--seed N] [--cases N] [--only policies|expressions] [--out FOLDER] [--minimise N]
 *
 * Prints progress and a summary; the exit code is 1 where the engines disagree. With `--out`, each kind of disagreement becomes
 * a file, the first of them (`--minimise`, by default 5) made as small as they get, in the form that `tests/decisions` reads.
 * The PDP is installed from npm at the first run; with `--if-installed` only under CI, and else the test is skipped.
 */

import { parseArgs } from "node:util";
import { CI } from "../../scripts/lib/project.mjs";
import { cerbos } from "./binary.mjs";
import { Report } from "./report.mjs";
import { Comparison } from "./run.mjs";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 1_000_000) },
    cases: { type: "string", default: "20000" },
    only: { type: "string" },
    out: { type: "string" },
    minimise: { type: "string", default: "5" },
    "if-installed": { type: "boolean", default: false },
  },
});

const PROGRESS_EVERY = 10_000;

async function main() {
  const binary = await cerbos({ install: CI || !values["if-installed"] });
  if (binary === undefined && values["if-installed"] && !CI) {
    console.log("SKIPPED: there is no PDP to compare with (npm run test:differential installs it)");
    return;
  }
  if (binary === undefined) {
    throw new Error(
      `there is no Cerbos for ${process.platform}-${process.arch}; name one in the environment variable CERBOS`,
    );
  }
  const report = new Report();
  const seed = Number(values.seed);
  const comparison = new Comparison(binary, { seed, only: values.only, onDisagreement: (it) => report.add(it) });
  const { tally } = comparison;
  const started = Date.now();
  let next = PROGRESS_EVERY;
  while (tally.cases < Number(values.cases)) {
    await comparison.step();
    if (Date.now() - started > next) {
      next += PROGRESS_EVERY;
      console.log(`${tally.cases} cases, ${tally.disagree} disagree, ${tally.text} in texts only`);
    }
  }
  await report.write(values.out, { binary, minimise: Number(values.minimise) });
  console.log(
    `seed ${seed}: ${tally.refused} refused by both, ${tally.text} differ in texts only, ${tally.unstable} where the PDP does ` +
      `not agree with itself, ${tally.unanswered} that it does not answer, ${tally.passedOver} with constants that fail`,
  );
  console.log(`${tally.cases} cases, ${tally.agree} agree, ${tally.disagree} disagree`);
  process.exitCode = tally.disagree === 0 ? 0 : 1;
}

await main();
