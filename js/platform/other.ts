/** A runtime that nobody has told us of: the program has to bring the module. */

import { wasmSource } from "../engine/wasm/source.js";

export * from "./no-files.js";
export const { loadNative, whenReady, init } = wasmSource(undefined, undefined);
