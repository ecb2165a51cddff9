/**
 * Runs the conformance suites (the Rust tests named `*corpus*`). The corpora are read from ORTHRUS_CONFORMANCE, by default the
 * folder shared/conformance beside the checkout.
 */

import { inRoot, run } from "./lib/project.mjs";

const corpora = process.env.ORTHRUS_CONFORMANCE ?? inRoot("..", "shared", "conformance");
process.exitCode = await run(
  "cargo",
  ["test", "--workspace", "--no-fail-fast", "--test", "*corpus*", ...process.argv.slice(2)],
  { env: { ORTHRUS_CONFORMANCE: corpora }, mayFail: true },
);
