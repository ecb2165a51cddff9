/**
 * Builds the package: the TypeScript to dist/, the addon to orthrus.PLATFORM.node, the WebAssembly engine to dist/engine.wasm. Installs
 * the dependencies when they are missing or stale; what has not changed is not built again.
 *
 *   node scripts/build.mjs [--no-addon] [--no-wasm] [--target TRIPLE] [further arguments of `napi build`]
 */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { CI, elapsed, inRoot, install, manifest, run, runTool } from "./lib/project.mjs";
import { NoToolchain } from "./lib/wasm-toolchain.mjs";
import { buildWasm } from "./wasm.mjs";

const require = createRequire(import.meta.url);

/** Builds everything. `napiArguments` go to `napi build`; `addon: false` and `wasm: false` leave something out. */
export async function build({ addon = true, wasm = true, napiArguments = [] } = {}) {
  await install();
  await buildTypeScript();
  if (addon) {
    await buildAddon(napiArguments);
  }
  if (wasm) {
    await buildWasmIfPossible();
  }
}

/** On a machine without a toolchain for it, a checkout is of use without WebAssembly as well. */
async function buildWasmIfPossible() {
  try {
    await buildWasm();
  } catch (error) {
    if (CI || !(error instanceof NoToolchain)) {
      throw error;
    }
    console.warn(`SKIPPED: the WebAssembly engine is not built: ${error.message}`);
  }
}

async function buildTypeScript() {
  const start = Date.now();
  // The WebAssembly engine is built by itself, and stays.
  for (const name of existsSync(inRoot("dist")) ? readdirSync(inRoot("dist")) : []) {
    if (name !== "engine.wasm") {
      rmSync(inRoot("dist", name), { recursive: true });
    }
  }
  await runTool("typescript", ["--project", "tsconfig.json"]);
  for (const entry of entries()) {
    writeEsmWrapper(entry);
  }
  await buildEsm();
  console.log(`TypeScript: dist/ (${elapsed(start)})`);
}

/** The same modules for runtimes without Node.js, as `.mjs`: the package as a whole is CommonJS. */
async function buildEsm() {
  await runTool("typescript", ["--project", "tsconfig.esm.json"]);
  const folder = inRoot("dist", "esm");
  for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"))) {
    const file = join(folder, name);
    const code = readFileSync(file, "utf8").replace(/((?:from|import) "\.[^"]*)\.js"/g, '$1.mjs"');
    writeFileSync(file.replace(/\.js$/, ".mjs"), code);
    rmSync(file);
  }
}

/** The names of the public modules, from the exports of the package. */
function entries() {
  return Object.values(manifest().exports).flatMap((conditions) => {
    const file = conditions.require?.default;
    return file === undefined ? [] : [file.replace(/^\.\/dist\/(.*)\.js$/, "$1")];
  });
}

/** `import` and `require` must give the same classes, so the ES module only names what the CommonJS module exports. */
function writeEsmWrapper(entry) {
  const path = inRoot("dist", `${entry}.js`);
  const names = Object.keys(require(path)).sort();
  const boundary = /^(?:"use strict";\s*)?"use client";/.test(readFileSync(path, "utf8")) ? '"use client";\n' : "";
  writeFileSync(inRoot("dist", `${entry}.mjs`), `${boundary}export { ${names.join(", ")} } from "./${entry}.js";\n`);
  writeFileSync(inRoot("dist", `${entry}.d.mts`), `export * from "./${entry}.js";\n`);
}

async function buildAddon(napiArguments) {
  const start = Date.now();
  await run("cargo", ["--version"], { quiet: true, onLine: () => undefined }).catch(() => {
    throw new Error("building the addon needs Rust (https://rustup.rs): there is no cargo on the path");
  });
  await runTool("@napi-rs/cli", [
    "build",
    "--platform",
    "--release",
    "--manifest-path",
    "crates/node/Cargo.toml",
    "--package-json-path",
    "package.json",
    "--output-dir",
    ".",
    "--no-js",
    "--dts",
    "target/addon.d.ts",
    ...napiArguments,
  ]);
  console.log(`Addon: ${elapsed(start)}`);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const napiArguments = process.argv.slice(2).filter((argument) => !argument.startsWith("--no-"));
  const [addon, wasm] = ["--no-addon", "--no-wasm"].map((flag) => !process.argv.includes(flag));
  try {
    await build({ addon, wasm, napiArguments });
  } catch (error) {
    console.error(`\nThe build failed: ${error.message}`);
    process.exitCode = 1;
  }
}
