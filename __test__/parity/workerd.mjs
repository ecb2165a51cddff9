/** The WebAssembly build in workerd, the runtime of Cloudflare Workers, with the ES modules of the package. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { inRoot } from "../../scripts/lib/project.mjs";
import { WASM } from "./engines.mjs";

const ROOT = inRoot("dist");
const ESM = join(ROOT, "esm");

const base64 = (bytes) => Buffer.from(bytes).toString("base64");

/** The Worker stands among the modules of the package, so that it can import those that are not public. */
function modules() {
  const ours = ["worker.mjs", "decide.mjs"].map((name) => ({
    type: "ESModule",
    path: join(ESM, name),
    contents: readFileSync(new URL(name, import.meta.url), "utf8"),
  }));
  const packaged = readdirSync(ESM, { recursive: true })
    .filter((name) => name.endsWith(".mjs") && !name.startsWith("platform"))
    .map((name) => ({ type: "ESModule", path: join(ESM, name) }));
  return [...ours, ...packaged, { type: "CompiledWasm", path: WASM }];
}

/** Starts it. `decide` resolves to the texts of each set. */
export async function startWorkerd() {
  const miniflare = new Miniflare({
    modulesRoot: ROOT,
    modules: modules(),
    compatibilityDate: "2026-03-01",
    cf: false,
  });
  await miniflare.ready;
  return {
    async decide(sets) {
      const response = await miniflare.dispatchFetch("http://worker.test/", {
        method: "POST",
        body: JSON.stringify(sets.map(({ bundle, ...set }) => ({ ...set, bundle: bundle && base64(bundle) }))),
      });
      const text = await response.text();
      if (!response.ok) {
        throw new Error(`the Worker answers with HTTP ${response.status}: ${text}`);
      }
      return JSON.parse(text);
    },
    stop: () => miniflare.dispose(),
  };
}
