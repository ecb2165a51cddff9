/** The WebAssembly engine in Node.js: a file beside this package's code. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { wasmSource } from "../engine/wasm/source.js";

export const { loadNative, whenReady, init } = wasmSource({
  load: () => new WebAssembly.Module(readFileSync(join(__dirname, "..", "engine.wasm"))),
});
