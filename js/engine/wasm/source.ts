/** The module of the engine: where it comes from, and that it is compiled once. */

import { BinaryError } from "../../errors.js";
import type { Native } from "../native.js";
import { wasmNative } from "./native.js";

/**
 * A compiled `WebAssembly.Module`, its bytes, a `Response` that brings them, or the address to fetch them from: of the file
 * `orthrus/engine.wasm`. Also a promise of any of them.
 */
export type EngineModule = object | string | PromiseLike<object | string>;

/** How a runtime gets the engine. */
export interface WasmSource {
  /** The engine, if it is there. Throws a `BinaryError`. */
  loadNative(): Native;
  /** The engine, fetched if it has to be. Rejects with a `BinaryError`. */
  whenReady(): Promise<Native>;
  /** Takes the engine from elsewhere, unless there is one. Rejects with a `BinaryError`. */
  init(module?: EngineModule): Promise<void>;
}

/** Where a runtime has the module: at hand, or at an address. */
export type WasmOrigin = { load: () => WebAssembly.Module } | { address: () => URL };

/** A source over a module. */
export function wasmSource(origin: WasmOrigin): WasmSource {
  let native: Native | undefined;
  let pending: Promise<Native> | undefined;

  const install = (module: WebAssembly.Module): Native => {
    native ??= wasmNative(module);
    return native;
  };
  const start = (module: EngineModule): Promise<Native> => {
    pending ??= compile(module)
      .then(install, (cause) => {
        throw new BinaryError(`the WebAssembly engine cannot be loaded: ${messageOf(cause)}`, PLATFORM, { cause });
      })
      .finally(() => {
        // After a failure the next one tries again.
        pending = undefined;
      });
    return pending;
  };
  const loadNative = (): Native => {
    if (native === undefined && "load" in origin) {
      return install(loadModule(origin.load));
    }
    if (native === undefined) {
      throw new BinaryError(NOT_YET, PLATFORM);
    }
    return native;
  };
  const whenReady = async (): Promise<Native> => {
    if (native !== undefined || "load" in origin) {
      return loadNative();
    }
    return pending ?? start(origin.address());
  };
  return {
    loadNative,
    whenReady,
    async init(module) {
      await (module === undefined || native !== undefined ? whenReady() : start(module));
    },
  };
}

const PLATFORM = "wasm";

const NOT_YET =
  "the WebAssembly engine is not loaded yet: `await init()` of orthrus/wasm first, or use the methods without Sync";

function loadModule(load: () => WebAssembly.Module): WebAssembly.Module {
  try {
    return load();
  } catch (cause) {
    throw new BinaryError(`the WebAssembly engine cannot be loaded: ${messageOf(cause)}`, PLATFORM, { cause });
  }
}

async function compile(given: EngineModule): Promise<WebAssembly.Module> {
  const module = await given;
  if (module instanceof WebAssembly.Module) {
    return module;
  }
  if (typeof module === "string" || module instanceof URL) {
    return compileResponse(await fetch(module));
  }
  if (module instanceof Response) {
    return compileResponse(module);
  }
  if (module instanceof ArrayBuffer || module instanceof Uint8Array) {
    return WebAssembly.compile(module);
  }
  throw new TypeError("it must be a WebAssembly.Module, bytes, a Response, or the address of orthrus/engine.wasm");
}

async function compileResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) {
    throw new Error(`${response.url} answers with HTTP ${response.status}`);
  }
  // Streaming compiles while bytes arrive; browsers insist on the type for it, which not every server knows.
  return response.headers.get("content-type")?.startsWith("application/wasm")
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
