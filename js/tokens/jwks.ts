/** Fetching a JWK set: from where the options say and nowhere else, in bounded time, and no more than a bounded size. */

import { OptionsError } from "../errors.js";
import { isLoopback } from "./loopback.js";

/** More is not read, as the addon would not. */
const MAX_BYTES = 256 * 1024;

/** A JWK set as it came. */
export interface FetchedKeys {
  bytes: Uint8Array;
  /** For how many milliseconds the server says that it stays fresh; `undefined` where it does not say. */
  lifetime: number | undefined;
}

/** Where an option says that keys are published. Throws an `OptionsError`. */
export function keySetUrl(given: unknown, path: string): URL {
  let url: URL;
  try {
    url = new URL(String(given));
  } catch (cause) {
    throw new OptionsError(path, "must be a whole URL: is it set?", { cause });
  }
  // Keys that anybody on the way can exchange verify nothing.
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLoopback(url.hostname))) {
    throw new OptionsError(path, "must begin with https:, unless it is on this machine");
  }
  if (url.username !== "" || url.password !== "") {
    throw new OptionsError(path, "must not hold a password");
  }
  return url;
}

/** Fetches a JWK set. Rejects with an error that says what was wrong. */
export async function fetchKeys(url: URL, timeout: number): Promise<FetchedKeys> {
  const signal = AbortSignal.timeout(timeout);
  try {
    const response = await fetch(url, {
      // Who answers for the keys is who the options name.
      redirect: "manual",
      headers: { accept: "application/jwk-set+json, application/json" },
      signal,
    });
    const problem = problemOf(response);
    if (problem !== undefined) {
      await response.body?.cancel();
      throw new Error(problem);
    }
    return { bytes: await readBody(response), lifetime: lifetime(response.headers) };
  } catch (error) {
    throw signal.aborted ? new Error(`there was no answer within ${timeout} ms`, { cause: error }) : error;
  }
}

function problemOf({ status, headers }: Response): string | undefined {
  if (status >= 300 && status < 400) {
    return `the answer is a redirect (HTTP ${status}), which is not followed`;
  }
  if (status !== 200) {
    return `the answer is HTTP ${status}`;
  }
  const type = headers.get("content-type") ?? "";
  if (!/^application\/([\w.-]+\+)?json\s*(;|$)/i.test(type)) {
    return `the answer is no JSON, but of type ${JSON.stringify(type)}`;
  }
  if (Number(headers.get("content-length")) > MAX_BYTES) {
    return TOO_LARGE;
  }
  return undefined;
}

const TOO_LARGE = `the answer has more than ${MAX_BYTES} bytes`;

async function readBody(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) {
      throw new Error(TOO_LARGE);
    }
    chunks.push(chunk);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}

/** Freshness by RFC 9111, section 4.2.1, for a private cache. */
export function lifetime(headers: Headers): number | undefined {
  const directives = (headers.get("cache-control") ?? "").toLowerCase();
  if (/\bno-(store|cache)\b/.test(directives)) {
    return 0;
  }
  const maxAge = /\bmax-age\s*=\s*"?(\d+)/.exec(directives)?.[1];
  if (maxAge !== undefined) {
    const age = Number(headers.get("age") ?? 0) || 0;
    return Math.max(0, Number(maxAge) - age) * 1000;
  }
  const expires = headers.get("expires");
  if (expires === null) {
    return undefined;
  }
  const date = Date.parse(headers.get("date") ?? "");
  // What is no date, such as the usual `0`, means that it has expired (section 5.3).
  const left = Date.parse(expires) - (Number.isNaN(date) ? Date.now() : date);
  return Number.isNaN(left) ? 0 : Math.max(0, left);
}
