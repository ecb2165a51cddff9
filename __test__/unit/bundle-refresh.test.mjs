/** Keeping policies up to date: when a source is asked, by whom, and what is kept when that fails. The clock is the test's. */

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, test } from "node:test";
import { OrthrusError } from "orthrus";
import { outcome, until } from "../support/bundles.mjs";

const require = createRequire(import.meta.url);
const { BundleRefresher, LOST_AFTER } = require("../../dist/bundles/refresher.js");

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** A promise that the test settles. */
function deferred() {
  const handle = {};
  handle.promise = new Promise((resolve, reject) => Object.assign(handle, { resolve, reject }));
  return handle;
}

/** Waits for what promises that are settled lead to. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

/**
 * A refresher on a source that the test plays: `load` is what it does, `loads` with what it was asked. A bundle's bytes are its
 * digest; `install` refuses those that begin with `bad`.
 */
function refreshing(options = {}) {
  const world = { now: 0, loads: [], installed: [], told: [], load: async () => "unchanged" };
  const source = {
    name: "test",
    load(previous) {
      world.loads.push(previous);
      return world.load(previous);
    },
  };
  const install = (bytes) => {
    const [digest, keyId] = Buffer.from(bytes).toString().split("/");
    if (digest.startsWith("bad")) {
      throw new OrthrusError("BUNDLE_INVALID", digest);
    }
    world.installed.push(digest);
    return { digest, keyId };
  };
  const setup = { source, install, every: MINUTE, timer: false, clock: () => world.now, ...options };
  setup.onRefresh ??= (refresh) => world.told.push(refresh);
  world.refresher = new BundleRefresher(setup, { digest: "one", keyId: "k" }, { etag: "e1", fingerprint: "f1" });
  return world;
}

const brings = (text, etag) => async () => ({ bytes: Buffer.from(text), etag });

describe("asking the source", () => {
  test("tells it what decides, by digest and ETag", async () => {
    const world = refreshing();
    assert.equal(await world.refresher.refresh(), false);
    assert.deepEqual(world.loads, [{ digest: "one", etag: "e1" }]);
  });

  test("replaces the policies by others", async () => {
    const world = refreshing();
    const { state } = world.refresher;
    world.now = 5 * SECOND;
    world.load = brings("two/k2", "e2");
    assert.equal(await world.refresher.refresh(), true);
    const at = new Date(5 * SECOND);
    const bundle = { digest: "two", keyId: "k2", source: "test", loadedAt: at, checkedAt: at, error: undefined };
    assert.deepEqual(world.refresher.state, bundle);
    assert.deepEqual(world.told, [{ outcome: "updated", bundle }]);
    // What was handed out before is as it was.
    assert.equal(state.digest, "one");
    world.load = async () => "unchanged";
    await world.refresher.refresh();
    assert.deepEqual(world.loads.at(-1), { digest: "two", etag: "e2" });
  });

  test("notes when the source had the same", async () => {
    const world = refreshing();
    world.now = 5 * SECOND;
    assert.equal(await world.refresher.refresh(), false);
    const { loadedAt, checkedAt } = world.refresher.state;
    assert.deepEqual([loadedAt, checkedAt], [new Date(0), new Date(5 * SECOND)]);
    assert.deepEqual(
      world.told.map(({ outcome }) => outcome),
      ["unchanged"],
    );
  });

  test("does not load the same bytes twice, and learns their new ETag", async () => {
    const world = refreshing();
    world.load = brings("two/k", "e2");
    await world.refresher.refresh();
    world.load = brings("two/k", "e3");
    assert.equal(await world.refresher.refresh(), false);
    assert.deepEqual(world.installed, ["two"]);
    await world.refresher.refresh();
    assert.equal(world.loads.at(-1).etag, "e3");
  });

  test("loads the same policies by another key", async () => {
    const world = refreshing();
    world.load = brings("one/k2");
    assert.equal(await world.refresher.refresh(), true);
    assert.equal(world.refresher.state.keyId, "k2");
  });

  test("finds out that other bytes are the same bundle", async () => {
    const world = refreshing();
    world.load = brings("one/k");
    assert.equal(await world.refresher.refresh(), false);
    assert.deepEqual(world.installed, ["one"]);
  });

  test("works without Web Crypto, as on pages that are not secure", async (context) => {
    const world = refreshing();
    context.mock.getter(globalThis, "crypto", () => ({}));
    world.load = brings("two/k");
    assert.equal(await world.refresher.refresh(), true);
    assert.equal(await world.refresher.refresh(), false);
    assert.deepEqual(world.installed, ["two", "two"]);
  });
});

describe("what fails changes nothing", () => {
  const failures = [
    ["a source that rejects", () => Promise.reject(new Error("down")), "BUNDLE_UNAVAILABLE failed", /test: down/],
    [
      "a source that throws",
      () => {
        throw new TypeError("slip");
      },
      "BUNDLE_UNAVAILABLE failed",
      /test: slip/,
    ],
    ["a source that brings no bytes", async () => ({ bytes: "text" }), "BUNDLE_UNAVAILABLE failed", /must bring/],
    ["a bundle that is refused", brings("bad"), "BUNDLE_INVALID", /^bad$/],
  ];
  for (const [name, load, code, message] of failures) {
    test(name, async () => {
      const world = refreshing();
      world.now = 5 * SECOND;
      world.load = load;
      assert.equal(await outcome(world.refresher.refresh()), code);
      const { digest, keyId, loadedAt, checkedAt, error } = world.refresher.state;
      assert.deepEqual([digest, keyId, loadedAt, checkedAt], ["one", "k", new Date(0), new Date(0)]);
      assert.match(error.message, message);
      assert.deepEqual(world.told, [{ outcome: "failed", error, bundle: world.refresher.state }]);
      assert.deepEqual(world.installed, []);
      // The source is asked as before, and the error is over when it is.
      world.load = async () => "unchanged";
      await world.refresher.refresh();
      assert.deepEqual(world.loads.at(-1), { digest: "one", etag: "e1" });
      assert.equal(world.refresher.state.error, undefined);
    });
  }

  test("what onRefresh throws is the caller's, and the policies are replaced", async () => {
    const onRefresh = () => {
      throw new Error("log full");
    };
    const world = refreshing({ onRefresh });
    world.load = brings("two");
    await assert.rejects(world.refresher.refresh(), /log full/);
    assert.equal(world.refresher.state.digest, "two");
    assert.equal(world.refresher.state.error, undefined);
    world.now = MINUTE;
    await world.refresher.refreshIfStale();
  });
});

describe("one asks at a time", () => {
  test("refresh waits for what is under way", async () => {
    const world = refreshing();
    const answer = deferred();
    world.load = () => answer.promise;
    const both = [world.refresher.refresh(), world.refresher.refresh()];
    answer.resolve({ bytes: Buffer.from("two") });
    assert.deepEqual(await Promise.all(both), [true, true]);
    assert.equal(world.loads.length, 1);
    await world.refresher.refresh();
    assert.equal(world.loads.length, 2);
  });

  test("refreshIfStale does not", async () => {
    const world = refreshing();
    const answer = deferred();
    world.load = () => answer.promise;
    world.now = MINUTE;
    const first = world.refresher.refreshIfStale();
    // Nobody waits for another's input: these resolve though the answer has not come.
    await Promise.all(Array.from({ length: 50 }, () => world.refresher.refreshIfStale()));
    assert.equal(world.loads.length, 1);
    assert.equal(world.refresher.state.digest, "one");
    answer.resolve({ bytes: Buffer.from("two") });
    await first;
    assert.equal(world.refresher.state.digest, "two");
  });

  test("until what is under way counts as lost", async () => {
    const world = refreshing();
    const lost = deferred();
    world.load = () => lost.promise;
    world.now = MINUTE;
    const first = world.refresher.refresh();
    world.now += LOST_AFTER - 1;
    await world.refresher.refreshIfStale();
    assert.equal(world.loads.length, 1);
    world.now += 1;
    world.load = brings("three");
    await world.refresher.refreshIfStale();
    assert.equal(world.refresher.state.digest, "three");
    // What it finds at last may be older, and is of no use.
    lost.resolve({ bytes: Buffer.from("two") });
    assert.equal(await first, false);
    assert.deepEqual(world.installed, ["three"]);
    assert.equal(world.told.length, 1);
  });

  test("and a lost one that fails at last is nobody's failure", async () => {
    const world = refreshing();
    const lost = deferred();
    world.load = () => lost.promise;
    const first = world.refresher.refresh();
    world.now += LOST_AFTER;
    world.load = brings("three");
    assert.equal(await world.refresher.refresh(), true);
    lost.reject(new Error("down"));
    assert.equal(await first, false);
    assert.equal(world.refresher.state.error, undefined);
  });
});

describe("stale is", () => {
  /** At which seconds the source is asked, when it is asked whether it is time once a second. */
  async function asked(world, seconds) {
    const at = [];
    for (let second = 0; second <= seconds; second++) {
      world.now = second * SECOND;
      const before = world.loads.length;
      await world.refresher.refreshIfStale();
      if (world.loads.length > before) {
        at.push(second);
      }
    }
    return at;
  }

  test("what has not been asked for longer than `every`", async () => {
    assert.deepEqual(await asked(refreshing({ every: 10 * SECOND }), 35), [10, 20, 30]);
  });

  test("after a failure, what has not been asked for 1, 2, 4, … seconds, and then for `every`", async () => {
    const world = refreshing({ every: 10 * SECOND });
    world.load = () => Promise.reject(new Error("down"));
    assert.deepEqual(await asked(world, 60), [10, 11, 13, 17, 25, 35, 45, 55]);
  });

  test("what was asked after now: a clock that was set back keeps nothing fresh", async () => {
    const world = refreshing();
    world.now = 100 * MINUTE;
    await world.refresher.refresh();
    world.now = 50 * MINUTE;
    await world.refresher.refreshIfStale();
    assert.equal(world.loads.length, 2);
  });

  test("nothing for a caller who is told of no failure", async () => {
    const world = refreshing();
    world.load = () => Promise.reject(new Error("down"));
    world.now = MINUTE;
    assert.equal(await world.refresher.refreshIfStale(), undefined);
    assert.equal(world.told[0].outcome, "failed");
  });
});

describe("a timer", () => {
  const ticking = { every: 5, timer: true, clock: Date.now };

  test("asks again and again, also after failures", async () => {
    const world = refreshing(ticking);
    let count = 0;
    world.load = async () => {
      count += 1;
      if (count === 2) {
        throw new Error("down");
      }
      return "unchanged";
    };
    await until(() => count >= 4);
    assert.deepEqual(
      world.told.slice(0, 3).map(({ outcome }) => outcome),
      ["unchanged", "failed", "unchanged"],
    );
    world.refresher.stop();
  });

  test("stops with the engine", async () => {
    const world = refreshing(ticking);
    await until(() => world.loads.length > 0);
    world.refresher.stop();
    const { length } = world.loads;
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(world.loads.length, length);
  });

  test("there is none unless it is asked for", async () => {
    const world = refreshing({ ...ticking, timer: false });
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(world.loads.length, 0);
  });

  test("what onRefresh throws ends neither it nor the process", async () => {
    let told = 0;
    const world = refreshing({
      ...ticking,
      onRefresh: () => {
        told += 1;
        throw new Error("log full");
      },
    });
    await until(() => told >= 2);
    world.refresher.stop();
  });
});

test("what comes after the engine is closed is not installed", async () => {
  const world = refreshing();
  const answer = deferred();
  world.load = () => answer.promise;
  const refreshed = outcome(world.refresher.refresh());
  world.refresher.stop();
  answer.resolve({ bytes: Buffer.from("two") });
  assert.equal(await refreshed, "ENGINE_CLOSED");
  await settled();
  assert.deepEqual([world.installed, world.told], [[], []]);
});
