/** Sources of bundles: servers, files, functions; what they bring, and what is refused. */

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { BundleError, fetchBundle, fileBundle, kvBundle, r2Bundle, s3Bundle } from "orthrus/bundles";
import { bundle, bundleServer, cutOff, endless, outcome, silent, status } from "../support/bundles.mjs";

const { asSource, loadVersion } = createRequire(import.meta.url)("../../dist/bundles/version.js");

const BYTES = Buffer.from("the bytes of a bundle");
const DIGEST = "sha256:0";

describe("a bundle of a server", () => {
  let server;
  before(async () => {
    server = await bundleServer();
  });
  after(() => server.close());

  /** A source on the server, which answers with `respond`. */
  function sourceOn(respond, options) {
    Object.assign(server, { respond, requests: [] });
    return fetchBundle(server.url, options);
  }

  test("comes with its ETag", async () => {
    const source = sourceOn(bundle(BYTES, '"one"'));
    const { bytes, etag } = await source.load();
    assert.deepEqual([Buffer.from(bytes), etag], [BYTES, '"one"']);
    assert.equal(source.name, server.url);
    assert.equal(server.requests[0].headers["if-none-match"], undefined);
  });

  test("does not travel while it has its ETag", async () => {
    const source = sourceOn(bundle(BYTES, '"one"'));
    assert.equal(await source.load({ digest: DIGEST, etag: '"one"' }), "unchanged");
    assert.equal((await source.load({ digest: DIGEST, etag: '"zero"' })).etag, '"one"');
    assert.deepEqual(
      server.requests.map(({ headers }) => headers["if-none-match"]),
      ['"one"', '"zero"'],
    );
  });

  test("may have no ETag", async () => {
    const source = sourceOn(bundle(BYTES, null));
    assert.equal((await source.load()).etag, undefined);
    assert.deepEqual(Buffer.from((await source.load({ digest: DIGEST })).bytes), BYTES);
  });

  test("is asked for with the headers of the options", async () => {
    await sourceOn(bundle(BYTES), { headers: { authorization: "Bearer one" } }).load();
    assert.equal(server.requests[0].headers.authorization, "Bearer one");
    let calls = 0;
    const source = sourceOn(bundle(BYTES), {
      headers: async () => new Headers({ authorization: `Bearer ${++calls}` }),
    });
    await source.load();
    await source.load({ digest: DIGEST, etag: '"0"' });
    assert.deepEqual(
      server.requests.map(({ headers }) => [headers.authorization, headers["if-none-match"]]),
      [
        ["Bearer 1", undefined],
        ["Bearer 2", '"0"'],
      ],
    );
  });

  test("is fetched by the function of the options", async () => {
    const calls = [];
    const fetch = async (url, init) => {
      calls.push([url, init.redirect]);
      return new Response(BYTES, { headers: { etag: '"own"' } });
    };
    const { bytes, etag } = await fetchBundle("https://policies.test/a.orb?token=secret", { fetch }).load();
    assert.deepEqual([Buffer.from(bytes), etag], [BYTES, '"own"']);
    assert.deepEqual(calls, [["https://policies.test/a.orb?token=secret", "manual"]]);
  });

  const refusals = [
    ["404", status(404), "not-found", /there is none \(HTTP 404\)/],
    ["410", status(410), "not-found", /HTTP 410/],
    ["500", status(500), "status", /HTTP 500/],
    ["403", status(403), "status", /HTTP 403/],
    ["204", status(204), "status", /HTTP 204/],
    ["304 to who has nothing", status(304), "status", /HTTP 304/],
    ["a redirect", status(302, { location: "/policies.orb" }), "redirect", /a redirect, which is not followed/],
    ["a lasting redirect", status(308, { location: "https://elsewhere.test/" }), "redirect", /redirect/],
    ["an answer cut off", cutOff(BYTES), "failed", /cannot be had from http:\/\/127/],
    ["a connection cut off", (request) => request.socket.destroy(), "failed", /other side closed|ECONNRESET/],
    ["silence", silent, "timeout", /no answer within 60 ms/, { timeout: "60ms" }],
    [
      "silence after the headers",
      (_request, response) => response.writeHead(200).write("x"),
      "timeout",
      /no answer within 60 ms/,
      { timeout: "60ms" },
    ],
    ["more than announced to be allowed", bundle(BYTES), "too-large", /more than 20 bytes/, { maxBytes: 20 }],
    ["bytes without end", endless, "too-large", /more than 100000 bytes/, { maxBytes: 100_000 }],
  ];
  for (const [name, respond, reason, message, options] of refusals) {
    test(`is not had from a server that answers by ${name}: ${reason}`, async () => {
      const source = sourceOn(respond, options);
      await assert.rejects(source.load(), (error) => {
        assert.ok(error instanceof BundleError);
        assert.deepEqual([error.code, error.reason], ["BUNDLE_UNAVAILABLE", reason]);
        assert.match(error.message, message);
        return true;
      });
      assert.equal(server.requests.length, 1);
    });
  }

  test("is not had by a redirect of which a browser tells nothing", async () => {
    const fetch = async () =>
      Object.defineProperties(new Response(), { type: { value: "opaqueredirect" }, status: { value: 0 } });
    assert.equal(await outcome(fetchBundle("https://x.test", { fetch }).load()), "BUNDLE_UNAVAILABLE redirect");
  });

  test("of exactly the size that is allowed comes", async () => {
    const { bytes } = await sourceOn(bundle(BYTES), { maxBytes: BYTES.length }).load();
    assert.equal(bytes.length, BYTES.length);
  });

  test("is not had where nobody listens", async () => {
    const gone = await bundleServer();
    await gone.close();
    await assert.rejects(fetchBundle(gone.url).load(), { reason: "failed", message: /ECONNREFUSED/ });
  });

  test("is named without what may be secret", async () => {
    const source = fetchBundle(`${server.url}?X-Amz-Signature=secret`);
    server.respond = status(500);
    await assert.rejects(source.load(), ({ message }) => !message.includes("secret") && message.includes(server.url));
  });

  test("is not had where the function for headers fails", async () => {
    const headers = () => Promise.reject(new Error("no token"));
    await assert.rejects(sourceOn(bundle(BYTES), { headers }).load(), { reason: "failed", message: /: no token$/ });
  });
});

describe("a URL must be", () => {
  for (const url of ["https://policies.test/a.orb", "http://localhost:1/", "http://127.0.0.1/", "http://[::1]/"]) {
    test(`such as ${url}`, () => assert.ok(fetchBundle(url).name));
  }
  for (const [url, problem] of [
    ["http://policies.test/a.orb", /must begin with https:/],
    ["http://127.0.0.1.evil.test/", /must begin with https:/],
    ["http://localhost.evil.test/", /must begin with https:/],
    ["file:///policies.orb", /must begin with https:/],
    ["policies.orb", /whole URL/],
    ["https://ann:secret@policies.test/", /must not hold a password/],
    [undefined, /whole URL/],
  ]) {
    test(`not ${url}`, () =>
      assert.throws(() => fetchBundle(url), { code: "OPTIONS_INVALID", path: "url", message: problem }));
  }
});

describe("a bundle of a file", () => {
  const folder = mkdtempSync(join(tmpdir(), "orthrus-bundles-"));
  after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "policies.orb");

  test("comes, and is not read again until it changes", async () => {
    writeFileSync(path, BYTES);
    const source = fileBundle(pathToFileURL(path));
    assert.equal(source.name, path);
    const { bytes, etag } = await source.load();
    assert.deepEqual(Buffer.from(bytes), BYTES);
    assert.equal(await source.load({ digest: DIGEST, etag }), "unchanged");
    writeFileSync(join(folder, "next.orb"), "another bundle, bytes");
    renameSync(join(folder, "next.orb"), path);
    const next = await source.load({ digest: DIGEST, etag });
    assert.equal(Buffer.from(next.bytes).toString(), "another bundle, bytes");
    assert.notEqual(next.etag, etag);
  });

  test("is read again when only its time changes", async () => {
    writeFileSync(path, BYTES);
    const { etag } = await fileBundle(path).load();
    utimesSync(path, 1, 1);
    assert.notEqual(await fileBundle(path).load({ digest: DIGEST, etag }), "unchanged");
  });

  for (const [name, target, options, reason] of [
    ["is missing", "nowhere.orb", {}, "not-found"],
    ["is a directory", "folder", {}, "failed"],
    ["is too large", "policies.orb", { maxBytes: 3 }, "too-large"],
  ]) {
    test(`is not had where it ${name}: ${reason}`, async () => {
      mkdirSync(join(folder, "folder"), { recursive: true });
      writeFileSync(path, BYTES);
      await assert.rejects(fileBundle(join(folder, target), options).load(), {
        code: "BUNDLE_UNAVAILABLE",
        reason,
        message: new RegExp(target),
      });
    });
  }
});

describe("a function in the place of a source", () => {
  const PREVIOUS = { digest: DIGEST, etag: "7" };
  const buffer = BYTES.buffer.slice(BYTES.byteOffset, BYTES.byteOffset + BYTES.length);

  test("is told what decides, and named", async () => {
    const told = [];
    const source = asSource(async function fromDatabase(previous) {
      told.push(previous);
      return "unchanged";
    });
    assert.equal(source.name, "fromDatabase()");
    assert.equal(await source.load(PREVIOUS), "unchanged");
    assert.deepEqual(told, [PREVIOUS]);
    assert.equal(asSource(() => BYTES).name, "function()");
  });

  for (const [name, load] of [
    ["bytes", () => BYTES],
    ["a promise of bytes", async () => new Uint8Array(BYTES)],
    ["an ArrayBuffer", () => buffer],
    ["{ bytes, etag }", () => ({ bytes: buffer, etag: undefined })],
  ]) {
    test(`may bring ${name}`, async () => {
      const { bytes } = await loadVersion(asSource(load));
      assert.deepEqual(Buffer.from(bytes), BYTES);
    });
  }

  for (const [name, load, message] of [
    ["nothing", () => undefined, /must bring \{ bytes \}/],
    ["text", () => "policies", /must bring \{ bytes \}/],
    ["an object without bytes", () => ({ etag: "1" }), /must bring \{ bytes \}/],
    ['"unchanged" at first', () => "unchanged", /though it has brought none before/],
    [
      "an error",
      () => {
        throw new Error("no database");
      },
      /cannot be had from function\(\): no database/,
    ],
    ["what is no error", () => Promise.reject("oops"), /: oops/],
  ]) {
    test(`must not bring ${name}`, () =>
      assert.rejects(loadVersion(asSource(load)), { code: "BUNDLE_UNAVAILABLE", reason: "failed", message }));
  }

  for (const value of [undefined, null, "policies.orb", 7, {}, { load() {} }, { name: "x" }, [BYTES]]) {
    test(`is neither ${JSON.stringify(value)}`, () =>
      assert.throws(() => asSource(value), { code: "OPTIONS_INVALID", path: "bundle" }));
  }
});

describe("what a source is made with", () => {
  const kv = { get: async () => null };
  class Command {}
  const client = { send: async () => ({}) };
  const location = { Bucket: "b", Key: "k" };
  for (const [name, make, path] of [
    ["no options", () => fetchBundle("https://x.test", null), ""],
    ["an unknown option", () => fetchBundle("https://x.test", { header: {} }), "header"],
    ["no headers", () => fetchBundle("https://x.test", { headers: "a: b" }), "headers"],
    ["no function", () => fetchBundle("https://x.test", { fetch: {} }), "fetch"],
    ["no time", () => fetchBundle("https://x.test", { timeout: 0 }), "timeout"],
    ["no duration", () => fetchBundle("https://x.test", { timeout: "soon" }), "timeout"],
    ["no size", () => fetchBundle("https://x.test", { maxBytes: 0 }), "maxBytes"],
    ["half a byte", () => fileBundle("x.orb", { maxBytes: 1.5 }), "maxBytes"],
    ["no path", () => fileBundle(""), "path"],
    ["a URL of a server for a path", () => fileBundle(new URL("https://x.test")), "path"],
    ["no namespace", () => kvBundle(undefined, "k"), "namespace"],
    ["no key", () => kvBundle(kv, ""), "key"],
    ["a cache for too short", () => kvBundle(kv, "k", { cacheTtl: 10 }), "cacheTtl"],
    ["an option of another source", () => kvBundle(kv, "k", { headers: {} }), "headers"],
    ["no bucket", () => r2Bundle({}, "k"), "bucket"],
    ["no key of a bucket", () => r2Bundle(kv, 7), "key"],
    ["no client", () => s3Bundle({}, Command, location), "client"],
    ["no command", () => s3Bundle(client, undefined, location), "GetObjectCommand"],
    ["no location", () => s3Bundle(client, Command, undefined), "location"],
    ["no Bucket", () => s3Bundle(client, Command, { Key: "k" }), "Bucket"],
    ["no Key", () => s3Bundle(client, Command, { Bucket: "b" }), "Key"],
  ]) {
    test(`must not be ${name}`, () => assert.throws(make, { code: "OPTIONS_INVALID", path }));
  }
});

test("what does not answer in time is left to itself", async () => {
  const never = { get: () => new Promise(() => undefined) };
  assert.equal(await outcome(kvBundle(never, "k", { timeout: "20ms" }).load()), "BUNDLE_UNAVAILABLE timeout");
  // A failure after that is nobody's.
  const late = { get: () => new Promise((_, reject) => setTimeout(() => reject(new Error("late")), 40)) };
  assert.equal(await outcome(r2Bundle(late, "k", { timeout: "20ms" }).load()), "BUNDLE_UNAVAILABLE timeout");
  await new Promise((resolve) => setTimeout(resolve, 40));
});
