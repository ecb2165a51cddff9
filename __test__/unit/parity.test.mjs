/** The comparison of ways to a decision finds a difference, and shows what is left of the set that has it. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { decide, loadOf } from "../parity/decide.mjs";
import { Report } from "../parity/report.mjs";

const request = (...actions) => ({
  includeMeta: true,
  principal: { id: "ann", roles: ["user"] },
  resources: [{ resource: { kind: "doc", id: "1" }, actions }],
});
const SET = {
  name: "a set",
  files: { "a.json": '{"rules": ["wrong", "right"]}', "b.json": '{"other": 1}' },
  options: { strictEvaluation: true },
  requests: [request("view"), request("view", "edit")],
};

/** An engine that decides like all others, but for a word in its files and an action. */
function engine(answer) {
  let files = "";
  return {
    fromFilesSync: (given) => {
      files = given;
      return 1;
    },
    policyCount: () => 2,
    warnings: () => "[]",
    principalAttributes: () => "null",
    resourceAttributes: () => "null",
    checkJson: (_engine, request) => (files.includes("wrong") && request.includes("edit") ? answer : 1),
    check: () => 1,
    close: () => undefined,
  };
}
const frames = { AttributesRead: class {}, writeFrame: () => 0 };
const decided = (answer, set) => decide(engine(answer), frames, set, loadOf(set));

async function reported(t, answer) {
  const log = t.mock.method(console, "log", () => undefined);
  const report = new Report();
  const again = (set) => [decided(1, set), decided(answer, set)];
  const [expected, actual] = again(SET);
  await report.add({ suite: "a suite", way: "another way", set: SET, expected, actual, again });
  const disagree = report.print();
  log.mock.restore();
  return { disagree, printed: log.mock.calls.map(({ arguments: [text] }) => text) };
}

test("answers that are the same agree", async (t) => {
  const { disagree, printed } = await reported(t, 1);
  assert.equal(disagree, 0);
  assert.deepEqual(printed, ["a suite: another way 4", "4 cases, 4 agree, 0 disagree"]);
});

test("a difference is counted, and shown with what it takes", async (t) => {
  const { disagree, printed } = await reported(t, 3);
  assert.equal(disagree, 2);
  assert.deepEqual(printed.slice(1), ["a suite: another way 4 (2 DISAGREE)", "4 cases, 2 agree, 2 disagree"]);
  assert.match(printed[0], /=== a suite: a set/);
  assert.match(printed[0], /addon, from files:\n1\n1\nanother way:\n3\n3/);
  assert.match(printed[0], /wrong/);
  assert.match(printed[0], /edit/);
  assert.doesNotMatch(printed[0], /right|b\.json|strictEvaluation|view/);
});

test("what cannot be loaded, or fails, is a text like any other", () => {
  const failing = {
    ...engine(1),
    checkJson: () => {
      throw new Error("no answer");
    },
  };
  assert.deepEqual(decide(failing, frames, SET, loadOf(SET)).slice(1), [
    "failure: no answer\nfailure: no answer",
    "failure: no answer\nfailure: no answer",
  ]);
  const refusing = {
    fromFilesSync: () => {
      throw new Error("refused");
    },
  };
  assert.deepEqual(decide(refusing, frames, SET, loadOf(SET)), ["failure: refused"]);
});
