/** What this package needs of Node.js: the addon and files. Elsewhere `#platform` is another module of this folder. */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { loadNative } from "../engine/addon.js";
import type { Native } from "../engine/native.js";

export { openLines } from "../audit/line-queue.js";
export { isBundleFile, isBundleFileSync, readVersion, readVersionSync } from "../bundles/read-file.js";
export { loadNative };

/** The addon, once it can be used: here at once. */
export async function whenReady(): Promise<Native> {
  return loadNative();
}

/** The bytes of a file. */
export function readFile(path: string | URL): Uint8Array {
  return readFileSync(path);
}

/** The path that a `file:` URL stands for. */
export function pathOf(url: URL): string {
  return fileURLToPath(url);
}
