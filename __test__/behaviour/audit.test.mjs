/** What becomes of entries on their way to a writer: filters, masks, failures; and the writers that need no file. */

import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { OptionsError } from "orthrus";
import { auditLog, consoleWriter, ndjsonFile, pinoWriter } from "orthrus/audit";
import pino from "pino";
import { entry } from "../support/audit.mjs";

/** The records that a log makes of entries. */
function recordsOf(entries, options = {}) {
  const records = [];
  const log = auditLog({ write: (record) => records.push(record), ...options });
  for (const one of entries) {
    log(one);
  }
  return records;
}

test("peer, metadata and an entry that was too large are told where an application adds them", () => {
  const [record] = recordsOf([
    entry({
      peer: { address: "::1", authInfo: "", userAgent: "", forwardedFor: "10.0.0.1" },
      metadata: { "x-tenant": ["acme"] },
      oversized: true,
    }),
  ]);
  assert.deepEqual(record.peer, { address: "::1", forwardedFor: "10.0.0.1" });
  assert.deepEqual(record.metadata, { "x-tenant": { values: ["acme"] } });
  assert.equal(record.oversized, true);
});

test("calls in which nothing is denied can be left out", () => {
  const denied = entry({ effect: "EFFECT_DENY" });
  const mixed = entry({ outputs: [...entry().method.outputs, ...denied.method.outputs] });
  const filter = { checkResources: { ignoreAllowAll: true } };
  assert.equal(recordsOf([entry(), mixed, denied], { filter }).length, 2);
  assert.equal(recordsOf([entry(), mixed, denied], { filter: { checkResources: {} } }).length, 3);
});

describe("masks hide", () => {
  const attr = () => ({ ssn: "123-45-6789", "tax id": "T", list: [{ pin: 1 }, { pin: 2 }], "a.b": 1, __proto: 1 });
  const told = () => entry({ principal: { attr: attr() }, auxData: { jwt: { sub: "ann", email: "ann@acme.test" } } });
  const inputOf = (mask) => recordsOf([told()], { mask })[0].checkResources.inputs[0];
  for (const [path, masked] of [
    ["inputs[*].principal.attr.ssn", { ssn: "[MASKED]" }],
    ["inputs[0].principal.attr.ssn", { ssn: "[MASKED]" }],
    ["inputs[1].principal.attr.ssn", {}],
    ["inputs.*.principal.attr['tax id']", { "tax id": "[MASKED]" }],
    ['inputs[*]["principal"].attr["a.b"]', { "a.b": "[MASKED]" }],
    ["inputs[*].principal.attr.list[1].pin", { list: [{ pin: 1 }, { pin: "[MASKED]" }] }],
    ["inputs[*].principal.attr.list[*].pin", { list: [{ pin: "[MASKED]" }, { pin: "[MASKED]" }] }],
    ["inputs[*].principal.attr.list", { list: "[MASKED]" }],
    ["inputs[*].principal.attr.missing", {}],
    ["inputs[*].principal.attr.ssn.deeper", {}],
    ["inputs[*].*.attr.ssn", { ssn: "[MASKED]" }],
  ]) {
    test(path, () => assert.deepEqual(inputOf([path]).principal.attr, { ...attr(), ...masked }));
  }

  test("tokens, everything of a kind, and several things at once", () => {
    assert.equal(inputOf(["inputs[*].auxData"]).auxData, "[MASKED]");
    assert.deepEqual(inputOf(["inputs[*].auxData.jwt.email"]).auxData.jwt, { sub: "ann", email: "[MASKED]" });
    const { ssn, list } = inputOf(["inputs[*].principal.attr.ssn", "inputs[*].principal.attr.list"]).principal.attr;
    assert.deepEqual([ssn, list], ["[MASKED]", "[MASKED]"]);
    const [{ checkResources }] = recordsOf([told()], { mask: ["inputs", "outputs"] });
    assert.deepEqual(checkResources, { inputs: "[MASKED]", outputs: "[MASKED]" });
  });

  test("nothing of the entry itself, and add nothing", () => {
    const entry = told();
    const before = structuredClone(entry);
    recordsOf([entry], { mask: ["inputs[*].principal.attr.*", "outputs[*].outputs[*].val", "inputs[*].auxData"] });
    assert.deepEqual(entry, before);
    const [bare] = recordsOf([{ ...told(), method: entryWithoutTokens() }], { mask: ["inputs[*].auxData"] });
    assert.equal("auxData" in bare.checkResources.inputs[0], false);
  });
  const entryWithoutTokens = () => entry().method;
});

describe("options are refused with their path:", () => {
  const write = () => undefined;
  for (const [options, path, message] of [
    [undefined, "", /must be an object/],
    [{}, "write", /must be a function/],
    [{ write, onFailure: write }, "onFailure", /no such option/],
    [{ write, onError: 1 }, "onError", /must be a function/],
    [{ write, filter: { planResources: {} } }, "filter.planResources", /no such option; there are checkResources/],
    [
      { write, filter: { checkResources: { ignoreAllowall: true } } },
      "filter.checkResources.ignoreAllowall",
      /ignoreAllowAll\?/,
    ],
    [
      { write, filter: { checkResources: { ignoreAllowAll: "yes" } } },
      "filter.checkResources.ignoreAllowAll",
      /a boolean/,
    ],
    [{ write, mask: "inputs" }, "mask", /a list of paths/],
    [{ write, mask: [7] }, "mask[0]", /must be a path/],
    [{ write, mask: ["outputs", "inputs[*].principle.attr"] }, "mask[1]", /no principle; did you mean principal\?/],
    [{ write, mask: ["inputs.principal"] }, "mask[0]", /write \[\*\] before it/],
    [{ write, mask: ["peer.address"] }, "mask[0]", /there is no peer/],
    [{ write, mask: ["inputs[*].auxData.token"] }, "mask[0]", /there is no token/],
    ...[
      "",
      ".inputs",
      "inputs..id",
      "inputs[",
      "inputs[-1]",
      "inputs[*]principal",
      "inputs[?(@.a)]",
      "$..ssn",
      "a b",
    ].map((path) => [{ write, mask: [path] }, "mask[0]", /is no path|there is no \$/]),
  ]) {
    test(`${path || "all"}, ${JSON.stringify(options)}`, () => {
      const refused = (error) => error instanceof OptionsError && error.path === path && message.test(error.message);
      assert.throws(() => auditLog(options), refused);
    });
  }

  test("those of files and loggers", () => {
    for (const [call, path] of [
      [() => ndjsonFile(""), "path"],
      [() => ndjsonFile("x", { maxFileSize: 1 }), "maxFileSize"],
      [() => ndjsonFile("x", { maxFileSizeMB: 0 }), "maxFileSizeMB"],
      [() => ndjsonFile("x", { maxFileSizeMB: "1" }), "maxFileSizeMB"],
      [() => ndjsonFile("x", { maxFileCount: 3 }), "maxFileCount"],
      [() => pinoWriter({}), "logger"],
    ]) {
      assert.throws(call, (error) => error instanceof OptionsError && error.path === path);
    }
  });
});

describe("a writer that fails", () => {
  const boom = new Error("boom");

  test("does not stop a check, and onError is told", async () => {
    const told = [];
    const onError = (error) => told.push(error);
    const fails = () => {
      throw boom;
    };
    recordsOf([entry()], { write: fails, onError });
    recordsOf([entry()], { write: async () => fails(), onError });
    recordsOf([entry()], { write: (_record, report) => setImmediate(report, boom), onError });
    for (const deadline = Date.now() + 5000; told.length < 3 && Date.now() < deadline; ) {
      await sleep(10);
    }
    assert.deepEqual(told, [boom, boom, boom]);
  });

  test("stops it where onError throws", async () => {
    const onError = (error) => {
      throw error;
    };
    const write = () => onError(boom);
    assert.throws(() => recordsOf([entry()], { write, onError }), boom);
    // Later there is no check any more.
    recordsOf([entry()], { write: async () => write(), onError });
    await sleep(10);
  });
});

test("pino gets records as objects", () => {
  const lines = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(JSON.parse(chunk));
      done();
    },
  });
  recordsOf([entry()], { write: pinoWriter(pino(stream)) });
  assert.deepEqual([lines[0].level, lines[0]["log.kind"], lines[0].callId], [30, "decision", entry().callId]);
});

test("the console gets lines", (t) => {
  const log = t.mock.method(console, "log", () => undefined);
  recordsOf([entry()], { write: consoleWriter() });
  assert.deepEqual(JSON.parse(log.mock.calls[0].arguments[0]), recordsOf([entry()])[0]);
});
