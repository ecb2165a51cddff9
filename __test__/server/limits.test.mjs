/** Requests that are small, and ask for much. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { post, ROOT, startServer } from "./support.mjs";

const CHECK = "/api/check/resources";
const EVALUATIONS = "/access/v1/evaluations";

describe("a request that asks for much", () => {
  let server;
  before(async () => {
    server = await startServer({}, join(ROOT, "policies"));
  });
  after(() => server.server.stop(0));

  /** Answers, with the time that it took in milliseconds. */
  const timed = async (path, body) => {
    const started = Date.now();
    const answer = await post(server.url + path, body);
    return { ...answer, time: Date.now() - started };
  };

  for (const [what, body] of [
    ["empty roles", { principal: { id: "u", roles: Array(100_000).fill("") }, resources: [] }],
    ["empty resources", { principal: { id: "u", roles: ["user"] }, resources: Array(100_000).fill({ actions: [""] }) }],
    [
      "tokens that are none",
      {
        principal: { id: "u", roles: ["user"] },
        resources: [{ resource: { kind: "x", id: "1" }, actions: ["a"] }],
        auxData: { jwts: Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [index, {}])) },
      },
    ],
  ]) {
    test(`${what}: of 100,000 that are wrong 100 are told`, async () => {
      const { status, body: told, text, time } = await timed(CHECK, body);
      assert.equal(status, 400);
      assert.match(told.message, /\n - and others$/);
      assert.equal(told.details[0].violations.length, 100);
      assert.ok(text.length < 200_000, `${text.length} bytes`);
      assert.ok(time < 5000, `${time} ms`);
    });
  }

  test("100 that are wrong are all", async () => {
    const { body } = await timed(CHECK, { principal: { id: "u", roles: ["x"] }, resources: Array(50).fill({}) });
    assert.equal(body.details[0].violations.length, 100);
    assert.doesNotMatch(body.message, /and others/);
  });

  /** Evaluations of so many resources and actions each. */
  const evaluations = (resources, actions) =>
    Array.from({ length: resources * actions }, (_, index) => ({
      resource: { type: "document", id: String(index % resources), properties: {} },
      action: { name: `a${Math.floor(index / resources)}` },
    }));
  const subject = { type: "user", id: "ann" };

  test("evaluations with all that is known of them are answered as far as a message may be large", async () => {
    const context = { "cerbos.includeMeta": true };
    const small = await timed(EVALUATIONS, { subject, context, evaluations: evaluations(5, 5) });
    assert.equal(small.status, 200);
    assert.equal(small.body.evaluations.length, 25);
    const { status, body, time } = await timed(EVALUATIONS, { subject, context, evaluations: evaluations(50, 50) });
    assert.equal(status, 429, body.message);
    assert.match(body.message, /^received message larger than max \(\d{8,} vs\. 4194304\)$/);
    assert.ok(time < 5000, `${time} ms`);
    const without = await timed(EVALUATIONS, { subject, evaluations: evaluations(50, 50) });
    assert.equal(without.status, 200);
    assert.equal(without.body.evaluations.length, 2500);
  });

  test("50,000 actions of one resource are told apart in little time", async (t) => {
    const requestLimits = { maxActionsPerResource: 500, maxResourcesPerRequest: 500 };
    const { url } = await startServer(t, join(ROOT, "policies"), { server: { requestLimits } });
    const all = Array.from({ length: 50_000 }, (_, index) => ({ action: { name: `a${index}` } }));
    const started = Date.now();
    const { status, body } = await post(url + EVALUATIONS, {
      subject,
      resource: { type: "x", id: "1" },
      evaluations: all,
    });
    assert.equal(status, 400);
    assert.match(body.message, /number of actions \(50000\) exceeds configured limit \(500\)/);
    assert.ok(Date.now() - started < 3000, `${Date.now() - started} ms`);
  });

  const properties = (last) => ({
    ...Object.fromEntries(Array.from({ length: 150 }, (_, index) => [`p${index}`, { a: [index, "b"] }])),
    z: last,
  });

  for (const [what, evaluation, status] of [
    ["subjects", (last) => ({ subject: { ...subject, properties: properties(last) } }), 200],
    ["resources", (last) => ({ resource: { type: "x", id: "1", properties: properties(last) } }), 400],
  ]) {
    test(`1,000 ${what} that differ in little are told apart in little time`, async () => {
      const all = Array.from({ length: 1000 }, (_, index) => evaluation(index));
      const defaults = { subject, resource: { type: "x", id: "1" }, action: { name: "view" } };
      const answer = await timed(EVALUATIONS, { ...defaults, evaluations: all });
      assert.equal(answer.status, status, answer.text.slice(0, 200));
      assert.ok(answer.time < 4000, `${answer.time} ms`);
    });
  }
});
