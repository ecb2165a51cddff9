/** The audit log in workerd: the same lines as in Node.js, by the console, and no files. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { Miniflare } from "miniflare";
import { auditLog } from "orthrus/audit";
import { Orthrus } from "orthrus/wasm";
import { inRoot } from "../../scripts/lib/project.mjs";
import { skipWasm, WASM } from "../support/engines.mjs";

const root = inRoot("dist", "esm");
const PLATFORM = join(root, "platform", "workerd.mjs");

/** A module of the package. Where bundlers read `imports` of the manifest, this does it for them. */
function packaged(path) {
  const platform = relative(dirname(path), PLATFORM).replaceAll("\\", "/");
  const from = platform.startsWith(".") ? platform : `./${platform}`;
  return { type: "ESModule", path, contents: readFileSync(path, "utf8").replaceAll('"#platform"', `"${from}"`) };
}

/** The Worker, and the modules of the package. */
function modules() {
  const worker = readFileSync(new URL("../support/audit-worker.mjs", import.meta.url), "utf8");
  const others = readdirSync(root, { recursive: true })
    .map((name) => join(root, name))
    .filter(
      (path) => path.endsWith(".mjs") && (path === PLATFORM || !/platform.(browser|edge-light)\.mjs$/.test(path)),
    );
  return [
    { type: "ESModule", path: join(root, "worker.mjs"), contents: worker },
    ...others.map(packaged),
    { type: "CompiledWasm", path: WASM },
  ];
}

const FILES = {
  "document.json": JSON.stringify({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: {
      resource: "document",
      version: "default",
      rules: [{ actions: ["view"], roles: ["user"], effect: "EFFECT_ALLOW" }],
    },
  }),
};
const ASKED = {
  requestId: "r-1",
  principal: { id: "ann", roles: ["user"], attr: { ssn: "123-45-6789", team: "blue" } },
  resources: [{ resource: { kind: "document", id: "1" }, actions: ["view", "edit"] }],
};
const MASK = ["inputs[*].principal.attr.ssn"];

describe("in workerd", { skip: skipWasm }, () => {
  let miniflare;
  before(() => {
    const modulesRoot = inRoot("dist");
    miniflare = new Miniflare({ modulesRoot, modules: modules(), compatibilityDate: "2026-03-01", cf: false });
  });
  after(() => miniflare.dispose());

  async function answer() {
    const body = JSON.stringify({ files: FILES, mask: MASK, asked: ASKED });
    return (await miniflare.dispatchFetch("http://worker.test", { method: "POST", body })).json();
  }

  test("lines are those of Node.js", async () => {
    const records = [];
    const onDecision = auditLog({ write: (record) => records.push(record), mask: MASK });
    Orthrus.fromFilesSync(FILES, { onDecision }).checkResourcesSync(ASKED);
    const { lines } = await answer();
    const [there, here] = [JSON.parse(lines[0]), records[0]];
    assert.equal(lines.length, 1);
    assert.deepEqual(there.checkResources.inputs[0].principal.attr, { ssn: "[MASKED]", team: "blue" });
    const { callId, timestamp } = there;
    assert.deepEqual(there, { ...here, callId, timestamp });
  });

  test("there are no files", async () => assert.equal((await answer()).file, "UNSUPPORTED"));
});
