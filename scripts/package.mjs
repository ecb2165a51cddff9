/**
 * Lays out the packages as they are published: the main package, and one for the addon of each platform.
 *
 *   node scripts/package.mjs OUT [FOLDER]
 *
 * OUT gets `orthrus/` and `orthrus-PLATFORM/` for each `orthrus.PLATFORM.node` in FOLDER (by default the checkout). Given a
 * FOLDER, all platforms must be there.
 *
 * The platform packages become optional dependencies only here: `npm ci` in a checkout would fail on packages that are not
 * published yet.
 */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { inRoot, manifest } from "./lib/project.mjs";

/** What the main package holds beside its manifest. */
const CONTENTS = ["index.js", "index.d.ts", "addon", "dist", "bin", "README.md", "LICENSE", "CHANGELOG.md"];

/** Fields of the manifest that only a checkout needs. */
const DEVELOPMENT = ["scripts", "devDependencies", "overrides", "napi"];

/** All platforms that have a package. */
export const platforms = () => readdirSync(inRoot("npm")).sort();

/** The name of a platform's addon file. */
export const addonName = (platform) => `orthrus.${platform}.node`;

/** Lays out the main package in a folder below `out`, which is returned. */
export function stageMain(out) {
  const folder = join(out, "orthrus");
  mkdirSync(folder, { recursive: true });
  for (const name of CONTENTS.filter((name) => existsSync(inRoot(name)))) {
    cpSync(inRoot(name), join(folder, name), { recursive: true });
  }
  const published = manifest();
  for (const field of DEVELOPMENT) {
    delete published[field];
  }
  published.optionalDependencies = Object.fromEntries(
    platforms().map((platform) => [`orthrus-${platform}`, published.version]),
  );
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
  return folder;
}

/** Lays out a platform's package in a folder below `out`, which is returned. */
export function stagePlatform(out, platform, addon) {
  const folder = join(out, `orthrus-${platform}`);
  cpSync(inRoot("npm", platform), folder, { recursive: true });
  cpSync(inRoot("LICENSE"), join(folder, "LICENSE"));
  cpSync(addon, join(folder, addonName(platform)));
  const published = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  published.version = manifest().version;
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(published, null, 2)}\n`);
  return folder;
}

function main([out, artifacts]) {
  if (out === undefined) {
    throw new Error("usage: node scripts/package.mjs OUT [FOLDER with the addons]");
  }
  const source = resolve(artifacts ?? inRoot());
  const built = platforms().filter((platform) => existsSync(join(source, addonName(platform))));
  const missing = platforms().filter((platform) => !built.includes(platform));
  if (artifacts !== undefined && missing.length > 0) {
    throw new Error(`no addon for ${missing.join(", ")} in ${source}`);
  }
  if (artifacts !== undefined && !existsSync(inRoot("dist", "engine.wasm"))) {
    throw new Error("no dist/engine.wasm: build it by scripts/wasm.mjs");
  }
  console.log(stageMain(resolve(out)));
  for (const platform of built) {
    console.log(stagePlatform(resolve(out), platform, join(source, addonName(platform))));
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    main(process.argv.slice(2));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
