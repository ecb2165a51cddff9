/** Where bundles come from, and what all sources share: a name, a limit in time, a limit in size. */

import { BundleError, type BundleUnavailableReason, OptionsError } from "../errors.js";
import { isRecord } from "../identity/identity.js";
import { unknownOption } from "../options-names.js";
import { type Duration, timeout } from "../tokens/duration.js";

/** The bundle that decides now, so that a source need not bring it again. */
export interface PreviousBundle {
  /** The digest of its content: `sha256:…`. */
  readonly digest: string;
  /** What the source said of it: `undefined` where it said nothing. */
  readonly etag?: string | undefined;
}

/** A bundle as a source brought it. */
export interface LoadedBundle {
  /** The whole bundle. */
  bytes: Uint8Array | ArrayBuffer;
  /** A name of this version, by which the source tells later whether it still has it. */
  etag?: string | undefined;
}

/** Where bundles come from. `orthrus/bundles` makes the usual ones; an object of one's own will do as well. */
export interface BundleSource {
  /** For messages and logs, such as `https://policies.example.com/policies.orb`. Must hold no secret. */
  readonly name: string;
  /**
   * Brings the bundle, or `"unchanged"` if it is the previous one; without a previous one it must bring it. Rejects if it cannot be
   * had, and should do so in bounded time.
   */
  load(previous?: PreviousBundle): Promise<LoadedBundle | "unchanged">;
}

/** What a function in the place of a source brings; it may be the bytes alone. */
export type Brought = LoadedBundle | Uint8Array | ArrayBuffer | "unchanged";

/** A function in the place of a source. It has ten seconds. */
export type BundleLoader = (previous?: PreviousBundle) => Brought | Promise<Brought>;

/** Options that sources share. */
export interface BundleSourceOptions {
  /** How long one load may take. Default: 10 seconds. */
  timeout?: Duration | undefined;
  /** How many bytes a bundle may have. Default: 32 MiB; in a file any number. */
  maxBytes?: number | undefined;
}

/** Limits of a source, checked. */
export interface Limits {
  /** Milliseconds. */
  timeout: number;
  maxBytes: number;
}

const DEFAULT_TIMEOUT = 10_000;
const DEFAULT_MAX_BYTES = 32 * 1024 * 1024;

/** The limits among the options of a source, which may have those named beside them. Throws an `OptionsError`. */
export function checkLimits(options: unknown, others: readonly string[] = [], bytes = DEFAULT_MAX_BYTES): Limits {
  if (!isRecord(options)) {
    throw new OptionsError("", "the options of a source must be an object");
  }
  const known = ["timeout", "maxBytes", ...others];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new OptionsError(unknown, unknownOption(unknown, known));
  }
  const { maxBytes = bytes } = options;
  if (!Number.isSafeInteger(maxBytes) || (maxBytes as number) <= 0) {
    throw new OptionsError("maxBytes", "must be a number of bytes, more than 0");
  }
  return { timeout: timeout(options["timeout"], "timeout", DEFAULT_TIMEOUT), maxBytes: maxBytes as number };
}

/** A name that a caller gives: a key, a path. Throws an `OptionsError`. */
export function requireName(value: unknown, option: string): string {
  if (typeof value !== "string" || value === "") {
    throw new OptionsError(option, "must be a string that is not empty");
  }
  return value;
}

/** Whether a value is a binding or client that has a method. */
export function hasMethod(value: unknown, method: string): boolean {
  return (
    ((typeof value === "object" && value !== null) || typeof value === "function") &&
    typeof (value as Record<string, unknown>)[method] === "function"
  );
}

/** A reason for which a source has no bundle, before the source is named. */
export class Unavailable extends Error {
  readonly reason: BundleUnavailableReason;

  constructor(reason: BundleUnavailableReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** A source that answers in time or fails, and fails by a `BundleError` that names it. */
export function limitedSource(
  name: string,
  { timeout }: Pick<Limits, "timeout">,
  load: (previous: PreviousBundle | undefined, signal: AbortSignal) => Promise<LoadedBundle | "unchanged">,
): BundleSource {
  return {
    name,
    load: async (previous) => {
      try {
        return await withinTime(timeout, (signal) => load(previous, signal));
      } catch (error) {
        throw unavailable(name, error);
      }
    },
  };
}

/** What happens within so many milliseconds. What cannot be aborted is left to itself after them. */
async function withinTime<T>(limit: number, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const abort = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Unavailable("timeout", `there was no answer within ${limit} ms`));
      abort.abort();
    }, limit);
  });
  try {
    return await Promise.race([action(abort.signal), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The error of a load that failed. What is a `BundleError` already is about the bundle, or names its source. */
export function unavailable(name: string, error: unknown): BundleError {
  if (error instanceof BundleError) {
    return error;
  }
  const reason = error instanceof Unavailable ? error.reason : "failed";
  // The message that `fetch` fails with says nothing; its cause does.
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const told = error instanceof Error && error.message !== "fetch failed" ? error : cause;
  const message = told instanceof Error ? told.message : String(told);
  return new BundleError("BUNDLE_UNAVAILABLE", reason, `the bundle cannot be had from ${name}: ${message}`, {
    cause: error,
  });
}

/** Refuses what is too large, by the size that the source tells of it. */
export function requireSize(size: unknown, maxBytes: number): void {
  if (typeof size === "number" && size > maxBytes) {
    throw tooLarge(maxBytes);
  }
}

function tooLarge(maxBytes: number): Unavailable {
  return new Unavailable("too-large", `it has more than ${maxBytes} bytes; the option maxBytes can allow more`);
}

/** All bytes of a stream; no more than the limit are taken from it. */
export async function readBounded(stream: ReadableStream<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) {
      break;
    }
    size += value.length;
    if (size > maxBytes) {
      // Nobody waits for the end of what nobody wants.
      reader.cancel().catch(() => undefined);
      throw tooLarge(maxBytes);
    }
    chunks.push(value);
  }
  return joined(chunks, size);
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let end = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, end);
    end += chunk.length;
  }
  return bytes;
}
