/** `examples/next-edge`: a route of Next.js on the edge runtime. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openExample, skip } from "./support/app.mjs";

describe("next-edge", { skip }, () => {
  let app;
  before(async () => {
    app = await openExample("next-edge");
  });
  after(() => app?.close());

  const ask = (method, id, headers) => fetch(`${app.url}/api/documents/${id}`, { method, headers });
  const as = (person) => ({ authorization: `Bearer token-of-${person}` });

  for (const [person, method, id, status] of [
    ["ada", "GET", "handbook", 200],
    ["ada", "DELETE", "roadmap", 200],
    ["ada", "DELETE", "evidence", 403],
    ["ada", "GET", "contract", 403],
    ["ada", "GET", "nowhere", 403],
    ["max", "GET", "handbook", 200],
    ["max", "DELETE", "handbook", 403],
    ["max", "GET", "roadmap", 200],
    ["max", "DELETE", "roadmap", 200],
    ["max", "GET", "salaries", 403],
    ["eve", "GET", "handbook", 401],
    ["constructor", "GET", "handbook", 401],
  ]) {
    test(`${person}: ${method} ${id} is ${status}`, async () => {
      const response = await ask(method, id, as(person));
      const body = await response.json();
      assert.equal(response.status, status, JSON.stringify(body));
      if (status === 200) {
        assert.equal(body.id, id);
        assert.match(body.policies, /^sha256:[0-9a-f]{64}$/);
      } else {
        assert.deepEqual(body, { error: status === 401 ? "unauthorized" : "forbidden" });
      }
    });
  }

  test("headers of a client make nobody somebody", async () => {
    const spoofed = {
      "x-user-id": "user_ada",
      "x-user-roles": '["org:admin"]',
      "x-middleware-subrequest": "middleware",
    };
    assert.equal((await ask("GET", "handbook", spoofed)).status, 401);
  });

  test("it is WebAssembly that decides, and no addon", () => {
    const files = readdirSync(join(app.folder, ".next", "server"), { recursive: true }).map(String);
    const wasm = files.filter((file) => file.endsWith(".wasm"));
    assert.equal(wasm.length, 1, files.join("\n"));
    const edge = files.filter((file) => file.includes("edge") && file.endsWith(".js"));
    assert.ok(edge.length > 0);
    for (const file of edge) {
      assert.ok(!/\.node\b["']/.test(readFileSync(join(app.folder, ".next", "server", file), "utf8")), file);
    }
  });
});
