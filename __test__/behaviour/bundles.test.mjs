/** Engines on real bundles: replacing policies while they decide, and keeping the last good ones. */

import assert from "node:assert/strict";
import { createHash, createPublicKey } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fetchBundle } from "orthrus/bundles";
import { skip as skipAddon } from "../support/addon.mjs";
import { bundle, bundleServer, cutOff, outcome, silent, status } from "../support/bundles.mjs";
import { ENGINES } from "../support/engines.mjs";
import { makeBundle, signingKey } from "../support/make-bundle.mjs";

const ACTIONS = Array.from({ length: 12 }, (_, index) => `act${index}`);
const PRINCIPAL = { id: "ann", roles: ["user"] };

/** Policies of a name, which allow what `allows` says of an action, and put the name out for it. */
function policies(name, allows, kinds = ["document"]) {
  const rules = ACTIONS.map((action, index) => ({
    actions: [action],
    roles: ["user"],
    effect: allows(index) ? "EFFECT_ALLOW" : "EFFECT_DENY",
    condition: { match: { expr: "has(R.attr.level)" } },
    output: { when: { ruleActivated: JSON.stringify(name) } },
  }));
  const policy = (resource) => ({
    apiVersion: "api.cerbos.dev/v1",
    resourcePolicy: { resource, version: "default", rules },
  });
  return Object.fromEntries(kinds.map((kind) => [`${kind}.yaml`, JSON.stringify(policy(kind))]));
}

const SETS = {
  even: policies("even", (index) => index % 2 === 0),
  odd: policies("odd", (index) => index % 2 === 1),
};
const ALLOWED = {
  even: ACTIONS.filter((_, index) => index % 2 === 0),
  odd: ACTIONS.filter((_, index) => index % 2 === 1),
};
const document = () => ({ kind: "document", id: "1", attr: { level: 1 } });

for (const { engine: name, Orthrus, skip } of ENGINES) {
  // The addon makes the bundles.
  describe(`policies of bundles, decided by ${name},`, { skip: skip || skipAddon }, () => {
    const bytes = {};
    const digests = {};
    before(async () => {
      for (const [name, files] of Object.entries(SETS)) {
        bytes[name] = await makeBundle(files);
        digests[Orthrus.fromBundleSync(bytes[name]).bundle.digest] = name;
      }
      assert.equal(Object.keys(digests).length, 2);
    });

    /** An engine whose source brings the one and the other in turn. */
    function alternating(options) {
      let turn = 0;
      return Orthrus.fromBundle(async () => bytes[turn++ % 2 === 0 ? "even" : "odd"], options);
    }

    test("decide as the same policies as text do", () => {
      for (const [name, files] of Object.entries(SETS)) {
        const request = { principal: PRINCIPAL, resource: document(), actions: ACTIONS, includeMetadata: true };
        const { metadata, ...fromBundle } = Orthrus.fromBundleSync(bytes[name]).checkResourceSync(request);
        const { metadata: expected, ...fromText } = Orthrus.fromFilesSync(files).checkResourceSync(request);
        assert.deepEqual(fromBundle, fromText);
        const { policySource, ...rest } = metadata;
        assert.deepEqual(rest, expected);
        assert.equal(digests[policySource.digest], name);
      }
    });

    test("are replaced whole: each decision is one set's, and tells which", async () => {
      const entries = [];
      // Tokens make checks wait in the middle, so that policies are replaced while they are under way.
      const decodeJWTPayload = async () => {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 4));
        return {};
      };
      const engine = await alternating({ decodeJWTPayload, onDecision: (entry) => entries.push(entry) });
      const ann = engine.withPrincipal(PRINCIPAL, { jwt: { token: "t" } });
      const seen = { even: 0, odd: 0 };

      async function check() {
        const resources = Array.from({ length: 3 }, (_, id) => ({
          resource: { ...document(), id: String(id) },
          actions: ACTIONS,
        }));
        const { results, cerbosCallId } = await ann.checkResources({ resources, includeMetadata: true });
        const [name] = new Set(results.map(({ metadata }) => digests[metadata.policySource.digest]));
        for (const result of results) {
          assert.equal(digests[result.metadata.policySource.digest], name);
          assert.deepEqual(result.allowedActions(), ALLOWED[name]);
          assert.deepEqual([...new Set(result.outputs.map(({ value }) => value))], [name]);
        }
        const entry = entries.find(({ callId }) => callId === cerbosCallId);
        assert.equal(digests[entry.policySource.digest], name);
        seen[name] += 1;
      }

      let replaced = 0;
      const until = Date.now() + 1500;
      const replacing = (async () => {
        while (Date.now() < until) {
          replaced += (await engine.refresh()) ? 1 : 0;
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      })();
      while (Date.now() < until) {
        await Promise.all(Array.from({ length: 20 }, check));
      }
      await replacing;
      assert.ok(replaced >= 10 && seen.even >= 10 && seen.odd >= 10, JSON.stringify({ replaced, seen }));
    });

    test("are replaced whole for checks that ask for effects alone", async () => {
      const engine = await alternating();
      const request = { principal: PRINCIPAL, resource: document(), actions: ACTIONS };
      for (let turn = 0; turn < 20; turn++) {
        const name = digests[engine.bundle.digest];
        const effects = await Promise.all([
          engine.checkResource(request).then((result) => result.allowedActions()),
          ...ACTIONS.map(async (action) => [action, await engine.isAllowed({ ...request, action })]),
        ]);
        assert.deepEqual(effects[0], ALLOWED[name]);
        assert.deepEqual(
          effects
            .slice(1)
            .filter(([, allowed]) => allowed)
            .map(([action]) => action),
          ALLOWED[name],
        );
        assert.equal(await engine.refresh(), true);
      }
    });

    test("are replaced with what they read: attributes that only the new ones know come across", async () => {
      const reading = (attribute) =>
        makeBundle({
          "document.yaml": JSON.stringify({
            apiVersion: "api.cerbos.dev/v1",
            resourcePolicy: {
              resource: "document",
              version: "default",
              rules: [
                {
                  actions: ["view"],
                  roles: ["user"],
                  effect: "EFFECT_ALLOW",
                  condition: { match: { expr: `R.attr.${attribute} == "yes"` } },
                },
              ],
            },
          }),
        });
      let current = await reading("old");
      const engine = await Orthrus.fromBundle(() => current);
      const allowed = (attr) =>
        engine.isAllowedSync({ principal: PRINCIPAL, resource: { kind: "document", id: "1", attr }, action: "view" });
      assert.deepEqual([allowed({ old: "yes" }), allowed({ new: "yes" })], [true, false]);
      current = await reading("new");
      await engine.refresh();
      assert.deepEqual([allowed({ old: "yes" }), allowed({ new: "yes" })], [false, true]);
    });

    test("that are replaced are freed", async () => {
      const kinds = Array.from({ length: 300 }, (_, index) => `kind${index}`);
      const large = [
        await makeBundle(policies("one", () => true, kinds)),
        await makeBundle(policies("two", () => false, kinds)),
      ];
      let turn = 0;
      const engine = await Orthrus.fromBundle(async () => large[turn++ % 2]);
      const replace = async (times) => {
        for (let count = 0; count < times; count++) {
          assert.equal(await engine.refresh(), true);
        }
        return process.memoryUsage().rss / 1e6;
      };
      // What the allocator keeps for itself is had by then; each set takes megabytes.
      const before = await replace(10);
      const grown = (await replace(40)) - before;
      assert.ok(grown < 40, `${grown} MB more after 40 sets`);
    });

    describe("of a server", () => {
      let server;
      let engine;
      before(async () => {
        server = await bundleServer(bundle(bytes.even, '"even"'));
        engine = await Orthrus.fromBundle(fetchBundle(server.url, { timeout: "100ms" }));
      });
      after(() => {
        engine.close();
        return server.close();
      });
      const decides = () =>
        engine.checkResourceSync({ principal: PRINCIPAL, resource: document(), actions: ACTIONS }).allowedActions();

      const flipped = (at) => {
        const altered = Buffer.from(bytes.odd);
        altered[at < 0 ? altered.length + at : at] ^= 1;
        return altered;
      };
      for (const [name, respond, expected] of [
        ["an outage", () => (request) => request.socket.destroy(), "BUNDLE_UNAVAILABLE failed"],
        ["500", () => status(500), "BUNDLE_UNAVAILABLE status"],
        ["404", () => status(404), "BUNDLE_UNAVAILABLE not-found"],
        ["a redirect", () => status(301, { location: server.url }), "BUNDLE_UNAVAILABLE redirect"],
        ["silence", () => silent, "BUNDLE_UNAVAILABLE timeout"],
        ["half an answer", () => cutOff(bytes.odd.subarray(0, 100)), "BUNDLE_UNAVAILABLE failed"],
        ["half a bundle", () => bundle(bytes.odd.subarray(0, 100)), "BUNDLE_INVALID truncated"],
        ["an altered bundle", () => bundle(flipped(-20)), "BUNDLE_INVALID altered"],
        ["an error page", () => bundle("<html>maintenance</html>"), "BUNDLE_INVALID not-a-bundle"],
        ["nothing at all", () => bundle(""), "BUNDLE_INVALID not-a-bundle"],
      ]) {
        test(`go on deciding after ${name}`, async () => {
          server.respond = respond();
          assert.equal(await outcome(engine.refresh()), expected);
          assert.deepEqual(decides(), ALLOWED.even);
          assert.equal(digests[engine.bundle.digest], "even");
          assert.equal(`${engine.bundle.error.code} ${engine.bundle.error.reason}`, expected);
        });
      }

      test("and are replaced when the server is well again", async () => {
        server.respond = bundle(bytes.odd, '"odd"');
        assert.equal(await engine.refresh(), true);
        assert.deepEqual(decides(), ALLOWED.odd);
        assert.equal(engine.bundle.error, undefined);
        assert.equal(await engine.refresh(), false);
        assert.equal(server.requests.at(-1).headers["if-none-match"], '"odd"');
      });
    });

    describe("are signed", () => {
      const [own, next, foreign] = [signingKey(), signingKey(), signingKey()];
      const signed = {};
      before(async () => {
        signed.even = await makeBundle(SETS.even, own.privateKey);
        signed.odd = await makeBundle(SETS.odd, next.privateKey);
        signed.foreign = await makeBundle(SETS.odd, foreign.privateKey);
      });

      test("by a key that is told, and their digest is that of the unsigned ones", () => {
        const engine = Orthrus.fromBundleSync(signed.even, { trustedKeys: [own.publicKey, next.jwk] });
        assert.equal(digests[engine.bundle.digest], "even");
        const spki = createPublicKey(own.publicKey).export({ type: "spki", format: "der" });
        assert.equal(engine.bundle.keyId, createHash("sha256").update(spki).digest("hex").slice(0, 16));
        assert.equal(Orthrus.fromBundleSync(signed.odd, { trustedKeys: [own.jwk, next.jwk] }).policyCount, 1);
      });

      test("or need not be, where no key is trusted", () => {
        const engine = Orthrus.fromBundleSync(signed.foreign);
        assert.equal(engine.bundle.keyId, undefined);
      });

      const altered = (bytes, at) => {
        const copy = Buffer.from(bytes);
        copy[at < 0 ? copy.length + at : at] ^= 1;
        return copy;
      };
      const refusals = [
        ["is unsigned", () => bytes.odd, "unsigned"],
        ["is signed by another key", () => signed.foreign, "unknown-key"],
        ["has an altered signature", () => altered(signed.odd, -1), "wrong-signature"],
        [
          "names another key",
          () =>
            Buffer.concat([
              signed.foreign.subarray(0, -72),
              signed.odd.subarray(-72, -64),
              signed.foreign.subarray(-64),
            ]),
          "wrong-signature",
        ],
        ["has other policies", () => altered(signed.odd, 60), "altered"],
        [
          "has other policies, and their digest",
          () =>
            Buffer.concat([
              bytes.even.subarray(0, 10),
              Buffer.from([1]),
              bytes.even.subarray(11),
              signed.odd.subarray(-72),
            ]),
          "wrong-signature",
        ],
        ["lacks the end of its signature", () => signed.odd.subarray(0, -1), "truncated"],
        ["has more than its signature", () => Buffer.concat([signed.odd, Buffer.from([0])]), "altered"],
      ];
      for (const [name, bytesOf, reason] of refusals) {
        test(`and the last good ones decide where a newer one ${name}: ${reason}`, async () => {
          const trustedKeys = [own.publicKey, next.publicKey];
          assert.throws(() => Orthrus.fromBundleSync(bytesOf(), { trustedKeys }), { code: "BUNDLE_INVALID", reason });
          let current = signed.even;
          const engine = await Orthrus.fromBundle(async () => current, { trustedKeys });
          current = bytesOf();
          assert.equal(await outcome(engine.refresh()), `BUNDLE_INVALID ${reason}`);
          assert.equal(digests[engine.bundle.digest], "even");
          current = signed.odd;
          assert.equal(await engine.refresh(), true);
          assert.equal(digests[engine.bundle.digest], "odd");
        });
      }

      test("no byte can be changed without being noticed", () => {
        const trustedKeys = [own.publicKey];
        for (let at = 0; at < signed.even.length; at++) {
          assert.throws(() => Orthrus.fromBundleSync(altered(signed.even, at), { trustedKeys }), {
            code: "BUNDLE_INVALID",
          });
        }
      });
    });

    describe("of a file", () => {
      const folder = mkdtempSync(join(tmpdir(), "orthrus-bundle-files-"));
      const path = join(folder, "policies.orb");
      after(() => rmSync(folder, { recursive: true, force: true }));

      for (const [name, open] of [
        ["open", (path, options) => Orthrus.open(path, options)],
        ["openSync", async (path, options) => Orthrus.openSync(path, options)],
      ]) {
        test(`follow the file: ${name}`, async () => {
          writeFileSync(path, bytes.even);
          const engine = await open(path, { strictEvaluation: true });
          assert.equal(digests[engine.bundle.digest], "even");
          assert.equal(engine.policyCount, 1);
          writeFileSync(path, bytes.odd.subarray(0, 50));
          assert.equal(await outcome(engine.refresh()), "BUNDLE_INVALID truncated");
          writeFileSync(path, bytes.odd);
          assert.equal(await engine.refresh(), true);
          assert.equal(digests[engine.bundle.digest], "odd");
          engine.close();
        });
      }
    });
  });
}
