/** What stands in for files where there are none. */

import type { Lines } from "../audit/ndjson-file.js";
import type { LoadedBundle } from "../bundles/source.js";
import type { Version } from "../bundles/version.js";
import { UnsupportedError } from "../errors.js";

/** No path leads to a bundle. */
export async function isBundleFile(_path: string): Promise<boolean> {
  return false;
}

/** No path leads to a bundle. */
export function isBundleFileSync(_path: string): boolean {
  return false;
}

export async function readVersion(path: string, ..._rest: unknown[]): Promise<LoadedBundle | "unchanged"> {
  return refuse(path);
}

export function readVersionSync(path: string): Version {
  return refuse(path);
}

export function readFile(path: string | URL): Uint8Array {
  return refuse(String(path));
}

export function openLines(path: string, ..._rest: unknown[]): Lines {
  throw new UnsupportedError(`${path} cannot be written: there are no files here`);
}

export function pathOf(url: URL): string {
  return url.pathname;
}

function refuse(path: string): never {
  throw new UnsupportedError(`${path} cannot be read: there are no files here`);
}
