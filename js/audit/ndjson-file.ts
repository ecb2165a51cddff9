import { openLines } from "#platform";
import { storePath } from "../engine/store-path.js";
import { OptionsError } from "../errors.js";
import { optionsOf } from "../options-names.js";
import type { AuditWriter } from "./audit-log.js";

/** How large a file of lines may become, and what becomes of old ones: `audit.file.logRotation` of Cerbos' configuration. */
export interface NdjsonFileOptions {
  /** A file that would become larger is set aside, and another one begun. By default there is one file, of any size. */
  maxFileSizeMB?: number | undefined;
  /** Files that were set aside longer ago are deleted. By default they stay. */
  maxFileAgeDays?: number | undefined;
  /** So many files that were set aside stay, the newest. By default all. */
  maxFileCount?: number | undefined;
  /** How much may wait for a disk that is slow or fails, in megabytes; further lines are dropped. Default: 16. */
  maxBacklogMB?: number | undefined;
}

/** A file of lines of JSON. */
export interface NdjsonFile {
  /** For `auditLog`. Returns at once; lines get to the file in their order. */
  readonly write: AuditWriter;
  /** Waits until all lines so far are in the file. Rejects with an `AuditError` if they cannot be written now. */
  flush(): Promise<void>;
  /** {@link NdjsonFile.flush}, and closes the file. Lines that come later are dropped. */
  close(): Promise<void>;
}

/** The options, checked: bytes and milliseconds; what is not limited is `Infinity`. */
export interface FileLimits {
  fileBytes: number;
  age: number;
  count: number;
  backlogBytes: number;
}

/** Lines on their way to a file. */
export interface Lines {
  /** Adds a line. If it does not get to the file, `onError` is told, and never before this returns. */
  add(text: string, onError: (error: unknown) => void): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

const MEGABYTE = 1024 * 1024;
const DAY = 24 * 60 * 60 * 1000;
const DEFAULT_BACKLOG_MB = 16;
const NAMES: readonly (keyof NdjsonFileOptions)[] = ["maxFileSizeMB", "maxFileAgeDays", "maxFileCount", "maxBacklogMB"];

/**
 * A file of records, one a line, which one process alone writes to. Only its owner may read it. A file that is full gets the time into
 * its name, as with the PDP: `audit-2026-01-31T23-59-59.000.log`. Node.js alone has files; elsewhere this throws an `UnsupportedError`.
 *
 * Throws an `OptionsError`.
 */
export function ndjsonFile(path: string | URL, options: NdjsonFileOptions = {}): NdjsonFile {
  const file = storePath(path, "path", "a file");
  const lines = openLines(file, checkLimits(options));
  return {
    write: (record, onError) => lines.add(JSON.stringify(record), onError),
    flush: () => lines.flush(),
    close: () => lines.close(),
  };
}

function checkLimits(options: NdjsonFileOptions): FileLimits {
  const given = optionsOf(options, "", NAMES);
  for (const name of NAMES) {
    const value = given[name];
    if (value !== undefined && !(typeof value === "number" && value > 0)) {
      throw new OptionsError(name, "must be a number that is more than 0");
    }
    if (value !== undefined && name !== "maxBacklogMB" && options.maxFileSizeMB === undefined) {
      throw new OptionsError(name, "needs maxFileSizeMB: files are set aside by their size");
    }
  }
  const { maxFileSizeMB = Infinity, maxFileAgeDays = Infinity, maxFileCount = Infinity } = options;
  return {
    fileBytes: maxFileSizeMB * MEGABYTE,
    age: maxFileAgeDays * DAY,
    count: maxFileCount,
    backlogBytes: (options.maxBacklogMB ?? DEFAULT_BACKLOG_MB) * MEGABYTE,
  };
}
