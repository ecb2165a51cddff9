import { createRequire } from "node:module";
import { maskOfResult, masksOfResponse, requestOfMany, requestOfOne } from "./cerbos-requests.mjs";

/** The package of this checkout, found by its own name as a user finds it. */
export const loadOrthrus = () => createRequire(new URL("../../package.json", import.meta.url))("orthrus");

/** The same as WebAssembly. */
const loadWasm = () => createRequire(new URL("../../package.json", import.meta.url))("orthrus/wasm");

/** From a bundle, as Workers and browsers have their policies. */
export async function orthrusWasm(directory) {
  const bundle = await loadOrthrus().makeBundle(directory);
  const started = performance.now();
  const engine = loadWasm().Orthrus.fromBundleSync(bundle);
  return {
    name: "orthrus, WebAssembly",
    mode: "sync",
    loadMs: performance.now() - started,
    one: (user, row) => maskOfResult(engine.checkResourceSync(requestOfOne(user, row))),
    many: (user, rows) => masksOfResponse(engine.checkResourcesSync(requestOfMany(user, rows))),
    close: async () => engine.close(),
  };
}

async function open(directory) {
  const { Orthrus } = loadOrthrus();
  const started = performance.now();
  const engine = await Orthrus.open(directory);
  return { engine, loadMs: performance.now() - started };
}

export async function orthrusSync(directory) {
  const { engine, loadMs } = await open(directory);
  return {
    name: "orthrus, synchronous",
    mode: "sync",
    loadMs,
    one: (user, row) => maskOfResult(engine.checkResourceSync(requestOfOne(user, row))),
    many: (user, rows) => masksOfResponse(engine.checkResourcesSync(requestOfMany(user, rows))),
    close: async () => engine.close(),
  };
}

export async function orthrusAwaited(directory) {
  const { engine, loadMs } = await open(directory);
  return {
    name: "orthrus, awaited",
    mode: "async",
    loadMs,
    one: async (user, row) => maskOfResult(await engine.checkResource(requestOfOne(user, row))),
    many: async (user, rows) => masksOfResponse(await engine.checkResources(requestOfMany(user, rows))),
    close: async () => engine.close(),
  };
}
