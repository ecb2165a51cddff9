/** Engines for tests: on the fake addon, whose answers the test decides. Import this before the package itself. */

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

process.env.ORTHRUS_NATIVE_PATH = fileURLToPath(new URL("fake-native.cjs", import.meta.url));

const require = createRequire(import.meta.url);

/** The fake addon's controls. */
export const { fake } = require("./fake-native.cjs");

const { MAGIC } = require("../../dist/bundles/magic.js");

export const { Orthrus } = await import("orthrus");

/** A fresh engine on the fake addon. */
export function fakeEngine(options) {
  fake.reset();
  return Orthrus.fromFilesSync({}, options);
}

/** A bundle as the fake addon reads it: `{digest, keyId?, failure?}`. */
export function fakeBundle(content) {
  return Buffer.concat([Buffer.from(MAGIC), Buffer.from(JSON.stringify(content))]);
}

/** What the addon was asked last. */
export function lastRequest() {
  return JSON.parse(fake.requests.at(-1));
}

export const PRINCIPAL = { id: "ann", roles: ["user"] };
export const RESOURCE = { kind: "document", id: "1" };

/** A request that is good, with some fields replaced. */
export function request(fields = {}) {
  return { principal: PRINCIPAL, resource: RESOURCE, actions: ["view"], ...fields };
}
