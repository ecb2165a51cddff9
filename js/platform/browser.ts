/** Browsers fetch the module, which bundlers put beside the page's scripts. */

import { wasmSource } from "../engine/wasm/source.js";

export * from "./no-files.js";
export const { loadNative, whenReady, init } = wasmSource({
  address: () => new URL("../../engine.wasm", import.meta.url),
});
