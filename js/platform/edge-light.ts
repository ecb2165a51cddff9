/** Vercel's edge, and that of Next.js: the module is part of what is deployed. */

import module from "../../engine.wasm?module";
import { wasmSource } from "../engine/wasm/source.js";

export * from "./no-files.js";
export const { loadNative, whenReady, init } = wasmSource({ load: () => module });
