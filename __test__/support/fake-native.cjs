"use strict";

const { readFrame } = require("./read-frame.cjs");

/**
 * An addon that decides nothing: it records what it is asked and answers what the test says. Loaded in place of the real one
 * by ORTHRUS_NATIVE_PATH.
 */

let engines = 0;

const fake = {
  /** The number that the last opening gave. */
  get lastEngine() {
    return engines;
  },
  /** The arguments of each opening: `[how, source, options]`. */
  opened: [],
  /** Each number that was closed. */
  closed: [],
  /** Each text that was handed to `checkJson`. */
  requests: [],
  /** The number of the engine that each of them was for. */
  checkedBy: [],
  /** Each instant that was handed to `checkJson`. */
  instants: [],
  /** The answer to a request (parsed); may throw. */
  answer: allowAll,
  warnings: "[]",
  /** The arguments of each compiling: `[directory, options]`. */
  compiled: [],
  /** The report of the next compiling. */
  report: undefined,
  /** What the addon tells of each bundle that was loaded, by the number of its engine. */
  bundles: new Map(),
  /** Thrown by the next opening. */
  openError: undefined,
  reset() {
    Object.assign(fake, { compiled: [], opened: [], closed: [], requests: [], instants: [], checkedBy: [] });
    fake.bundles.clear();
    Object.assign(fake, { answer: allowAll, warnings: "[]", openError: undefined });
  },
};

function allowAll(request) {
  return request.resources.map(({ actions }) => "A".repeat(actions.length)).join("");
}

function open(how, source, options) {
  if (fake.openError !== undefined) {
    throw fake.openError;
  }
  fake.opened.push([how, source, JSON.parse(options)]);
  return ++engines;
}

module.exports = {
  fake,
  open: async (directory, options) => open("open", directory, options),
  openSync: (directory, options) => open("openSync", directory, options),
  fromFiles: async (files, options) => open("fromFiles", JSON.parse(files), options),
  fromFilesSync: (files, options) => open("fromFilesSync", JSON.parse(files), options),
  /** A bundle is its magic and JSON: `{digest, keyId?, failure?}`, of which `failure` refuses it. */
  fromBundle(bytes, options) {
    const { failure, ...bundle } = JSON.parse(Buffer.from(bytes).subarray(8).toString());
    if (failure !== undefined) {
      throw new Error(JSON.stringify(failure));
    }
    const engine = open("fromBundle", bundle, options);
    fake.bundles.set(engine, bundle);
    return engine;
  },
  bundle: (engine) => JSON.stringify(fake.bundles.get(engine) ?? null),
  compile: async (directory, options) => {
    if (fake.openError !== undefined) {
      throw fake.openError;
    }
    fake.compiled.push([directory, JSON.parse(options)]);
    return JSON.stringify(fake.report);
  },
  close: (engine) => fake.closed.push(engine),
  policyCount: () => 3,
  warnings: () => fake.warnings,
  principalAttributes: () => "null",
  resourceAttributes: () => "null",
  /** Reads a frame as JSON, so that tests can look at either in the same way. */
  check(engine, frame, length) {
    return module.exports.checkJson(engine, JSON.stringify(readFrame(frame, length)), undefined);
  },
  checkJson(engine, text, at) {
    fake.checkedBy.push(engine);
    fake.requests.push(text);
    fake.instants.push(at);
    return fake.answer(JSON.parse(text));
  },
};
