import { UnsupportedError } from "../../errors.js";
import type { EngineNumber, Native } from "../native.js";
import { WasmEngine } from "./engine.js";
import { WasmInstance } from "./instance.js";

/** What the addon does, by WebAssembly, as far as it needs neither files nor threads. */
export function wasmNative(module: WebAssembly.Module): Native {
  const engines = new Map<EngineNumber, WasmEngine>();
  let last: EngineNumber = 0;

  const add = (engine: WasmEngine): EngineNumber => {
    engines.set(++last, engine);
    return last;
  };
  const find = (number: EngineNumber): WasmEngine => {
    const engine = engines.get(number);
    if (engine === undefined) {
      throw new Error(JSON.stringify({ code: "ENGINE_CLOSED", message: "the engine is closed" }));
    }
    return engine;
  };
  const fromFiles = (files: string, options: string) => add(WasmEngine.fromFiles(module, files, options));

  return {
    open: async () => refuse(NO_DIRECTORIES),
    openSync: () => refuse(NO_DIRECTORIES),
    fromFiles: async (files, options) => fromFiles(files, options),
    fromFilesSync: fromFiles,
    fromBundle: (bundle, options) => add(WasmEngine.fromBundle(module, bundle, options)),
    bundle: (engine) => find(engine).bundle(),
    cli: async () => refuse("the command `orthrus` runs in Node.js with the native addon"),
    compile: async () =>
      refuse("policies are compiled and tested in Node.js with the native addon, or by `orthrus compile`"),
    makeBundle: async () => refuse("bundles are made in Node.js with the native addon, or by `orthrus bundle`"),
    close: (engine) => void engines.delete(engine),
    policyCount: (engine) => find(engine).policyCount(),
    warnings: (engine) => find(engine).warnings(),
    principalAttributes: (engine) => find(engine).principalAttributes(),
    resourceAttributes: (engine, kind) => find(engine).resourceAttributes(kind),
    check: (engine, frame, length) => find(engine).check(frame, length),
    checkJson: (engine, request, at, audit = false) => find(engine).checkJson(request, at, audit),
    jwtVerifier: () => refuse(NO_TOKENS),
    verifyJwt: () => refuse(NO_TOKENS),
  };
}

/**
 * Has the runtime compile what loading a bundle and deciding takes, for all instances to come: where starting costs nothing, and requests
 * are billed.
 */
export function warmUp(module: WebAssembly.Module): void {
  const instance = new WasmInstance(module);
  instance.answer(instance.exports.warm_up());
}

const NO_DIRECTORIES =
  "WebAssembly reads no files: load a bundle, which `orthrus bundle` makes, by Orthrus.fromBundle, or texts by Orthrus.fromFiles";

const NO_TOKENS =
  "WebAssembly verifies no tokens: verify them by WebCrypto, as orthrus/workers does, and give their claims by the option decodeJWTPayload";

function refuse(message: string): never {
  throw new UnsupportedError(message);
}
