/** A file that is appended to, and set aside when it is full. A part that needs Node.js. */

import { constants } from "node:fs";
import { access, type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";
import type { FileLimits } from "./ndjson-file.js";

/** The time in the names of files that were set aside. */
const TIME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/;

/** Owners alone may read what was decided about whom. */
const MODE = 0o600;

/** Fails as the disk does. After a failure, what is asked next opens the file anew. */
export class RotatingFile {
  readonly #path: string;
  readonly #limits: FileLimits;
  #handle: FileHandle | undefined;
  /** Bytes in the file. */
  #size = 0;

  constructor(path: string, limits: FileLimits) {
    this.#path = path;
    this.#limits = limits;
  }

  /** Makes room for a line of so many bytes at least. Resolves to how many bytes the file may take before it is full. */
  async makeRoom(bytes: number): Promise<number> {
    await this.#opened();
    // What is larger than any file gets one of its own.
    if (this.#size > 0 && this.#size + bytes > this.#limits.fileBytes) {
      await this.close();
      await this.#setAside();
      await this.#opened();
    }
    return this.#limits.fileBytes - this.#size;
  }

  /** Appends bytes. Resolves to how many the disk took. */
  async append(bytes: Uint8Array): Promise<number> {
    const handle = await this.#opened();
    try {
      const { bytesWritten } = await handle.write(bytes);
      this.#size += bytesWritten;
      return bytesWritten;
    } catch (error) {
      await this.close().catch(() => undefined);
      throw error;
    }
  }

  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #opened(): Promise<FileHandle> {
    if (this.#handle === undefined) {
      await mkdir(dirname(this.#path), { recursive: true });
      this.#handle = await open(this.#path, "a", MODE);
      this.#size = (await this.#handle.stat()).size;
      await this.#removeOld();
    }
    return this.#handle;
  }

  async #setAside(): Promise<void> {
    let time = Date.now();
    while (await exists(this.#nameAt(time))) {
      time += 1;
    }
    await rename(this.#path, this.#nameAt(time));
  }

  #nameAt(time: number): string {
    const [name, extension] = this.#nameParts();
    const text = new Date(time).toISOString().slice(0, -1).replaceAll(":", "-");
    return join(dirname(this.#path), `${name}-${text}${extension}`);
  }

  async #removeOld(): Promise<void> {
    const { age, count } = this.#limits;
    if (age === Infinity && count === Infinity) {
      return;
    }
    const [name, extension] = this.#nameParts();
    const folder = dirname(this.#path);
    const times = (await readdir(folder))
      .filter((file) => file.startsWith(`${name}-`) && file.endsWith(extension))
      .map((file) => file.slice(name.length + 1, file.length - extension.length))
      .filter((time) => TIME.test(time))
      .sort()
      .reverse();
    const oldest = this.#nameAt(Math.max(0, Date.now() - age));
    for (const [index, time] of times.entries()) {
      const file = join(folder, `${name}-${time}${extension}`);
      if (index >= count || file < oldest) {
        await rm(file, { force: true });
      }
    }
  }

  #nameParts(): [name: string, extension: string] {
    const extension = extname(this.#path);
    return [basename(this.#path, extension), extension];
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path, constants.F_OK).then(
    () => true,
    () => false,
  );
}
