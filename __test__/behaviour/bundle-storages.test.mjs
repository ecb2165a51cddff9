/** Sources in storages, by their own implementations: Workers KV and R2 as Miniflare has them, S3 by Amazon's client. */

import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";
import { GetObjectCommand, S3, S3Client } from "@aws-sdk/client-s3";
import { Miniflare } from "miniflare";
import { kvBundle, r2Bundle, s3Bundle } from "orthrus/bundles";
import { outcome } from "../support/bundles.mjs";
import { s3Server } from "../support/s3-server.mjs";

const ONE = new TextEncoder().encode("the first bundle");
const TWO = new TextEncoder().encode("the second bundle");
const textOf = (bytes) => Buffer.from(bytes).toString();
const KEY = "policies/acme.orb";

const text = ({ bytes }) => textOf(bytes);

describe("in Cloudflare", () => {
  let miniflare;
  let kv;
  let r2;
  before(async () => {
    const script = "export default { fetch: () => new Response() }";
    miniflare = new Miniflare({ modules: true, script, kvNamespaces: ["POLICIES"], r2Buckets: ["BUCKET"], cf: false });
    kv = await miniflare.getKVNamespace("POLICIES");
    r2 = await miniflare.getR2Bucket("BUCKET");
  });
  after(() => miniflare.dispose());

  test("a bundle comes from KV, each time anew", async () => {
    const source = kvBundle(kv, KEY);
    assert.equal(source.name, `kv:${KEY}`);
    await kv.put(KEY, ONE.buffer);
    assert.deepEqual([text(await source.load()), (await source.load()).etag], [textOf(ONE), undefined]);
    await kv.put(KEY, TWO.buffer);
    assert.equal(text(await source.load({ digest: "x" })), textOf(TWO));
    assert.equal(text(await kvBundle(kv, KEY, { cacheTtl: 60 }).load()), textOf(TWO));
  });

  test("KV may have none, or one that is too large", async () => {
    assert.equal(await outcome(kvBundle(kv, "nowhere").load()), "BUNDLE_UNAVAILABLE not-found");
    await kv.put(KEY, ONE.buffer);
    assert.equal(await outcome(kvBundle(kv, KEY, { maxBytes: 3 }).load()), "BUNDLE_UNAVAILABLE too-large");
  });

  test("a bundle comes from R2, and not again while it is the same", async () => {
    const source = r2Bundle(r2, KEY);
    assert.equal(source.name, `r2:${KEY}`);
    await r2.put(KEY, ONE.buffer);
    const first = await source.load();
    assert.equal(text(first), textOf(ONE));
    assert.equal(await source.load({ digest: "x", etag: first.etag }), "unchanged");
    await r2.put(KEY, TWO.buffer);
    const second = await source.load({ digest: "x", etag: first.etag });
    assert.equal(text(second), textOf(TWO));
    assert.notEqual(second.etag, first.etag);
  });

  test("R2 may have none, or one that is too large", async () => {
    assert.equal(await outcome(r2Bundle(r2, "nowhere").load()), "BUNDLE_UNAVAILABLE not-found");
    await r2.put(KEY, ONE.buffer);
    assert.equal(await outcome(r2Bundle(r2, KEY, { maxBytes: 3 }).load()), "BUNDLE_UNAVAILABLE too-large");
  });
});

describe("in S3", () => {
  let server;
  let settings;
  let client;
  const location = { Bucket: "acme", Key: KEY };
  before(async () => {
    server = await s3Server();
    const credentials = { accessKeyId: "AKID", secretAccessKey: "secret" };
    const endpoint = server.origin;
    settings = { endpoint, region: "eu-central-1", forcePathStyle: true, maxAttempts: 1, credentials };
    client = new S3Client(settings);
  });
  after(async () => {
    client.destroy();
    await server.close();
  });
  beforeEach(() => {
    Object.assign(server, { requests: [], failWith: undefined, tamper: undefined });
    server.objects.set(`/acme/${KEY}`, ONE);
  });

  test("a bundle comes, and not again while it is the same", async () => {
    const source = s3Bundle(client, GetObjectCommand, location);
    assert.equal(source.name, `s3://acme/${KEY}`);
    const first = await source.load();
    assert.equal(text(first), textOf(ONE));
    assert.equal(await source.load({ digest: "x", etag: first.etag }), "unchanged");
    server.objects.set(`/acme/${KEY}`, TWO);
    assert.equal(text(await source.load({ digest: "x", etag: first.etag })), textOf(TWO));
    // It is Amazon's client that asks, and signs.
    assert.match(server.requests[0].headers.authorization, /^AWS4-HMAC-SHA256 Credential=AKID/);
  });

  test("the client may be the one with a method for each command", async () => {
    const all = new S3(settings);
    assert.equal(text(await s3Bundle(all, GetObjectCommand, location).load()), textOf(ONE));
    all.destroy();
  });

  test("what else the command takes is handed on", async () => {
    await s3Bundle(client, GetObjectCommand, { ...location, VersionId: "v7" }).load();
    assert.equal(new URL(server.requests[0].url, server.origin).searchParams.get("versionId"), "v7");
  });

  const failures = [
    ["has no such key", () => server.objects.clear(), {}, "not-found", /NoSuchKey/],
    ["refuses the credentials", () => Object.assign(server, { failWith: 403 }), {}, "status", /403 \(AccessDenied/],
    ["is overloaded", () => Object.assign(server, { failWith: 503 }), {}, "status", /503 \(SlowDown/],
    ["has a larger one", () => undefined, { maxBytes: 3 }, "too-large", /more than 3 bytes/],
    [
      "has a larger one, and does not say so",
      () =>
        Object.assign(server, { tamper: (response, object, etag) => response.writeHead(200, { etag }).end(object) }),
      { maxBytes: 3 },
      "too-large",
      /more than 3 bytes/,
    ],
    [
      "breaks off",
      () =>
        Object.assign(server, {
          tamper(response, object, etag) {
            response.writeHead(200, { etag, "content-length": object.length + 9 });
            response.write(object, () => response.destroy());
          },
        }),
      {},
      "failed",
      /s3:\/\/acme/,
    ],
    [
      "says nothing",
      () => Object.assign(server, { tamper: () => undefined }),
      { timeout: "80ms" },
      "timeout",
      /within 80 ms/,
    ],
  ];
  for (const [name, arrange, options, reason, message] of failures) {
    test(`a bundle is not had where it ${name}: ${reason}`, async () => {
      arrange();
      const source = s3Bundle(client, GetObjectCommand, location, options);
      await assert.rejects(source.load(), { code: "BUNDLE_UNAVAILABLE", reason, message });
    });
  }
});
