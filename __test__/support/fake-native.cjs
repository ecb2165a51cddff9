"use strict";

/**
 * An addon that decides nothing: it records what it is asked and answers what the test says. Loaded in place of the real one
 * by ORTHRUS_NATIVE_PATH.
 */

const fake = {
  /** The arguments of each opening: `[how, source, options]`. */
  opened: [],
  /** Each text that was handed to `check`. */
  requests: [],
  /** The answer to a request (parsed); may throw. */
  answer: allowAll,
  warnings: "[]",
  /** Thrown by the next opening. */
  openError: undefined,
  reset() {
    Object.assign(fake, { opened: [], requests: [], answer: allowAll, warnings: "[]", openError: undefined });
  },
};

function allowAll(request) {
  return request.resources.map(({ actions }) => "A".repeat(actions.length)).join("");
}

function engine(how, source, options) {
  if (fake.openError !== undefined) {
    throw fake.openError;
  }
  fake.opened.push([how, source, JSON.parse(options)]);
  return {
    check(text) {
      fake.requests.push(text);
      return fake.answer(JSON.parse(text));
    },
    close() {},
    policyCount: () => 3,
    warnings: () => fake.warnings,
  };
}

module.exports = {
  fake,
  open: async (dir, options) => engine("open", dir, options),
  openSync: (dir, options) => engine("openSync", dir, options),
  fromFiles: async (files, options) => engine("fromFiles", JSON.parse(files), options),
  fromFilesSync: (files, options) => engine("fromFilesSync", JSON.parse(files), options),
};
