/**
 * The engine as WebAssembly, in any runtime, Node.js included. Where `orthrus` itself is WebAssembly (Cloudflare Workers, edges,
 * browsers), this is the same.
 */

import { init as initialize, loadNative, whenReady } from "#wasm";
import { Orthrus as PlatformOrthrus } from "./engine/orthrus.js";
import type { EngineModule } from "./engine/wasm/source.js";

export type { EngineModule } from "./engine/wasm/source.js";
export * from "./index.js";

/** {@link PlatformOrthrus} on WebAssembly. */
export class Orthrus extends PlatformOrthrus {
  /** @internal */
  protected static override readonly platform = { loadNative, whenReady };
}

/**
 * Loads the engine ahead of time, so that the methods with Sync work in browsers as well; without an argument from where the package has
 * it. Hand over a module where your bundler or runtime does not find it. Once there is one, it stays.
 *
 * Rejects with a `BinaryError`.
 */
export function init(module?: EngineModule): Promise<void> {
  return initialize(module);
}
