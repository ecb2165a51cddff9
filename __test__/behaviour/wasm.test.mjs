/** `orthrus/wasm` in Node.js: what it cannot do, what breaks an instance, and whose memory it is. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { inRoot } from "../../scripts/lib/project.mjs";
import { skip } from "../support/addon.mjs";
import { skipWasm, WASM } from "../support/engines.mjs";

const require = createRequire(import.meta.url);
const { compile, makeBundle, Orthrus: NativeOrthrus } = require("orthrus");
const { init, Orthrus, UnsupportedError } = require("orthrus/wasm");
const { wasmSource } = require("../../dist/engine/wasm/source.js");

const FILES = {
  "document.json": JSON.stringify({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: "document",
      version: "default",
      rules: [
        {
          actions: ["view"],
          effect: "EFFECT_ALLOW",
          roles: ["user"],
          condition: { match: { expr: "R.attr.tags.all(tag, tag.size() < 3)" } },
        },
      ],
    },
  }),
};
const request = (action) => ({
  principal: { id: "ann", roles: ["user"] },
  resource: { kind: "document", id: "1", attr: { tags: ["a", "b"] } },
  action,
});

describe("orthrus/wasm", { skip: skip || skipWasm }, () => {
  test("has the class of orthrus, on another engine", async () => {
    const orthrus = await Orthrus.fromFiles(FILES);
    assert.ok(orthrus instanceof Orthrus && orthrus instanceof NativeOrthrus);
    assert.deepEqual([orthrus.isAllowedSync(request("view")), await orthrus.isAllowed(request("edit"))], [true, false]);
    orthrus.close();
    assert.throws(() => orthrus.isAllowedSync(request("view")), { code: "ENGINE_CLOSED" });
  });

  test("reads no directories, and says what to do", async () => {
    await assert.rejects(Orthrus.open("policies"), (error) => {
      assert.ok(error instanceof UnsupportedError);
      assert.match(error.message, /`orthrus bundle`/);
      return true;
    });
    assert.throws(() => Orthrus.openSync("policies"), { code: "UNSUPPORTED" });
  });

  test("leaves what else needs the addon to the addon", async () => {
    assert.equal((await compile(inRoot("policies"), { skipTests: true })).ok, true);
  });

  test("refuses policies with their diagnostics", async () => {
    await assert.rejects(Orthrus.fromFiles({ "a.yaml": "apiVersion: x" }), (error) => {
      assert.equal(error.code, "POLICY_INVALID");
      assert.ok(error.diagnostics.length > 0);
      return true;
    });
  });

  for (const [action, expected] of [
    ["view", true],
    ["edit", false],
  ]) {
    test(`at the end of the stack a check fails and never decides otherwise; later ones decide (${action})`, () => {
      const orthrus = Orthrus.fromFilesSync(FILES);
      const outcomes = new Set();
      let left = 2000;
      const descend = () => {
        try {
          descend();
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
        }
        if (left-- > 0) {
          try {
            outcomes.add(orthrus.isAllowedSync(request(action)));
          } catch (error) {
            outcomes.add(error.code ?? error.name);
          }
        }
      };
      descend();
      assert.ok(outcomes.size > 0);
      assert.ok(!outcomes.has(!expected), [...outcomes].join(", "));
      for (const outcome of outcomes) {
        assert.ok([expected, "ENGINE_FAULT", "RangeError", "REQUEST_INVALID"].includes(outcome), String(outcome));
      }
      assert.equal(orthrus.isAllowedSync(request(action)), expected);
      orthrus.close();
    });
  }

  test("gives memory back when policies are closed", async () => {
    const bundle = await makeBundle(inRoot("policies"));
    const start = process.memoryUsage().rss;
    for (let opened = 0; opened < 600; opened++) {
      const orthrus = Orthrus.fromBundleSync(bundle);
      assert.equal(orthrus.policyCount, 15);
      orthrus.close();
      // Instances are freed between tasks.
      if (opened % 20 === 0) await new Promise(setImmediate);
    }
    const grown = (process.memoryUsage().rss - start) / 1024 / 1024;
    // 600 of them are more than 500 MB.
    assert.ok(grown < 250, `${grown.toFixed(0)} MB more`);
  });
});

describe("where the module comes from", { skip: skipWasm }, () => {
  const bytes = readFileSync(WASM);
  const response = (type, status = 200) =>
    new Response(bytes, { status, headers: type === undefined ? {} : { "content-type": type } });
  const never = { address: () => assert.fail("nothing is to be fetched") };
  const decides = (native) => native.fromFilesSync(JSON.stringify(FILES), "{}") > 0;

  test("in Node.js it is at hand", () => init());

  for (const [what, module] of [
    ["a module", () => new WebAssembly.Module(bytes)],
    ["bytes", () => new Uint8Array(bytes)],
    ["a buffer", () => new Uint8Array(bytes).buffer],
    ["an answer", () => response("application/wasm")],
    ["an answer of another type", () => response("application/octet-stream")],
    ["an answer without a type", () => response(undefined)],
    ["a promise", async () => new Uint8Array(bytes)],
  ]) {
    test(`it is given as ${what}`, async () => {
      const source = wasmSource(never);
      assert.throws(() => source.loadNative(), { code: "NATIVE_UNAVAILABLE", message: /not loaded yet/ });
      await source.init(module());
      assert.ok(decides(source.loadNative()));
    });
  }

  for (const [what, module, message] of [
    ["an answer that is an error", () => response("application/wasm", 404), /HTTP 404/],
    ["bytes that are none", () => new Uint8Array([1, 2, 3]), /cannot be loaded/],
    ["a number", () => 7, /must be a WebAssembly.Module/],
  ]) {
    test(`${what} is refused, and the next try may succeed`, async () => {
      const source = wasmSource(never);
      await assert.rejects(source.init(module()), { code: "NATIVE_UNAVAILABLE", message });
      await source.init(new Uint8Array(bytes));
      assert.ok(decides(source.loadNative()));
    });
  }

  test("several who ask at once wait for one", async () => {
    let asked = 0;
    const source = wasmSource({
      address: () => ++asked && new URL(`data:application/wasm;base64,${bytes.toString("base64")}`),
    });
    const [one, other] = await Promise.all([source.whenReady(), source.whenReady()]);
    assert.deepEqual([asked, one === other], [1, true]);
  });
});
