/** Cloudflare Workers: the module is part of what is deployed. */

import module from "../../engine.wasm";
import { warmUp } from "../engine/wasm/native.js";
import { wasmSource } from "../engine/wasm/source.js";

export * from "./no-files.js";
export const { loadNative, whenReady, init } = wasmSource({ load: () => module });

// A Worker starts at no charge, and has 10 ms for a request on the free plan: compiling the engine takes more than that.
warmUp(module);
