/** Where the program of the real PDP is: from npm, in a cache of its own, so that it stands in no lock file of the package. */

import { existsSync } from "node:fs";
import { inRoot, npm } from "../../scripts/lib/project.mjs";

/** The version that answers are compared with. */
export const VERSION = "0.55.0";

const PLATFORMS = {
  "linux-x64": "linux-x64",
  "linux-arm64": "linux-arm64",
  "darwin-x64": "darwin-x64",
  "darwin-arm64": "darwin-arm64",
};

/** The path of the program; `undefined` if it is not there and not to be installed. `CERBOS` names one that is there already. */
export async function cerbos({ install }) {
  if (process.env.CERBOS) {
    return process.env.CERBOS;
  }
  const platform = PLATFORMS[`${process.platform}-${process.arch}`];
  if (platform === undefined) {
    return undefined;
  }
  const cache = inRoot("node_modules", ".cache", `cerbos-${VERSION}`);
  const path = `${cache}/node_modules/@cerbos/cerbos-${platform}/cerbos-${platform}`;
  if (!existsSync(path) && install) {
    await npm([
      "install",
      "--prefix",
      cache,
      "--no-save",
      "--no-audit",
      "--no-fund",
      `@cerbos/cerbos-${platform}@${VERSION}`,
    ]);
  }
  return existsSync(path) ? path : undefined;
}
