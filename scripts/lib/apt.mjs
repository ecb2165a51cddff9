/** Debian's packages, where continuous integration needs what a machine lacks. */

import { existsSync } from "node:fs";
import { CI, run } from "./project.mjs";

/** Installs packages in continuous integration on Debian and its kin; elsewhere it leaves the machine alone. */
export async function installInCI(...packages) {
  if (!CI || !existsSync("/usr/bin/apt-get")) {
    return;
  }
  const root = process.getuid() === 0 ? [] : ["sudo"];
  for (const args of [
    ["update", "-qq"],
    ["install", "-y", "-qq", "--no-install-recommends", ...packages],
  ]) {
    const [command, ...rest] = [...root, "apt-get", ...args];
    await run(command, rest, { env: { DEBIAN_FRONTEND: "noninteractive" } });
  }
}
