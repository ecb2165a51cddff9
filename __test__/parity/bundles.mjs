/** Sets of policies as bundles. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { addon } from "./engines.mjs";

const made = new WeakMap();

/**
 * The bundle of a set: bytes, or `undefined` where none is made, which is so of what is refused from files. Where schemas are not enforced
 * they need not be in order, so that they are left out then.
 */
export function bundleOf(set) {
  if (!made.has(set)) {
    made.set(set, make(set));
  }
  return made.get(set);
}

async function make({ files, options: { schemaEnforcement = "none" } }) {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-parity-"));
  try {
    for (const [name, text] of Object.entries(files)) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    }
    const whole = await compiled(folder, {});
    return whole === undefined && schemaEnforcement === "none"
      ? await compiled(folder, { ignoreSchemas: true })
      : whole;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function compiled(folder, options) {
  try {
    return await addon().makeBundle(folder, JSON.stringify(options));
  } catch (error) {
    if (error.message.includes('"code":"POLICY_INVALID"')) {
      return undefined;
    }
    throw error;
  }
}

/**
 * What is said of a set from files or from a bundle, as far as it has to be the same: warnings and refusals are told when the bundle is
 * made.
 */
export function asFromBundle([loaded, ...answers]) {
  return isFailure(loaded) ? [REFUSED] : [JSON.stringify({ ...JSON.parse(loaded), warnings: "[]" }), ...answers];
}

/** What is said of a set that makes no bundle. */
export const REFUSED = "refused";

const isFailure = (text) => text.startsWith("failure: ");
