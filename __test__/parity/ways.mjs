/**
 * The ways to a decision that are compared. `decide(sets)` resolves to the texts of each set; of the sets of a large suite it gets one of
 * `oneOf`. `expects` makes of what the reference says what this way has to say.
 */

import { asFromBundle, bundleOf, REFUSED } from "./bundles.mjs";
import { decide, loadOf } from "./decide.mjs";
import { addon, frames, wasm } from "./engines.mjs";
import { startWorkerd } from "./workerd.mjs";

/** An engine in this process. */
const here = (native) => async (sets) => sets.map((set) => decide(native, frames, set, loadOf(set)));

/** A way by bundles, over a way by sets that bring one. */
const byBundle = (decideSets) => async (sets) => {
  const made = await Promise.all(sets.map((set) => set.bundle ?? bundleOf(set)));
  const bundled = sets.flatMap((set, index) => (made[index] === undefined ? [] : [{ ...set, bundle: made[index] }]));
  const texts = await decideSets(bundled);
  return made.map((bundle) => (bundle === undefined ? [REFUSED] : asFromBundle(texts.shift())));
};

const same = (texts) => texts;

/** Starts all of them. What `reference` says, the others have to say. */
export async function startWays() {
  const workerd = await startWorkerd();
  const [ofAddon, ofWasm] = [here(addon()), here(wasm())];
  return {
    reference: { decide: ofAddon },
    others: [
      { name: "WebAssembly", oneOf: 1, expects: same, decide: ofWasm },
      { name: "workerd", oneOf: 5, expects: same, decide: workerd.decide },
      { name: "addon, bundle", oneOf: 3, expects: asFromBundle, decide: byBundle(ofAddon) },
      { name: "WebAssembly, bundle", oneOf: 3, expects: asFromBundle, decide: byBundle(ofWasm) },
      { name: "workerd, bundle", oneOf: 11, expects: asFromBundle, decide: byBundle(workerd.decide) },
    ],
    stop: workerd.stop,
  };
}
