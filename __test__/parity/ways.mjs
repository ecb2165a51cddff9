/**
 * The ways to a decision that are compared. `decide(sets)` resolves to the texts of each set, or `undefined` where the way does not lead
 * there; of the sets of a suite it gets one of so many. `expects` makes of what the reference says what this way has to say.
 */

import { bundleOf, withoutWarnings } from "./bundles.mjs";
import { decide, fromBundle, fromFiles } from "./decide.mjs";
import { addon, frames, wasm } from "./engines.mjs";
import { startWorkerd } from "./workerd.mjs";

/** An engine in this process. */
const files = (native) => async (sets) => sets.map((set) => decide(native, frames, set, fromFiles(set)));

const bundles = (native) => async (sets) => {
  const all = await Promise.all(sets.map(bundleOf));
  return sets.map((set, index) =>
    all[index] === undefined ? undefined : decide(native, frames, set, fromBundle(all[index], set)),
  );
};

/** Those of which there are bundles, by the Worker. */
const bundlesIn = (workerd) => async (sets) => {
  const all = await Promise.all(sets.map(bundleOf));
  const sent = sets.flatMap((set, index) =>
    all[index] === undefined ? [] : [{ ...set, bundle: Buffer.from(all[index]).toString("base64") }],
  );
  const texts = await workerd.decide(sent);
  return all.map((bundle) => (bundle === undefined ? undefined : texts.shift()));
};

const same = (texts) => texts;

/** Starts all of them. What `reference` says, the others have to say. */
export async function startWays() {
  const workerd = await startWorkerd();
  const [native, webAssembly] = [addon(), wasm()];
  return {
    reference: { decide: files(native) },
    others: [
      { name: "WebAssembly", oneOf: 1, expects: same, decide: files(webAssembly) },
      { name: "workerd", oneOf: 5, expects: same, decide: workerd.decide },
      { name: "addon, bundle", oneOf: 2, expects: withoutWarnings, decide: bundles(native) },
      { name: "WebAssembly, bundle", oneOf: 2, expects: withoutWarnings, decide: bundles(webAssembly) },
      { name: "workerd, bundle", oneOf: 10, expects: withoutWarnings, decide: bundlesIn(workerd) },
    ],
    stop: workerd.stop,
  };
}
