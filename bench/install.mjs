import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** Installs the peers by bench/package-lock.json, unless that has been done since the lockfile changed. */
export function installPeers() {
  const mark = here("node_modules/.package-lock.json");
  const lock = here("package-lock.json");
  if (existsSync(mark) && statSync(mark).mtimeMs >= statSync(lock).mtimeMs) return;
  console.log("Installing the peers (bench/package.json) …");
  const { status, error } = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: here("."),
    stdio: "inherit",
    // npm is a script on Windows, which only a shell starts.
    shell: process.platform === "win32",
  });
  if (error) throw error;
  if (status !== 0) throw new Error(`npm ci in bench/ ended with ${status}`);
}
