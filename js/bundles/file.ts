import { readVersion } from "#platform";
import { storePath } from "../engine/store-path.js";
import { type BundleSource, type BundleSourceOptions, checkLimits, limitedSource } from "./source.js";

/**
 * A bundle in a file, by its path or `file:` URL. It is read again when its time, size or inode change: replace it by renaming another
 * one over it, so that nobody reads half of it. Node.js alone has files; elsewhere it cannot be loaded.
 *
 * Throws an `OptionsError`.
 */
export function fileBundle(path: string | URL, options: BundleSourceOptions = {}): BundleSource {
  const limits = checkLimits(options, [], Number.MAX_SAFE_INTEGER);
  const file = storePath(path, "path", "a bundle");
  return limitedSource(file, limits, (previous) => readVersion(file, limits.maxBytes, previous?.etag));
}
