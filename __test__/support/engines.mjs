/** The engines that decide: the addon of this platform, and WebAssembly. What both can do is tested on both. */

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Orthrus } from "orthrus";
import { Orthrus as WasmOrthrus } from "orthrus/wasm";
import { skip } from "./addon.mjs";

/** The WebAssembly engine in the checkout. */
export const WASM = fileURLToPath(new URL("../../dist/engine.wasm", import.meta.url));

/** Why tests on it cannot run; `false` if they can. In CI they must, and fail by themselves. */
export const skipWasm = existsSync(WASM) || process.env.CI ? false : `SKIPPED: there is no ${WASM} (npm run build)`;

/** Each with its name, the class over it, and why its tests are skipped. */
export const ENGINES = [
  { engine: "the addon", Orthrus, skip },
  { engine: "WebAssembly", Orthrus: WasmOrthrus, skip: skipWasm },
];
