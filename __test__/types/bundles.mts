/** What sources of bundles and engines on them take and give: also Cloudflare's and Amazon's own types. Compiled, never run. */

import { generateKeyPairSync } from "node:crypto";
import { GetObjectCommand, S3, S3Client } from "@aws-sdk/client-s3";
import type { KVNamespace, R2Bucket } from "@cloudflare/workers-types";
import type { JWK } from "jose";
import {
  type BundleError,
  type BundleOptions,
  type BundleRefresh,
  type BundleState,
  Orthrus,
  type PolicySource,
} from "orthrus";
import { type BundleSource, fetchBundle, fileBundle, kvBundle, loadOnce, r2Bundle, s3Bundle } from "orthrus/bundles";

declare const joseKey: JWK;
declare const kv: KVNamespace;
declare const kvOfKeys: KVNamespace<"policies.orb">;
declare const r2: R2Bucket;
declare const bytes: Uint8Array;

export const sources: BundleSource[] = [
  fetchBundle("https://policies.example.com/policies.orb", { timeout: "5s", maxBytes: 1e6 }),
  fetchBundle(new URL("https://policies.example.com/policies.orb"), {
    headers: async () => ({ authorization: "Bearer x" }),
    fetch: (url, init) => fetch(url, init),
  }),
  fetchBundle("https://policies.example.com/", { headers: new Headers() }),
  fileBundle("policies.orb"),
  fileBundle(new URL("file:///policies.orb")),
  kvBundle(kv, "policies.orb", { cacheTtl: 60 }),
  kvBundle(kvOfKeys, "policies.orb"),
  r2Bundle(r2, "policies.orb", { timeout: 2 }),
  s3Bundle(new S3Client({}), GetObjectCommand, { Bucket: "acme", Key: "policies.orb" }),
  s3Bundle(new S3({}), GetObjectCommand, { Bucket: "acme", Key: "policies.orb", VersionId: "v1" }, { maxBytes: 1e6 }),
  { name: "own", load: async (previous) => (previous?.etag === "1" ? "unchanged" : { bytes, etag: "1" }) },
];

// @ts-expect-error: an object has a bucket
s3Bundle(new S3Client({}), GetObjectCommand, { Key: "policies.orb" });
// @ts-expect-error: the command has no such member
s3Bundle(new S3Client({}), GetObjectCommand, { Bucket: "acme", Key: "policies.orb", Version: "v1" });
// @ts-expect-error: R2 is no KV
kvBundle(r2, "policies.orb");
// @ts-expect-error: KV is no R2
r2Bundle(kv, "policies.orb");
// @ts-expect-error: files have no headers
fileBundle("policies.orb", { headers: {} });

const options: BundleOptions = {
  strictEvaluation: true,
  trustedKeys: [
    "-----BEGIN PUBLIC KEY-----",
    { kty: "OKP", crv: "Ed25519", x: "…" },
    generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" }),
    joseKey,
  ],
  refresh: { every: "60s", timer: false },
  onRefresh: (refresh: BundleRefresh) => {
    if (refresh.outcome === "failed") {
      console.error(refresh.error.code, refresh.bundle.digest);
    }
    // @ts-expect-error: there is an error only where it failed
    console.log(refresh.error.code);
  },
};

export async function engines(): Promise<void> {
  const engine = await Orthrus.fromBundle(fileBundle("policies.orb"), options);
  await Orthrus.fromBundle(bytes.buffer as ArrayBuffer, options);
  await Orthrus.fromBundle(async (previous) => (previous === undefined ? bytes : "unchanged"));
  await Orthrus.open("policies.orb", options);
  Orthrus.openSync("policies.orb", options);
  Orthrus.fromBundleSync(bytes, options);
  await Orthrus.fromBundle((previous) => (previous === undefined ? bytes : "unchanged"));
  // @ts-expect-error: a source is asked, which takes a while
  Orthrus.fromBundleSync(fileBundle("policies.orb"));
  // @ts-expect-error: text is not signed
  await Orthrus.fromFiles({}, { trustedKeys: [] });
  const changed: boolean = await engine.refresh();
  const stale: Promise<void> = engine.refreshIfStale();
  const state: BundleState | undefined = engine.bundle;
  const told: [string, string | undefined, Date, Date] | undefined = state && [
    state.digest,
    state.keyId,
    state.loadedAt,
    state.checkedAt,
  ];
  const { metadata } = await engine.checkResource({
    principal: { id: "ann", roles: ["user"] },
    resource: { kind: "document", id: "1" },
    actions: ["view"],
    includeMetadata: true,
  });
  const policySource: PolicySource | undefined = metadata?.policySource;
  console.log(changed, stale, told, policySource?.digest);
}

export const once: () => Promise<Orthrus> = loadOnce(() => Orthrus.fromBundle(kvBundle(kv, "policies.orb")));

declare const error: BundleError;
export const reason: "altered" | undefined = error.reason === "altered" ? error.reason : undefined;
