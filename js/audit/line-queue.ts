/** Lines on their way to a file: in their order, without anybody waiting, and no more than memory has room for. */

import { AuditError } from "../errors.js";
import type { FileLimits, Lines } from "./ndjson-file.js";
import { RotatingFile } from "./rotating-file.js";

const LINE_FEED = 0x0a;

/** Milliseconds until a disk that failed is tried again: at first, and at most. */
const FIRST_PAUSE = 1000;
const LONGEST_PAUSE = 60_000;

/** How many bytes are handed to the disk at once, unless one line has more. */
const PORTION = 1024 * 1024;

/** Lines for a file, which is opened when there is one. */
export function openLines(path: string, limits: FileLimits): Lines {
  return new LineQueue(path, limits);
}

class LineQueue implements Lines {
  readonly #path: string;
  readonly #file: RotatingFile;
  readonly #limit: number;
  /** Lines that wait. */
  #lines: Buffer[] = [];
  /** What the disk has begun with, and not taken yet. */
  #portion: Uint8Array = new Uint8Array(0);
  /** Bytes of both. */
  #size = 0;
  #dropped = 0;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #pause = FIRST_PAUSE;
  #scheduled = false;
  #closed = false;
  /** Of the log that wrote last. */
  #onError: (error: unknown) => void = () => undefined;

  constructor(path: string, limits: FileLimits) {
    this.#path = path;
    this.#file = new RotatingFile(path, limits);
    this.#limit = limits.backlogBytes;
  }

  add(text: string, onError: (error: unknown) => void): void {
    this.#onError = onError;
    const line = Buffer.from(`${text}\n`);
    if (this.#closed || this.#size + line.length > this.#limit) {
      this.#dropped += 1;
    } else {
      this.#lines.push(line);
      this.#size += line.length;
    }
    this.#schedule();
  }

  async flush(): Promise<void> {
    do {
      await this.#run();
    } while (this.#size > 0);
  }

  async close(): Promise<void> {
    this.#closed = true;
    try {
      await this.flush();
    } finally {
      clearTimeout(this.#retry);
      this.#dropped += this.#lines.length + this.#portion.filter((byte) => byte === LINE_FEED).length;
      this.#lines = [];
      this.#portion = new Uint8Array(0);
      this.#size = 0;
      this.#tellDropped();
      await this.#file.close();
    }
  }

  /** Lines of one turn of the event loop go together. A disk that failed is left alone until its pause is over. */
  #schedule(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(() => {
        this.#scheduled = false;
        if (this.#retry === undefined) {
          this.#runUnwatched();
        }
      });
    }
  }

  #runUnwatched(): void {
    this.#run().catch(() => undefined);
  }

  /** Writes what there is, one run at a time. Rejects with what `onError` was told. */
  #run(): Promise<void> {
    this.#running ??= this.#write().finally(() => {
      this.#running = undefined;
      this.#tellDropped();
    });
    return this.#running;
  }

  async #write(): Promise<void> {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    try {
      while (this.#size > 0) {
        if (this.#portion.length === 0) {
          const [first] = this.#lines;
          this.#portion = this.#take(await this.#file.makeRoom(first?.length ?? 0));
        }
        const written = await this.#file.append(this.#portion);
        this.#portion = this.#portion.subarray(written);
        this.#size -= written;
      }
      this.#pause = FIRST_PAUSE;
    } catch (cause) {
      throw this.#failed(cause);
    }
  }

  /** As many lines as there is room for; one at least. */
  #take(room: number): Uint8Array {
    const limit = Math.min(room, PORTION);
    let count = 0;
    let bytes = 0;
    do {
      bytes += this.#lines[count]?.length ?? 0;
      count += 1;
    } while (count < this.#lines.length && bytes + (this.#lines[count]?.length ?? 0) <= limit);
    return Buffer.concat(this.#lines.splice(0, count));
  }

  #failed(cause: unknown): AuditError {
    const message = cause instanceof Error ? cause.message : String(cause);
    const error = new AuditError("AUDIT_UNWRITABLE", `${this.#path} cannot be written: ${message}`, 0, { cause });
    if (!this.#closed) {
      // A process that has nothing else to do must end.
      this.#retry = setTimeout(() => this.#runUnwatched(), this.#pause).unref();
      this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
    }
    this.#onError(error);
    return error;
  }

  #tellDropped(): void {
    const dropped = this.#dropped;
    if (dropped > 0) {
      this.#dropped = 0;
      const why = this.#closed ? "the file is closed" : "too many wait already";
      const lines = `${dropped} line${dropped === 1 ? "" : "s"}`;
      this.#onError(new AuditError("AUDIT_DROPPED", `${lines} of ${this.#path} dropped: ${why}`, dropped));
    }
  }
}
