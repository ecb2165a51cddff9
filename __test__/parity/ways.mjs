/**
 * The ways to a decision that are compared. `decide(sets, expected)` resolves to the texts of each set, or `undefined` where the way does
 * not lead there; of the sets of a suite it gets one of so many.
 */

import { decide, fromFiles } from "./decide.mjs";
import { addon, frames, wasm } from "./engines.mjs";
import { startWorkerd } from "./workerd.mjs";

/** An engine in this process. */
const here = (native) => async (sets) => sets.map((set) => decide(native, frames, set, fromFiles(set)));

/** Starts all of them. What `reference` says, the others have to say. */
export async function startWays() {
  const workerd = await startWorkerd();
  return {
    reference: { decide: here(addon()) },
    others: [
      { name: "WebAssembly", oneOf: 1, decide: here(wasm()) },
      { name: "workerd", oneOf: 5, decide: workerd.decide },
    ],
    stop: workerd.stop,
  };
}
