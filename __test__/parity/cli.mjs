/** The test of parity as a command: see `HELP`. */

import { parseArgs } from "node:util";
import { CI } from "../../scripts/lib/project.mjs";
import { corpora } from "./corpora.mjs";
import { damagedBundles } from "./damaged.mjs";
import { hasWasm, WASM } from "./engines.mjs";
import { generatedSets } from "./generated.mjs";
import { ownSuites } from "./own.mjs";
import { casesOf, Report } from "./report.mjs";
import { startWays } from "./ways.mjs";

const HELP = `Everything that is decided is decided by the addon and by WebAssembly, in Node.js and in workerd, from files and from bundles.

  npm run test:parity -- [OPTIONS]

  --seed N      the seed of what is generated, by default 1
  --cases N     how many generated cases are compared at least, by default 10000
  --only TEXT   only suites whose names contain it
  --help        prints this

The suites are those of the conformance corpus, this project's own tables, sizes and texts at the limits, and sets of policies and
expressions at random. Answers, failures, warnings and diagnostics have to be the same, byte for byte. Prints the first
differences in full, the counts of each suite, and last \`N cases, N agree, N disagree\`: a case is one action on one resource, with all
that one way says of it, or one load. The exit code is 1 where they differ, and 2 where the options are wrong.
`;

const OPTIONS = {
  seed: { type: "string", default: "1" },
  cases: { type: "string", default: "10000" },
  only: { type: "string", default: "" },
  help: { type: "boolean", default: false },
};

/** So many sets at a time. */
const BATCH = 100;
/** Suites of so many sets are decided in every way as a whole. */
const SMALL = 60;

/** The options, or `undefined` after what is wrong with them was told. */
function readOptions() {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    for (const name of ["seed", "cases"]) {
      if (!/^\d+$/.test(values[name])) {
        throw new TypeError(`--${name} must be a number, not "${values[name]}"`);
      }
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    return undefined;
  }
}

/** Decides sets in every way, and compares. The result is how many cases there are by one way. */
async function compare(suite, sets, ways, report) {
  let cases = 0;
  for (let start = 0; start < sets.length; start += BATCH) {
    const batch = sets.slice(start, start + BATCH);
    const expected = await ways.reference.decide(batch);
    cases += batch.flatMap((set, index) => casesOf(set, expected[index].length)).reduce((sum, count) => sum + count, 0);
    for (const way of ways.others) {
      const oneOf = sets.length <= SMALL ? 1 : way.oneOf;
      const takes = batch.map((_, index) => (start + index) % oneOf === 0);
      const taken = batch.filter((_, index) => takes[index]);
      const wanted = expected.filter((_, index) => takes[index]).map(way.expects);
      const actual = await way.decide(taken);
      const again = async (set) => {
        const [of, it] = [await ways.reference.decide([set]), await way.decide([set])];
        return [way.expects(of[0]), it[0]];
      };
      for (const [index, set] of taken.entries()) {
        await report.add({ suite, way: way.name, set, expected: wanted[index], actual: actual[index], again });
      }
    }
  }
  return cases;
}

async function compareAll({ seed, cases, only }, ways, report) {
  for (const [suite, sets] of [...corpora(), ...ownSuites(), ...(await damagedBundles())]) {
    if (suite.includes(only)) {
      await compare(suite, sets, ways, report);
    }
  }
  if (!"generated".includes(only)) {
    return;
  }
  const source = generatedSets(Number(seed));
  const next = () => Array.from({ length: BATCH }, () => source.next().value);
  for (let left = Number(cases); left > 0; ) {
    left -= await compare("generated", next(), ways, report);
  }
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
  if (!hasWasm() && !CI) {
    console.log(`SKIPPED: there is no ${WASM} to compare with (npm run build)`);
    return;
  }
  const ways = await startWays();
  const report = new Report();
  try {
    await compareAll(options, ways, report);
  } finally {
    await ways.stop();
  }
  process.exitCode = report.print() === 0 ? 0 : 1;
}

await main();
