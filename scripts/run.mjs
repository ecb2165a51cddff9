/** Builds, then runs a program of the checkout: `node scripts/run.mjs examples/demo/index.mjs [arguments]`. */

import { build } from "./build.mjs";
import { inRoot, run } from "./lib/project.mjs";

const [program, ...args] = process.argv.slice(2);
try {
  await build();
  process.exitCode = await run(process.execPath, [inRoot(program), ...args], { mayFail: true });
} catch (error) {
  console.error(`\n${error.message}`);
  process.exitCode = 1;
}
