/**
 * Builds the WebAssembly engine, `crates/wasm`, to dist/engine.wasm, and says how large it is.
 *
 *   node scripts/wasm.mjs
 */

import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { elapsed, inRoot, run } from "./lib/project.mjs";
import { TARGET, wasmToolchain } from "./lib/wasm-toolchain.mjs";

/** Builds it. */
export async function buildWasm() {
  const start = Date.now();
  const { cargo, env } = await wasmToolchain();
  // A folder of its own: another compiler than that of the addon would build everything again each time.
  const folder = inRoot("target", "wasm");
  await run(cargo, ["build", "--locked", "--profile", "wasm", "--target", TARGET, "--package", "orthrus-wasm"], {
    env: { ...env, CARGO_TARGET_DIR: folder },
  });
  mkdirSync(inRoot("dist"), { recursive: true });
  copyFileSync(`${folder}/${TARGET}/wasm/orthrus_wasm.wasm`, inRoot("dist", "engine.wasm"));
  const { size, gzip } = wasmSize();
  console.log(`WebAssembly: dist/engine.wasm, ${kilobytes(size)}, ${kilobytes(gzip)} with gzip (${elapsed(start)})`);
}

/** How large it is, in bytes: as it is, and as it is downloaded. */
export function wasmSize() {
  const bytes = readFileSync(inRoot("dist", "engine.wasm"));
  return { size: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length };
}

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    await buildWasm();
  } catch (error) {
    console.error(`\nThe build failed: ${error.message}`);
    process.exitCode = 1;
  }
}
