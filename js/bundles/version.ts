/** Asking a source, and telling one version of a bundle from another. */

import { OptionsError } from "../errors.js";
import {
  type BundleLoader,
  type BundleSource,
  hasMethod,
  type LoadedBundle,
  limitedSource,
  type PreviousBundle,
  Unavailable,
  unavailable,
} from "./source.js";

/** By what one version is told from another. */
export interface Mark {
  /** What the source says. */
  etag: string | undefined;
  /** The SHA-256 of all bytes; `undefined` where there is no Web Crypto, as on pages that are not secure. */
  fingerprint: string | undefined;
}

/** A bundle as it came. */
export interface Version {
  bytes: Uint8Array;
  mark: Mark;
}

/** How long a function may take. */
const FUNCTION_TIMEOUT = 10_000;

/** The source that a caller gives: an object, or a function. Throws an `OptionsError`. */
export function asSource(given: unknown): BundleSource {
  if (typeof given === "function") {
    return functionSource(given as BundleLoader);
  }
  if (hasMethod(given, "load") && typeof (given as BundleSource).name === "string") {
    return given as BundleSource;
  }
  throw new OptionsError("bundle", "must be bytes, a source of orthrus/bundles, or a function that brings bytes");
}

function functionSource(load: BundleLoader): BundleSource {
  return limitedSource(`${load.name || "function"}()`, { timeout: FUNCTION_TIMEOUT }, async (previous) => {
    const loaded = await load(previous);
    return isBytes(loaded) ? { bytes: loaded } : loaded;
  });
}

/** Whether a value is bytes. */
export function isBytes(value: unknown): value is Uint8Array | ArrayBuffer {
  return value instanceof Uint8Array || value instanceof ArrayBuffer;
}

/** Bytes as the engine takes them. */
export function bytesOf(bytes: Uint8Array | ArrayBuffer): Uint8Array {
  return bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes;
}

/** The bundle that a source has. Rejects with a `BundleError`. */
export async function loadVersion(source: BundleSource): Promise<Version> {
  const loaded = await ask(source, undefined);
  if (loaded === "unchanged") {
    const problem = 'it answers "unchanged", though it has brought none before';
    throw unavailable(source.name, new Unavailable("failed", problem));
  }
  return loaded;
}

/** The bundle that a source has now, or what to know of the same one from here on. Rejects with a `BundleError`. */
export async function loadNewer(source: BundleSource, previous: PreviousBundle, known: Mark): Promise<Version | Mark> {
  const loaded = await ask(source, previous);
  if (loaded === "unchanged") {
    return known;
  }
  const { fingerprint } = loaded.mark;
  return fingerprint !== undefined && fingerprint === known.fingerprint ? loaded.mark : loaded;
}

async function ask(source: BundleSource, previous: PreviousBundle | undefined): Promise<Version | "unchanged"> {
  try {
    const loaded = await source.load(previous);
    return loaded === "unchanged" ? loaded : await versionOf(loaded);
  } catch (error) {
    throw unavailable(source.name, error);
  }
}

async function versionOf(loaded: LoadedBundle): Promise<Version> {
  const { bytes, etag } = loaded ?? {};
  if (!isBytes(bytes)) {
    throw new Unavailable("failed", 'it must bring { bytes } with a Uint8Array or ArrayBuffer, or "unchanged"');
  }
  return { bytes: bytesOf(bytes), mark: { etag, fingerprint: await fingerprintOf(bytes) } };
}

/** Sources without ETags bring the same bytes again and again: hashing them costs less than loading the policies. */
async function fingerprintOf(bytes: Uint8Array | ArrayBuffer): Promise<string | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) {
    return undefined;
  }
  const hash = new Uint8Array(await subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
