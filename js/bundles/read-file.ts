/** Reading bundles from files: the one part of the sources that needs Node.js. */

import type { BigIntStats } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type LoadedBundle, requireSize, Unavailable } from "./source.js";

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
