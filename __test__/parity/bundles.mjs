/** Sets of policies as bundles. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { addon } from "./engines.mjs";

const made = new WeakMap();

/**
 * The bundle of a set: bytes, or `undefined` where none is made. That is so of what the addon refuses from files as well, and of sets whose
 * schemas are wrong, but enforced by none of their options.
 */
export function bundleOf(set) {
  if (!made.has(set)) {
    made.set(set, make(set));
  }
  return made.get(set);
}

async function make({ files }) {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-parity-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    return await addon().makeBundle(folder, "{}");
  } catch (error) {
    if (error.message.includes('"POLICY_INVALID"')) {
      return undefined;
    }
    throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What is said of a set from a bundle, by what is said of it from files: warnings were told when the bundle was made. */
export function withoutWarnings([loaded, ...answers]) {
  return [
    loaded.startsWith("failure") ? loaded : JSON.stringify({ ...JSON.parse(loaded), warnings: "[]" }),
    ...answers,
  ];
}
