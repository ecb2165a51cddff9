/** The differential test as a command: see `HELP`. */

import { parseArgs } from "node:util";
import { CI } from "../../scripts/lib/project.mjs";
import { cerbos, VERSION } from "./binary.mjs";
import { Report } from "./report.mjs";
import { Comparison } from "./run.mjs";

const HELP = `Random policies, requests and expressions, answered by orthrus and by the real PDP (Cerbos ${VERSION}).

  npm run test:differential -- [OPTIONS]

  --seed N          the seed of the run, the same for the same run; by default another one each time
  --cases N         how many cases are compared at least, by default 20000: a case is one action on one resource, or one load
  --only WHAT       policies, or expressions; by default three sets of policies for each set of expressions
  --out FOLDER      writes each kind of disagreement to a file, in the form that tests/decisions reads
  --minimise N      so many of them are made as small as they get; by default 5
  --if-installed    skips the test where the PDP is not installed; under CI it is installed all the same
  --help            prints this

Prints each kind of disagreement, the totals, and last \`N cases, N agree, N disagree\`. The exit code is 1 where the engines
disagree, and 2 where the options are wrong. What the PDP answers otherwise when it is started anew is left out of the cases,
and so is what it fails to answer. The PDP is installed from npm at the first run; the environment variable CERBOS names one
that is there already.
`;

const OPTIONS = {
  seed: { type: "string", default: String(Date.now() % 1_000_000) },
  cases: { type: "string", default: "20000" },
  only: { type: "string" },
  out: { type: "string" },
  minimise: { type: "string", default: "5" },
  "if-installed": { type: "boolean", default: false },
  help: { type: "boolean", default: false },
};

const PROGRESS_EVERY = 10_000;

/** The options, or `undefined` after what is wrong with them was told. */
function readOptions() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    for (const name of ["seed", "cases", "minimise"]) {
      if (!/^\d+$/.test(values[name])) {
        throw new TypeError(`--${name} must be a number, not "${values[name]}"`);
      }
    }
    if (![undefined, "policies", "expressions"].includes(values.only)) {
      throw new TypeError(`--only must be policies or expressions, not "${values.only}"`);
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    return undefined;
  }
}

async function compare(binary, options) {
  const report = new Report();
  const seed = Number(options.seed);
  const comparison = new Comparison(binary, { seed, only: options.only, onDisagreement: (it) => report.add(it) });
  const { tally } = comparison;
  const started = Date.now();
  let next = PROGRESS_EVERY;
  while (tally.cases < Number(options.cases)) {
    await comparison.step();
    if (Date.now() - started > next) {
      next += PROGRESS_EVERY;
      console.log(`${tally.cases} cases, ${tally.disagree} disagree, ${tally.text} in texts only`);
    }
  }
  await report.write(options.out, { binary, minimise: Number(options.minimise) });
  return { seed, tally };
}

function printTotals({ seed, tally }) {
  console.log(
    `seed ${seed}: ${tally.sets} sets, ${tally.refused} loads that both refuse (${tally.passedOver} by a constant that fails); ${tally.allowed} allowed, ${tally.denied} denied, ` +
      `${tally.outputs} outputs of which ${tally.failedOutputs} are errors, ${tally.validationErrors} validation errors`,
  );
  console.log(
    `met: ${tally.withRolePolicies} sets with role policies, ${tally.withSchemas} with schemas that are enforced, ` +
      `${tally.withTokens} requests with tokens`,
  );
  console.log(
    `left out: ${tally.unstable} where the PDP does not agree with itself, ${tally.unanswered} that it does not answer; ` +
      `among those that agree, ${tally.text} differ in the texts of errors`,
  );
  console.log(`${tally.cases} cases, ${tally.agree} agree, ${tally.disagree} disagree`);
}

async function main() {
  const options = readOptions();
  if (options === undefined) {
    process.exitCode = 2;
    return;
  }
  if (options.help) {
    console.log(HELP.trimEnd());
    return;
  }
  const binary = await cerbos({ install: CI || !options["if-installed"] });
  if (binary === undefined && options["if-installed"] && !CI) {
    console.log("SKIPPED: there is no PDP to compare with (npm run test:differential installs it)");
    return;
  }
  if (binary === undefined) {
    throw new Error(
      `there is no Cerbos for ${process.platform}-${process.arch}; name one in the environment variable CERBOS`,
    );
  }
  const compared = await compare(binary, options);
  printTotals(compared);
  process.exitCode = compared.tally.disagree === 0 ? 0 : 1;
}

await main();
