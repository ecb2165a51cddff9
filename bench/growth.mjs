/** What a large set of policies costs: time to load, memory, and whether a check notices. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { measure } from "./measure.mjs";
import { orthrusSync } from "./peers/orthrus.mjs";
import { questions, writePolicies } from "./workload.mjs";

const PROBE = fileURLToPath(new URL("growth-probe.mjs", import.meta.url));

/** A check among 10,000 policies may cost this many times a check among 10. */
export const FLAT = 1.3;

async function probe(directory) {
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", PROBE, directory]);
  return JSON.parse(stdout);
}

/**
 * Measures sets of the given sizes.
 * @returns `{ sets: [{ policies, loadMs, rssBytes, p50, p99 }], ratio, flat }`; `ratio` is the p50 of a check among the
 *   most policies over that among the fewest
 */
export async function benchGrowth(sizes, plan) {
  const sets = sizes.map((policies) => ({ policies, ...writePolicies(policies) }));
  const peers = [];
  try {
    for (const set of sets) {
      Object.assign(set, await probe(set.directory));
      peers.push({ ...(await orthrusSync(set.directory)), name: String(set.policies) });
    }
    // The same questions for every set, about kinds that all of them have: only the number of policies differs.
    const asked = questions(Math.min(...sizes), plan.questions, 1);
    const figures = await measure(peers, asked, plan);
    const rows = sets.map(({ policies, loadMs, rssBytes }, i) => ({
      policies,
      loadMs,
      rssBytes,
      p50: figures[i].p50,
      p99: figures[i].p99,
    }));
    const ratio = rows.at(-1).p50 / rows[0].p50;
    return { sets: rows, ratio, flat: ratio <= FLAT };
  } finally {
    for (const peer of peers) await peer.close();
    for (const set of sets) set.remove();
  }
}
