/** Sources and refreshing in workerd, where requests must not wait for each other's input and output. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { bundle, bundleServer, cutOff, endless, silent, status, until } from "../support/bundles.mjs";

const root = fileURLToPath(new URL("../../dist/esm", import.meta.url));

/** The Worker, and all modules of the package that do not need the engine. */
function modules() {
  const worker = readFileSync(new URL("../support/bundle-worker.mjs", import.meta.url), "utf8");
  const others = readdirSync(root, { recursive: true })
    .filter((name) => name.endsWith(".mjs") && !name.startsWith("platform"))
    .map((name) => ({ type: "ESModule", path: join(root, name) }));
  return [{ type: "ESModule", path: join(root, "worker.mjs"), contents: worker }, ...others];
}

describe("in workerd", () => {
  let server;
  let miniflare;
  before(async () => {
    server = await bundleServer();
    miniflare = new Miniflare({
      modulesRoot: root,
      modules: modules(),
      kvNamespaces: ["POLICIES"],
      r2Buckets: ["BUCKET"],
      compatibilityDate: "2026-03-01",
      cf: false,
    });
    await (await miniflare.getKVNamespace("POLICIES")).put("policies.orb", "of KV");
    await (await miniflare.getR2Bucket("BUCKET")).put("policies.orb", "of R2");
  });
  after(async () => {
    await miniflare.dispose();
    await server.close();
  });

  async function ask(path, parameters = {}) {
    const url = `http://worker.test${path}?${new URLSearchParams({ url: server.url, ...parameters })}`;
    return (await miniflare.dispatchFetch(url)).json();
  }

  test("bundles come from KV, R2 and servers", async () => {
    server.respond = bundle("of a server");
    assert.deepEqual(await ask("/kv"), ["of KV", "of KV"]);
    assert.deepEqual(await ask("/r2"), ["of R2", "unchanged"]);
    assert.deepEqual(await ask("/fetch"), ["of a server", "unchanged"]);
  });

  for (const [name, respond, reason, parameters] of [
    ["404", status(404), "not-found"],
    ["500", status(500), "status"],
    ["a redirect", status(302, { location: "/elsewhere" }), "redirect"],
    ["silence", silent, "timeout", { timeout: "60ms" }],
    ["bytes without end", endless, "too-large"],
    ["too much", bundle("x".repeat(1001)), "too-large"],
    ["an answer cut off", cutOff(Buffer.from("half a bundle")), "failed"],
  ]) {
    test(`a server that answers by ${name}: ${reason}`, async () => {
      server.respond = respond;
      const { code, reason: told } = await ask("/fetch", parameters);
      assert.deepEqual([code, told], ["BUNDLE_UNAVAILABLE", reason]);
    });
  }

  test("one request asks for all, and none waits for it", async () => {
    const answers = [];
    Object.assign(server, { requests: [], respond: (...exchange) => answers.push(exchange) });
    await ask("/digest");
    await new Promise((resolve) => setTimeout(resolve, 40));
    // The server does not answer yet, and all of these are answered.
    const waiting = await Promise.all(Array.from({ length: 10 }, () => ask("/digest")));
    assert.deepEqual([...new Set(waiting.map(([digest]) => digest))], ["old"]);
    await until(() => answers.length > 0);
    assert.equal(server.requests.length, 1);
    server.respond = bundle("new");
    for (const exchange of answers) {
      bundle("new")(...exchange);
    }
    let answer;
    do {
      answer = await ask("/digest");
    } while (answer[0] === "old");
    assert.deepEqual([answer[0], answer[1][0]], ["new", "updated"]);
  });
});
