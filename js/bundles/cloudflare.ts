/** Bundles in Cloudflare's storages: by bindings of a Worker, in the shape that `@cloudflare/workers-types` gives them. */

import { OptionsError } from "../errors.js";
import {
  type BundleSource,
  type BundleSourceOptions,
  checkLimits,
  hasMethod,
  type LoadedBundle,
  limitedSource,
  requireName,
  requireSize,
  Unavailable,
} from "./source.js";

/** What a source needs of a `KVNamespace`. */
export interface BundleKVNamespace {
  get(key: string, options: { type: "arrayBuffer"; cacheTtl?: number }): Promise<ArrayBuffer | null>;
}

/** Options of {@link kvBundle}. */
export interface KVBundleOptions extends BundleSourceOptions {
  /** For how many seconds this data centre may answer from its cache; at least 30. Default: Cloudflare's, 60. */
  cacheTtl?: number | undefined;
}

/**
 * A bundle under a key of Workers KV. A value has no ETag there, so that it is read each time; Cloudflare caches it, and policies
 * that have not changed are not loaded again. What is written reaches all data centres within a minute or more.
 *
 * Throws an `OptionsError`.
 */
export function kvBundle(namespace: BundleKVNamespace, key: string, options: KVBundleOptions = {}): BundleSource {
  const limits = checkLimits(options, ["cacheTtl"]);
  requireBinding(namespace, "namespace", "a KV namespace: is it bound in wrangler.toml?");
  const name = `kv:${requireName(key, "key")}`;
  const { cacheTtl } = options;
  if (cacheTtl !== undefined && (!Number.isSafeInteger(cacheTtl) || cacheTtl < 30)) {
    throw new OptionsError("cacheTtl", "must be a number of seconds, at least 30");
  }
  const read = { type: "arrayBuffer", ...(cacheTtl === undefined ? {} : { cacheTtl }) } as const;
  return limitedSource(name, limits, async () => {
    const bytes = await namespace.get(key, read);
    if (bytes === null) {
      throw new Unavailable("not-found", "the namespace has no such key");
    }
    requireSize(bytes.byteLength, limits.maxBytes);
    return { bytes };
  });
}

/** What a source needs of an `R2Bucket`. */
export interface BundleR2Bucket {
  get(key: string, options: { onlyIf?: { etagDoesNotMatch: string } }): Promise<BundleR2Object | null>;
}

/** What a source needs of an `R2Object`, and of an `R2ObjectBody` if there is one. */
export interface BundleR2Object {
  readonly etag: string;
  readonly size: number;
  readonly arrayBuffer?: () => Promise<ArrayBuffer>;
  readonly body?: { cancel(): Promise<void> };
}

/**
 * A bundle under a key of an R2 bucket, asked for with the ETag that it had, so that one which has not changed does not travel.
 *
 * Throws an `OptionsError`.
 */
export function r2Bundle(bucket: BundleR2Bucket, key: string, options: BundleSourceOptions = {}): BundleSource {
  const limits = checkLimits(options);
  requireBinding(bucket, "bucket", "an R2 bucket: is it bound in wrangler.toml?");
  const name = `r2:${requireName(key, "key")}`;
  return limitedSource(name, limits, async (previous): Promise<LoadedBundle | "unchanged"> => {
    const condition = previous?.etag === undefined ? {} : { onlyIf: { etagDoesNotMatch: previous.etag } };
    const object = await bucket.get(key, condition);
    if (object === null) {
      throw new Unavailable("not-found", "the bucket has no such key");
    }
    if (object.arrayBuffer === undefined) {
      // An object without a body is one that the condition does not meet.
      return "unchanged";
    }
    if (object.size > limits.maxBytes) {
      await object.body?.cancel();
    }
    requireSize(object.size, limits.maxBytes);
    return { bytes: await object.arrayBuffer(), etag: object.etag };
  });
}

function requireBinding(binding: unknown, option: string, what: string): void {
  if (!hasMethod(binding, "get")) {
    throw new OptionsError(option, `must be ${what}`);
  }
}
