/** The file that is downloaded before anything is decided: small, and in need of nothing. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { wasmSize } from "../../scripts/wasm.mjs";
import { skipWasm, WASM } from "../support/engines.mjs";

/** Bytes with gzip: a megabyte fits every plan of Cloudflare three times. */
const BUDGET = 1_000_000;

describe("engine.wasm", { skip: skipWasm }, () => {
  test(`has at most ${BUDGET} bytes with gzip`, (t) => {
    const { size, gzip } = wasmSize();
    t.diagnostic(`${size} bytes, ${gzip} with gzip`);
    assert.ok(gzip <= BUDGET, `${gzip} bytes with gzip`);
  });

  test("imports nothing", () => {
    assert.deepEqual(WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(WASM))), []);
  });
});
