/** Engines on bundles: what reaches the addon, replacing, closing, and what decisions tell of the bundle. On an addon that the test plays. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { loadOnce } from "orthrus/bundles";
import { outcome, until } from "../support/bundles.mjs";
import { fake, fakeBundle, fakeEngine, Orthrus, request } from "../support/engine.mjs";

const ONE = fakeBundle({ digest: "sha256:1", keyId: "k1" });
const TWO = fakeBundle({ digest: "sha256:2" });
const REFUSED = fakeBundle({
  failure: { code: "BUNDLE_INVALID", reason: "altered", message: "its digest is another" },
});

const folder = mkdtempSync(join(tmpdir(), "orthrus-bundle-engines-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const path = join(folder, "policies.orb");

beforeEach(() => fake.reset());

/** An engine on a source that brings what `source.bytes` is at the time. */
async function engineOn(bytes, options) {
  const source = { name: "test", bytes, load: async () => ({ bytes: source.bytes }) };
  return { source, engine: await Orthrus.fromBundle(source, options) };
}

/** Has the addon tell of metadata where a request asks for it. */
function answerWithMetadata() {
  const meta = { actions: { view: { matchedPolicy: "resource.document.vdefault" } } };
  fake.answer = ({ includeMeta }) => (includeMeta ? `A\n${JSON.stringify([{ meta }])}` : "A");
}

describe("opening", () => {
  const ways = [
    ["fromBundle of bytes", (options) => Orthrus.fromBundle(ONE, options), "bytes"],
    ["fromBundle of an ArrayBuffer", (options) => Orthrus.fromBundle(new Uint8Array(ONE).buffer, options), "bytes"],
    ["fromBundleSync", async (options) => Orthrus.fromBundleSync(ONE, options), "bytes"],
    ["fromBundle of a source", (options) => engineOn(ONE, options).then(({ engine }) => engine), "test"],
    ["fromBundle of a function", (options) => Orthrus.fromBundle(async () => ONE, options), "function()"],
    ["open of a file", (options) => Orthrus.open(path, options), path],
    ["openSync of a file", async (options) => Orthrus.openSync(path, options), path],
  ];
  for (const [name, open, source] of ways) {
    test(name, async () => {
      writeFileSync(path, ONE);
      const engine = await open({ defaultScope: "acme" });
      const options = { defaultScope: "acme" };
      assert.deepEqual(fake.opened, [["fromBundle", { digest: "sha256:1", keyId: "k1" }, options]]);
      const { loadedAt, checkedAt, ...state } = engine.bundle;
      assert.deepEqual(state, { digest: "sha256:1", keyId: "k1", source, error: undefined });
      assert.deepEqual(loadedAt, checkedAt);
      assert.ok(Math.abs(Date.now() - loadedAt.getTime()) < 10_000);
      assert.equal(engine.isAllowedSync(request({ action: "view" })), true);
    });
  }

  test("a directory or archive is none", async () => {
    writeFileSync(join(folder, "policies.zip"), "PK");
    writeFileSync(join(folder, "short"), "O");
    for (const name of [".", "policies.zip", "short", "nowhere.orb"]) {
      const engine = await Orthrus.open(join(folder, name));
      assert.equal(engine.bundle, undefined);
      assert.equal(Orthrus.openSync(join(folder, name)).bundle, undefined);
    }
    assert.deepEqual([...new Set(fake.opened.map(([how]) => how))], ["open", "openSync"]);
  });

  test("a bundle that is refused is told by its reason", async () => {
    const error = { name: "BundleError", code: "BUNDLE_INVALID", reason: "altered", message: "its digest is another" };
    assert.throws(() => Orthrus.fromBundleSync(REFUSED), error);
    await assert.rejects(Orthrus.fromBundle(REFUSED), error);
    await assert.rejects(
      Orthrus.fromBundle(async () => REFUSED),
      error,
    );
    writeFileSync(path, REFUSED);
    await assert.rejects(Orthrus.open(path), error);
    assert.throws(() => Orthrus.openSync(path), error);
  });

  test("a source that has none is told by its reason", () =>
    assert.rejects(
      Orthrus.fromBundle(() => Promise.reject(new Error("down"))),
      { code: "BUNDLE_UNAVAILABLE", reason: "failed" },
    ));
});

describe("trusted keys", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const pem = publicKey.export({ type: "spki", format: "pem" });
  const jwk = publicKey.export({ format: "jwk" });

  test("reach the addon in PEM, from the start and at each refresh", async () => {
    const { engine, source } = await engineOn(ONE, { strictEvaluation: true, trustedKeys: [pem, jwk] });
    source.bytes = TWO;
    await engine.refresh();
    assert.equal(fake.opened.length, 2);
    for (const [, , options] of fake.opened) {
      assert.deepEqual([options.strictEvaluation, options.trustedKeys[0]], [true, pem]);
      // The same key, whichever way it was written.
      assert.ok(createPublicKey(options.trustedKeys[1]).equals(publicKey));
    }
  });

  const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 }).publicKey.export({ format: "jwk" });
  for (const [name, trustedKeys, at, message] of [
    ["no list", pem, "trustedKeys", /a list/],
    ["an empty list", [], "trustedKeys", /must not be empty/],
    ["a private key", [privateKey.export({ type: "pkcs8", format: "pem" })], "trustedKeys[0]", /not a private one/],
    ["a private JWK", [privateKey.export({ format: "jwk" })], "trustedKeys[0]", /d is the private one/],
    ["a JWK of another kind", [pem, rsa], "trustedKeys[1]", /must be an Ed25519 key/],
    ["a JWK cut off", [{ ...jwk, x: jwk.x.slice(1) }], "trustedKeys[0].x", /32 bytes/],
    ["another text", ["ssh-ed25519 AAAA"], "trustedKeys[0]", /SPKI in PEM/],
    ["nothing", [undefined], "trustedKeys[0]", /SPKI in PEM/],
  ]) {
    test(`are not ${name}`, () =>
      assert.throws(() => Orthrus.fromBundleSync(ONE, { trustedKeys }), {
        code: "OPTIONS_INVALID",
        path: at,
        message,
      }));
  }
});

describe("options", () => {
  const source = async () => ONE;
  for (const [name, open, at] of [
    ["of a directory are not those of bundles", () => Orthrus.open(folder, { trustedKeys: [] }), "trustedKeys"],
    ["of a directory have no refresh", () => Orthrus.open(folder, { refresh: {} }), "refresh"],
    ["of files are not those of bundles", () => Orthrus.fromFiles({}, { onRefresh() {} }), "onRefresh"],
    ["of bytes have no refresh", () => Orthrus.fromBundle(ONE, { refresh: { every: 5 } }), "refresh"],
    ["of bytes have no onRefresh", () => Orthrus.fromBundle(ONE, { onRefresh() {} }), "onRefresh"],
    ["have no others", () => Orthrus.fromBundle(source, { trustedKey: [] }), "trustedKey"],
    ["are an object", () => Orthrus.fromBundle(source, null), ""],
    ["of refreshing are an object", () => Orthrus.fromBundle(source, { refresh: "60s" }), "refresh"],
    ["of refreshing have no others", () => Orthrus.fromBundle(source, { refresh: { evry: 5 } }), "refresh.evry"],
    ["of refreshing have a time", () => Orthrus.fromBundle(source, { refresh: { every: 0 } }), "refresh.every"],
    ["of refreshing have a flag", () => Orthrus.fromBundle(source, { refresh: { timer: 1 } }), "refresh.timer"],
    ["have a function to tell", () => Orthrus.fromBundle(source, { onRefresh: "log" }), "onRefresh"],
    ["stand behind a bundle", () => Orthrus.fromBundle("policies.orb"), "bundle"],
  ]) {
    test(name, () => assert.rejects(open, { code: "OPTIONS_INVALID", path: at }));
  }

  test("stand behind bytes", () =>
    assert.throws(() => Orthrus.fromBundleSync(source), { code: "OPTIONS_INVALID", path: "bytes" }));

  test("that are misspelt are told by those of bundles", () =>
    assert.throws(() => Orthrus.fromBundleSync(ONE, { trustedKey: [] }), { message: /did you mean trustedKeys/ }));

  test("are checked before a source is asked", async () => {
    let asked = 0;
    const counting = async () => {
      asked += 1;
      return ONE;
    };
    await assert.rejects(Orthrus.fromBundle(counting, { trustedKeys: [] }));
    assert.equal(asked, 0);
  });
});

describe("refreshing", () => {
  test("replaces the policies in the same engine, and frees the old ones", async () => {
    const told = [];
    const { engine, source } = await engineOn(ONE, { onRefresh: (refresh) => told.push(refresh) });
    const ann = engine.withPrincipal({ id: "ann", roles: ["user"] });
    const old = fake.lastEngine;
    source.bytes = TWO;
    assert.equal(await engine.refresh(), true);
    assert.deepEqual(fake.closed, [old]);
    assert.deepEqual([engine.bundle.digest, engine.bundle.keyId], ["sha256:2", undefined]);
    assert.deepEqual(
      told.map(({ outcome, bundle }) => [outcome, bundle]),
      [["updated", engine.bundle]],
    );
    ann.isAllowedSync({ resource: { kind: "document", id: "1" }, action: "view" });
    assert.deepEqual(fake.checkedBy, [fake.lastEngine]);
    engine.close();
    assert.deepEqual(fake.closed, [old, fake.lastEngine]);
  });

  test("leaves warnings of the old policies behind", async () => {
    fake.warnings = '[{"code":"old"}]';
    const { engine, source } = await engineOn(ONE);
    assert.equal(engine.warnings[0].code, "old");
    source.bytes = TWO;
    fake.warnings = '[{"code":"new"}]';
    await engine.refresh();
    assert.equal(engine.warnings[0].code, "new");
  });

  test("keeps the policies where the new ones are refused", async () => {
    const { engine, source } = await engineOn(ONE);
    const old = fake.lastEngine;
    source.bytes = REFUSED;
    await assert.rejects(engine.refresh(), { code: "BUNDLE_INVALID", reason: "altered" });
    assert.equal(engine.bundle.digest, "sha256:1");
    assert.equal(engine.bundle.error.reason, "altered");
    assert.deepEqual(fake.closed, []);
    engine.isAllowedSync(request({ action: "view" }));
    assert.deepEqual(fake.checkedBy, [old]);
  });

  test("frees policies that come to an engine which was closed meanwhile", async () => {
    const { engine, source } = await engineOn(ONE);
    source.bytes = TWO;
    const refreshed = engine.refresh();
    engine.close();
    assert.equal(await outcome(refreshed), "ENGINE_CLOSED");
    assert.equal(fake.opened.length, 1);
    assert.deepEqual(fake.closed, [fake.lastEngine]);
  });

  test("by a timer is an option", async () => {
    const { engine, source } = await engineOn(ONE, { refresh: { every: "5ms" } });
    source.bytes = TWO;
    await until(() => engine.bundle.digest === "sha256:2");
    engine.close();
  });

  test("without a timer is left to refreshIfStale", async () => {
    const { engine, source } = await engineOn(ONE, { refresh: { every: "5ms", timer: false } });
    source.bytes = TWO;
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(engine.bundle.digest, "sha256:1");
    await engine.refreshIfStale();
    assert.equal(engine.bundle.digest, "sha256:2");
  });

  test("of a file follows the file", async () => {
    for (const open of [(path) => Orthrus.open(path), async (path) => Orthrus.openSync(path)]) {
      writeFileSync(path, ONE);
      const engine = await open(path);
      assert.equal(await engine.refresh(), false);
      writeFileSync(path, TWO);
      assert.equal(await engine.refresh(), true);
      assert.equal(engine.bundle.digest, "sha256:2");
    }
  });

  test("takes a source", async () => {
    for (const engine of [Orthrus.fromBundleSync(ONE), fakeEngine()]) {
      await assert.rejects(engine.refresh(), { code: "OPTIONS_INVALID", message: /no source that could be asked/ });
      assert.equal(await engine.refreshIfStale(), undefined);
    }
  });

  test("takes an engine that is open", async () => {
    const { engine } = await engineOn(ONE);
    engine.close();
    assert.equal(await outcome(engine.refresh()), "ENGINE_CLOSED");
    assert.equal(await outcome(engine.refreshIfStale()), "ENGINE_CLOSED");
    assert.throws(() => engine.bundle, { code: "ENGINE_CLOSED" });
  });

  test("keeps no engine alive that nobody can reach, and frees its last policies", async () => {
    setFlagsFromString("--expose-gc");
    const gc = runInNewContext("gc");
    await (async () => {
      const { engine, source } = await engineOn(ONE, { refresh: { every: "1ms" } });
      source.bytes = TWO;
      await until(() => engine.bundle.digest === "sha256:2");
    })();
    await until(() => {
      gc();
      return fake.closed.includes(fake.lastEngine);
    });
    // What was freed when it was replaced is not freed again.
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual([...new Set(fake.closed)], fake.closed);
  });

  test("by a timer keeps no process alive", () => {
    writeFileSync(path, ONE);
    const script = `
      const { Orthrus } = require("orthrus");
      const engine = Orthrus.openSync(process.argv[1], { refresh: { every: "1h" } });
      console.log(engine.bundle.digest);`;
    const { status, stdout } = spawnSync(process.execPath, ["-e", script, path], { encoding: "utf8", timeout: 20_000 });
    assert.deepEqual([status, stdout], [0, "sha256:1\n"]);
  });
});

describe("a decision tells its bundle", () => {
  const policySource = (url) => ({
    kind: "embeddedPDP",
    url,
    commit: "sha256:1",
    digest: "sha256:1",
    keyId: "k1",
  });

  test("in metadata, if that is asked for", async () => {
    answerWithMetadata();
    const { engine, source } = await engineOn(ONE);
    const asked = request({ includeMetadata: true });
    const { metadata } = engine.checkResourceSync(asked);
    assert.deepEqual(metadata.policySource, policySource("test"));
    const { results } = engine.checkResourcesSync({ ...asked, resources: [asked] });
    assert.deepEqual(results[0].metadata.policySource, policySource("test"));
    source.bytes = TWO;
    await engine.refresh();
    const { digest, keyId } = engine.checkResourceSync(asked).metadata.policySource;
    assert.deepEqual([digest, keyId], ["sha256:2", undefined]);
    assert.equal(engine.checkResourceSync(request()).metadata, undefined);
  });

  test("in the decision log, always", async () => {
    const entries = [];
    fake.answer = () => 'A\n[{"meta":{"actions":{"view":{"matchedPolicy":"p"}}}}]';
    const engine = Orthrus.fromBundleSync(ONE, { onDecision: (entry) => entries.push(entry) });
    const { metadata } = engine.checkResourceSync(request());
    assert.equal(metadata, undefined);
    assert.deepEqual(entries[0].policySource, policySource("bytes"));
    engine.checkResourceSync(request({ includeMetadata: true }));
    assert.deepEqual(entries[1].policySource, policySource("bytes"));
  });

  test("unless its policies came as text", () => {
    const engine = fakeEngine();
    answerWithMetadata();
    const { metadata } = engine.checkResourceSync(request({ includeMetadata: true }));
    assert.deepEqual(Object.keys(metadata), ["actions", "effectiveDerivedRoles"]);
    assert.equal(engine.bundle, undefined);
  });
});

describe("loadOnce", () => {
  test("loads for each caller until there is one, and keeps the first", async () => {
    const loads = [];
    const policies = loadOnce(() => new Promise((resolve) => loads.push(() => resolve(Orthrus.fromBundle(ONE)))));
    const callers = [policies(), policies()];
    assert.equal(loads.length, 2);
    loads[1]();
    const second = await callers[1];
    loads[0]();
    assert.equal(await callers[0], second);
    assert.equal(await policies(), second);
    assert.equal(loads.length, 2);
    // The one that came too late is freed.
    assert.equal(fake.closed.length, 1);
    assert.equal(second.isAllowedSync(request({ action: "view" })), true);
  });

  test("tries again after a failure", async () => {
    let tries = 0;
    const policies = loadOnce(async () => {
      tries += 1;
      if (tries === 1) {
        throw new Error("down");
      }
      return Orthrus.fromBundleSync(ONE);
    });
    await assert.rejects(policies(), /down/);
    const engine = await policies();
    assert.equal(await policies(), engine);
    assert.equal(tries, 2);
  });
});
