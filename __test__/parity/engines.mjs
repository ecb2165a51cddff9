/** The addon and the WebAssembly build in Node.js, as `Native` has them, and what the package writes frames with. */

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { inRoot } from "../../scripts/lib/project.mjs";

const require = createRequire(import.meta.url);
const dist = (name) => require(inRoot("dist", `${name}.js`));

export const WASM = inRoot("dist", "engine.wasm");

/** Whether there is a WebAssembly build. */
export const hasWasm = () => existsSync(WASM);

export const addon = () => dist("engine/addon").loadNative();

export const wasm = () => dist("engine/wasm/native").wasmNative(new WebAssembly.Module(readFileSync(WASM)));

export const frames = { ...dist("engine/frame"), ...dist("engine/attributes") };
