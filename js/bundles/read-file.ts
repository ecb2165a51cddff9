/** Reading bundles from files: the one part of the sources that needs Node.js. */

import { type BigIntStats, closeSync, fstatSync, openSync, readFileSync, readSync, statSync } from "node:fs";
import { type FileHandle, open, stat } from "node:fs/promises";
import { isBundle, MAGIC_LENGTH } from "./magic.js";
import { type LoadedBundle, requireSize, Unavailable, unavailable } from "./source.js";
import type { Version } from "./version.js";

/** Whether a path is that of a bundle. What cannot be read is none: whoever opens it says why. */
export async function isBundleFile(path: string): Promise<boolean> {
  try {
    if (!(await stat(path)).isFile()) {
      return false;
    }
    const handle = await open(path);
    try {
      const { buffer, bytesRead } = await handle.read(new Uint8Array(MAGIC_LENGTH), 0, MAGIC_LENGTH, 0);
      return isBundle(buffer.subarray(0, bytesRead));
    } finally {
      await handle.close();
    }
  } catch {
    return false;
  }
}

/** {@link isBundleFile} that blocks. */
export function isBundleFileSync(path: string): boolean {
  try {
    if (!statSync(path).isFile()) {
      return false;
    }
    const file = openSync(path, "r");
    try {
      const bytes = new Uint8Array(MAGIC_LENGTH);
      return isBundle(bytes.subarray(0, readSync(file, bytes, 0, MAGIC_LENGTH, 0)));
    } finally {
      closeSync(file);
    }
  } catch {
    return false;
  }
}

/** {@link readVersion} of a file that nobody has read yet, which blocks. Throws a `BundleError`. */
export function readVersionSync(path: string): Version {
  try {
    const file = openSync(path, "r");
    try {
      const etag = versionOf(fstatSync(file, { bigint: true }));
      const bytes = readFileSync(file);
      const after = versionOf(fstatSync(file, { bigint: true }));
      return { bytes, mark: { etag: after === etag ? etag : undefined, fingerprint: undefined } };
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unavailable(path, error);
  }
}

/** A file, unless it is still the version that `known` names. */
export async function readVersion(
  file: string,
  maxBytes: number,
  known: string | undefined,
): Promise<LoadedBundle | "unchanged"> {
  const handle = await openFile(file);
  try {
    const stats = await handle.stat({ bigint: true });
    if (!stats.isFile()) {
      throw new Unavailable("failed", "it is no file");
    }
    const etag = versionOf(stats);
    if (etag === known) {
      return "unchanged";
    }
    requireSize(Number(stats.size), maxBytes);
    const bytes = await handle.readFile();
    // What was written to meanwhile is no version, and is read again at the next occasion.
    const after = versionOf(await handle.stat({ bigint: true }));
    return { bytes, etag: after === etag ? etag : undefined };
  } finally {
    await handle.close();
  }
}

async function openFile(file: string): Promise<FileHandle> {
  try {
    return await open(file);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Unavailable(code === "ENOENT" ? "not-found" : "failed", message, { cause: error });
  }
}

function versionOf({ mtimeNs, size, ino }: BigIntStats): string {
  return `${mtimeNs}-${size}-${ino}`;
}
