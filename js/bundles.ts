/** Where bundles of policies come from. For `Orthrus.fromBundle`. */

export {
  type BundleKVNamespace,
  type BundleR2Bucket,
  type BundleR2Object,
  type KVBundleOptions,
  kvBundle,
  r2Bundle,
} from "./bundles/cloudflare.js";
export { type BundleHeaders, type FetchBundleOptions, fetchBundle } from "./bundles/fetch.js";
export { fileBundle } from "./bundles/file.js";
export { loadOnce } from "./bundles/load-once.js";
export type { BundleOptions, RefreshOptions } from "./bundles/options.js";
export { type BundleS3Client, type S3BundleInput, s3Bundle } from "./bundles/s3.js";
export type {
  BundleLoader,
  BundleSource,
  BundleSourceOptions,
  LoadedBundle,
  PreviousBundle,
} from "./bundles/source.js";
export type { BundleIdentity, BundleRefresh, BundleState } from "./bundles/state.js";
export type { Ed25519PublicJwk, TrustedKey } from "./bundles/trusted-keys.js";
export { BundleError, type BundleInvalidReason, type BundleUnavailableReason } from "./errors.js";
