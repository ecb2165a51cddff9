/** A short form of `bench/soak.mjs`: load, while the policies change each second. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { soak } from "../../bench/soak.mjs";

test("no answer is lost or wrong while policies change", async () => {
  const { answers, wrong, lost, seen, reloads } = await soak(8);
  assert.deepEqual({ wrong, lost }, { wrong: 0, lost: 0 });
  assert.ok(answers > 1000, `${answers} answers`);
  assert.equal(seen, 2, "both kinds of policies decided");
  assert.ok(reloads.done >= 3 && reloads.refused >= 1, JSON.stringify(reloads));
});
